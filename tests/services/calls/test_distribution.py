"""Call distribution: the agents at whom a call rings, the agent who gets it, the queue."""

from __future__ import annotations

import pytest

from tests.services.calls.simulated_site import (
    OFFER,
    QUEUE_SECONDS,
    RESUME_SECONDS,
    RING_SECONDS,
    SimulatedSite,
    agent_session,
    refused,
)
from visavis.domain.errors import ErrorKind
from visavis.domain.people import Visitor
from visavis.protocol import signaling

pytestmark = pytest.mark.anyio


async def test_the_first_agent_to_accept_has_it(site: SimulatedSite) -> None:
    first, second = agent_session("a", 1), agent_session("b", 2)
    site.calls.agent_arrived(first)
    site.calls.agent_arrived(second)
    call_id = await site.ring()
    await site.agent(signaling.Accept(call_id), second)
    assert site.last("a", "ringStopped")["reason"] == "accepted"
    accept = signaling.Accept(call_id)
    assert await refused(site.agent(accept, first)) is ErrorKind.CallNotPossible
    assert site.last("v", "callState")["agentName"] == "Cy"


async def test_an_agent_who_comes_late_hears_it_ring(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    await site.ring()
    site.calls.agent_arrived(agent_session("b", 2))
    assert site.heard("b") == ["ring"]


async def test_it_rings_at_every_desk_of_an_agent(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a1"))
    site.calls.agent_arrived(agent_session("a2"))
    call_id = await site.ring()
    await site.agent(signaling.Accept(call_id), agent_session("a2"))
    assert site.heard("a1") == ["ring", "ringStopped"]


async def test_nobody_takes_it(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    await site.pass_time(RING_SECONDS)
    assert site.last("v")["reason"] == "missed"
    assert site.last("a", "ringStopped")["reason"] == "missed"
    assert await site.state(call_id) == ("ended", "missed")


async def test_everybody_declines(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a", 1))
    site.calls.agent_arrived(agent_session("b", 2))
    call_id = await site.ring()
    await site.agent(signaling.Decline(call_id), agent_session("a", 1))
    assert site.last("a", "ringStopped")["reason"] == "declined"
    assert site.last("v", "callState")["state"] == "ringing"
    await site.agent(signaling.Decline(call_id), agent_session("b", 2))
    assert (site.last("v")["reason"], site.last("v")["by"]) == ("declined", "agent")


async def test_who_has_declined_hears_it_no_more(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a", 1))
    site.calls.agent_arrived(agent_session("b", 2))
    call_id = await site.ring()
    await site.agent(signaling.Decline(call_id), agent_session("a", 1))
    site.forget()
    site.calls.agent_arrived(agent_session("a2", 1))
    assert site.heard("a2") == []
    site.calls.agent_left(agent_session("b", 2))
    await site.wait_idle()
    assert site.last("v")["reason"] == "declined"


async def test_nobody_there_means_the_queue_and_after_it_missed(site: SimulatedSite) -> None:
    call_id = await site.ring()
    assert site.last("v") == {"type": "queued", "callId": call_id, "place": 1}
    await site.pass_time(QUEUE_SECONDS)
    assert site.last("v")["reason"] == "missed"


async def test_a_site_rings_as_many_calls_as_it_has_free_agents(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    first, second = await site.ring("v1"), await site.ring("v2")
    assert site.last("v2")["place"] == 1
    assert site.heard("a") == ["ring"]
    site.calls.agent_arrived(agent_session("b", 2))
    assert site.last("v2", "callState")["state"] == "ringing"
    assert [m["callId"] for m in site.told["b"] if m["type"] == "ring"] == [first, second]


async def test_first_come_first_served(site: SimulatedSite) -> None:
    talking = await site.connect("v0")
    waiting = [await site.ring(f"v{n}") for n in (1, 2, 3)]
    assert [site.last(f"v{n}")["place"] for n in (1, 2, 3)] == [1, 2, 3]
    site.forget()
    await site.agent(signaling.HangUp(talking))
    assert site.last("a", "ring")["callId"] == waiting[0]
    assert site.last("v1", "callState")["state"] == "ringing"
    await site.pass_time(1)
    assert [site.last(f"v{n}")["place"] for n in (2, 3)] == [1, 2]


async def test_one_call_per_agent(site: SimulatedSite) -> None:
    await site.connect("v1")
    second = await site.ring("v2")
    accept = signaling.Accept(second)
    assert await refused(site.agent(accept)) is ErrorKind.CallNotPossible


async def test_an_agent_in_a_call_hears_no_other_ring(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a", 1))
    site.calls.agent_arrived(agent_session("b", 2))
    first, second = await site.ring("v1"), await site.ring("v2")
    await site.agent(signaling.Accept(first), agent_session("a"))
    stopped = {"type": "ringStopped", "callId": second, "reason": "busy"}
    assert stopped in site.told["a"]
    assert site.last("v2", "callState")["state"] == "ringing"  # at the other agent's
    site.calls.agent_left(agent_session("b", 2))
    assert site.last("v2")["type"] == "queued"


async def test_away_means_no_ringing(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    await site.agent(signaling.Presence(is_available=False))
    assert site.last("v")["type"] == "queued"
    assert site.last("a", "ringStopped")["callId"] == call_id
    assert not (await site.calls.welcome(agent_session("a2"))).is_available
    await site.agent(signaling.Presence(is_available=True))
    assert site.last("v", "callState")["state"] == "ringing"
    assert (await site.calls.welcome(agent_session("a"))).is_available


async def test_a_visitor_s_lost_page_rings_no_more_and_keeps_its_place(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    secret = site.last("v", "calling")["secret"]
    site.calls.visitor_left(Visitor("v", 1))
    assert site.last("a", "ringStopped")["reason"] == "abandoned"
    await site.pass_time(RESUME_SECONDS - 1)
    await site.visitor(signaling.Resume(call_id, secret, has_media=True), "w")
    assert site.last("w", "callState")["state"] == "ringing"
    assert site.heard("a") == ["ring", "ringStopped", "ring"]
    await site.pass_time(2)
    assert site.calls.count == 1

    site.calls.visitor_left(Visitor("w", 1))
    await site.pass_time(RESUME_SECONDS)
    assert await site.state(call_id) == ("ended", "abandoned")


async def test_a_queued_visitor_comes_back_with_a_new_offer(site: SimulatedSite) -> None:
    call_id = await site.ring()
    secret = site.last("v", "calling")["secret"]
    site.calls.visitor_left(Visitor("v", 1))
    site.calls.agent_arrived(agent_session("a"))
    assert site.heard("a") == []
    await site.visitor(signaling.Resume(call_id, secret), "w")
    assert site.heard("w")[:2] == ["callState", "connect"]
    await site.agent(signaling.Accept(call_id))
    assert site.media.asked == []  # not before there is an offer
    await site.visitor(signaling.Offer(call_id, 2, OFFER), "w")
    assert site.media.asked[:2] == ["open 2 visitor", "open 2 agent"]
    assert site.last("a", "offer")["link"] == 2


async def test_a_visitor_who_came_back_has_offered_before_anybody_accepts(
    site: SimulatedSite,
) -> None:
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    await site.visitor(signaling.Resume(call_id, site.last("v", "calling")["secret"]))
    await site.visitor(signaling.Offer(call_id, 2, OFFER))
    assert site.last("v", "provisionalAnswer")["link"] == 2
    await site.agent(signaling.Accept(call_id))
    assert site.last("a", "offer")["link"] == 2


async def test_a_queued_visitor_who_comes_back_hears_their_place(site: SimulatedSite) -> None:
    call_id = await site.ring()
    secret = site.last("v", "calling")["secret"]
    site.calls.visitor_left(Visitor("v", 1))
    await site.visitor(signaling.Resume(call_id, secret, has_media=True), "w")
    assert site.last("w") == {"type": "queued", "callId": call_id, "place": 1}


async def test_the_visitor_cancels(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    await site.visitor(signaling.HangUp(call_id))
    assert site.last("a", "ringStopped")["reason"] == "cancelled"
    assert await site.state(call_id) == ("ended", "cancelled")


async def test_an_agent_who_has_no_call_leaves(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    await site.ring()
    site.calls.agent_left(agent_session("a"))
    assert site.last("v")["type"] == "queued"
