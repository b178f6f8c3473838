"""Media worker process: connects the media port, the control socket and the relay."""

from __future__ import annotations

import asyncio
import ipaddress
import shutil
import time
from collections.abc import Callable, Collection, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import BridgeId, BridgeStatus, Candidate, LocalTransport
from visavis.local_socket import CHECK_SECONDS, LocalSocket
from visavis.media import control_protocol
from visavis.media.addresses import own_addresses
from visavis.media.bus_control import BusControl
from visavis.media.controllers import Controller, Controllers, UnixController
from visavis.media.dtls import Identity
from visavis.media.leg import Down, Leg, LegEvent, Limited, Up
from visavis.media.limits import MEGABYTE, Limit, Limits, RecordingGuard
from visavis.media.native.library import is_chosen
from visavis.media.native.path import NativePath
from visavis.media.relay import Relay
from visavis.media.remote_address import RemoteAddress
from visavis.media.sockets import MediaSockets
from visavis.protocol.cluster import WorkerReport
from visavis.rtp.mos import LegReport
from visavis.services.ports import WatchedBus
from visavis.services.topics import WORKERS_TOPIC
from visavis.settings import Settings
from visavis.spool.writer import JournalWriter, create_journal, try_to_create_journal
from visavis.tasks import cancelled, describe, run_every, run_forever, spawn

log = structlog.get_logger(__name__)

ServeApp = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]

_DECODE_ATTACH: Final = msgspec.json.Decoder(control_protocol.Attach).decode
_DECODE_REQUEST: Final = msgspec.json.Decoder(control_protocol.Request).decode

TICK_SECONDS: Final = 0.05
GUARD_SECONDS: Final = 1.0
REPORT_SECONDS: Final = 0.5
DRAIN_SECONDS: Final = 30.0
"""Time for which a worker of a media node that is stopped waits until its bridges are replaced."""
MIN_LEGS: Final = 2
"""If a bridge has fewer legs, it was lost with an earlier process of this worker."""


async def run(
    settings: Settings,
    number: int,
    stop: asyncio.Event,
    on_up: Callable[[], object] = lambda: None,
    place: ClusterPlace | None = None,
) -> None:
    """Run worker `number` (from 0) until `stop`; raises `OSError` if the port is taken.

    `on_up` is called once the ports are open. A worker of a media node has a `place`.
    """
    worker = Worker(settings, settings.media_port + number, place)
    control_socket = ControlSocket(settings.media_socket(number), worker.serve_app)
    await control_socket.open()
    await worker.open()
    on_up()
    background = (
        run_every("media tick", TICK_SECONDS, worker.tick),
        run_every("control socket", CHECK_SECONDS, control_socket.hold),
        *(place.start(worker) if place else ()),
    )
    try:
        await stop.wait()
        if place:
            await place.drain(worker)
    finally:
        await cancelled(*background)
        control_socket.close()
        await worker.close()


class ClusterPlace:
    """A worker of a media node: apps of other nodes control it over the bus.

    `name` is that of the worker, and `node_id` its node. The worker asks the apps for other bridges
    in place of its own while it is being stopped, or while `drained_file` exists.
    """

    def __init__(
        self,
        bus: WatchedBus,
        *,
        name: str,
        node_id: str,
        region: str,
        drained_file: Path | None = None,
    ) -> None:
        self.bus = bus
        self._name = name
        self._node_id = node_id
        self._region = region
        self._drained_file = drained_file
        self._is_stopping = False
        self._is_drained = False
        self._used_at = time.monotonic()
        self._used_seconds = time.process_time()

    def start(self, worker: Worker) -> Sequence[asyncio.Task[None]]:
        """Answer the apps, and report the worker to them."""
        control = BusControl(worker)
        return (
            run_forever("control over the bus", partial(control.run, self.bus, self._name)),
            run_every("worker report", REPORT_SECONDS, partial(self.report, worker)),
        )

    @property
    def is_draining(self) -> bool:
        """Whether the worker takes no new bridges, unless there is no other worker."""
        return self._is_stopping or self._is_drained

    async def drain(self, worker: Worker) -> None:
        """Let the apps replace the worker's bridges by those of others; wait until they have."""
        self._is_stopping = True
        end = time.monotonic() + DRAIN_SECONDS
        if worker.bridge_count:
            log.info("draining", bridges=worker.bridge_count)
        while worker.bridge_count and time.monotonic() < end:  # noqa: ASYNC110  calls end anywhere
            await asyncio.sleep(TICK_SECONDS)
        if worker.bridge_count:
            log.warning("bridges are left after the drain", bridges=worker.bridge_count)

    async def report(self, worker: Worker) -> None:
        """Tell the apps that the worker is there, its load, and whether it is being drained."""
        if self._drained_file:
            self._is_drained = await asyncio.to_thread(self._drained_file.exists)
        report = WorkerReport(
            worker=self._name,
            node=self._node_id,
            region=self._region,
            bridges=worker.bridge_count,
            busy=self._busy(),
            has_room=await worker.has_room(),
            is_draining=self.is_draining,
        )
        self.bus.publish(WORKERS_TOPIC, report)

    def _busy(self) -> float:
        """Return the part of a processor that was used since the last report."""
        now, used = time.monotonic(), time.process_time()
        elapsed = max(now - self._used_at, REPORT_SECONDS / 2)
        busy = (used - self._used_seconds) / elapsed
        self._used_at, self._used_seconds = now, used
        return round(busy, 3)


class ControlSocket:
    """Unix socket to which the app connects. It is opened again if its file is removed."""

    def __init__(self, path: Path, serve_app: ServeApp) -> None:
        self._local = LocalSocket(path)
        self._serve_app = serve_app
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Start listening; raises `OSError`."""
        listener = self._local.open()
        self._server = await asyncio.start_unix_server(self._serve_app, sock=listener)

    async def hold(self) -> None:
        """Open the socket again if it was removed. The app's connection is not affected."""
        if not self._local.is_there():
            log.warning("control socket was removed, it is opened again")
            self._close()
            await self.open()

    def close(self) -> None:
        self._close()
        self._local.remove()

    def _close(self) -> None:
        if self._server:
            self._server.close()
            self._server = None


class Worker:
    """Answers the requests of apps and sends events to them. The relay handles the media.

    `place` is its place on the bus, if it belongs to a media node.
    """

    def __init__(self, settings: Settings, port: int, place: ClusterPlace | None = None) -> None:
        self._place = place
        self._spool = settings.spool
        leg_rate = settings.max_leg_megabits * 1_000_000 / 8
        self._path = NativePath(self._send) if is_chosen(settings.media_packet_path) else None
        log.info("packet path", path="native" if self._path else "python")
        self._sockets = MediaSockets(
            port,
            settings.media_address,
            is_local_only=settings.is_media_local,
            leg_rate=leg_rate,
            path=self._path,
        )
        addresses = settings.advertise_addresses or _listening_on(settings.media_address)
        self._candidates = _candidates(addresses, port)
        self._identity = Identity()
        self._relay = Relay(
            self._identity,
            self._sockets.send,
            self._on_event,
            leg_rate,
            settings.strangers_per_second,
            self._sockets.steer,
            self._path.new_leg if self._path else Leg,
        )
        if self._path:
            self._path.hand_to(self._relay.receive, self._relay.receive_admitted)
        self._reserve_bytes = settings.disk_reserve_megabytes * MEGABYTE
        self._guard = RecordingGuard(
            Limits(
                recording_bytes=settings.max_recording_gigabytes * 1024 * MEGABYTE,
                recording_seconds=settings.max_recording_hours * 3600.0,
                reserve_bytes=self._reserve_bytes,
            ),
            lambda limit: self._send_event(control_protocol.LimitReached(limit)),
        )
        self._guarded_at = 0.0
        self._reported = control_protocol.PortReport()
        self._controllers = Controllers()
        self._silent_since: dict[BridgeId, float] = {}
        self._terms: dict[int, int] = {}
        self._loop = asyncio.get_running_loop()

    @property
    def bridge_count(self) -> int:
        return len(self._relay.bridges)

    async def has_room(self) -> bool:
        """Whether the disk of the spool has room for another recording."""
        return await asyncio.to_thread(self._free_bytes) > self._reserve_bytes

    def _free_bytes(self) -> int:
        spool = self._spool if self._spool.exists() else self._spool.parent
        return shutil.disk_usage(spool).free

    async def open(self) -> None:
        """Start receiving on the media port."""
        relay = self._relay
        await self._sockets.open(relay.receive, relay.lose, relay.is_known)

    async def close(self) -> None:
        """Close all bridges and seal their journals."""
        await asyncio.gather(*map(self._close, list(self._relay.bridges)))
        self._sockets.close()
        self._controllers.close()

    async def tick(self) -> None:
        """Do periodic work; called every `TICK_SECONDS`."""
        now = time.monotonic()
        if self._path:
            self._path.dispatch()
        self._relay.tick(now)
        self._sockets.tick(now)
        if now - self._guarded_at >= GUARD_SECONDS:
            self._guarded_at = now
            self._run(self._check_limits())
            self._report_port()
            self._close_silent(now)

    def _close_silent(self, now: float) -> None:
        """Close bridges whose browsers have all left while their app is not connected."""
        since, self._silent_since = self._silent_since, {}
        for bridge, found in self._relay.bridges.items():
            is_left = not any(leg.is_alive(now) for leg in found.legs.values())
            if is_left and not self._controllers.is_controlled(bridge):
                self._silent_since[bridge] = since.get(bridge, now)
        for bridge, at in self._silent_since.items():
            if now - at > control_protocol.SILENT_SECONDS:
                log.warning("bridge closed: its browsers and the app are gone", bridge=str(bridge))
                self._run(self._close(bridge))

    async def _check_limits(self) -> None:
        journals = [bridge.journal for bridge in self._relay.bridges.values() if bridge.journal]
        if journals:
            usage = await asyncio.to_thread(shutil.disk_usage, self._spool)
            written = [journal for journal in journals if journal.is_written]
            self._guard.check(written, time.monotonic(), usage.free)

    # Requests of apps

    async def serve_app(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of an app process of this machine until it disconnects.

        A new connection replaces an old one of the same name.
        """
        controller = UnixController(writer)
        try:
            await self._serve(reader, controller)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # The app's next process will take over the bridges.
        except msgspec.MsgspecError as error:
            log.error("the app sent an invalid message", error=str(error))  # noqa: TRY400
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, controller: Controller) -> None:
        name = _DECODE_ATTACH(await _read_frame(reader)).app
        self.attach(name, controller)
        try:
            while True:
                self.handle(name, controller, _DECODE_REQUEST(await _read_frame(reader)))
        finally:
            self.detach(name, controller)

    def attach(self, name: str, controller: Controller) -> None:
        """Add a controller, which receives the reports from now on."""
        self._controllers.attach(name, controller)
        self._reported = control_protocol.PortReport()

    def detach(self, name: str, controller: Controller) -> None:
        self._controllers.detach(name, controller)

    def handle(self, name: str, controller: Controller, request: control_protocol.Request) -> None:
        """Carry out a request of a controller, which receives the reply later."""
        self._run(self._answer(name, controller, request))

    async def _answer(
        self, name: str, controller: Controller, request: control_protocol.Request
    ) -> None:
        if self._is_overtaken(name, request):
            log.warning("command of a former owner refused", app=name)
            controller.send(control_protocol.Fenced(request.request_id))
            return
        if isinstance(request, control_protocol.ListBridges):
            controller.send(self._list_bridges(name, request))
            return
        if isinstance(request, control_protocol.OnBridge):
            self._controllers.assign(request.bridge, name)
        try:
            reply = await self._perform(request)
        except VisavisError as error:
            reply = control_protocol.Failed(
                request_id=request.request_id, error=error.kind.name, message=error.message
            )
        if (
            isinstance(request, control_protocol.OnBridge)
            and request.bridge not in self._relay.bridges
        ):
            self._controllers.forget(request.bridge)
        controller.send(reply)

    def _is_overtaken(self, name: str, request: control_protocol.Request) -> bool:
        """Whether the site of a request has a newer owner; remember the newest term."""
        match request:
            case control_protocol.Close(bridge=bridge) if self._controllers.controls(name, bridge):
                return False
            case control_protocol.PingWorker() | control_protocol.CheckRecording():
                return False
        if (given := request.term) is None:
            return False
        newest = self._terms[given.site_id] = max(given.term, self._terms.get(given.site_id, 0))
        return given.term < newest

    def _list_bridges(
        self, name: str, request: control_protocol.ListBridges
    ) -> control_protocol.BridgeList:
        bridges = self._relay.bridges
        for claimed in bridges.keys() & request.claimed:
            self._controllers.claim(claimed, name)
        statuses = [
            BridgeStatus(
                bridge,
                frozenset(n for n, leg in found.legs.items() if leg.is_flowing),
                has_journal=found.journal is not None and found.journal.is_written,
                is_paused=found.is_paused,
            )
            for bridge, found in bridges.items()
            if self._controllers.controls(name, bridge)
        ]
        return control_protocol.BridgeList(request.request_id, statuses)

    async def _perform(self, request: control_protocol.Request) -> control_protocol.Reply:
        match request:
            case control_protocol.OpenLeg():
                leg = self._relay.open_leg(request.bridge, request.leg, time.monotonic())
                return control_protocol.OurEnd(request.request_id, self._transport(leg))
            case control_protocol.SetRemote():
                self._require_bridge(request.bridge)
                leg = self._relay.set_remote(request.bridge, request.leg, request.remote)
                return control_protocol.OurEnd(request.request_id, self._transport(leg))
            case control_protocol.Join():
                self._require_bridge(request.bridge)
                self._relay.join(request.bridge)
            case control_protocol.AppendNote():
                self._note(request)
            case control_protocol.Pause():
                self._relay.pause(request.bridge, time.monotonic(), is_paused=request.is_paused)
            case control_protocol.Tap():
                await self._tap(request)
            case control_protocol.Close():
                await self._close(request.bridge)
            case control_protocol.CheckRecording():
                await self._check_recording()
        return control_protocol.Done(request.request_id)

    def _require_bridge(self, bridge: BridgeId) -> None:
        joined = self._relay.bridges.get(bridge)
        if joined is None or len(joined.legs) < MIN_LEGS:
            raise VisavisError(ErrorKind.MediaUnavailable, "The media worker has lost this call.")

    def _transport(self, leg: Leg) -> LocalTransport:
        return LocalTransport(leg.ufrag, leg.pwd, self._identity.fingerprint, self._candidates)

    def _note(self, request: control_protocol.AppendNote) -> None:
        bridge = self._relay.bridges.get(request.bridge)
        if bridge and bridge.journal and bridge.last_note != request.note:
            # An app that died before it received our reply repeats the request after its restart.
            bridge.last_note = request.note
            bridge.journal.note(request.note)

    async def _tap(self, request: control_protocol.Tap) -> None:
        bridge = self._relay.bridge(request.bridge)
        if bridge.journal:
            return
        on_lost = self._from_thread(
            lambda why: self._send_event(control_protocol.TapLost(request.bridge, why))
        )
        try:
            journal = await asyncio.to_thread(
                create_journal,
                self._spool,
                request.manifest,
                request.bridge.number,
                on_lost,
                self._reserve_bytes,
                self._path.new_journal if self._path else JournalWriter,
            )
        except OSError as error:
            log.warning(
                "the journal could not be created", bridge=str(request.bridge), error=str(error)
            )
            raise VisavisError(ErrorKind.RecordingUnavailable) from None
        if self._relay.bridges.get(request.bridge) is bridge:
            self._relay.record(request.bridge, journal, time.monotonic())
        else:  # The bridge was closed in the meantime.
            await asyncio.to_thread(journal.close)

    async def _check_recording(self) -> None:
        try:
            await asyncio.to_thread(try_to_create_journal, self._spool, self._reserve_bytes)
        except OSError as error:
            reason = f"the spool cannot be written: {describe(error)}"
            raise VisavisError(ErrorKind.RecordingUnavailable, reason) from None

    async def _close(self, bridge: BridgeId) -> None:
        closed = self._relay.remove(bridge, time.monotonic())
        self._controllers.forget(bridge)
        if closed and closed.journal:
            await asyncio.to_thread(closed.journal.close)

    # Events for apps

    def _on_event(self, leg: Leg, event: LegEvent) -> None:
        match event:
            case Up():
                self._send_event(control_protocol.LegUp(leg.bridge, leg.number))
            case Down(why):
                log.info("leg down", bridge=str(leg.bridge), leg=leg.number, why=why)
                self._send_event(control_protocol.LegDown(leg.bridge, leg.number, why))
            case Limited():
                log.warning("a leg sends too fast", bridge=str(leg.bridge), leg=leg.number)
                self._send_event(control_protocol.LimitReached(Limit.RATE))
            case LegReport():
                self._send_event(control_protocol.LegQualityReport(leg.bridge, leg.number, event))

    def _report_port(self) -> None:
        """Send a port report to the apps if it has changed."""
        place = self._place
        report = control_protocol.PortReport(
            refused=self._relay.strangers.refused,
            excessive_legs=self._relay.excessive_legs,
            refused_connections=self._sockets.refused_connections,
            is_native=self._path is not None,
            events_dropped=self._path.events_dropped if self._path else 0,
            bridges=self.bridge_count,
            is_draining=place is not None and place.is_draining,
            is_on_bus=place is not None and place.bus.is_connected,
            bus_reconnects=place.bus.reconnects if place else 0,
            bus_dropped=place.bus.dropped if place else 0,
        )
        if self._controllers.is_any_connected and report != self._reported:
            self._reported = report
            self._send_event(report)

    def _send(self, datagram: bytes, remote_address: RemoteAddress) -> None:
        self._sockets.send(datagram, remote_address)

    def _send_event(self, event: control_protocol.Event) -> None:
        self._controllers.send(event)

    def _from_thread(self, send: Callable[[str], None]) -> Callable[[str], None]:
        def call_soon(why: str) -> None:
            self._loop.call_soon_threadsafe(send, why)

        return call_soon

    def _run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        spawn("control request", coroutine)


async def _read_frame(reader: asyncio.StreamReader) -> bytes:
    """Read a frame; raises `ConnectionError` for one that is too long."""
    (length,) = control_protocol.LENGTH.unpack(
        await reader.readexactly(control_protocol.LENGTH.size)
    )
    if length > control_protocol.MAX_FRAME_BYTES:
        raise ConnectionAbortedError(f"a frame of {length} bytes")
    return await reader.readexactly(length)


def _listening_on(address: str) -> Collection[str]:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return own_addresses()  # The address is empty, which means all addresses, or a host name.
    return (address,)


def _candidates(addresses: Collection[str], port: int) -> tuple[Candidate, ...]:
    """Return candidates for UDP first, then for TCP, which networks that block UDP need."""
    return tuple(
        Candidate(address, port, protocol) for protocol in ("udp", "tcp") for address in addresses
    )
