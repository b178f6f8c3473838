"""An agent's rights end while their console is open."""

from __future__ import annotations

import dataclasses

import pytest

from tests.services.calls.simulated_site import SimulatedSite, agent_session, refused
from visavis.domain.errors import ErrorKind
from visavis.protocol import signaling

pytestmark = pytest.mark.anyio


async def test_the_call_ends_and_the_next_one_does_not_ring(site: SimulatedSite) -> None:
    call_id = await site.connect()

    site.calls.revoke(agent_session("a"))
    site.calls.agent_left(agent_session("a"))
    await site.wait_idle()

    assert site.last("v", "ended")["by"] == "agent"
    assert await site.state(call_id) == ("ended", "hungUp")
    site.forget()
    await site.ring("w")
    assert "ring" not in site.heard("a")


async def test_an_agent_without_a_call_is_only_off_duty(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))

    site.calls.revoke(agent_session("a"))

    await site.ring()
    assert site.heard("a") == []


async def test_an_agent_without_the_permission_may_hang_up_and_nothing_else(
    site: SimulatedSite,
) -> None:
    call_id = await site.connect()
    at = agent_session("a")
    forbidden = dataclasses.replace(at, agent=dataclasses.replace(at.agent, is_administrator=False))

    say = signaling.Say(call_id, "Hello")
    assert await refused(site.agent(say, forbidden)) is ErrorKind.PermissionDenied
    await site.agent(signaling.HangUp(call_id), forbidden)

    assert site.last("v")["reason"] == "hungUp"
    assert not site.calls.is_in_call("a")
