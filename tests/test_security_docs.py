"""The limits of docs/security.md are those of the code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import msgspec
import pytest

from visavis import descriptors
from visavis.app import FAILURE_SECONDS
from visavis.archive import tus_headers, upload_body, uploads
from visavis.cli.archive import IDLE_SECONDS
from visavis.domain.call.pages import MAX_LINES
from visavis.media import ice_tcp, limits, udp_receiver
from visavis.media.relay import CONTROL_COST_BYTES
from visavis.protocol.query import MAX_PAGE_SIZE
from visavis.protocol.signaling import MAX_MESSAGE_BYTES
from visavis.services import grants, sign_in, sign_in_failures
from visavis.services.connectivity_tests import MAX_OF_SOURCE, MAX_TESTS
from visavis.services.password_rules import MIN_LENGTH
from visavis.services.tokens import SESSION_LIFETIME
from visavis.services.visitor_limits import VisitorLimits
from visavis.settings import Settings
from visavis.web import request, request_limits
from visavis.web.connections import PER_NETWORK
from visavis.web.router import WINDOW_SECONDS
from visavis.web.throttled_websocket import BURST, MESSAGES_PER_SECOND

PAGE: Final = (Path(__file__).parent.parent / "docs" / "security.md").read_text()
DEFAULTS: Final = {field.name: field.default for field in msgspec.structs.fields(Settings)}
PACED: Final = udp_receiver.PACED_DATAGRAMS / udp_receiver.PACED_SECONDS
DAY: Final = 86_400
PER_SECOND: Final = f"{MESSAGES_PER_SECOND:.0f}; {BURST:.0f}"

FIXED: Final = {
    "time after a call cancelled by its visitor until the next one": (
        f"{VisitorLimits().call_pause_seconds:.0f} s"
    ),
    "connection checks at once, per network and in total": f"{MAX_OF_SOURCE}, {MAX_TESTS}",
    "HTTP connections per network": f"{PER_NETWORK}",
    "connections in total": f"open files less {descriptors.RESERVE}",
    "media connections over TCP; unused ones per network": (
        f"{ice_tcp.MAX_CONNECTIONS:,}; {ice_tcp.MAX_STRANGERS_PER_NETWORK}"
    ),
    "all datagrams of senders in no call, per media worker and address family": (
        f"{PACED:,.0f} per second"
    ),
    "bytes per second on a media connection over TCP before a call has bound it": (
        f"{ice_tcp.STRANGER_RATE // 1024} KiB"
    ),
    "messages per second on a WebSocket; at once": PER_SECOND,
    "control frames and fragments per second on a WebSocket; at once": PER_SECOND,
    "size of a message on a WebSocket": f"{MAX_MESSAGE_BYTES // 1024} KiB",
    "items of a page of a list": f"{MAX_PAGE_SIZE}",
    "lines of chat kept of a call": f"{MAX_LINES:,}",
    "size of an upload; of its metadata": (
        f"{tus_headers.MAX_SIZE // 1024**3} GiB; {tus_headers.MAX_METADATA_BYTES // 1024} KiB"
    ),
    "age of an unfinished upload, without progress, without a byte, of any": (
        f"{uploads.LIFETIME_SECONDS / DAY:.0f} d, {uploads.UNBEGUN_SECONDS / 3600:.0f} h, "
        f"{uploads.MAX_AGE_SECONDS / DAY:.0f} d"
    ),
    "pause in the body of an upload": f"{upload_body.IDLE_SECONDS:.0f} s",
    "lifetime of a session; of a refresh token; of an authorization code": (
        f"{SESSION_LIFETIME.days} d; {grants.REFRESH_LIFETIME.days} d; "
        f"{grants.CODE_LIFETIME.seconds} s"
    ),
    "body of an API call; its time": (
        f"{request.MAX_BODY_BYTES // 1024} KiB; {request.BODY_SECONDS:.0f} s"
    ),
    "head of a request; its time": (
        f"{request_limits.MAX_HEAD_BYTES // 1024} KiB; {request_limits.HEAD_SECONDS:.0f} s"
    ),
}
"""Limits that no setting changes, by their row of the table."""


def rows() -> list[tuple[str, str, str]]:
    table = PAGE.partition("| what | default | setting |")[2].partition("\n\n")[0]
    cells = [line.strip("|").split("|") for line in table.splitlines()[2:]]
    return [(what.strip(), default.strip(), setting.strip()) for what, default, setting in cells]


@pytest.mark.parametrize(("what", "default", "setting"), rows())
def test_a_documented_limit_is_the_code_s(what: str, default: str, setting: str) -> None:
    name = setting.strip("`")
    if name in DEFAULTS:
        stated = re.match(r"[\d,]+", default)
        assert stated
        assert int(stated[0].replace(",", "")) == DEFAULTS[name]
    else:
        assert FIXED[what] == default


def test_every_fixed_limit_is_documented() -> None:
    assert {what for what, _, setting in rows() if setting.strip("`") not in DEFAULTS} == set(FIXED)


LIMIT: Final = re.compile(
    r"per_(minute|second|address|site|key)$|rate_limit$|^max_|^queue_length$|_(giga|mega)bytes$"
    r"|_idle_minutes$|^turn_seconds$|^access_token_seconds$|^refresh_reuse_seconds$"
)
"""Names of the settings that are limits."""


def test_every_setting_that_is_a_limit_is_documented() -> None:
    named = {setting.strip("`") for _, _, setting in rows()} & DEFAULTS.keys()
    assert named == {name for name in DEFAULTS if LIMIT.search(name)}


def test_the_limits_of_signing_in_are_the_code_s() -> None:
    table = PAGE.partition("| attempts | without delay | then one every |")[2].partition("\n\n")[0]
    cells = [line.strip("|").split("|") for line in table.splitlines()[2:]]
    found = [(free.strip(), then.strip()) for _, free, then in cells]
    rules = (sign_in.ACCOUNT_AND_ADDRESS, sign_in.ADDRESS, sign_in.ACCOUNT)
    assert found == [
        *((f"{rule.free}", f"2, 4, 8 … {rule.max_delay:.0f} s") for rule in rules),
        (f"{sign_in.MAX_CHECKS}, {sign_in.MAX_CHECKS_PER_ADDRESS}", "429"),
    ]
    assert f"forgotten after {sign_in.FORGET_SECONDS / 60:.0f} minutes" in PAGE
    assert f"at least {MIN_LENGTH} characters" in " ".join(PAGE.split())
    assert f"at most {sign_in_failures.MAX_PAIRS} such pairs" in " ".join(PAGE.split())
    assert sign_in_failures.WINDOW_SECONDS == 3600
    assert FAILURE_SECONDS == IDLE_SECONDS == 60  # "every minute"


def test_what_the_sentences_say_is_so() -> None:
    assert WINDOW_SECONDS == 5 * 60
    assert f"counts as {limits.LEAST_COST_BYTES} bytes or more" in PAGE
    assert f"STUN and DTLS as {CONTROL_COST_BYTES:,}" in PAGE
    assert f"{limits.BURST_SECONDS:.0f} s at once" in PAGE
    assert f"until {limits.EXCESSIVE_SECONDS:.0f} seconds after the flood" in PAGE
    assert f"for {DEFAULTS['turn_seconds'] // 60} minutes (`turn_seconds`)" in PAGE
    burst = DEFAULTS["strangers_per_second"] * limits.BURST_SECONDS
    assert f"100; {burst:.0f} at once" in PAGE
    assert f"raised to at most {descriptors.WANTED:,}" in PAGE
