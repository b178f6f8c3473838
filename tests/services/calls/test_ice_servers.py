"""TURN servers: sent only to the participants of a call, and only during the call."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.calls.simulated_site import OFFER, SimulatedSite, agent_session, refused
from visavis.domain.config import Config
from visavis.domain.errors import ErrorKind
from visavis.protocol import signaling
from visavis.protocol.signaling import IceServer, IceServers

pytestmark = pytest.mark.anyio


def with_relay(site: SimulatedSite) -> SimulatedSite:
    def relays(call_id: str) -> IceServers:
        return IceServers(servers=[IceServer(urls=["turn:t"], username=call_id)], has_relay=True)

    site.calls._runner._relays = relays
    return site


def told(site: SimulatedSite, socket_id: str) -> list[str]:
    """Return the calls for which a page has received credentials."""
    messages: list[dict[str, Any]] = site.told.get(socket_id, [])
    servers = [message["servers"] for message in messages if message["type"] == "iceServers"]
    return [server["username"] for (server,) in servers]


async def ring(site: SimulatedSite) -> str:
    call_id = await site.ring()
    assert site.heard("v", but=("callState",))[:3] == ["calling", "iceServers", "connect"]
    await site.visitor(signaling.Offer(call_id, 1, OFFER))
    return call_id


async def test_both_parties_are_told_when_they_need_it(site: SimulatedSite) -> None:
    with_relay(site)
    site.calls.agent_arrived(agent_session("a"))
    site.calls.agent_arrived(agent_session("b", 2))
    call_id = await ring(site)
    assert told(site, "v") == [call_id]
    assert "provisionalAnswer" in site.heard("v")
    assert told(site, "a") == told(site, "b") == []
    await site.agent(signaling.Accept(call_id))
    heard = site.heard("a")
    assert heard.index("iceServers") < heard.index("offer")
    await site.answer(call_id)
    await site.up(call_id)
    assert (await site.state(call_id))[0] == "connected"
    assert told(site, "a") == [call_id]
    assert told(site, "b") == []


async def test_they_are_told_again_while_the_call_lasts(site: SimulatedSite) -> None:
    with_relay(site)
    site.calls.agent_arrived(agent_session("a"))
    call_id = await ring(site)
    await site.agent(signaling.Accept(call_id))
    site.forget()
    for socket_id in ("v", "a", "nobody"):
        site.calls.renew_relays(socket_id)
    assert [told(site, page) for page in ("v", "a", "nobody")] == [[call_id], [call_id], []]
    await site.visitor(signaling.HangUp(call_id))
    site.forget()
    for socket_id in ("v", "a"):
        site.calls.renew_relays(socket_id)
    assert site.told == {}


async def test_nobody_is_told_while_calls_are_off(site: SimulatedSite) -> None:
    with_relay(site).config = Config(1, is_enabled=False)
    assert await refused(site.ring()) is ErrorKind.AudioVideoChatDisabled
    site.calls.renew_relays("v")
    assert told(site, "v") == []


async def test_without_a_relay_the_first_offer_is_used(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    site.calls.renew_relays("v")
    assert told(site, "v") == []
    assert "connect" not in site.heard("v")
    assert call_id
