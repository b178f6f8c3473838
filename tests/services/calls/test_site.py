"""Owner of a site's calls: it applies events in order, then distributes the waiting calls."""

from __future__ import annotations

import pytest

from tests.services.calls.simulated_site import SimulatedSite, agent_session
from visavis.domain.call_timings import CallTimings
from visavis.domain.config import Config
from visavis.domain.distribution import RING_LIMIT, WIDEN_SECONDS
from visavis.domain.policy import RecordingPolicy
from visavis.domain.site_settings import SiteSettings
from visavis.protocol import signaling

pytestmark = pytest.mark.anyio


def count_of_rings(site: SimulatedSite, call_id: str) -> int:
    messages = [message for told in site.told.values() for message in told]
    return sum(m["type"] == "ring" and m["callId"] == call_id for m in messages)


async def test_a_call_rings_at_more_agents_the_longer_it_rings(site: SimulatedSite) -> None:
    for number in range(1, RING_LIMIT + 6):
        site.calls.agent_arrived(agent_session(f"a{number}", number))
    call_id = await site.ring()
    assert count_of_rings(site, call_id) == RING_LIMIT
    await site.pass_time(WIDEN_SECONDS)
    assert count_of_rings(site, call_id) == RING_LIMIT + 5
    await site.pass_time(2 * WIDEN_SECONDS)
    assert count_of_rings(site, call_id) == RING_LIMIT + 5


async def test_a_call_that_was_accepted_meanwhile_does_not_widen(site: SimulatedSite) -> None:
    sessions = [agent_session(f"a{n}", n) for n in range(1, RING_LIMIT + 6)]
    for session in sessions:
        site.calls.agent_arrived(session)
    call_id = await site.ring()
    site.calls.site(1).decline(site.calls.site(1).calls[call_id], 1)
    site.forget()
    await site.calls.end(1, call_id)
    await site.pass_time(WIDEN_SECONDS)
    assert count_of_rings(site, call_id) == 0


async def test_calls_of_a_site_use_its_limits_from_their_beginning(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    site.policy = RecordingPolicy(1, timings=CallTimings(ring=100, resume=7))
    first = await site.ring("v1")
    assert site.last("v1", "calling")["resumeSeconds"] == 7
    assert site.last("a", "ring")["resumeSeconds"] == 7
    site.policy = RecordingPolicy(1, timings=CallTimings(ring=10))
    site.calls.settings_changed(site.settings)
    await site.pass_time(99)
    assert (await site.state(first))[0] == "ringing"
    await site.pass_time(1)
    assert await site.state(first) == ("ended", "missed")
    second = await site.ring("v2")
    await site.pass_time(10)
    assert await site.state(second) == ("ended", "missed")


async def test_nobody_is_queued_where_the_limit_of_the_queue_is_0(site: SimulatedSite) -> None:
    await site.connect("v1")
    site.policy = RecordingPolicy(1, timings=CallTimings(queue=0))
    call_id = await site.ring("v2")
    await site.pass_time(0)
    assert await site.state(call_id) == ("ended", "missed")


async def test_an_agent_who_is_assigned_a_call_is_told_its_time_to_resume(
    site: SimulatedSite,
) -> None:
    site.policy = RecordingPolicy(1, timings=CallTimings(resume=9))
    await site.connect()
    site.calls.agent_left(agent_session("a"))
    site.calls.agent_arrived(agent_session("a2"))
    call_id = site.last("v", "calling")["callId"]
    await site.agent(signaling.Resume(call_id), agent_session("a2"))
    assert site.last("a2", "mine")["resumeSeconds"] == 9


async def test_a_changed_ring_limit_applies_at_once(site: SimulatedSite) -> None:
    for number in range(1, 6):
        site.calls.agent_arrived(agent_session(f"a{number}", number))
    site.policy = RecordingPolicy(1, ring_limit=2)
    call_id = await site.ring()
    assert count_of_rings(site, call_id) == 2
    site.policy = RecordingPolicy(1, ring_limit=None)
    site.calls.settings_changed(site.settings)
    assert count_of_rings(site, call_id) == 5
    site.policy = RecordingPolicy(1, ring_limit=1)
    site.calls.settings_changed(site.settings)
    assert site.heard("a1") == ["ring"]
    assert [site.heard(f"a{n}") for n in range(2, 6)] == [["ring", "ringStopped"]] * 4


async def test_settings_of_a_site_without_calls_are_not_kept(site: SimulatedSite) -> None:
    site.calls.settings_changed(SiteSettings(Config(2), RecordingPolicy(2)))
    assert site.calls.count == 0
