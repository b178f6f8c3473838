"""Whether calls ring at an agent: the same on all their consoles, and after a restart."""

from __future__ import annotations

import pytest

from tests.services.calls.simulated_site import SimulatedSite, agent_session
from visavis.protocol import signaling

pytestmark = pytest.mark.anyio


async def test_every_console_of_the_agent_is_told(site: SimulatedSite) -> None:
    for at in (agent_session("a1"), agent_session("a2"), agent_session("b", 2)):
        await site.calls.welcome(at)
        site.calls.agent_arrived(at)

    await site.agent(signaling.Presence(is_available=False), agent_session("a1"))

    told = {"type": "presence", "isAvailable": False}
    assert site.last("a1", "presence") == site.last("a2", "presence") == told
    assert "presence" not in site.heard("b")


async def test_an_agent_who_is_away_stays_away_over_a_restart(site: SimulatedSite) -> None:
    await site.calls.welcome(agent_session("a"))
    site.calls.agent_arrived(agent_session("a"))
    await site.agent(signaling.Presence(is_available=False))

    after = SimulatedSite(site.store)
    welcome = await after.calls.welcome(agent_session("a"))
    after.calls.agent_arrived(agent_session("a"))
    await after.ring()

    assert not welcome.is_available
    assert "ring" not in after.heard("a")
    await after.agent(signaling.Presence(is_available=True))
    assert "ring" in after.heard("a")


async def test_another_tab_does_not_undo_what_was_just_said(site: SimulatedSite) -> None:
    await site.calls.welcome(agent_session("a1"))
    site.calls.agent_arrived(agent_session("a1"))
    await site.agent(signaling.Presence(is_available=False), agent_session("a1"))

    welcome = await site.calls.welcome(agent_session("a2"))

    assert not welcome.is_available
