"""A call moves to another agent, or stays where it was."""

from __future__ import annotations

import pytest

from tests.services.calls.simulated_site import (
    ANSWER,
    CONNECT_SECONDS,
    OFFER,
    RING_SECONDS,
    SimulatedSite,
    agent_session,
    refused,
)
from visavis.domain.config import Config
from visavis.domain.errors import ErrorCode, ErrorKind, VisavisError
from visavis.domain.leg import AGENT_LEG, BridgeId
from visavis.domain.people import Visitor
from visavis.protocol import signaling

pytestmark = pytest.mark.anyio

CY = agent_session("b", 2)


async def ring_cy(site: SimulatedSite) -> str:
    """Return a call that Bo transfers to Cy, which rings at Cy."""
    call_id = await site.connect()
    site.calls.agent_arrived(CY)
    site.forget()
    await site.agent(signaling.Transfer(call_id, 2))
    return call_id


async def accept_cy(site: SimulatedSite) -> str:
    call_id = await ring_cy(site)
    await site.agent(signaling.Accept(call_id), CY)
    return call_id


async def link_cy(site: SimulatedSite, call_id: str, number: int = 2) -> None:
    await site.visitor(signaling.Offer(call_id, number, OFFER))
    await site.agent(signaling.Answer(call_id, number, ANSWER), CY)
    await site.up(call_id, number)


async def test_the_visitor_moves_over_and_nothing_is_torn_down_before(site: SimulatedSite) -> None:
    site.config = Config(1, is_enabled=True, is_recording=True)
    call_id = await ring_cy(site)
    ring = site.last("b", "ring")
    assert (ring["transferredBy"], ring["visitorName"]) == ("Bo", "Ann")
    assert site.heard("v") == site.heard("a") == []
    await site.agent(signaling.Accept(call_id), CY)
    assert site.heard("b") == ["ring", "ringStopped", "callState"]
    assert site.last("v") == {"type": "connect", "callId": call_id, "link": 2}
    await site.visitor(signaling.Offer(call_id, 2, OFFER))
    assert site.last("b", "offer")["link"] == 2
    await site.agent(signaling.Answer(call_id, 2, ANSWER), CY)
    assert "close 1" not in site.media.asked
    assert site.heard("a") == []
    await site.up(call_id, 2)
    assert site.last("a") == {
        "type": "ended",
        "callId": call_id,
        "reason": "transferred",
        "by": "agent",
    }
    assert site.heard("v")[-2:] == ["linked", "callState"]
    assert site.last("v")["agentName"] == "Cy"
    assert site.media.asked[-1] == "close 1"
    assert [m.recording_id for m in site.media.manifests] == ["id2"] * 2

    accept = signaling.Accept(await site.ring("v2"))  # Bo is free again
    await site.agent(accept)
    await site.visitor(signaling.HangUp(call_id))
    assert site.last("b")["type"] == "ended"
    report = await site.report(call_id)
    assert report.agent_names == ("Bo", "Cy")
    transferred = next(e for e in report.events if e.name == "transferred")
    assert transferred.data == {"agentName": "Cy", "agentId": 2}


@pytest.mark.parametrize("leaves", ["before", "after"])
async def test_a_page_that_was_disconnected_meanwhile_learns_who_has_the_call(
    site: SimulatedSite, leaves: str
) -> None:
    call_id = await accept_cy(site)
    if leaves == "before":
        await site.agent(signaling.HangUp(call_id))
    site.calls.agent_left(agent_session("a", 1))
    if leaves == "after":
        await link_cy(site, call_id)
    site.calls.agent_arrived(agent_session("a2", 1))
    with pytest.raises(VisavisError) as refusal:
        await site.agent(signaling.Resume(call_id), agent_session("a2", 1))
    assert refusal.value.code == ErrorCode.CallOfColleague.name
    assert site.calls.count == 1


@pytest.mark.parametrize("reason", ["declined", "missed", "away", "left", "busy"])
async def test_it_stays_whose_it_was(site: SimulatedSite, reason: str) -> None:
    call_id = await ring_cy(site)
    match reason:
        case "declined":
            await site.agent(signaling.Decline(call_id), CY)
        case "missed":
            await site.pass_time(RING_SECONDS)
        case "away":
            await site.agent(signaling.Presence(is_available=False), CY)
        case "left":
            site.calls.agent_left(CY)
            reason = "away"
        case "busy":
            await site.agent(signaling.Accept(await site.ring("v2")), CY)
    assert site.last("a", "transferFailed")["reason"] == reason
    assert site.last("b", "ringStopped")["callId"] == call_id or reason == "busy"
    assert (await site.state(call_id))[0] == "connected"
    late = signaling.Accept(call_id)
    if reason in {"declined", "missed"}:
        assert await refused(site.agent(late, CY)) is ErrorKind.CallNotPossible


async def test_who_cannot_take_it_is_not_rung(site: SimulatedSite) -> None:
    call_id = await site.connect()
    await site.agent(signaling.Transfer(call_id, 2))
    assert site.last("a")["reason"] == "away"
    await site.connect("v2", CY)
    await site.agent(signaling.Transfer(call_id, 2))
    assert site.last("a", "transferFailed")["reason"] == "busy"
    await site.agent(signaling.Presence(is_available=False), CY)
    await site.agent(signaling.Transfer(call_id, 2))
    assert site.last("a", "transferFailed")["reason"] == "away"
    assert "ring" not in site.heard("b")[2:]
    oneself = signaling.Transfer(call_id, 1)
    assert await refused(site.agent(oneself)) is ErrorKind.ParameterInvalid


async def test_one_transfer_at_a_time_of_a_call_that_one_is_in(site: SimulatedSite) -> None:
    call_id = await ring_cy(site)
    again = signaling.Transfer(call_id, 2)
    assert await refused(site.agent(again)) is ErrorKind.CallNotPossible
    assert await refused(site.agent(again, CY)) is ErrorKind.PermissionDenied


async def test_the_call_ends_while_the_other_is_rung(site: SimulatedSite) -> None:
    call_id = await ring_cy(site)
    await site.visitor(signaling.HangUp(call_id))
    assert site.last("b", "ringStopped") == {
        "type": "ringStopped",
        "callId": call_id,
        "reason": "hungUp",
    }
    await site.pass_time(RING_SECONDS)
    assert "transferFailed" not in site.heard("a")


async def test_the_call_ends_while_the_other_is_linked(site: SimulatedSite) -> None:
    call_id = await accept_cy(site)
    await site.visitor(signaling.Offer(call_id, 2, OFFER))
    await site.visitor(signaling.HangUp(call_id))
    assert site.last("b")["reason"] == "hungUp"
    assert sorted(site.media.asked[-2:]) == ["close 1", "close 2"]
    await site.connect("v2", CY)


@pytest.mark.parametrize("how", ["time", "leg", "left", "hangUp"])
async def test_the_other_s_link_fails(site: SimulatedSite, how: str) -> None:
    call_id = await accept_cy(site)
    await site.visitor(signaling.Offer(call_id, 2, OFFER))
    match how:
        case "time":
            await site.pass_time(CONNECT_SECONDS)
        case "leg":
            await site.calls.media_events.leg_down(BridgeId(call_id, 2), AGENT_LEG, "why")
        case "left":
            site.calls.agent_left(CY)
        case "hangUp":
            await site.agent(signaling.HangUp(call_id), CY)
    await site.wait_idle()
    reason = {"left": "away", "hangUp": "declined"}.get(how, "failed")
    assert site.last("a", "transferFailed")["reason"] == reason
    assert site.last("b")["type"] == "ended" or how == "left"
    assert site.media.asked[-1] == "close 2"
    assert (await site.state(call_id))[0] == "connected"
    await site.connect("v2", agent_session("b2", 2))


async def test_the_first_agent_may_go_as_soon_as_the_other_has_accepted(
    site: SimulatedSite,
) -> None:
    call_id = await accept_cy(site)
    await site.agent(signaling.HangUp(call_id))
    assert site.last("a")["reason"] == "transferred"
    await site.calls.media_events.leg_down(BridgeId(call_id, 1), AGENT_LEG, "closed")
    assert site.last("v")["state"] == "reconnecting"
    await site.agent(signaling.Accept(await site.ring("v2")))  # and takes another
    await link_cy(site, call_id)
    assert site.last("v")["state"] == "connected"
    await site.visitor(signaling.HangUp(call_id))
    busy = signaling.Accept(await site.ring("v3"))
    assert await refused(site.agent(busy)) is ErrorKind.CallNotPossible


async def test_the_other_fails_after_the_first_has_gone(site: SimulatedSite) -> None:
    call_id = await accept_cy(site)
    await site.agent(signaling.HangUp(call_id))
    await site.pass_time(CONNECT_SECONDS)
    assert await site.state(call_id) == ("ended", "hungUp")
    assert "transferFailed" not in site.heard("a")


async def test_hanging_up_while_the_other_is_rung_ends_the_call(site: SimulatedSite) -> None:
    call_id = await ring_cy(site)
    await site.agent(signaling.HangUp(call_id))
    assert site.last("v")["reason"] == "hungUp"


async def test_the_visitor_reloads_while_they_move_over(site: SimulatedSite) -> None:
    call_id = await accept_cy(site)
    # The new link of the transfer has been requested, so losing the old one changes nothing.
    await site.visitor(signaling.Relink(call_id, 1))
    assert [m["link"] for m in site.told["v"] if m["type"] == "connect"] == [2]
    await site.visitor(signaling.Offer(call_id, 2, OFFER))
    await site.visitor(signaling.Relink(call_id, 2))
    assert site.last("v")["link"] == 3
    await link_cy(site, call_id, 3)
    assert site.last("v")["agentName"] == "Cy"


async def test_a_lost_link_is_replaced_once_the_other_has_not_taken_the_call(
    site: SimulatedSite,
) -> None:
    call_id = await accept_cy(site)
    await site.visitor(signaling.Offer(call_id, 2, OFFER))
    await site.calls.media_events.worker_lost([BridgeId(call_id, 1), BridgeId(call_id, 2)])
    assert site.last("v")["link"] == 3
    await site.agent(signaling.HangUp(call_id), CY)
    assert site.last("v")["link"] == 4
    await site.visitor(signaling.Offer(call_id, 4, OFFER))
    assert site.last("a", "offer")["link"] == 4


async def test_the_second_agent_reloads_before_the_call_is_theirs(site: SimulatedSite) -> None:
    call_id = await accept_cy(site)
    await site.agent(signaling.Resume(call_id), agent_session("b2", 2))
    assert site.last("v")["link"] == 3
    site.calls.visitor_left(Visitor("v", 1))
    assert site.calls.count == 1


async def test_the_other_s_link_waits_for_a_worker_and_is_no_longer_wanted(
    site: SimulatedSite,
) -> None:
    call_id = await accept_cy(site)
    site.media.refuses["open"] = ErrorKind.MediaUnavailable
    await site.visitor(signaling.Offer(call_id, 2, OFFER))
    await site.agent(signaling.HangUp(call_id), CY)
    asked = len(site.media.asked)
    await site.pass_time(5)
    assert site.media.asked[asked:] == []


async def test_all_of_the_call_travels(site: SimulatedSite) -> None:
    site.config = Config(1, is_enabled=True, is_recording=True)
    call_id = await site.connect()
    await site.visitor(signaling.Say(call_id, "My order is 17.", "1"))
    site.calls.agent_arrived(CY)
    await site.agent(signaling.Transfer(call_id, 2, "Wants a refund\0"))
    ring = site.last("b", "ring")
    assert (ring["note"], ring["visitorEmail"]) == ("Wants a refund", "a@example.com")
    await site.agent(signaling.Accept(call_id), CY)
    await link_cy(site, call_id)
    assert site.last("b", "recording")["state"] == "on"
    lines = site.last("b", "transcript")["lines"]
    assert [(line["by"], line["text"]) for line in lines] == [("visitor", "My order is 17.")]


async def test_the_second_agent_controls_the_recording_that_the_first_has_paused(
    site: SimulatedSite,
) -> None:
    site.config = Config(1, is_enabled=True, is_recording=True)
    call_id = await site.connect()
    await site.agent(signaling.Record(call_id, "pause"))
    site.calls.agent_arrived(CY)
    await site.agent(signaling.Transfer(call_id, 2))
    await site.agent(signaling.Accept(call_id), CY)
    await link_cy(site, call_id)
    assert site.last("b", "recording")["state"] == "paused"
    await site.agent(signaling.Record(call_id, "resume"), CY)
    assert site.last("v", "recording")["state"] == site.last("b", "recording")["state"] == "on"
    await site.agent(signaling.Record(call_id, "pause"), CY)
    assert site.last("b", "recording")["state"] == "paused"


async def test_both_agents_get_further_calls_after_a_transfer(site: SimulatedSite) -> None:
    call_id = await accept_cy(site)
    await link_cy(site, call_id)
    second = await site.ring("v2")
    assert site.last("a", "ring")["callId"] == second
    await site.agent(signaling.HangUp(call_id), CY)
    site.forget()
    third = await site.ring("v3")
    assert site.last("b", "ring")["callId"] == third
