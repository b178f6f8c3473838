"""STUN and TURN servers that are sent to a browser."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime

from visavis.protocol.signaling import IceServer
from visavis.services.ice import IceDirectory

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_nothing_is_told_of_no_servers() -> None:
    assert IceDirectory().servers("v", NOW).servers == []


def test_strangers_are_told_of_stun_alone() -> None:
    directory = IceDirectory(("stun:a",), ("turn:t",), "north")
    told = directory.public_servers()
    assert told.servers == [IceServer(urls=["stun:a"])]
    assert told.has_relay
    assert directory.has_relay
    assert not IceDirectory(("stun:a",)).public_servers().has_relay


def test_stun_servers_need_no_credentials() -> None:
    (server,) = IceDirectory(stun_servers=("stun:a", "stun:b")).servers("v", NOW).servers
    assert server == IceServer(urls=["stun:a", "stun:b"])


def test_turn_credentials_are_those_that_coturn_expects() -> None:
    directory = IceDirectory(
        turn_servers=("turn:t?transport=tcp",), turn_secret="north", turn_seconds=600
    )
    (server,) = directory.servers("visitor7", NOW).servers
    assert server.username == f"{int(NOW.timestamp()) + 600}:visitor7"
    signed = hmac.new(b"north", server.username.encode(), hashlib.sha1).digest()
    assert base64.b64decode(server.credential) == signed


def test_a_turn_server_that_asks_nobody() -> None:
    (server,) = IceDirectory(turn_servers=("turn:t",)).servers("v", NOW).servers
    assert (server.username, server.credential) == ("", "")
