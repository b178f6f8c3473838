"""TURN servers: only the parties of a call are told of them, and only while it lasts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.calls.house import OFFER, House, agent_session, refused
from visavis.domain import signaling
from visavis.domain.config import Config
from visavis.domain.errors import ErrorKind
from visavis.domain.signaling import IceServer, IceServers

pytestmark = pytest.mark.anyio


def with_relay(house: House) -> House:
    def relays(call_id: str) -> IceServers:
        return IceServers(servers=[IceServer(urls=["turn:t"], username=call_id)], has_relay=True)

    house.calls._bridges._relays = relays
    return house


def told(house: House, socket_id: str) -> list[str]:
    """The calls whose credentials a page has been given."""
    messages: list[dict[str, Any]] = house.told.get(socket_id, [])
    servers = [message["servers"] for message in messages if message["type"] == "iceServers"]
    return [server["username"] for (server,) in servers]


async def ring(house: House) -> str:
    call_id = await house.ring()
    assert house.heard("v", but=("callState",))[:3] == ["calling", "iceServers", "connect"]
    await house.visitor(signaling.Offer(call_id, 1, OFFER))
    return call_id


async def test_both_parties_are_told_when_they_need_it(house: House) -> None:
    with_relay(house)
    house.calls.agent_arrived(agent_session("a"))
    house.calls.agent_arrived(agent_session("b", 2))
    call_id = await ring(house)
    assert told(house, "v") == [call_id]
    assert "provisionalAnswer" in house.heard("v")
    assert told(house, "a") == told(house, "b") == []
    await house.agent(signaling.Accept(call_id))
    heard = house.heard("a")
    assert heard.index("iceServers") < heard.index("offer")
    await house.answer(call_id)
    await house.up(call_id)
    assert (await house.state(call_id))[0] == "connected"
    assert told(house, "a") == [call_id]
    assert told(house, "b") == []


async def test_they_are_told_again_while_the_call_lasts(house: House) -> None:
    with_relay(house)
    house.calls.agent_arrived(agent_session("a"))
    call_id = await ring(house)
    await house.agent(signaling.Accept(call_id))
    house.forget()
    for socket_id in ("v", "a", "nobody"):
        house.calls.renew_relays(socket_id)
    assert [told(house, page) for page in ("v", "a", "nobody")] == [[call_id], [call_id], []]
    await house.visitor(signaling.HangUp(call_id))
    house.forget()
    for socket_id in ("v", "a"):
        house.calls.renew_relays(socket_id)
    assert house.told == {}


async def test_nobody_is_told_while_calls_are_off(house: House) -> None:
    with_relay(house).config = Config(1, is_enabled=False)
    assert await refused(house.ring()) is ErrorKind.AudioVideoChatDisabled
    house.calls.renew_relays("v")
    assert told(house, "v") == []


async def test_without_a_relay_the_first_offer_is_used(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    call_id = await house.ring()
    house.calls.renew_relays("v")
    assert told(house, "v") == []
    assert "connect" not in house.heard("v")
    assert call_id
