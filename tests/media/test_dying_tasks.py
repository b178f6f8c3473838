"""Background tasks of a media worker and of its client that fail once are restarted."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.dying import dies_once
from tests.media.packet_paths import require_native
from tests.media.test_worker_pool import PoolHarness
from tests.media.test_worker_pool import harness as harness
from tests.running import PATIENCE, until
from tests.spool.test_sync_thread import FakeFile
from visavis import tasks
from visavis.domain.errors import VisavisError
from visavis.domain.leg import VISITOR_LEG, BridgeId
from visavis.media import worker, worker_client
from visavis.media.native.path import NativePath
from visavis.media.worker import ControlSocket, Worker
from visavis.spool.sync_thread import SyncThread
from visavis.tasks import MONITOR

pytestmark = pytest.mark.anyio

BRIDGE = BridgeId("call", 1)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "FIRST_PAUSE_SECONDS", 0.01)


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
    with dies_once("media worker 0", connection, "_listen") as is_dead:
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
