"""An agent's rights end while their console is open."""

from __future__ import annotations

import dataclasses

import pytest

from tests.services.calls.house import House, agent_session, refused
from visavis.domain import signaling
from visavis.domain.errors import ErrorKind

pytestmark = pytest.mark.anyio


async def test_the_call_ends_and_the_next_one_does_not_ring(house: House) -> None:
    call_id = await house.connect()

    house.calls.revoke(agent_session("a"))
    house.calls.agent_left(agent_session("a"))

    assert house.last("v", "ended")["by"] == "agent"
    assert await house.state(call_id) == ("ended", "hungUp")
    house.forget()
    await house.ring("w")
    assert "ring" not in house.heard("a")


async def test_an_agent_without_a_call_is_only_off_duty(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))

    house.calls.revoke(agent_session("a"))

    await house.ring()
    assert house.heard("a") == []


async def test_an_agent_without_the_permission_may_hang_up_and_nothing_else(house: House) -> None:
    call_id = await house.connect()
    at = agent_session("a")
    forbidden = dataclasses.replace(at, agent=dataclasses.replace(at.agent, is_administrator=False))

    say = signaling.Say(call_id, "Hello")
    assert await refused(house.agent(say, forbidden)) is ErrorKind.PermissionDenied
    await house.agent(signaling.HangUp(call_id), forbidden)

    assert house.last("v")["reason"] == "hungUp"
    assert not house.calls.is_in_call("a")
