"""Background tasks of a media worker and of its client that fail once are restarted."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from tests.dying import dies_once
from tests.media.packet_paths import require_native
from tests.media.test_worker_pool import PoolHarness, pool_harness
from tests.running import PATIENCE, until
from tests.spool.test_sync_thread import FakeFile
from visavis import tasks
from visavis.bus.local import LocalBus
from visavis.domain.errors import VisavisError
from visavis.domain.leg import VISITOR_LEG, BridgeId
from visavis.media import bus_control, worker, worker_client
from visavis.media.bus_control import BusChannel, BusControl
from visavis.media.native.path import NativePath
from visavis.media.worker import ClusterPlace, ControlSocket, Worker
from visavis.spool.sync_thread import SyncThread
from visavis.tasks import MONITOR

pytestmark = pytest.mark.anyio

BRIDGE = BridgeId("call", 1)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "FIRST_PAUSE_SECONDS", 0.01)


@pytest.fixture
async def harness(anyio_backend: str) -> AsyncIterator[PoolHarness]:
    async with pool_harness() as running:
        yield running


@pytest.fixture
async def media_node(anyio_backend: str) -> AsyncIterator[PoolHarness]:
    """Two workers that an app controls over a bus."""
    bus = LocalBus()
    async with pool_harness((bus, bus)) as running:
        yield running


async def test_a_worker_ticks_on(harness: PoolHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = 0

    async def count(_: Worker) -> None:
        nonlocal ticks
        ticks += 1

    await harness.kill(0)
    monkeypatch.setattr(Worker, "tick", count)
    with dies_once("media tick", Worker, "tick"):
        harness.start(0)
        await until(lambda: ticks > 3)


async def test_the_control_socket_is_held(
    harness: PoolHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "CHECK_SECONDS", 0.01)
    await harness.kill(0)
    path = harness.settings.media_socket(0)
    with dies_once("control socket", ControlSocket, "hold") as is_dead:
        harness.start(0)
        await until(is_dead)
        await harness.until_living(2)
        path.unlink()
        await until(path.is_socket)
    await harness.plane.open_leg(BRIDGE, VISITOR_LEG)
    assert harness.plane.living == 2


async def test_the_next_request_is_answered(
    harness: PoolHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as only_this:
        only_this.setattr(worker_client, "REQUEST_SECONDS", 0.2)
        with dies_once("control request", Worker, "_perform"), pytest.raises(VisavisError):
            await harness.plane.open_leg(BRIDGE, VISITOR_LEG)
    await harness.plane.open_leg(BRIDGE, VISITOR_LEG)


async def test_the_next_event_is_heard(harness: PoolHarness) -> None:
    with dies_once("media event", harness.listener, "worker_lost") as is_dead:
        await harness.kill(0)
        await until(is_dead)
    await harness.kill(1)
    assert (await harness.listener.told.get())[0] == "lost"


async def test_the_worker_is_reached_again(harness: PoolHarness) -> None:
    connection = harness.plane._clients[0]
    await harness.plane.open_leg(BRIDGE, VISITOR_LEG)
    with dies_once("media worker media-0.sock", connection, "_listen") as is_dead:
        await harness.kill(0)  # Makes the client connect and listen again.
        harness.start(0)
        await until(is_dead)
    await harness.until_living(2)
    assert harness.plane.living == 2


async def test_all_workers_are_reached_again(harness: PoolHarness) -> None:
    harness.app.cancel()
    with dies_once("media workers", harness.plane, "run") as is_dead:
        harness.app = tasks.run_forever(
            "media workers", lambda: harness.plane.run(harness.listener)
        )
        await until(is_dead)
        await harness.until_living(2)


def channel_of(media_node: PoolHarness) -> BusChannel:
    channel = media_node.plane._clients[0]._channel
    assert isinstance(channel, BusChannel)
    return channel


async def test_a_worker_of_a_media_node_stays_controlled(media_node: PoolHarness) -> None:
    channel = channel_of(media_node)
    with dies_once("control exchange", channel, "_try_exchange") as is_dead:
        await until(is_dead)
    await media_node.plane.open_leg(BRIDGE, VISITOR_LEG)
    assert media_node.plane.living == 2


async def test_a_worker_is_watched_again(
    media_node: PoolHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_control, "SILENCE_SECONDS", 0.5)
    await media_node.kill(0)
    await media_node.until_living(1)
    with dies_once("watch of a media worker", BusChannel, "_look") as is_dead:
        media_node.start(0)
        await until(is_dead)
    await media_node.until_living(2)
    await media_node.kill(0)
    await media_node.until_living(1)


async def test_exchanges_begin_again(media_node: PoolHarness) -> None:
    channel = channel_of(media_node)
    with dies_once("control exchanges", channel, "_next") as is_dead:
        await until(is_dead)
    await media_node.plane.open_leg(BRIDGE, VISITOR_LEG)
    assert media_node.plane.living == 2


async def test_apps_are_answered_again(
    media_node: PoolHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_control, "SILENCE_SECONDS", 0.5)
    await media_node.kill(0)
    await media_node.until_living(1)
    with dies_once("control over the bus", BusControl, "run") as is_dead:
        media_node.start(0)
        await until(is_dead)
        await media_node.until_living(2)


async def test_a_worker_is_reported_again(
    media_node: PoolHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_control, "SILENCE_SECONDS", 0.5)
    await media_node.kill(0)
    await media_node.until_living(1)
    forgotten = media_node.plane._workers.pop("node-0").task
    assert forgotten
    await tasks.cancelled(forgotten)
    with dies_once("worker report", ClusterPlace, "report"):
        media_node.start(0)
        await media_node.until_living(2)


async def test_the_next_report_of_a_drain_is_heard(media_node: PoolHarness) -> None:
    await media_node.plane.open_leg(BRIDGE, VISITOR_LEG)
    number = next(n for n, one in enumerate(media_node.plane._clients) if one.bridges)
    with dies_once("drain of a worker", media_node.listener, "worker_draining") as is_dead:
        media_node.stops[number].set()
        await until(is_dead)
    assert (await media_node.listener.told.get())[0] == "draining"
    await media_node.plane.close(BRIDGE)
    await asyncio.wait_for(media_node.running[number], PATIENCE)


async def test_reports_are_heard_again(media_node: PoolHarness) -> None:
    assert media_node.ends
    await tasks.cancelled(*media_node.reports)  # or the first of two followers would die
    with dies_once("workers of media nodes", media_node.plane, "hear") as is_dead:
        following = tasks.run_forever(
            "workers of media nodes", partial(media_node.plane.follow, media_node.ends[1])
        )
        media_node.reports.append(following)
        await until(is_dead)


async def test_journals_are_written_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("visavis.spool.sync_thread.ROUND_SECONDS", 0.001)
    sync_thread, file = SyncThread(), FakeFile()
    with dies_once("journal sync", file, "write") as is_dead:
        sync_thread.add(file)
        await until(is_dead)
        assert file.synced.acquire(timeout=PATIENCE)
        await until(lambda: "journal sync" in MONITOR.problems)
    file.is_over = True
    sync_thread.wake()
    await until(lambda: "journal sync" not in MONITOR.problems)


async def test_the_native_path_reads_on() -> None:
    require_native()
    path, received = NativePath(lambda *_: None), list[bytes]()
    path.hand_to(lambda datagram, *_: received.append(datagram), lambda *_: None)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as browser,
    ):
        udp.bind(("127.0.0.1", 0))
        with dies_once("packet path", path.core, "run") as is_dead:
            path.start({socket.AF_INET: udp})
            await until(is_dead)
        browser.sendto(bytes(20), udp.getsockname())
        await until(lambda: received == [bytes(20)])
        path.stop()
