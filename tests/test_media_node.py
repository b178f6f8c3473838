"""Roles of a node: its parts, what it needs, and a media node among the members."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
import pytest
from click.testing import CliRunner

from tests import http_clients
from tests.dying import dies_once
from tests.running import PATIENCE, free_media_port, free_port, until
from visavis import media_node, readiness, tasks
from visavis.archive.upload_keys import OwnKey, digest
from visavis.bus.local import LocalBus
from visavis.cli import main
from visavis.clock_and_ids import new_id, now
from visavis.domain.leg import VISITOR_LEG, BridgeId
from visavis.domain.membership import MemberState
from visavis.lifecycle import Lifecycle, PartState, Secrets
from visavis.media import worker
from visavis.media.bus_control import BusTransport
from visavis.media.control_protocol import PortReport
from visavis.media.worker import ClusterPlace
from visavis.media.worker_pool import WorkerPool
from visavis.media_node import MediaNode, MediaNodeProbes, NoBridges
from visavis.services.audit import Auditor
from visavis.services.nodes import NodeAdmin
from visavis.settings import Settings, app_number
from visavis.store import open_store
from visavis.store.sql import SqlStore
from visavis.supervisor import part_names
from visavis.tasks import cancelled


@pytest.mark.parametrize(
    ("roles", "parts"),
    [
        ("app,media,recorder", (["media-0", "media-1"], ["recorder"], ["app"])),
        ("app", ([], [], ["app"])),
        ("media,recorder", (["media-0", "media-1"], ["recorder"], [])),
    ],
)
def test_a_node_runs_the_parts_of_its_roles(
    roles: str, parts: tuple[list[str], list[str], list[str]]
) -> None:
    assert part_names(Settings(roles=roles, media_workers=2)) == parts


def test_a_node_may_have_several_app_processes() -> None:
    settings = Settings(media_workers=1, app_workers=3, run_dir=Path("/run"))
    *_, apps = part_names(settings)
    assert apps == ["app", "app-1", "app-2"]
    assert list(map(app_number, apps)) == [0, 1, 2]
    assert app_number("media-1") is None
    assert [str(settings.app_socket_of(n)) for n in range(2)] == [
        "/run/app.sock",
        "/run/app-1.sock",
    ]
    assert settings.app_archive_dir(0) == settings.archive_dir
    assert settings.app_archive_dir(1) == settings.archive_dir / "app-1"


@pytest.mark.parametrize("roles", ["media", "recorder", "app,media", "app,app", "archive", ""])
def test_other_roles_are_refused(roles: str, tmp_path: Path) -> None:
    arguments = ("serve", "--data", str(tmp_path), "--roles", roles or ",")
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "takes app,media,recorder, or app, or media,recorder" in result.stderr


@pytest.mark.parametrize("roles", ["app", "media,recorder"])
def test_a_node_without_all_roles_needs_what_connects_it(roles: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ("serve", "--data", str(tmp_path), "--roles", roles))
    assert result.exit_code == 1
    assert f"--roles {roles} needs --bus and --database" in result.stderr


def test_a_media_node_needs_an_address_for_other_recorders(tmp_path: Path) -> None:
    options = {
        "roles": "media,recorder",
        "bus": "nats://n1",
        "database": "postgresql://db1/visavis",
    }
    arguments = [text for name, value in options.items() for text in (f"--{name}", value)]
    result = CliRunner().invoke(main, ("serve", "--data", str(tmp_path), *arguments))
    assert result.exit_code == 1
    assert "--roles media,recorder needs --recorder-address" in result.stderr


@pytest.fixture
async def store(new_database: Path, anyio_backend: str) -> AsyncIterator[SqlStore]:
    opened = open_store(str(new_database))
    yield opened
    opened.close()


@pytest.mark.anyio
async def test_a_media_node_is_a_member_whose_uploads_are_accepted(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(media_node, "BEAT_SECONDS", 0.01)
    settings = Settings(data_dir=tmp_path, roles="media,recorder", media_workers=2)
    node = MediaNode(settings, store, Lifecycle())
    with dies_once("media node", MediaNode, "beat") as is_dead:
        background = await node.start()
        await until(is_dead)

    async def beats() -> list[int]:
        members = await store.read(lambda rows: rows.members.all())
        assert [one.roles for one in members] in ([], [("media", "recorder")])
        return [one.beat for one in members]

    while not any(await beats()):
        pass
    key = digest(OwnKey(settings.archive_key_file)())
    found = await store.read(lambda rows: rows.upload_keys.find(key))
    assert found
    assert found.node == settings.node_file.read_text()
    await cancelled(*background)
    await node.leave()
    (member,) = await store.read(lambda rows: rows.members.all())
    assert member.state is MemberState.STOPPED


class RunningMediaNode:
    """A media node in this process: its worker, and what its recorder has of it."""

    def __init__(self, store: SqlStore, directory: Path) -> None:
        self.settings = Settings(
            data_dir=directory,
            run_dir=directory,
            roles="media,recorder",
            media_port=free_media_port(),
            media_workers=1,
            metrics_address=f"127.0.0.1:{free_port()}",
        )
        self.bus = LocalBus()
        self.bus.reconnects, self.bus.dropped = 3, 4
        self.place = self.new_place()
        self.lifecycle = Lifecycle()
        self.node = MediaNode(self.settings, store, self.lifecycle)
        self.stop = asyncio.Event()
        self.worker = self.start_worker()

    def new_place(self) -> ClusterPlace:
        file = self.settings.drained_file
        return ClusterPlace(self.bus, name="node-0", node_id="n", region="", drained_file=file)

    def start_worker(self) -> asyncio.Task[None]:
        return asyncio.create_task(worker.run(self.settings, 0, self.stop, place=self.place))

    async def get(self, path: str, token: str = "none") -> httpx2.Response:
        async with http_clients.AsyncClient() as client:
            url = f"http://{self.settings.metrics_address}{path}"
            while True:
                try:
                    return await client.get(url, headers={"Authorization": f"Bearer {token}"})
                except httpx2.ConnectError:
                    await asyncio.sleep(0.01)

    async def until_ready(self, *reasons: str) -> None:
        """Wait until the node gives these reasons why it is not ready, or is ready."""
        status, text = (503, "; ".join(reasons)) if reasons else (200, "ready")
        async with asyncio.timeout(PATIENCE):
            while True:
                answer = await self.get("/readyz")
                if (answer.status_code, answer.text) == (status, f"{text}\n"):
                    return


@pytest.fixture
async def running(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[RunningMediaNode]:
    monkeypatch.setattr(readiness, "KEPT_SECONDS", 0.0)
    monkeypatch.setattr(tasks, "FIRST_PAUSE_SECONDS", 0.01)
    with TemporaryDirectory() as directory:  # a short path, for the sockets
        node = RunningMediaNode(store, Path(directory))
        with (
            dies_once("workers of this media node", node.node.workers, "run") as is_dead,
            dies_once("probes", MediaNodeProbes, "serve"),
        ):
            background = await node.node.start()
            await until(is_dead)
            await node.until_ready()
        yield node
        await cancelled(*background)
        await cancelled(node.worker)


@pytest.mark.anyio
async def test_a_media_node_has_metrics(running: RunningMediaNode) -> None:
    assert (await running.get("/healthz")).text == "ok\n"
    assert (await running.get("/console")).status_code == 404
    running.lifecycle.parts = {"media-0": PartState(is_up=True, restarts=2)}
    text = (await running.get("/metrics")).text
    shown = dict(re.findall(r"^(visavis_\w+) (\S+)$", text, re.MULTILINE))
    assert float(shown.pop("visavis_disk_free_bytes")) > 0
    assert {name for name, value in shown.items() if value != "0.0"} - {
        "visavis_media_native_paths"
    } == {
        "visavis_media_workers",
        "visavis_bus_connected",
        "visavis_bus_reconnects",
        "visavis_bus_dropped",
        "visavis_part_restarts",
    }
    assert shown["visavis_part_restarts"] == "2.0"
    assert (shown["visavis_bus_reconnects"], shown["visavis_bus_dropped"]) == ("3.0", "4.0")
    assert {"visavis_bridges", "visavis_spool_recordings", "visavis_refused_datagrams"} <= {*shown}


@pytest.mark.anyio
async def test_a_media_node_says_why_it_is_not_ready(
    running: RunningMediaNode, new_database: Path
) -> None:
    running.bus.is_connected = False
    await running.until_ready("no server of the bus can be reached, and so no app")
    assert "visavis_bus_connected 0.0" in (await running.get("/metrics")).text
    running.bus.is_connected = True
    await running.until_ready()
    with sqlite3.connect(new_database, isolation_level=None) as database:
        database.execute("BEGIN EXCLUSIVE")
        assert "the database" in (await running.get("/readyz")).text
        database.execute("ROLLBACK")
    running.settings.spool.rmdir()
    running.settings.spool.write_text("a file in its place")
    assert "the spool cannot be written" in (await running.get("/readyz")).text
    running.settings.spool.unlink()
    await running.until_ready()
    running.place._is_stopping = True
    await running.until_ready("the node is being drained: 0 bridges are left")
    assert "visavis_node_draining 1.0" in (await running.get("/metrics")).text
    await cancelled(running.worker)
    await running.until_ready("no media worker is connected")
    running.lifecycle.parts = {"media-0": PartState(reason="it ended with code -9")}
    warning = "warning: media-0 is being restarted: it ended with code -9"
    assert (await running.get("/readyz")).text.splitlines()[1:] == [warning]


@pytest.mark.anyio
async def test_bridges_of_a_media_node_are_counted(running: RunningMediaNode) -> None:
    def transport(name: str) -> BusTransport:
        return BusTransport(
            bus=running.bus,
            worker=name,
            app="app",
            new_id=lambda: "session",
            is_connected=lambda: True,
        )

    pool = WorkerPool((), remote=transport)
    following = asyncio.create_task(pool.follow(running.bus))
    connecting = asyncio.create_task(pool.run(NoBridges()))
    await until(lambda: pool.living)
    bridge = BridgeId("call", 1)
    await pool.open_leg(bridge, VISITOR_LEG)
    workers = running.node.workers
    await until(lambda: workers.carried_bridges == 1)
    assert not workers.bridges  # it is the app's
    await running.node.beat()
    await pool.close(bridge)
    await until(lambda: workers.carried_bridges == 0)
    await cancelled(following, connecting)


@pytest.mark.anyio
async def test_a_drained_node_takes_no_new_calls_until_it_is_undrained(
    running: RunningMediaNode, store: SqlStore
) -> None:
    admin = NodeAdmin(store, Auditor(now, new_id))
    node = running.node

    async def until_state(state: MemberState) -> None:
        """Wait until the members have heard this state."""
        async with asyncio.timeout(PATIENCE):
            while [m.state for m in await store.read(lambda rows: rows.members.all())] != [state]:
                await asyncio.sleep(0.01)

    await until_state(MemberState.READY)
    await admin.drain(node._node_id)
    await until_state(MemberState.DRAINED)
    await running.until_ready("the node is being drained: 0 bridges are left")
    await cancelled(running.worker)
    running.place = running.new_place()
    running.worker = running.start_worker()  # it has no database
    await until(lambda: running.place.is_draining)
    await admin.undrain(node._node_id)
    await until_state(MemberState.READY)
    await running.until_ready()


@pytest.mark.anyio
async def test_a_node_with_calls_is_draining_until_they_have_moved(
    running: RunningMediaNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    (client,) = running.node.workers._clients
    for bridges, state in [(2, MemberState.DRAINING), (0, MemberState.DRAINED)]:
        monkeypatch.setattr(client, "port", PortReport(bridges=bridges, is_draining=True))
        assert running.node._state() is state
    monkeypatch.setattr(running.node, "_is_needed", lambda: True)
    assert running.node._state() is MemberState.DRAINING  # its recordings have to be delivered
    running.lifecycle.stop.set()
    monkeypatch.setattr(client, "port", PortReport())
    assert running.node._state() is MemberState.DRAINING


@pytest.mark.anyio
async def test_who_may_read_the_metrics_of_a_media_node(
    running: RunningMediaNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert running.node._probes
    access = running.node._probes._access
    monkeypatch.setattr(access, "_networks", [])
    assert (await running.get("/metrics")).status_code == 403
    running.lifecycle.use_secrets(Secrets(metrics_token="changed"))
    assert (await running.get("/metrics", "changed")).status_code == 200


def test_a_node_with_an_app_has_its_metrics_at_its_port(tmp_path: Path) -> None:
    arguments = ("serve", "--data", str(tmp_path), "--metrics-address", "127.0.0.1:9180")
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "--metrics-address is for media nodes" in result.stderr
