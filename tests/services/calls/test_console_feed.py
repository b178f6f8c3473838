"""Feed of the consoles: changes are sent, at most once a second."""

from __future__ import annotations

import pytest

from tests.services.calls.simulated_site import SimulatedSite, agent_session
from visavis.protocol import signaling

pytestmark = pytest.mark.anyio


async def test_only_changes_are_sent(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    await site.pass_time(1)
    site.forget()
    site.calls.site(1).schedule_update()
    await site.pass_time(1)
    assert "consoles.1.node" not in site.told
    site.calls.site(1).past_calls_changed()
    site.calls.site(1).past_calls_changed()
    await site.pass_time(1)
    assert [message["type"] for message in site.told["consoles.1.node"]] == ["pastCalls"]


async def test_a_console_that_opens_later_is_sent_everything(site: SimulatedSite) -> None:
    await site.visitor(signaling.Here("/"))
    site.calls.agent_arrived(agent_session("a"))
    types = [message["type"] for message in site.told["a"]]
    assert types == ["team", "queue", "visitors", "pastCalls"]
