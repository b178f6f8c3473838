from __future__ import annotations

from dataclasses import replace

import pytest

from tests.services.site import Time, new_id, newest, refused
from visavis.domain.errors import ErrorKind
from visavis.domain.people import Agent
from visavis.domain.policy import RecordingPolicy
from visavis.services.policies import Policies
from visavis.store.sql import SqlStore

pytestmark = pytest.mark.anyio


@pytest.fixture
def announced() -> list[int]:
    return []


@pytest.fixture
def policies(store: SqlStore, time: Time, announced: list[int]) -> Policies:
    return make_policies(store, time, announced)


def make_policies(store: SqlStore, time: Time, announced: list[int]) -> Policies:
    async def announce(site_id: int) -> None:
        announced.append(site_id)

    return Policies(store, time, new_id, announce)


def always(_: RecordingPolicy) -> bool:
    return True


async def set_days(policies: Policies, agent: Agent, days: int) -> RecordingPolicy:
    return await policies.change(agent, lambda old: replace(old, retention_days=days), always)


async def test_a_change_is_durable_audited_and_told(
    store: SqlStore, time: Time, policies: Policies, agent: Agent, announced: list[int]
) -> None:
    changed = await set_days(policies, agent, 30)
    assert (changed.retention_days, changed.version) == (30, 1)
    assert announced == [agent.site_id]
    assert await make_policies(store, time, []).read(agent) == changed
    [entry] = await newest(store)
    assert entry.action_type == "recordingPolicyManagement"


async def test_what_changes_nothing_is_not_told(
    policies: Policies, agent: Agent, announced: list[int]
) -> None:
    first = await set_days(policies, agent, 30)
    assert await set_days(policies, agent, 30) == first
    assert len(announced) == 1


async def test_a_policy_that_has_changed_meanwhile_is_left(
    policies: Policies, agent: Agent, announced: list[int]
) -> None:
    attempt = policies.change(agent, lambda old: old, lambda _: False)
    await refused(ErrorKind.PreconditionFailed, attempt)
    assert announced == []


async def test_an_agent_without_the_permission_neither_reads_nor_changes(
    policies: Policies, agent: Agent
) -> None:
    other = replace(agent, is_administrator=False)
    await refused(ErrorKind.PermissionDenied, policies.read(other))
    await refused(ErrorKind.PermissionDenied, set_days(policies, other, 1))


async def test_a_change_of_another_process_is_read_and_told(
    store: SqlStore, time: Time, policies: Policies, agent: Agent, announced: list[int]
) -> None:
    await policies.get(agent.site_id)
    await set_days(make_policies(store, time, []), agent, 7)
    assert (await policies.get(agent.site_id)).retention_days is None
    await policies.refresh()
    assert (await policies.get(agent.site_id)).retention_days == 7
    assert announced == [agent.site_id]
    await policies.refresh()
    assert announced == [agent.site_id]
