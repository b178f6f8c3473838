"""Names and texts arrive as they were typed."""

from __future__ import annotations

import pytest

from tests.domain.test_text import NAMES
from tests.services.calls.simulated_site import SimulatedSite, agent_session
from visavis.protocol import signaling
from visavis.services.accounts import read_name


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_an_agent_keeps_what_belongs_to_a_script(name: str) -> None:
    assert read_name(name) == name


@pytest.mark.anyio
@pytest.mark.parametrize("name", NAMES[:6])
async def test_they_arrive_as_they_were_written(site: SimulatedSite, name: str) -> None:
    site.calls.agent_arrived(agent_session("a"))
    site.calls.agent_arrived(agent_session("b", 2))
    await site.visitor(signaling.Here(name, name))
    await site.pass_time(2)
    visitors = [m for m in site.told["consoles.1.node"] if m["type"] == "visitors"]
    (seen,) = visitors[-1]["visitors"]
    assert (seen["page"], seen["name"]) == (name, name)

    call_id = await site.ring("w")
    await site.agent(signaling.Accept(call_id))
    await site.answer(call_id)
    await site.up(call_id)
    await site.visitor(signaling.Say(call_id, name), "w")
    assert site.last("a", "said")["text"] == name
    await site.agent(signaling.Transfer(call_id, 2, name))
    assert site.last("b", "ring")["note"] == name

    missed = await site.ring("x")
    await site.visitor(signaling.HangUp(missed), "x")
    await site.visitor(signaling.LeaveMessage(missed, name, name), "x")
    call = await site.past(missed)
    assert (call.message, call.visitor_name) == (name, name)
