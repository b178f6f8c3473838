"""Call history for programs: who may read and create calls, and for which agent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.services.calls.simulated_site import NOW, SimulatedSite, create_sites, refused
from visavis.domain.call_history import CallSearch
from visavis.domain.errors import ErrorKind
from visavis.domain.people import Agent, Permission
from visavis.services.call_history import CallHistory
from visavis.store import open_store

pytestmark = pytest.mark.anyio


@pytest.fixture
async def site(new_database: Path, anyio_backend: str) -> AsyncIterator[SimulatedSite]:
    store = open_store(str(new_database))
    await store.write(create_sites)
    opened = SimulatedSite(store)
    yield opened
    await opened.calls.shut_down()
    store.close()


@pytest.fixture
def history(site: SimulatedSite) -> CallHistory:
    return CallHistory(site.store, site.calls)


async def add_agent(site: SimulatedSite, *permissions: Permission) -> Agent:
    """Add an agent who is not an administrator."""
    agent = await site.store.write(
        lambda rows: rows.agents.add(1, "c@example.com", "Cy", "-", is_administrator=False)
    )
    await site.store.write(lambda rows: rows.agents.grant(1, agent.id, permissions))
    return replace(agent, granted=frozenset(permissions))


async def administrator(site: SimulatedSite) -> Agent:
    agent = await site.store.read(lambda rows: rows.agents.get(1, 1))
    assert agent
    return agent


async def test_calls_are_listed_page_by_page_newest_first(
    site: SimulatedSite, history: CallHistory
) -> None:
    calls = [await site.ring(f"v{number}") for number in range(3)]
    await site.calls.call_log.flush()
    agent = await administrator(site)
    first = await history.list_page(agent, CallSearch(), 1, 2)
    second = await history.list_page(agent, CallSearch(), 2, 2)
    assert (first.total, second.total) == (3, 3)
    assert len(first.calls) == 2
    assert {call.id for call in (*first.calls, *second.calls)} == set(calls)


async def test_a_call_that_does_not_exist_is_not_found(
    site: SimulatedSite, history: CallHistory
) -> None:
    agent = await administrator(site)
    assert await refused(history.get(agent, "none")) is ErrorKind.EntityNotFound
    assert await refused(history.end(agent, "none")) is ErrorKind.EntityNotFound


async def test_a_call_is_ended_once(site: SimulatedSite, history: CallHistory) -> None:
    call_id = await site.connect()
    agent = await administrator(site)
    await site.calls.call_log.flush()
    call, report = await history.end(agent, call_id)
    assert (call.state, call.ended_at) == ("ended", NOW)
    assert report.events[-1].name == "ended"
    assert await refused(history.end(agent, call_id)) is ErrorKind.CallNotPossible


async def test_a_call_is_created_for_the_own_agent_or_for_a_colleague(
    site: SimulatedSite, history: CallHistory
) -> None:
    agent = await administrator(site)
    colleague = await add_agent(site, Permission.ACCEPT_CALLS)
    _, own = await history.make(agent, "video", "Ann", "", None)
    _, other = await history.make(agent, "video", "Ann", "", colleague.id)
    assert own.call_id != other.call_id


async def test_a_call_is_created_for_no_agent_who_may_not_accept_it(
    site: SimulatedSite, history: CallHistory
) -> None:
    agent = await administrator(site)
    unable = await add_agent(site)
    for agent_id in (unable.id, 99):
        creating = history.make(agent, "video", "Ann", "", agent_id)
        assert await refused(creating) is ErrorKind.ParameterInvalid
    await site.store.write(lambda rows: rows.agents.disable(1, 2, is_disabled=True))
    disabled = history.make(agent, "video", "Ann", "", 2)
    assert await refused(disabled) is ErrorKind.ParameterInvalid
