"""Owner of a site's calls: it applies events in order, then distributes the waiting calls."""

from __future__ import annotations

import pytest

from tests.services.calls.simulated_site import SimulatedSite, agent_session
from visavis.domain.distribution import RING_LIMIT, WIDEN_SECONDS

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
