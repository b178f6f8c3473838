"""Client of one media worker: the app's side of its control socket."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import BridgeId, LocalTransport, RemoteTransport
from visavis.domain.recording import Manifest
from visavis.local_socket import require_private_directory
from visavis.media import control_protocol
from visavis.media.limits import Limit
from visavis.services.ports import MediaListener
from visavis.tasks import spawn

log = structlog.get_logger(__name__)

REQUEST_SECONDS: Final = 5.0
PING_SECONDS: Final = 1.0
RECONNECT_SECONDS: Final = 0.2

Reply = asyncio.Future[control_protocol.Reply]


class WorkerClient:
    """Client of one worker.

    `bridges` are the bridges at this worker, and `lost` those that died with it and are not closed
    yet. `expected` are bridges that an earlier app process has opened at any worker. `has_listed`
    is set once this worker has listed its bridges; those that are neither expected nor opened by
    this process are closed. `on_change` is called when the connection is established or lost.
    `limits_reached` counts the reached limits since the start, and `port` is the worker's last
    report about its media port.
    """

    def __init__(
        self,
        socket: Path,
        on_change: Callable[[], None] = lambda: None,
        expected: Collection[BridgeId] = (),
    ) -> None:
        self._socket = socket
        self._on_change = on_change
        self._expected = expected
        self.has_listed = asyncio.Event()
        self.bridges: set[BridgeId] = set()
        self.lost: set[BridgeId] = set()
        self.limits_reached: Counter[Limit] = Counter()
        self.port = control_protocol.PortReport()
        self._writer: asyncio.StreamWriter | None = None
        self._request_ids = itertools.count(1)
        self._pending: dict[int, Reply] = {}

    @property
    def is_connected(self) -> bool:
        """Whether the control socket is connected."""
        return self._writer is not None

    async def run(self, listener: MediaListener) -> None:
        """Stay connected until cancelled. `listener` receives the worker's events."""
        while True:
            try:
                require_private_directory(self._socket.parent)
                reader, writer = await asyncio.open_unix_connection(self._socket)
            except OSError:
                await asyncio.sleep(RECONNECT_SECONDS)
                continue
            try:
                self._connected(writer, listener)
                await self._listen(reader, listener)
            except (asyncio.IncompleteReadError, ConnectionError):
                log.warning("the media worker disconnected", socket=self._socket.name)
            except msgspec.MsgspecError as error:
                log.error("the media worker sent an invalid message", error=str(error))  # noqa: TRY400
            finally:
                writer.close()
                gone = self._disconnected()
            self._spawn(listener.worker_lost(gone))

    def _connected(self, writer: asyncio.StreamWriter, listener: MediaListener) -> None:
        self._writer = writer
        self._spawn(self._take_over(listener))
        self._on_change()

    async def _take_over(self, listener: MediaListener) -> None:
        """Take over the bridges that an earlier app process opened here; close all others."""
        reply = await self._ask(control_protocol.ListBridges(next(self._request_ids)))
        if not isinstance(reply, control_protocol.BridgeList):
            raise VisavisError(ErrorKind.MediaUnavailable)
        found = [status for status in reply.bridges if status.bridge in self._expected]
        self.bridges.update(status.bridge for status in found)
        self.has_listed.set()
        if found:
            await listener.bridges_found(found)
        for status in reply.bridges:
            if status.bridge not in self.bridges:
                await self._ask(control_protocol.Close(next(self._request_ids), status.bridge))

    def _disconnected(self) -> frozenset[BridgeId]:
        """Handle the loss of the connection; return the bridges that were lost with the worker."""
        self._writer = None
        gone = frozenset(self.bridges)
        self.lost |= gone
        self.bridges.clear()
        for future in self._pending.values():
            if not future.done():
                future.set_exception(VisavisError(ErrorKind.MediaUnavailable))
        self._on_change()
        return gone

    async def is_responding(self) -> bool:
        """Whether the worker answers within `PING_SECONDS`."""
        try:
            async with asyncio.timeout(PING_SECONDS):
                await self._ask(control_protocol.PingWorker(next(self._request_ids)))
        except (TimeoutError, VisavisError):
            return False
        return True

    async def recording_obstacle(self) -> str:
        """Return why the worker could not start a recording now, or an empty string if it could.

        The string is also empty if the worker does not answer.
        """
        if not await self.is_responding():
            return ""
        try:
            await self._ask(control_protocol.CheckRecording(next(self._request_ids)))
        except VisavisError as error:
            return error.message if error.kind is ErrorKind.RecordingUnavailable else ""
        return ""

    async def tap(self, bridge: BridgeId, manifest: Manifest) -> None:
        self.bridges.add(bridge)
        await self._ask(control_protocol.Tap(next(self._request_ids), bridge, manifest))

    async def note(self, bridge: BridgeId, note: Mapping[str, Any]) -> None:
        await self._ask(control_protocol.AppendNote(next(self._request_ids), bridge, dict(note)))

    async def pause(self, bridge: BridgeId, *, paused: bool) -> None:
        await self._ask(control_protocol.Pause(next(self._request_ids), bridge, paused))

    async def open_leg(self, bridge: BridgeId, leg: int) -> LocalTransport:
        self.bridges.add(bridge)
        return _local_transport(
            await self._ask(control_protocol.OpenLeg(next(self._request_ids), bridge, leg))
        )

    async def set_remote(
        self, bridge: BridgeId, leg: int, remote: RemoteTransport
    ) -> LocalTransport:
        request = control_protocol.SetRemote(next(self._request_ids), bridge, leg, remote)
        return _local_transport(await self._ask(request))

    async def join(self, bridge: BridgeId) -> None:
        await self._ask(control_protocol.Join(next(self._request_ids), bridge))

    async def close(self, bridge: BridgeId) -> None:
        self.bridges.discard(bridge)
        self.lost.discard(bridge)
        await self._ask(control_protocol.Close(next(self._request_ids), bridge))

    async def _ask(self, request: control_protocol.Request) -> control_protocol.Reply:
        """Send a request and wait for its reply; raises `VisavisError`."""
        if self._writer is None:
            raise VisavisError(ErrorKind.MediaUnavailable)
        future: Reply = asyncio.get_running_loop().create_future()
        self._pending[request.request_id] = future
        _write(self._writer, request)
        try:
            reply = await asyncio.wait_for(future, REQUEST_SECONDS)
        except TimeoutError:
            raise VisavisError(ErrorKind.MediaUnavailable) from None
        finally:
            self._pending.pop(request.request_id, None)
        if isinstance(reply, control_protocol.Failed):
            raise VisavisError(ErrorKind[reply.error], reply.message)
        return reply

    async def _listen(self, reader: asyncio.StreamReader, listener: MediaListener) -> None:
        decoder: msgspec.json.Decoder[control_protocol.Reply | control_protocol.Event] = (
            msgspec.json.Decoder(control_protocol.Reply | control_protocol.Event)
        )
        while True:
            (length,) = control_protocol.LENGTH.unpack(
                await reader.readexactly(control_protocol.LENGTH.size)
            )
            frame = decoder.decode(await reader.readexactly(length))
            if isinstance(frame, control_protocol.LimitReached):
                self.limits_reached[frame.limit] += 1
            elif isinstance(frame, control_protocol.PortReport):
                self.port = frame
            elif isinstance(frame, control_protocol.Event):
                self._spawn(_dispatch(listener, frame))
            elif (future := self._pending.get(frame.request_id)) and not future.done():
                future.set_result(frame)

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a listener's reaction as a task, because it may itself wait for a reply."""
        spawn("media event", _log_failure(coroutine))


def _write(writer: asyncio.StreamWriter, frame: control_protocol.Request) -> None:
    body = msgspec.json.encode(frame)
    writer.write(control_protocol.LENGTH.pack(len(body)) + body)


def _local_transport(reply: control_protocol.Reply) -> LocalTransport:
    if not isinstance(reply, control_protocol.OurEnd):
        raise VisavisError(ErrorKind.MediaUnavailable)
    return reply.transport


def _dispatch(
    listener: MediaListener, event: control_protocol.AboutBridge
) -> Coroutine[Any, Any, None]:
    match event:
        case control_protocol.LegUp(bridge, leg):
            return listener.leg_up(bridge, leg)
        case control_protocol.LegDown(bridge, leg, why):
            return listener.leg_down(bridge, leg, why)
        case control_protocol.LegQualityReport(bridge, leg, report):
            return listener.quality(bridge, leg, report)
        case control_protocol.TapLost(bridge, why):
            return listener.tap_lost(bridge, why)


async def _log_failure(coroutine: Coroutine[Any, Any, None]) -> None:
    try:
        await coroutine
    except VisavisError as error:
        log.warning("media event could not be handled", error=str(error))
