"""Call distribution: where a call rings, which agent gets it, and places in the queue."""

from __future__ import annotations

import pytest

from tests.services.calls.house import OFFER, House, agent_session, refused
from visavis.domain import signaling
from visavis.domain.call import QUEUE_SECONDS, RESUME_SECONDS, RING_SECONDS
from visavis.domain.errors import ErrorKind
from visavis.domain.people import Visitor

pytestmark = pytest.mark.anyio


async def test_the_first_agent_to_accept_has_it(house: House) -> None:
    first, second = agent_session("a", 1), agent_session("b", 2)
    house.calls.agent_arrived(first)
    house.calls.agent_arrived(second)
    call_id = await house.ring()
    await house.agent(signaling.Accept(call_id), second)
    assert house.last("a", "ringStopped")["reason"] == "accepted"
    accept = signaling.Accept(call_id)
    assert await refused(house.agent(accept, first)) is ErrorKind.CallNotPossible
    assert house.last("v", "callState")["agentName"] == "Cy"


async def test_an_agent_who_comes_late_hears_it_ring(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    await house.ring()
    house.calls.agent_arrived(agent_session("b", 2))
    assert house.heard("b") == ["ring"]


async def test_it_rings_at_every_desk_of_an_agent(house: House) -> None:
    house.calls.agent_arrived(agent_session("a1"))
    house.calls.agent_arrived(agent_session("a2"))
    call_id = await house.ring()
    await house.agent(signaling.Accept(call_id), agent_session("a2"))
    assert house.heard("a1") == ["ring", "ringStopped"]


async def test_nobody_takes_it(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    call_id = await house.ring()
    await house.pass_time(RING_SECONDS)
    assert house.last("v")["reason"] == "missed"
    assert house.last("a", "ringStopped")["reason"] == "missed"
    assert await house.state(call_id) == ("ended", "missed")


async def test_everybody_declines(house: House) -> None:
    house.calls.agent_arrived(agent_session("a", 1))
    house.calls.agent_arrived(agent_session("b", 2))
    call_id = await house.ring()
    await house.agent(signaling.Decline(call_id), agent_session("a", 1))
    assert house.last("a", "ringStopped")["reason"] == "declined"
    assert house.last("v", "callState")["state"] == "ringing"
    await house.agent(signaling.Decline(call_id), agent_session("b", 2))
    assert (house.last("v")["reason"], house.last("v")["by"]) == ("declined", "agent")


async def test_who_has_declined_hears_it_no_more(house: House) -> None:
    house.calls.agent_arrived(agent_session("a", 1))
    house.calls.agent_arrived(agent_session("b", 2))
    call_id = await house.ring()
    await house.agent(signaling.Decline(call_id), agent_session("a", 1))
    house.forget()
    house.calls.agent_arrived(agent_session("a2", 1))
    assert house.heard("a2") == []
    house.calls.agent_left(agent_session("b", 2))
    assert house.last("v")["reason"] == "declined"


async def test_nobody_there_means_the_queue_and_after_it_missed(house: House) -> None:
    call_id = await house.ring()
    assert house.last("v") == {"type": "queued", "callId": call_id, "place": 1}
    await house.pass_time(QUEUE_SECONDS)
    assert house.last("v")["reason"] == "missed"


async def test_a_site_rings_as_many_calls_as_it_has_free_agents(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    first, second = await house.ring("v1"), await house.ring("v2")
    assert house.last("v2")["place"] == 1
    assert house.heard("a") == ["ring"]
    house.calls.agent_arrived(agent_session("b", 2))
    assert house.last("v2", "callState")["state"] == "ringing"
    assert [m["callId"] for m in house.told["b"] if m["type"] == "ring"] == [first, second]


async def test_first_come_first_served(house: House) -> None:
    talking = await house.connect("v0")
    waiting = [await house.ring(f"v{n}") for n in (1, 2, 3)]
    assert [house.last(f"v{n}")["place"] for n in (1, 2, 3)] == [1, 2, 3]
    house.forget()
    await house.agent(signaling.HangUp(talking))
    assert house.last("a", "ring")["callId"] == waiting[0]
    assert house.last("v1", "callState")["state"] == "ringing"
    await house.pass_time(1)
    assert [house.last(f"v{n}")["place"] for n in (2, 3)] == [1, 2]


async def test_one_call_per_agent(house: House) -> None:
    await house.connect("v1")
    second = await house.ring("v2")
    accept = signaling.Accept(second)
    assert await refused(house.agent(accept)) is ErrorKind.CallNotPossible


async def test_an_agent_in_a_call_hears_no_other_ring(house: House) -> None:
    house.calls.agent_arrived(agent_session("a", 1))
    house.calls.agent_arrived(agent_session("b", 2))
    first, second = await house.ring("v1"), await house.ring("v2")
    await house.agent(signaling.Accept(first), agent_session("a"))
    assert house.last("a", "ringStopped") == {
        "type": "ringStopped",
        "callId": second,
        "reason": "busy",
    }
    assert house.last("v2", "callState")["state"] == "ringing"  # at the other agent's
    house.calls.agent_left(agent_session("b", 2))
    assert house.last("v2")["type"] == "queued"


async def test_away_means_no_ringing(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    call_id = await house.ring()
    await house.agent(signaling.Presence(is_available=False))
    assert house.last("v")["type"] == "queued"
    assert house.last("a", "ringStopped")["callId"] == call_id
    assert not (await house.calls.welcome(agent_session("a2"))).is_available
    await house.agent(signaling.Presence(is_available=True))
    assert house.last("v", "callState")["state"] == "ringing"
    assert (await house.calls.welcome(agent_session("a"))).is_available


async def test_a_visitor_s_lost_page_rings_no_more_and_keeps_its_place(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    call_id = await house.ring()
    secret = house.last("v", "calling")["secret"]
    house.calls.visitor_left(Visitor("v", 1))
    assert house.last("a", "ringStopped")["reason"] == "abandoned"
    await house.pass_time(RESUME_SECONDS - 1)
    await house.visitor(signaling.Resume(call_id, secret, has_media=True), "w")
    assert house.last("w", "callState")["state"] == "ringing"
    assert house.heard("a") == ["ring", "ringStopped", "ring"]
    await house.pass_time(2)
    assert house.calls.count == 1

    house.calls.visitor_left(Visitor("w", 1))
    await house.pass_time(RESUME_SECONDS)
    assert await house.state(call_id) == ("ended", "abandoned")


async def test_a_queued_visitor_comes_back_with_a_new_offer(house: House) -> None:
    call_id = await house.ring()
    secret = house.last("v", "calling")["secret"]
    house.calls.visitor_left(Visitor("v", 1))
    house.calls.agent_arrived(agent_session("a"))
    assert house.heard("a") == []
    await house.visitor(signaling.Resume(call_id, secret), "w")
    assert house.heard("w")[:2] == ["callState", "connect"]
    await house.agent(signaling.Accept(call_id))
    assert house.media.asked == []  # not before there is an offer
    await house.visitor(signaling.Offer(call_id, 2, OFFER), "w")
    assert house.media.asked[:2] == ["open 2 visitor", "open 2 agent"]
    assert house.last("a", "offer")["link"] == 2


async def test_a_visitor_who_came_back_has_offered_before_anybody_accepts(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    call_id = await house.ring()
    await house.visitor(signaling.Resume(call_id, house.last("v", "calling")["secret"]))
    await house.visitor(signaling.Offer(call_id, 2, OFFER))
    assert house.last("v", "provisionalAnswer")["link"] == 2
    await house.agent(signaling.Accept(call_id))
    assert house.last("a", "offer")["link"] == 2


async def test_a_queued_visitor_who_comes_back_hears_their_place(house: House) -> None:
    call_id = await house.ring()
    secret = house.last("v", "calling")["secret"]
    house.calls.visitor_left(Visitor("v", 1))
    await house.visitor(signaling.Resume(call_id, secret, has_media=True), "w")
    assert house.last("w") == {"type": "queued", "callId": call_id, "place": 1}


async def test_the_visitor_cancels(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    call_id = await house.ring()
    await house.visitor(signaling.HangUp(call_id))
    assert house.last("a", "ringStopped")["reason"] == "cancelled"
    assert await house.state(call_id) == ("ended", "cancelled")


async def test_an_agent_who_has_no_call_leaves(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    await house.ring()
    house.calls.agent_left(agent_session("a"))
    assert house.last("v")["type"] == "queued"
