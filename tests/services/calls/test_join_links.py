"""Calls created over the API: two join links, which admit nobody else to the call."""

from __future__ import annotations

import pytest

from tests.services.calls.simulated_site import (
    JOIN_SECONDS,
    OFFER,
    QUEUE_SECONDS,
    SimulatedSite,
    agent_session,
    refused,
)
from visavis.domain.config import Config
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import CallRole
from visavis.domain.people import Visitor
from visavis.protocol import signaling
from visavis.services.calls.join_links import CallWithJoinLinks, site_of

pytestmark = pytest.mark.anyio

BO = agent_session("a").agent


async def made(site: SimulatedSite) -> CallWithJoinLinks:
    return await site.calls.create(BO, "audio", "An\0n", "ann@example.com")


async def come(site: SimulatedSite, created: CallWithJoinLinks, socket_id: str = "v") -> None:
    visitor = Visitor(socket_id, 1, call_id=created.call_id)
    await site.calls.from_visitor(visitor, signaling.PlaceCall("video", OFFER))
    await site.wait_idle()


async def test_each_address_leads_one_side_to_the_call(site: SimulatedSite) -> None:
    created = await made(site)
    visitor, agent = (
        site.calls.find_join_link(created.visitor_token),
        site.calls.find_join_link(created.agent_token),
    )
    assert (visitor.side, agent.side) == (CallRole.VISITOR, CallRole.AGENT)
    assert visitor.call_id == agent.call_id == created.call_id
    assert agent.agent == BO
    found = await site.past(created.call_id)
    assert (found.state, found.origin, found.visitor_name) == ("requested", "api", "Ann")
    with pytest.raises(VisavisError):
        site.calls.find_join_link("guessed")


async def test_a_network_that_guesses_has_to_wait(site: SimulatedSite) -> None:
    created = await made(site)
    for _ in range(site.calls.guard.limits.joins):
        with pytest.raises(VisavisError) as caught:
            site.calls.find_join_link("guessed", "203.0.113.9")
        assert caught.value.kind is ErrorKind.EntityNotFound
    with pytest.raises(VisavisError) as caught:
        site.calls.find_join_link(created.visitor_token, "203.0.113.9")
    assert caught.value.kind is ErrorKind.TooManyRequests
    found = site.calls.find_join_link(created.visitor_token, "198.51.100.1")
    assert found.call_id == created.call_id


async def test_they_are_connected_as_soon_as_both_are_there(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("b", 2))
    created = await made(site)
    own = agent_session("j", call_id=created.call_id)
    site.calls.agent_arrived(own)
    assert site.told.get("j") is None
    await come(site, created)
    assert site.heard("j") == ["mine", "callState", "offer"]
    assert site.last("j", "mine")["visitorName"] == "Ann"
    assert site.heard("b") == []
    await site.answer(created.call_id, own)
    await site.up(created.call_id)
    assert site.last("v")["state"] == "connected"


async def test_the_visitor_may_come_first(site: SimulatedSite) -> None:
    created = await made(site)
    await come(site, created)
    assert site.last("v") == {"type": "queued", "callId": created.call_id, "place": 1}
    site.calls.agent_arrived(agent_session("a"))  # the agent's own console does not ring either
    site.calls.agent_arrived(agent_session("b", 2))
    accept = signaling.Accept(created.call_id)
    assert await refused(site.agent(accept)) is ErrorKind.PermissionDenied
    assert site.heard("a") == site.heard("b") == []
    site.calls.agent_arrived(agent_session("j", call_id=created.call_id))
    await site.wait_idle()
    assert site.heard("j") == ["mine", "callState", "offer"]


async def test_an_agent_in_another_call_takes_it_afterwards(site: SimulatedSite) -> None:
    other = await site.connect("v1")
    created = await made(site)
    site.calls.agent_arrived(agent_session("j", call_id=created.call_id))
    await come(site, created)
    assert site.heard("j") == []
    await site.agent(signaling.HangUp(other))
    await site.wait_idle()
    assert site.heard("j")[0] == "mine"


async def test_an_address_admits_to_one_call(site: SimulatedSite) -> None:
    created = await made(site)
    own = agent_session("j", call_id=created.call_id)
    site.calls.agent_arrived(own)
    other = await site.ring("v9")
    for message in (
        signaling.Accept(other),
        signaling.Presence(is_available=False),
        signaling.Invite("v9", "video"),
    ):
        assert await refused(site.agent(message, own)) is ErrorKind.PermissionDenied


async def test_the_first_to_come_has_it(site: SimulatedSite) -> None:
    created = await made(site)
    await come(site, created)
    assert await refused(come(site, created, "w")) is ErrorKind.CallNotPossible


async def test_the_addresses_end_with_the_call(site: SimulatedSite) -> None:
    created = await made(site)
    await site.calls.end(1, created.call_id)
    with pytest.raises(VisavisError):
        site.calls.find_join_link(created.visitor_token)
    unused = await made(site)
    await site.pass_time(JOIN_SECONDS)
    assert await site.state(unused.call_id) == ("ended", "abandoned")
    with pytest.raises(VisavisError):
        site.calls.find_join_link(unused.agent_token)


async def test_nobody_comes_for_the_visitor(site: SimulatedSite) -> None:
    created = await made(site)
    own = agent_session("j", call_id=created.call_id)
    site.calls.agent_arrived(own)
    site.calls.agent_left(own)
    site.calls.agent_left(own)
    await come(site, created)
    await site.pass_time(QUEUE_SECONDS)
    assert await site.state(created.call_id) == ("ended", "missed")


async def test_a_reloaded_page_takes_it_up_again(site: SimulatedSite) -> None:
    created = await made(site)
    own = agent_session("j", call_id=created.call_id)
    site.calls.agent_arrived(own)
    await come(site, created)
    site.calls.agent_left(own)
    again = agent_session("k", call_id=created.call_id)
    site.calls.agent_arrived(again)
    await site.agent(signaling.Resume(created.call_id), again)
    assert site.heard("k") == ["mine", "callState"]
    assert site.last("v") == {"type": "connect", "callId": created.call_id, "link": 2}


async def test_the_switch_is_asked_twice(site: SimulatedSite) -> None:
    created = await made(site)
    site.config = Config(1)
    assert await refused(made(site)) is ErrorKind.AudioVideoChatDisabled
    assert await refused(come(site, created)) is ErrorKind.AudioVideoChatDisabled


async def test_a_token_names_its_site(site: SimulatedSite) -> None:
    created = await site.calls.create(agent_session("a").agent, "video", "Ann", "")
    assert [site_of(t) for t in (created.visitor_token, created.agent_token)] == [1, 1]
    assert [site_of(t) for t in ("4711", "0-abc", "12345678901-a", "-1", "x1-a", "")] == [0] * 6
