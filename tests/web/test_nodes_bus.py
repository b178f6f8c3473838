"""The app of a node whose bus has no server, and what it does with other nodes' messages."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.dying import dies_once
from tests.running import PATIENCE
from tests.web.conftest import QUICK
from visavis import tasks
from visavis.app import App
from visavis.bus.local import LocalBus
from visavis.protocol.cluster import ChangesWritten
from visavis.services.ports import Transaction
from visavis.services.topics import CHANGES_TOPIC
from visavis.settings import Settings
from visavis.store import open_store
from visavis.store.passwords import Argon2Passwords
from visavis.store.sql import SqlStore

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "FIRST_PAUSE_SECONDS", 0.01)


def new_app(tmp_path: Path, database: str, bus_credentials: str = "") -> App:
    chosen = Settings(
        data_dir=tmp_path,
        database=database,
        archive=False,
        bus="nats://127.0.0.1:9",
        bus_credentials=bus_credentials,
    )
    return App(chosen, open_store(database), Argon2Passwords(QUICK))


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.01)


def disable(rows: Transaction) -> None:
    rows.agents.disable(1, 1, is_disabled=True)


async def test_the_app_works_without_a_server_of_the_bus(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = new_app(tmp_path, database, bus_credentials=str(tmp_path / "no.creds"))
    assert app.nodes_bus
    sent: list[str] = []
    monkeypatch.setattr(app.nodes_bus, "publish", lambda topic, _: sent.append(topic))
    with dies_once("bus", app.nodes_bus, "run") as has_died:
        running = [*app.join_nodes(), *app.start_background_tasks()]
        await until(has_died)
        await app.store.read(disable_nothing)
        assert sent == []
        await app.store.write(disable)
        assert sent == [CHANGES_TOPIC]
    gauges = app._bus_gauges()
    assert [gauge.read() for gauge in gauges.values()] == [False, 0, 0]
    await tasks.cancelled(*running)
    app.store.close()


def disable_nothing(rows: Transaction) -> None:
    rows.agents.get(1, 1)


async def test_the_log_of_changes_is_read_when_another_node_has_written(
    tmp_path: Path, database: str
) -> None:
    app, bus, woken = new_app(tmp_path, database), LocalBus(), list[int]()

    class Store:
        def wake(self) -> None:
            woken.append(1)

    store, app.store = app.store, Store()  # type: ignore[assignment]
    with dies_once("changes of other nodes", app, "follow_nodes") as has_died:
        following = tasks.run_forever("changes of other nodes", lambda: app.follow_nodes(bus))
        await until(has_died)
        await until(lambda: bus._topics)
    bus.publish(CHANGES_TOPIC, ChangesWritten())
    await until(lambda: woken)
    for _ in range(1000):  # more than the queue takes: it follows again afterwards
        bus.publish(CHANGES_TOPIC, ChangesWritten())
    await until(lambda: len(woken) == 2)
    bus.publish(CHANGES_TOPIC, ChangesWritten())
    await until(lambda: len(woken) == 3)
    await tasks.cancelled(following)
    store.close()


async def test_a_woken_store_reads_the_log_before_its_time(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("visavis.store.sql.WATCH_SECONDS", 3600.0)
    store, other, told = open_store(database), open_store(database), list[object]()
    store.on_rights_change.append(told.append)
    following = asyncio.ensure_future(_follow(store))
    await until(lambda: told)
    await other.write(disable)
    store.wake()
    await until(lambda: len(told) == 2)
    await tasks.cancelled(following)
    store.close()
    other.close()


async def _follow(store: SqlStore) -> None:
    async for _ in store.changes():
        pass


def test_one_node_loads_no_client_of_nats(database: str) -> None:
    code = (
        "import sys, visavis.app, visavis.cli, visavis.recorder_process, visavis.media.worker\n"
        "assert not {'nats', 'nkeys'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
