"""Two processes over one database: each has the configuration in its memory."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import msgspec
import pytest

from visavis.bus.local import LocalBus
from visavis.domain.config import ConfigUpdate
from visavis.domain.people import Agent
from visavis.domain.policy import RecordingPolicy
from visavis.domain.site_settings import SiteSettings
from visavis.protocol.signaling import Availability
from visavis.services.configs import Configs
from visavis.services.ports import Transaction
from visavis.services.topics import CONFIG_TOPIC
from visavis.store.sql import SqlStore

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 1, tzinfo=UTC)
numbers = itertools.count()


async def policy_of(site_id: int) -> RecordingPolicy:
    return RecordingPolicy(site_id)


@pytest.fixture
async def administrator(store: SqlStore, anyio_backend: str) -> Agent:
    def work(rows: Transaction) -> Agent:
        site = rows.sites.add("One", NOW)
        return rows.agents.add(site.id, "a@example.com", "A", "-", is_administrator=True)

    return await store.write(work)


def node(store: SqlStore, bus: LocalBus) -> Configs:
    return Configs(
        store, bus, lambda: NOW, lambda: f"id{next(numbers)}", "https://a.example/", policy_of
    )


async def test_another_process_s_change_is_told_once(store: SqlStore, administrator: Agent) -> None:
    bus, heard = LocalBus(), list[SiteSettings]()
    here, there = node(store, bus), node(store, LocalBus())
    here.listeners.append(heard.append)
    assert not (await here.get(administrator.site_id)).is_enabled
    async with bus.subscribe(f"{CONFIG_TOPIC}{administrator.site_id}") as told:
        await here.refresh()
        assert heard == []
        await there.change(administrator, ConfigUpdate(is_enabled=True), lambda _: True)
        await here.refresh()
        await here.refresh()
        assert [settings.config.is_enabled for settings in heard] == [True]
        message = await anext(aiter(told))
    assert msgspec.json.decode(message, type=Availability).is_enabled
    assert (await here.get(administrator.site_id)).is_enabled
