"""The worker pool over the Unix sockets, a local bus and NATS.

A worker is killed by cancelling its task.
"""

from __future__ import annotations

import asyncio
import math
import resource
import secrets
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from msgspec import structs

from tests.bus.conftest import INTEROP, connected
from tests.legs import LEGS
from tests.media.browser import Browser
from tests.nats_servers import NatsServers
from tests.running import PATIENCE, free_media_port, until
from tests.spool.test_writer import MANIFEST
from visavis.bus.local import LocalBus
from visavis.bus.nats import BusOptions
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import AGENT_LEG, VISITOR_LEG, BridgeId, BridgeStatus
from visavis.domain.ownership import SiteTerm
from visavis.media import bus_control, control_protocol, worker, worker_pool
from visavis.media.bus_control import BusTransport
from visavis.media.control_channel import UnixTransport
from visavis.media.leg import Down
from visavis.media.limits import Limit
from visavis.media.worker import ClusterPlace
from visavis.media.worker_pool import WorkerPool
from visavis.rtp.mos import LegReport
from visavis.services.ports import WatchedBus
from visavis.settings import Settings
from visavis.tasks import cancelled

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TERM = SiteTerm(1, 1)


class EventLog:
    """Records the events of the workers, in order."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[tuple[object, ...]] = asyncio.Queue()

    async def leg_up(self, bridge: BridgeId, side: int) -> None:
        self.told.put_nowait(("up", bridge, side))

    async def leg_down(self, bridge: BridgeId, side: int, why: str) -> None:
        self.told.put_nowait(("down", bridge, side))
        raise VisavisError(ErrorKind.StoreUnavailable)

    async def tap_lost(self, bridge: BridgeId, why: str) -> None:
        self.told.put_nowait(("tap", bridge))

    async def quality(self, bridge: BridgeId, side: int, report: LegReport) -> None:
        self.told.put_nowait(("quality", bridge, side))

    async def bridges_found(self, statuses: Collection[BridgeStatus]) -> None:
        self.told.put_nowait(("found", *statuses))

    async def worker_draining(self, bridges: Collection[BridgeId]) -> None:
        self.told.put_nowait(("draining", frozenset(bridges)))

    async def worker_lost(self, bridges: Collection[BridgeId]) -> None:
        self.told.put_nowait(("lost", frozenset(bridges)))


class PoolHarness:
    """Two workers, and the pool of an app that uses them.

    With `ends`, the first end of a bus, they are on a media node, and the app has the second end.
    """

    def __init__(self, directory: Path, ends: tuple[WatchedBus, WatchedBus] | None = None) -> None:
        self.settings = Settings(
            data_dir=directory,
            run_dir=directory,
            media_port=free_media_port(2),
            media_workers=2,
            advertise_addresses=("192.0.2.1", "2001:db8::1"),
        )
        self.ends = ends
        self.listener = EventLog()
        self.stops = [asyncio.Event(), asyncio.Event()]
        self.running: dict[int, asyncio.Task[None]] = {}
        self.reports: list[asyncio.Task[None]] = []
        self.plane = self.new_pool()
        self.app = asyncio.create_task(self.plane.run(self.listener))

    def new_pool(self, app: str = "app") -> WorkerPool:
        """Return the pool of a new process of the app, or of another app."""
        if self.ends is None:
            transports = [UnixTransport(socket, app) for socket in self.settings.media_sockets]
            return WorkerPool(transports, node_id="node")
        pool = WorkerPool((), node_id=app, remote=partial(self.transport, app))
        self.reports.append(asyncio.create_task(pool.follow(self.ends[1])))
        return pool

    def transport(self, app: str, name: str) -> BusTransport:
        assert self.ends
        return BusTransport(
            bus=self.ends[1],
            worker=name,
            app=app,
            new_id=lambda: secrets.token_hex(8),
            is_connected=lambda: True,
        )

    def start(self, number: int) -> None:
        place = None
        if self.ends:
            name = f"node-{number}"
            place = ClusterPlace(self.ends[0], name=name, node_id="node", region="")
        running = worker.run(self.settings, number, self.stops[number], place=place)
        self.running[number] = asyncio.create_task(running)

    async def kill(self, number: int) -> None:
        task = self.running.pop(number)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def bridges(self) -> set[BridgeId]:
        """Return the bridges of all workers."""
        found: set[BridgeId] = set()
        for client in self.plane._clients:
            reply = await client._ask(control_protocol.ListBridges(next(client._request_ids)))
            assert isinstance(reply, control_protocol.BridgeList)
            found |= {status.bridge for status in reply.bridges}
        return found

    async def until_living(self, count: int) -> None:
        await until(lambda: self.plane.living == count)

    async def close(self) -> None:
        if self.ends:  # without an app, workers that are stopped would wait for their bridges
            await cancelled(*self.running.values())
        for stop in self.stops:
            stop.set()
        await cancelled(self.app, *self.reports)
        await asyncio.gather(*self.running.values(), return_exceptions=True)


@asynccontextmanager
async def bus_ends(kind: str) -> AsyncIterator[tuple[WatchedBus, WatchedBus] | None]:
    if kind == "unix":
        yield None
    elif kind == "bus":
        bus = LocalBus()
        yield bus, bus
    else:
        servers = NatsServers().start()
        options = BusOptions(address=servers.address())
        try:
            async with connected(options, "node") as one, connected(options, "app") as other:
                yield one, other
        finally:
            servers.stop()


@asynccontextmanager
async def pool_harness(
    ends: tuple[WatchedBus, WatchedBus] | None = None,
) -> AsyncIterator[PoolHarness]:
    with TemporaryDirectory() as directory:  # The paths of Unix sockets must be short.
        harness = PoolHarness(Path(directory), ends)
        for number in range(2):
            harness.start(number)
        await harness.until_living(2)
        yield harness
        await harness.close()


@pytest.fixture(params=["unix", "bus", INTEROP])
async def harness(
    request: pytest.FixtureRequest, anyio_backend: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[PoolHarness]:
    monkeypatch.setattr(bus_control, "SILENCE_SECONDS", 1.5)
    # otherwise the use of this test's process, which all workers share, decides between them
    monkeypatch.setattr(ClusterPlace, "_busy", lambda _: 0.0)
    async with bus_ends(request.param) as ends, pool_harness(ends) as harness:
        yield harness


async def test_links_are_spread_and_stay_where_they_are(harness: PoolHarness) -> None:
    ports = []
    for number in range(1, 5):
        ends = [await harness.plane.open_leg(BridgeId("call", number), side) for side in LEGS]
        assert len({end.candidates for end in ends}) == 1
        ports.append(ends[0].candidates[0].port)
    assert sorted(ports) == sorted(
        [harness.settings.media_port, harness.settings.media_port + 1] * 2
    )
    addresses = {(c.address, c.protocol) for c in ends[0].candidates}
    assert addresses == {(a, p) for a in ("192.0.2.1", "2001:db8::1") for p in ("udp", "tcp")}


async def test_a_call_s_way_through(harness: PoolHarness) -> None:
    bridge, plane = BridgeId("call", 1), harness.plane
    assert await plane.tap(bridge, MANIFEST) == "node"
    assert await plane.tap(bridge, MANIFEST) == "node"
    first = [await plane.open_leg(bridge, side) for side in LEGS]
    assert [await plane.open_leg(bridge, side) for side in LEGS] == first
    remote = Browser().remote
    assert await plane.set_remote(bridge, VISITOR_LEG, remote) == first[0]
    assert await plane.set_remote(bridge, VISITOR_LEG, replace(remote, pwd="y" * 24)) != first[0]
    await plane.join(bridge)
    await plane.note(bridge, {"type": "event"})
    await plane.pause(bridge, paused=True)
    await plane.close(bridge)
    await plane.close(bridge)
    for refused in (plane.join(bridge), plane.note(bridge, {}), plane.pause(bridge, paused=True)):
        with pytest.raises(VisavisError) as caught:
            await refused
        assert caught.value.kind is ErrorKind.MediaUnavailable
    with pytest.raises(VisavisError) as caught:
        await plane.tap(BridgeId("call", 1), MANIFEST)
    assert caught.value.kind is ErrorKind.RecordingUnavailable


async def test_workers_tell_whether_a_recording_could_begin(harness: PoolHarness) -> None:
    spool = harness.settings.spool
    assert await harness.plane.recording_obstacle() == ""
    assert list(spool.iterdir()) == []
    spool.rmdir()
    spool.touch()
    reason = await harness.plane.recording_obstacle()
    assert reason.startswith("the spool cannot be written: [Errno 17] File exists")
    for number in range(2):
        await harness.kill(number)
    await harness.until_living(0)
    assert await harness.plane.recording_obstacle() == ""


async def test_a_worker_without_descriptors_tells_so(harness: PoolHarness) -> None:
    await harness.plane.recording_obstacle()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        reason = await harness.plane.recording_obstacle()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert reason.startswith("the spool cannot be written: [Errno 24] Too many open files")
    assert list(harness.settings.spool.iterdir()) == []


async def test_one_leg_is_not_yet_a_link(harness: PoolHarness) -> None:
    await harness.plane.open_leg(BridgeId("call", 1), AGENT_LEG)
    with pytest.raises(VisavisError):
        await harness.plane.join(BridgeId("call", 1))


async def test_a_dead_worker_s_links_are_told_and_stay_lost(harness: PoolHarness) -> None:
    mine, other = BridgeId("call", 1), BridgeId("other", 1)
    end = await harness.plane.open_leg(mine, VISITOR_LEG)
    await harness.plane.open_leg(other, VISITOR_LEG)
    number = end.candidates[0].port - harness.settings.media_port
    await harness.kill(number)
    assert await harness.listener.told.get() == ("lost", frozenset({mine}))
    await harness.until_living(1)
    with pytest.raises(VisavisError):
        await harness.plane.open_leg(mine, AGENT_LEG)
    await harness.plane.open_leg(other, AGENT_LEG)
    successor = await harness.plane.open_leg(BridgeId("call", 2), VISITOR_LEG)
    assert successor.candidates[0].port != end.candidates[0].port
    await harness.plane.close(mine)
    harness.start(number)
    await harness.until_living(2)


async def test_a_new_link_waits_for_a_worker_that_is_being_started(harness: PoolHarness) -> None:
    for number in range(2):
        await harness.kill(number)
    await harness.until_living(0)
    opening = asyncio.create_task(harness.plane.open_leg(BridgeId("call", 1), VISITOR_LEG))
    await asyncio.sleep(0)
    harness.start(1)
    assert (await opening).candidates[0].port == harness.settings.media_port + 1


async def test_nobody_waits_for_ever(harness: PoolHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_pool, "RESTART_SECONDS", 0.0)
    for number in range(2):
        await harness.kill(number)
    await harness.until_living(0)
    with pytest.raises(VisavisError) as caught:
        await harness.plane.open_leg(BridgeId("call", 1), VISITOR_LEG)
    assert caught.value.kind is ErrorKind.MediaUnavailable


async def test_what_the_worker_tells_is_heard(harness: PoolHarness, tmp_path: Path) -> None:
    alone = worker.Worker(harness.settings, free_media_port())
    socket = tmp_path / "s"
    server = await asyncio.start_unix_server(alone.serve_app, socket)
    plane, listener = WorkerPool([UnixTransport(socket)]), EventLog()
    app = asyncio.create_task(plane.run(listener))
    bridge = BridgeId("call", 1)
    await plane.open_leg(bridge, VISITOR_LEG)
    leg = alone._relay.bridges[bridge].legs[VISITOR_LEG]
    alone._on_event(leg, Down("of old age"))
    alone._send_event(control_protocol.LegUp(bridge, VISITOR_LEG))
    alone._send_event(control_protocol.LegQualityReport(bridge, VISITOR_LEG, LegReport()))
    alone._send_event(control_protocol.TapLost(bridge, "disk"))
    leg.limit_rate(1.0, 0.0)
    assert not leg.rate_limit.admits(1000, 0.0)
    await alone.tick()
    await alone.tick()
    alone._guard._on_stop(Limit.DISK)
    names = [(await listener.told.get())[0] for _ in range(4)]
    assert names == ["down", "up", "quality", "tap"]
    await until(lambda: plane.limits_reached == {Limit.RATE: 1, Limit.DISK: 1})
    app.cancel()
    await asyncio.gather(app, return_exceptions=True)
    await until(lambda: not alone._controllers.is_any_connected)
    server.close()
    await alone.close()


async def test_bridges_outlive_the_app_and_are_taken_over(harness: PoolHarness) -> None:
    mine, unknown = BridgeId("call", 1), BridgeId("unknown", 1)
    first = await harness.plane.open_leg(mine, VISITOR_LEG)
    await harness.plane.open_leg(mine, AGENT_LEG)
    await harness.plane.open_leg(unknown, VISITOR_LEG)
    await harness.plane.tap(mine, MANIFEST)
    await harness.plane.pause(mine, paused=True)
    harness.app.cancel()
    await asyncio.gather(harness.app, return_exceptions=True)

    harness.plane = harness.new_pool()
    harness.plane.expect([mine, BridgeId("gone", 1)])
    listener = EventLog()
    harness.app = asyncio.create_task(harness.plane.run(listener))
    assert await harness.plane.found_bridges() == {mine}
    status = BridgeStatus(mine, frozenset(), has_journal=True, is_paused=True)
    assert await listener.told.get() == ("found", status)
    assert await harness.plane.open_leg(mine, VISITOR_LEG) == first
    async with asyncio.timeout(PATIENCE):
        while await harness.bridges() != {mine}:
            await asyncio.sleep(0.01)


async def test_another_app_takes_bridges_over(harness: PoolHarness) -> None:
    mine, taken = BridgeId("mine", 1), BridgeId("taken", 1)
    kept = await harness.plane.open_leg(mine, VISITOR_LEG)
    worker_name = (await harness.plane.open_leg(taken, VISITOR_LEG)).worker
    manifest = structs.replace(MANIFEST, started_at=datetime.now(UTC))
    await harness.plane.tap(taken, manifest)
    other = harness.new_pool("other")
    assert other.is_shared == (harness.ends is not None)
    running = asyncio.create_task(other.run(EventLog()))
    claimed = {taken: worker_name, BridgeId("gone", 1): worker_name, BridgeId("x", 1): "away/0"}
    status = BridgeStatus(taken, frozenset(), has_journal=True)
    assert await other.claim(claimed, TERM) == [status]
    await until(lambda: harness.plane.bridges == 1)
    assert (await harness.plane.open_leg(mine, VISITOR_LEG)) == kept
    await harness.plane.close(taken)  # by the former owner, which has it no longer
    assert (await other.open_leg(taken, VISITOR_LEG)).worker == worker_name
    assert await other.tap(taken, manifest) == "node"
    await other.close(taken)
    assert await harness.bridges() == {mine}
    await cancelled(running)


async def test_bridges_of_a_worker_that_dies_are_not_taken_over(harness: PoolHarness) -> None:
    bridge = BridgeId("call", 1)
    worker_name = (await harness.plane.open_leg(bridge, VISITOR_LEG)).worker
    other = harness.new_pool("other")
    running = asyncio.create_task(other.run(EventLog()))
    await until(lambda: other.living == 2)
    await harness.kill(next(n for n in range(2) if worker_name.endswith((f"-{n}", f"-{n}.sock"))))
    assert await other.claim({bridge: worker_name}, TERM) == []
    await cancelled(running)


async def test_the_app_processes_of_a_machine_share_its_workers(
    harness: PoolHarness, tmp_path: Path
) -> None:
    alone, socket = worker.Worker(harness.settings, free_media_port()), tmp_path / "s"
    server = await asyncio.start_unix_server(alone.serve_app, socket)
    bridges = [BridgeId("call", 1), BridgeId("other", 1)]
    pools = [WorkerPool([UnixTransport(socket, app)]) for app in ("", "1")]
    logs = [EventLog(), EventLog()]
    apps = [asyncio.create_task(pool.run(log)) for pool, log in zip(pools, logs, strict=True)]
    for pool, bridge in zip(pools, bridges, strict=True):
        await pool.open_leg(bridge, VISITOR_LEG)
    for bridge in bridges:
        alone._send_event(control_protocol.LegUp(bridge, VISITOR_LEG))
    for log, bridge in zip(logs, bridges, strict=True):
        assert await log.told.get() == ("up", bridge, VISITOR_LEG)
        assert log.told.empty()

    claimed = await pools[0].claim({bridges[1]: "/s", BridgeId("gone", 1): "/s"}, TERM)
    assert [status.bridge for status in claimed] == [bridges[1]]
    alone._send_event(control_protocol.LegUp(bridges[1], AGENT_LEG))
    assert await logs[0].told.get() == ("up", bridges[1], AGENT_LEG)
    await pools[1].claim({bridges[1]: "/s"}, TERM)

    apps[1].cancel()
    await asyncio.gather(apps[1], return_exceptions=True)
    successor, log = WorkerPool([UnixTransport(socket, "1")]), EventLog()
    successor.expect(bridges[1:])
    apps[1] = asyncio.create_task(successor.run(log))
    assert await successor.found_bridges() == {bridges[1]}
    assert await pools[0].responding_workers() == 1
    assert set(alone._relay.bridges) == set(bridges)
    await cancelled(*apps)
    server.close()
    await alone.close()


async def test_a_worker_refuses_the_commands_of_a_former_owner(
    harness: PoolHarness, tmp_path: Path
) -> None:
    alone, socket = worker.Worker(harness.settings, free_media_port()), tmp_path / "s"
    server = await asyncio.start_unix_server(alone.serve_app, socket)
    pool, successor = (WorkerPool([UnixTransport(socket, app)]) for app in ("", "1"))
    apps = [asyncio.create_task(each.run(EventLog())) for each in (pool, successor)]
    terms = {"taken": SiteTerm(1, 4), "left": SiteTerm(1, 4), "other": SiteTerm(2, 1)}
    fenced: list[str] = []

    async def on_fenced() -> None:
        fenced.append("former owner")

    pool.fencing.term_of, pool.fencing.on_fenced = lambda one: terms.get(one.call_id), on_fenced
    successor.fencing.term_of = lambda _: SiteTerm(1, 5)
    (former,) = pool._clients
    taken, left, other = (BridgeId(name, 1) for name in ("taken", "left", "other"))
    for bridge in (taken, left, other):
        await pool.open_leg(bridge, VISITOR_LEG)
        await pool.open_leg(bridge, AGENT_LEG)
    await successor.open_leg(BridgeId("unknown", 1), VISITOR_LEG)  # so that it is connected
    found = await successor.claim({taken: "/s"}, SiteTerm(1, 5))
    assert [status.bridge for status in found] == [taken]

    terms["new"] = SiteTerm(1, 4)
    commands = [
        former.pause(taken, paused=True),
        former.join(taken),
        former.tap(taken, MANIFEST),
        former.open_leg(BridgeId("new", 1), VISITOR_LEG),
    ]
    for command in commands:
        with pytest.raises(VisavisError, match="Another process owns the site"):
            await command
    del terms["taken"]  # it has forgotten the call, but a task of it goes on
    with pytest.raises(VisavisError, match="Another process owns the site"):
        await former.close(taken)
    assert fenced == ["former owner"] * 5
    assert set(alone._relay.bridges) == {taken, left, other, BridgeId("unknown", 1)}
    assert not alone._relay.bridges[taken].is_paused

    await successor.pause(taken, paused=True)
    await former.join(other)  # of a site that it still owns
    await former.close(left)  # nobody else controls it
    assert left not in alone._relay.bridges
    await cancelled(*apps)
    server.close()
    await alone.close()


async def test_a_worker_that_does_not_answer_has_no_bridges_to_claim(
    harness: PoolHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_pool, "CLAIM_SECONDS", 0.0)
    bridge = BridgeId("call", 1)
    opened = await harness.plane.open_leg(bridge, VISITOR_LEG)
    assert await harness.plane.claim({bridge: opened.worker}, TERM) == []


async def test_a_worker_that_does_not_come_is_not_waited_for(
    harness: PoolHarness, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(worker_pool, "RESTART_SECONDS", 0.0)
    plane = WorkerPool([UnixTransport(tmp_path / "nobody")])
    plane.expect([BridgeId("call", 1)])
    assert await plane.found_bridges() == frozenset()


async def test_bridges_that_everybody_has_left_are_closed_without_an_app(
    harness: PoolHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = worker.Worker(harness.settings, free_media_port())
    alone._relay.open_leg(BridgeId("left", 1), VISITOR_LEG, -1e9)
    alone._relay.open_leg(BridgeId("call", 1), VISITOR_LEG, 1e9)
    alone._close_silent(0.0)
    alone._close_silent(control_protocol.SILENT_SECONDS)
    assert len(alone._relay.bridges) == 2
    alone._close_silent(control_protocol.SILENT_SECONDS + 1)
    await until(lambda: set(alone._relay.bridges) == {BridgeId("call", 1)})
    await alone.close()


async def test_a_note_that_is_asked_for_twice_is_written_once(harness: PoolHarness) -> None:
    bridge = BridgeId("call", 1)
    await harness.plane.tap(bridge, MANIFEST)
    for number in (1, 1, 2):
        await harness.plane.note(bridge, {"type": "event", "number": number})
    await harness.plane.close(bridge)
    (journal,) = harness.settings.spool.glob("*/*.journal")
    assert journal.read_bytes().count(b'"number":1') == 1
    assert journal.read_bytes().count(b'"number":2') == 1


async def test_the_worker_s_port_is_reported(harness: PoolHarness, tmp_path: Path) -> None:
    alone = worker.Worker(harness.settings, free_media_port())
    socket = tmp_path / "s"
    server = await asyncio.start_unix_server(alone.serve_app, socket)
    plane = WorkerPool([UnixTransport(socket)])
    app = asyncio.create_task(plane.run(EventLog()))
    bridge = BridgeId("call", 1)
    await plane.open_leg(bridge, VISITOR_LEG)
    alone._relay.bridges[bridge].legs[VISITOR_LEG].rate_limit._excessive_until = math.inf
    for _ in range(300):
        alone._relay.receive(bytes(40), ("203.0.113.1", 1), 0.0, 0)
    await alone.open()
    assert alone._sockets._tcp is not None
    alone._sockets._tcp.refused = 7
    await alone.tick()
    await until(lambda: plane.refused_datagrams == 100)
    assert plane.excessive_legs == 1
    assert plane.refused_connections == 7
    assert plane.native_paths == (alone._path is not None)
    assert plane.events_dropped == 0
    app.cancel()
    await asyncio.gather(app, return_exceptions=True)
    server.close()
    await alone.close()


async def test_bridges_of_a_worker_that_is_drained_are_replaced(harness: PoolHarness) -> None:
    if harness.ends is None:
        return  # workers of one machine are not drained
    mine, other = BridgeId("call", 1), BridgeId("other", 1)
    end = await harness.plane.open_leg(mine, VISITOR_LEG)
    await harness.plane.open_leg(other, VISITOR_LEG)
    number = end.candidates[0].port - harness.settings.media_port
    harness.stops[number].set()
    assert await harness.listener.told.get() == ("draining", frozenset({mine}))
    successor = await harness.plane.open_leg(BridgeId("call", 2), VISITOR_LEG)
    assert successor.candidates[0].port != end.candidates[0].port
    assert not harness.running[number].done()
    await harness.plane.close(mine)
    await asyncio.wait_for(harness.running[number], PATIENCE)
