"""Past calls: how long people talked, and that consoles hear of every change of the list."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.services.calls.simulated_site import NOW, SimulatedSite, agent_session
from visavis.domain.call_history import CallSearch
from visavis.domain.leg import AGENT_LEG, VISITOR_LEG, BridgeId, CallRole
from visavis.domain.people import Visitor
from visavis.protocol import signaling

pytestmark = pytest.mark.anyio

TALK = 12.0


async def lose(site: SimulatedSite, side: CallRole) -> None:
    """Disconnect the page of one party."""
    if side is CallRole.VISITOR:
        site.calls.visitor_left(Visitor("v", 1))
    else:
        site.calls.agent_left(agent_session("a"))
    await site.wait_idle()


@pytest.mark.parametrize("side", CallRole)
async def test_waiting_for_a_page_that_never_returns_is_not_talk(
    site: SimulatedSite, side: CallRole
) -> None:
    call_id = await site.connect()
    await site.pass_time(TALK)
    await lose(site, side)
    await site.pass_time(60)
    call = await site.past(call_id)
    assert call.state == "ended"
    assert call.ended_at == NOW + timedelta(seconds=TALK + 30)
    assert call.talk_seconds == TALK


@pytest.mark.parametrize("side", CallRole)
async def test_waiting_for_a_link_that_never_returns_is_not_talk(
    site: SimulatedSite, side: CallRole
) -> None:
    call_id = await site.connect()
    await site.pass_time(TALK)
    await site.calls.media_events.leg_down(
        BridgeId(call_id, 1), VISITOR_LEG if side is CallRole.VISITOR else AGENT_LEG, "lost"
    )
    await site.pass_time(3)
    await lose(site, side)
    await site.pass_time(60)
    assert (await site.past(call_id)).talk_seconds == TALK


async def test_hanging_up_while_the_other_is_lost_ends_no_talk(site: SimulatedSite) -> None:
    call_id = await site.connect()
    await site.pass_time(TALK)
    await site.calls.media_events.leg_down(BridgeId(call_id, 1), VISITOR_LEG, "lost")
    await site.pass_time(20)
    await site.agent(signaling.HangUp(call_id))
    assert (await site.past(call_id)).talk_seconds == TALK


async def test_a_party_that_returns_was_in_the_talk(site: SimulatedSite) -> None:
    call_id = await site.connect()
    await site.calls.media_events.leg_down(BridgeId(call_id, 1), VISITOR_LEG, "lost")
    await site.pass_time(5)
    await site.up(call_id)
    await site.pass_time(TALK)
    await site.agent(signaling.HangUp(call_id))
    assert (await site.past(call_id)).talk_seconds == TALK + 5


async def test_a_call_that_was_never_connected_has_no_talk(site: SimulatedSite) -> None:
    call_id = await site.ring()
    await site.visitor(signaling.HangUp(call_id))
    assert (await site.past(call_id)).talk_seconds is None


async def test_of_a_call_that_a_dead_server_held_nobody_knows_how_long_it_was(
    site: SimulatedSite,
) -> None:
    call_id = await site.connect()
    await site.past(call_id)
    later = NOW + timedelta(hours=2)
    await site.store.write(lambda rows: rows.live_calls.delete(1, call_id))
    assert await site.store.write(lambda rows: rows.live_calls.end_others("node", later)) == 1
    call = await site.past(call_id)
    assert (call.state, call.talk_seconds) == ("ended", None)


async def test_missed_calls_are_those_that_nobody_answered(site: SimulatedSite) -> None:
    answered = await site.connect()
    await lose(site, CallRole.VISITOR)
    await site.pass_time(60)
    unanswered = await site.ring("v2")
    site.calls.visitor_left(Visitor("v2", 1))
    await site.pass_time(60)
    reasons = {(await site.past(call_id)).reason for call_id in (answered, unanswered)}
    assert reasons == {"abandoned"}

    async def found(*, is_answered: bool) -> list[str]:
        search = CallSearch(is_answered=is_answered)
        calls = await site.store.read(lambda rows: rows.calls.list_page(1, search, 9))
        return [call.id for call in calls]

    assert await found(is_answered=True) == [answered]
    assert await found(is_answered=False) == [unanswered]


def revisions(site: SimulatedSite) -> list[int]:
    told = site.told.get("consoles.1.node", [])
    return [message["revision"] for message in told if message["type"] == "pastCalls"]


async def test_open_lists_hear_of_a_call_that_ended_once_it_can_be_read(
    site: SimulatedSite,
) -> None:
    site.calls.agent_arrived(agent_session("b", 2))
    call_id = await site.connect()
    await site.pass_time(2)
    before = revisions(site)[-1]
    await site.agent(signaling.HangUp(call_id))
    assert revisions(site)[-1] == before
    await site.pass_time(0.2)
    await site.calls.call_log.flush()
    await site.pass_time(2)
    assert revisions(site)[-1] > before


async def test_open_lists_hear_of_a_new_message(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    await site.visitor(signaling.HangUp(call_id))
    await site.past(call_id)
    await site.pass_time(2)
    before = revisions(site)[-1]
    await site.visitor(signaling.LeaveMessage(call_id, "Call me"), "w")
    await site.pass_time(2)
    assert revisions(site)[-1] > before


async def test_a_console_is_told_the_server_s_time(site: SimulatedSite) -> None:
    await site.pass_time(7)
    assert (await site.calls.welcome(agent_session("a"))).now == NOW + timedelta(seconds=7)
