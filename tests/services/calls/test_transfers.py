"""A call moves to another agent, or stays where it was."""

from __future__ import annotations

import pytest

from tests.services.calls.house import ANSWER, OFFER, House, agent_session, refused
from visavis.domain import signaling
from visavis.domain.call import CONNECT_SECONDS, RING_SECONDS
from visavis.domain.config import Config
from visavis.domain.errors import ErrorKind
from visavis.domain.leg import Link, Side
from visavis.domain.people import Visitor

pytestmark = pytest.mark.anyio

CY = agent_session("b", 2)


async def ring_cy(house: House) -> str:
    """A call that Bo has and wants Cy to take."""
    call_id = await house.connect()
    house.calls.agent_arrived(CY)
    house.forget()
    await house.agent(signaling.Transfer(call_id, 2))
    return call_id


async def accept_cy(house: House) -> str:
    call_id = await ring_cy(house)
    await house.agent(signaling.Accept(call_id), CY)
    return call_id


async def link_cy(house: House, call_id: str, number: int = 2) -> None:
    await house.visitor(signaling.Offer(call_id, number, OFFER))
    await house.agent(signaling.Answer(call_id, number, ANSWER), CY)
    await house.up(call_id, number)


async def test_the_visitor_moves_over_and_nothing_is_torn_down_before(house: House) -> None:
    house.config = Config(1, is_enabled=True, is_recording=True)
    call_id = await ring_cy(house)
    ring = house.last("b", "ring")
    assert (ring["transferredBy"], ring["visitorName"]) == ("Bo", "Ann")
    assert house.heard("v") == house.heard("a") == []
    await house.agent(signaling.Accept(call_id), CY)
    assert house.heard("b") == ["ring", "ringStopped", "callState"]
    assert house.last("v") == {"type": "connect", "callId": call_id, "link": 2}
    await house.visitor(signaling.Offer(call_id, 2, OFFER))
    assert house.last("b", "offer")["link"] == 2
    await house.agent(signaling.Answer(call_id, 2, ANSWER), CY)
    assert "close 1" not in house.media.asked
    assert house.heard("a") == []
    await house.up(call_id, 2)
    assert house.last("a") == {
        "type": "ended",
        "callId": call_id,
        "reason": "transferred",
        "by": "agent",
    }
    assert house.heard("v")[-2:] == ["linked", "callState"]
    assert house.last("v")["agentName"] == "Cy"
    assert house.media.asked[-1] == "close 1"
    assert [m.recording_id for m in house.media.manifests] == ["id2"] * 2

    accept = signaling.Accept(await house.ring("v2"))  # Bo is free again
    await house.agent(accept)
    await house.visitor(signaling.HangUp(call_id))
    assert house.last("b")["type"] == "ended"
    story = await house.report(call_id)
    assert story.agent_names == ("Bo", "Cy")
    transferred = next(e for e in story.events if e.name == "transferred")
    assert transferred.data == {"agentName": "Cy", "agentId": 2}


@pytest.mark.parametrize("reason", ["declined", "missed", "away", "left", "busy"])
async def test_it_stays_whose_it_was(house: House, reason: str) -> None:
    call_id = await ring_cy(house)
    match reason:
        case "declined":
            await house.agent(signaling.Decline(call_id), CY)
        case "missed":
            await house.pass_time(RING_SECONDS)
        case "away":
            await house.agent(signaling.Presence(is_available=False), CY)
        case "left":
            house.calls.agent_left(CY)
            reason = "away"
        case "busy":
            await house.agent(signaling.Accept(await house.ring("v2")), CY)
    assert house.last("a", "transferFailed")["reason"] == reason
    assert house.last("b", "ringStopped")["callId"] == call_id or reason == "busy"
    assert (await house.state(call_id))[0] == "connected"
    late = signaling.Accept(call_id)
    if reason in {"declined", "missed"}:
        assert await refused(house.agent(late, CY)) is ErrorKind.CallNotPossible


async def test_who_cannot_take_it_is_not_rung(house: House) -> None:
    call_id = await house.connect()
    await house.agent(signaling.Transfer(call_id, 2))
    assert house.last("a")["reason"] == "away"
    await house.connect("v2", CY)
    await house.agent(signaling.Transfer(call_id, 2))
    assert house.last("a", "transferFailed")["reason"] == "busy"
    await house.agent(signaling.Presence(is_available=False), CY)
    await house.agent(signaling.Transfer(call_id, 2))
    assert house.last("a", "transferFailed")["reason"] == "away"
    assert "ring" not in house.heard("b")[2:]
    oneself = signaling.Transfer(call_id, 1)
    assert await refused(house.agent(oneself)) is ErrorKind.ParameterInvalid


async def test_one_transfer_at_a_time_of_a_call_that_one_is_in(house: House) -> None:
    call_id = await ring_cy(house)
    again = signaling.Transfer(call_id, 2)
    assert await refused(house.agent(again)) is ErrorKind.CallNotPossible
    assert await refused(house.agent(again, CY)) is ErrorKind.PermissionDenied


async def test_the_call_ends_while_the_other_is_rung(house: House) -> None:
    call_id = await ring_cy(house)
    await house.visitor(signaling.HangUp(call_id))
    assert house.last("b", "ringStopped") == {
        "type": "ringStopped",
        "callId": call_id,
        "reason": "hungUp",
    }
    await house.pass_time(RING_SECONDS)
    assert "transferFailed" not in house.heard("a")


async def test_the_call_ends_while_the_other_is_linked(house: House) -> None:
    call_id = await accept_cy(house)
    await house.visitor(signaling.Offer(call_id, 2, OFFER))
    await house.visitor(signaling.HangUp(call_id))
    assert house.last("b")["reason"] == "hungUp"
    assert sorted(house.media.asked[-2:]) == ["close 1", "close 2"]
    await house.connect("v2", CY)


@pytest.mark.parametrize("how", ["time", "leg", "left", "hangUp"])
async def test_the_other_s_link_fails(house: House, how: str) -> None:
    call_id = await accept_cy(house)
    await house.visitor(signaling.Offer(call_id, 2, OFFER))
    match how:
        case "time":
            await house.pass_time(CONNECT_SECONDS)
        case "leg":
            await house.calls.media_events.leg_down(Link(call_id, 2), Side.AGENT, "why")
        case "left":
            house.calls.agent_left(CY)
        case "hangUp":
            await house.agent(signaling.HangUp(call_id), CY)
    await house.wait_idle()
    reason = {"left": "away", "hangUp": "declined"}.get(how, "failed")
    assert house.last("a", "transferFailed")["reason"] == reason
    assert house.last("b")["type"] == "ended" or how == "left"
    assert house.media.asked[-1] == "close 2"
    assert (await house.state(call_id))[0] == "connected"
    await house.connect("v2", agent_session("b2", 2))


async def test_the_first_agent_may_go_as_soon_as_the_other_has_accepted(house: House) -> None:
    call_id = await accept_cy(house)
    await house.agent(signaling.HangUp(call_id))
    assert house.last("a")["reason"] == "transferred"
    await house.calls.media_events.leg_down(Link(call_id, 1), Side.AGENT, "closed")
    assert house.last("v")["state"] == "reconnecting"
    await house.agent(signaling.Accept(await house.ring("v2")))  # and takes another
    await link_cy(house, call_id)
    assert house.last("v")["state"] == "connected"
    await house.visitor(signaling.HangUp(call_id))
    busy = signaling.Accept(await house.ring("v3"))
    assert await refused(house.agent(busy)) is ErrorKind.CallNotPossible


async def test_the_other_fails_after_the_first_has_gone(house: House) -> None:
    call_id = await accept_cy(house)
    await house.agent(signaling.HangUp(call_id))
    await house.pass_time(CONNECT_SECONDS)
    assert await house.state(call_id) == ("ended", "hungUp")
    assert "transferFailed" not in house.heard("a")


async def test_hanging_up_while_the_other_is_rung_ends_the_call(house: House) -> None:
    call_id = await ring_cy(house)
    await house.agent(signaling.HangUp(call_id))
    assert house.last("v")["reason"] == "hungUp"


async def test_the_visitor_reloads_while_they_move_over(house: House) -> None:
    call_id = await accept_cy(house)
    await house.visitor(signaling.Relink(call_id, 1))  # what it is moving to is asked for again
    assert [m["link"] for m in house.told["v"] if m["type"] == "connect"] == [2, 2]
    await house.visitor(signaling.Offer(call_id, 2, OFFER))
    await house.visitor(signaling.Relink(call_id, 2))
    assert house.last("v")["link"] == 3
    await link_cy(house, call_id, 3)
    assert house.last("v")["agentName"] == "Cy"


async def test_a_lost_link_is_replaced_once_the_other_has_not_taken_the_call(house: House) -> None:
    call_id = await accept_cy(house)
    await house.visitor(signaling.Offer(call_id, 2, OFFER))
    await house.calls.media_events.worker_lost([Link(call_id, 1), Link(call_id, 2)])
    assert house.last("v")["link"] == 3
    await house.agent(signaling.HangUp(call_id), CY)
    assert house.last("v")["link"] == 4
    await house.visitor(signaling.Offer(call_id, 4, OFFER))
    assert house.last("a", "offer")["link"] == 4


async def test_the_second_agent_reloads_before_the_call_is_theirs(house: House) -> None:
    call_id = await accept_cy(house)
    await house.agent(signaling.Resume(call_id), agent_session("b2", 2))
    assert house.last("v")["link"] == 3
    house.calls.visitor_left(Visitor("v", 1))
    assert house.calls.count == 1


async def test_the_other_s_link_waits_for_a_worker_and_is_no_longer_wanted(house: House) -> None:
    call_id = await accept_cy(house)
    house.media.refuses["open"] = ErrorKind.MediaUnavailable
    await house.visitor(signaling.Offer(call_id, 2, OFFER))
    await house.agent(signaling.HangUp(call_id), CY)
    asked = len(house.media.asked)
    await house.pass_time(5)
    assert house.media.asked[asked:] == []


async def test_all_of_the_call_travels(house: House) -> None:
    house.config = Config(1, is_enabled=True, is_recording=True)
    call_id = await house.connect()
    await house.visitor(signaling.Say(call_id, "My order is 17.", "1"))
    house.calls.agent_arrived(CY)
    await house.agent(signaling.Transfer(call_id, 2, "Wants a refund\0"))
    ring = house.last("b", "ring")
    assert (ring["note"], ring["visitorEmail"]) == ("Wants a refund", "a@example.com")
    await house.agent(signaling.Accept(call_id), CY)
    await link_cy(house, call_id)
    assert house.last("b", "recording")["state"] == "on"
    lines = house.last("b", "transcript")["lines"]
    assert [(line["by"], line["text"]) for line in lines] == [("visitor", "My order is 17.")]
