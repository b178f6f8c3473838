"""Settings of the sites, also of two processes over one database, each with its own memory."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest

from tests.services.site import refused
from visavis.bus.local import LocalBus
from visavis.domain.changes import EVERYTHING, Change, ChangeKind, change_set
from visavis.domain.config import ConfigUpdate
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.people import Agent
from visavis.domain.policy import RecordingPolicy
from visavis.domain.site_settings import SiteSettings
from visavis.protocol.signaling import Availability
from visavis.services.ports import Transaction
from visavis.services.site_settings import SiteSettingsService
from visavis.services.topics import CONFIG_TOPIC
from visavis.store.sql import SqlStore

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 1, tzinfo=UTC)
numbers = itertools.count()


@pytest.fixture
async def administrator(store: SqlStore, anyio_backend: str) -> Agent:
    def work(rows: Transaction) -> Agent:
        site = rows.sites.add("One", NOW)
        return rows.agents.add(site.id, "a@example.com", "A", "-", is_administrator=True)

    return await store.write(work)


def node(store: SqlStore, bus: LocalBus) -> SiteSettingsService:
    return SiteSettingsService(
        store, bus, lambda: NOW, lambda: f"id{next(numbers)}", "https://a.example/"
    )


async def test_another_process_s_change_is_told_once(store: SqlStore, administrator: Agent) -> None:
    bus, heard = LocalBus(), list[SiteSettings]()
    here, there = node(store, bus), node(store, LocalBus())
    here.listeners.append(heard.append)
    assert not (await here.get(administrator.site_id)).config.is_enabled
    async with bus.subscribe(f"{CONFIG_TOPIC}{administrator.site_id}") as told:
        await here.refresh(EVERYTHING)
        assert heard == []
        await there.change_config(administrator, ConfigUpdate(is_enabled=True), lambda _: True)
        await here.refresh(change_set([Change(ChangeKind.SETTINGS, administrator.site_id + 1)]))
        assert heard == []
        for _ in range(2):
            await here.refresh(change_set([Change(ChangeKind.SETTINGS, administrator.site_id)]))
        assert [settings.config.is_enabled for settings in heard] == [True]
        message = await anext(aiter(told))
    assert msgspec.json.decode(message, type=Availability).is_enabled
    assert (await here.get(administrator.site_id)).config.is_enabled


@pytest.fixture
def heard() -> list[SiteSettings]:
    return []


@pytest.fixture
def settings(store: SqlStore, heard: list[SiteSettings]) -> SiteSettingsService:
    service = node(store, LocalBus())
    service.listeners.append(heard.append)
    return service


async def set_days(settings: SiteSettingsService, agent: Agent, days: int) -> RecordingPolicy:
    return await settings.change_policy(
        agent, lambda old: replace(old, retention_days=days), lambda _: True
    )


async def test_a_change_of_the_policy_is_durable_audited_and_told(
    store: SqlStore,
    settings: SiteSettingsService,
    administrator: Agent,
    heard: list[SiteSettings],
) -> None:
    changed = await set_days(settings, administrator, 30)
    assert (changed.retention_days, changed.version) == (30, 1)
    assert [told.policy for told in heard] == [changed]
    assert (await node(store, LocalBus()).get(administrator.site_id)).policy == changed
    [entry] = await store.read(lambda rows: rows.audit.list_page(administrator.site_id, 9))
    assert entry.action_type == "recordingPolicyManagement"


async def test_what_changes_nothing_is_not_told(
    settings: SiteSettingsService, administrator: Agent, heard: list[SiteSettings]
) -> None:
    first = await set_days(settings, administrator, 30)
    assert await set_days(settings, administrator, 30) == first
    assert len(heard) == 1


async def test_settings_that_have_changed_meanwhile_are_left(
    settings: SiteSettingsService, administrator: Agent, heard: list[SiteSettings]
) -> None:
    update = ConfigUpdate(is_enabled=True)
    for attempt in (
        settings.change_policy(administrator, lambda old: old, lambda _: False),
        settings.change_config(administrator, update, lambda _: False),
    ):
        await refused(ErrorKind.PreconditionFailed, attempt)
    assert heard == []


async def test_both_resources_have_one_memory_and_a_version_each(
    store: SqlStore, settings: SiteSettingsService, administrator: Agent, heard: list[SiteSettings]
) -> None:
    await settings.get(administrator.site_id)
    there = node(store, LocalBus())
    await set_days(there, administrator, 7)
    await there.change_config(administrator, ConfigUpdate(is_enabled=True), lambda _: True)
    assert (await settings.get(administrator.site_id)).policy.retention_days is None
    await settings.refresh(EVERYTHING)
    known = await settings.get(administrator.site_id)
    assert (known.policy.retention_days, known.config.is_enabled) == (7, True)
    assert (known.policy.version, known.config.version) == (1, 1)
    assert heard == [known]


async def test_a_secret_is_not_told_to_another_server(
    store: SqlStore, settings: SiteSettingsService, administrator: Agent
) -> None:
    async def move(url: str, secret: str | None = None) -> RecordingPolicy:
        update = ConfigUpdate(recording_server_url=url, secret=secret)
        await settings.change_config(administrator, update, lambda _: True)
        return (await settings.get(administrator.site_id)).policy

    await move("https://one.example/")
    await settings.change_policy(
        administrator, lambda old: replace(old, secret="s1"), lambda _: True
    )
    assert (await move("https://one.example/other")).secret == "s1"
    with pytest.raises(VisavisError):
        await move("https://two.example/")
    policy = await move("https://two.example/", "s2")
    assert (policy.secret, policy.secret_origin) == ("s2", "https://two.example:443")
    policy = await move("https://three.example/", "")
    assert (policy.secret, policy.secret_origin) == (None, None)
    entries = await store.read(lambda rows: rows.audit.list_page(administrator.site_id, 9))
    changes = [change for entry in entries for change in entry.changes]
    new_values = [change.new_value for change in changes if change.field_name == "secret"]
    assert new_values == ["none", "replaced", "set"]


async def test_recording_needs_a_server(
    settings: SiteSettingsService, administrator: Agent
) -> None:
    update = ConfigUpdate(is_recording=True, recording_server_url="")
    attempt = settings.change_config(administrator, update, lambda _: True)
    await refused(ErrorKind.ParameterInvalid, attempt)


async def test_open_pages_are_told_of_the_availability(
    settings: SiteSettingsService, administrator: Agent
) -> None:
    settings.is_staffed = lambda _: False
    availability = await settings.availability(administrator.site_id)
    assert (availability.is_enabled, availability.is_staffed) == (False, False)
    heard = list[SiteSettings]()
    settings.listeners.append(heard.append)
    await settings.announce(administrator.site_id)
    assert len(heard) == 1
