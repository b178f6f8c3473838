"""A site without an agent on duty takes messages and queues no calls."""

from __future__ import annotations

import pytest

from tests.services.calls.simulated_site import SimulatedSite, agent_session
from visavis.protocol import signaling
from visavis.services.calls.site import GRACE_SECONDS

pytestmark = pytest.mark.anyio


@pytest.fixture
def empty(site: SimulatedSite) -> SimulatedSite:
    return SimulatedSite(site.store, is_staffed=False)


async def test_a_call_while_nobody_is_on_duty_is_missed_at_once(empty: SimulatedSite) -> None:
    call_id = await empty.ring()
    assert empty.last("v", "ended")["reason"] == "missed"
    assert "queued" not in empty.heard("v")
    assert await empty.state(call_id) == ("ended", "missed")


async def test_pages_are_told_when_the_first_agent_comes_and_the_last_has_gone(
    empty: SimulatedSite,
) -> None:
    empty.calls.agent_arrived(agent_session("a"))
    await empty.wait_idle()
    empty.calls.agent_arrived(agent_session("b", 2))
    empty.calls.agent_left(agent_session("a"))
    empty.calls.agent_left(agent_session("b", 2))
    await empty.pass_time(GRACE_SECONDS - 1)
    assert empty.announced == [True]
    await empty.pass_time(1)
    assert empty.announced == [True, False]


async def test_a_console_that_is_loaded_again_does_not_make_the_site_unstaffed(
    empty: SimulatedSite,
) -> None:
    empty.calls.agent_arrived(agent_session("a"))
    empty.calls.agent_left(agent_session("a"))
    await empty.ring()
    assert empty.last("v")["type"] == "queued"
    empty.calls.agent_arrived(agent_session("a2"))
    await empty.pass_time(GRACE_SECONDS)
    assert empty.calls.is_staffed(1)
    assert empty.last("v", "callState")["state"] == "ringing"


async def test_callers_who_wait_when_the_last_agent_goes_may_leave_a_message(
    empty: SimulatedSite,
) -> None:
    empty.calls.agent_arrived(agent_session("a"))
    await empty.agent(signaling.Presence(is_available=False))
    call_id = await empty.ring()
    await empty.pass_time(GRACE_SECONDS)
    assert empty.last("v")["reason"] == "missed"
    await empty.visitor(signaling.LeaveMessage(call_id, "Call me"))
    assert empty.last("v")["type"] == "messageKept"


async def test_a_revoked_agent_is_rung_no_more_while_the_site_stays_staffed(
    empty: SimulatedSite,
) -> None:
    empty.calls.agent_arrived(agent_session("a"))
    empty.calls.revoke(agent_session("a"))
    empty.calls.agent_left(agent_session("a"))
    assert empty.calls.is_staffed(1)
    call_id = await empty.ring()
    assert empty.last("v")["type"] == "queued"
    assert "ring" not in empty.heard("a")
    await empty.pass_time(GRACE_SECONDS)
    assert not empty.calls.is_staffed(1)
    assert await empty.state(call_id) == ("ended", "missed")


async def test_an_agent_in_a_call_is_on_duty(empty: SimulatedSite) -> None:
    await empty.connect()
    await empty.pass_time(GRACE_SECONDS)
    await empty.ring("w")
    assert empty.last("w")["type"] == "queued"


async def test_a_call_made_over_the_api_waits_for_its_own_agent(empty: SimulatedSite) -> None:
    created = await empty.calls.create(agent_session("a").agent, "audio", "Ann", "")
    empty.calls.agent_arrived(agent_session("b", 2))
    empty.calls.agent_left(agent_session("b", 2))
    await empty.pass_time(GRACE_SECONDS)
    assert await empty.state(created.call_id) == ("requested", None)
