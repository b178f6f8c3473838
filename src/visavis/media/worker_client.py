"""Client of one media worker: the app's side of its control channel."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
import structlog
from msgspec import structs

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import BridgeId, BridgeStatus, LocalTransport, RemoteTransport
from visavis.domain.ownership import SiteTerm
from visavis.domain.recording import Manifest
from visavis.media import control_protocol
from visavis.media.control_channel import ControlChannel, ControlTransport
from visavis.media.limits import Limit
from visavis.services.ports import MediaListener
from visavis.tasks import spawn

log = structlog.get_logger(__name__)

REQUEST_SECONDS: Final = 5.0
PING_SECONDS: Final = 1.0
RECONNECT_SECONDS: Final = 0.2

Reply = asyncio.Future[control_protocol.Reply]


def _no_term(_: BridgeId) -> SiteTerm | None:
    return None


async def _ignore() -> None: ...


@dataclass(slots=True)
class Fencing:
    """Protection of the media workers from a process that does not own a site any more.

    `term_of` returns the term of the site of a bridge, `None` if its call is unknown. `on_fenced`
    is awaited when a worker has refused a command because the site has a newer owner.
    """

    term_of: Callable[[BridgeId], SiteTerm | None] = _no_term
    on_fenced: Callable[[], Awaitable[None]] = _ignore


class WorkerClient:
    """Client of one worker.

    `bridges` are the bridges at this worker, and `lost` those that died with it and are not closed
    yet. `expected` are bridges that an earlier app process has opened at any worker. `has_listed`
    is set once this worker has listed its bridges; those that are neither expected nor opened by
    this process are closed. `on_change` is called when the connection is established or lost, and
    when the bridges are listed. `limits_reached` counts the reached limits since the start, and
    `port` is the worker's last report about its media port. `node_id` is the node that has the
    worker's journals. Commands have the terms of the `fencing`.
    """

    def __init__(
        self,
        transport: ControlTransport,
        on_change: Callable[[], None] = lambda: None,
        expected: Collection[BridgeId] = (),
        node_id: str = "",
        fencing: Fencing | None = None,
    ) -> None:
        self._transport = transport
        self._fencing = fencing or Fencing()
        self._terms: dict[BridgeId, SiteTerm] = {}
        self.node_id = node_id
        self._on_change = on_change
        self._expected = expected
        self.has_listed = asyncio.Event()
        self.bridges: set[BridgeId] = set()
        self.lost: set[BridgeId] = set()
        self.limits_reached: Counter[Limit] = Counter()
        self.port = control_protocol.PortReport()
        self._channel: ControlChannel | None = None
        self._request_ids = itertools.count(1)
        self._pending: dict[int, Reply] = {}

    @property
    def name(self) -> str:
        return self._transport.name

    @property
    def address(self) -> str:
        """Name of the worker among those of all nodes (`LocalTransport.worker`)."""
        return f"{self.node_id}/{self.name}"

    @property
    def is_unused(self) -> bool:
        """Whether the worker is away and no bridge of it is still to be closed."""
        return not (self.is_connected or self.bridges or self.lost)

    @property
    def is_connected(self) -> bool:
        """Whether there is a channel to the worker."""
        return self._channel is not None

    async def run(self, listener: MediaListener) -> None:
        """Stay connected until cancelled. `listener` receives the worker's events."""
        while True:
            try:
                channel = await self._transport.connect()
            except OSError:
                await asyncio.sleep(RECONNECT_SECONDS)
                continue
            try:
                self._connected(channel, listener)
                await self._listen(channel, listener)
            except ConnectionError:
                log.warning("the media worker disconnected", worker=self._transport.name)
            except msgspec.MsgspecError as error:
                log.error("the media worker sent an invalid message", error=str(error))  # noqa: TRY400
            finally:
                channel.close()
                gone = self._disconnected()
            self._spawn(listener.worker_lost(gone))

    def _connected(self, channel: ControlChannel, listener: MediaListener) -> None:
        self._channel = channel
        self._spawn(self._take_over(listener))
        self._on_change()

    async def _take_over(self, listener: MediaListener) -> None:
        """Take over the bridges that an earlier app process opened here; close all others."""
        listed = await self._list_bridges(self._expected)
        found = [status for status in listed if status.bridge in self._expected]
        self.bridges.update(status.bridge for status in found)
        self.has_listed.set()
        self._on_change()
        if found:
            await listener.bridges_found(found)
        for status in listed:
            if status.bridge not in self.bridges:
                await self._ask(control_protocol.Close(next(self._request_ids), status.bridge))

    async def claim(
        self, bridges: Collection[BridgeId], term: SiteTerm
    ) -> Collection[BridgeStatus]:
        """Take over bridges of another app; return those that are here. Raises `VisavisError`."""
        self.bridges.update(bridges)  # also if no answer arrives: they can be closed then
        listed = await self._list_bridges(bridges, term)
        found = [status for status in listed if status.bridge in bridges]
        self.bridges.difference_update(bridges)
        self.bridges.update(status.bridge for status in found)
        return found

    async def _list_bridges(
        self, claimed: Collection[BridgeId], term: SiteTerm | None = None
    ) -> Collection[BridgeStatus]:
        request = control_protocol.ListBridges(next(self._request_ids), list(claimed), term)
        reply = await self._ask(request)
        if not isinstance(reply, control_protocol.BridgeList):
            raise VisavisError(ErrorKind.MediaUnavailable)
        return reply.bridges

    def _disconnected(self) -> frozenset[BridgeId]:
        """Handle the loss of the connection; return the bridges that were lost with the worker."""
        self._channel = None
        gone = frozenset(self.bridges)
        self.lost |= gone
        self.bridges.clear()
        self._terms.clear()
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
        request = control_protocol.OpenLeg(next(self._request_ids), bridge, leg)
        return await self._ask_transport(request)

    async def set_remote(
        self, bridge: BridgeId, leg: int, remote: RemoteTransport
    ) -> LocalTransport:
        request = control_protocol.SetRemote(next(self._request_ids), bridge, leg, remote)
        return await self._ask_transport(request)

    async def join(self, bridge: BridgeId) -> None:
        await self._ask(control_protocol.Join(next(self._request_ids), bridge))

    async def close(self, bridge: BridgeId) -> None:
        self.bridges.discard(bridge)
        self.lost.discard(bridge)
        await self._ask(control_protocol.Close(next(self._request_ids), bridge))
        self._terms.pop(bridge, None)

    async def _ask_transport(self, request: control_protocol.Request) -> LocalTransport:
        reply = await self._ask(request)
        if not isinstance(reply, control_protocol.OurEnd):
            raise VisavisError(ErrorKind.MediaUnavailable)
        return replace(reply.transport, worker=self.address)

    async def _ask(self, request: control_protocol.Request) -> control_protocol.Reply:
        """Send a request and wait for its reply; raises `VisavisError`."""
        if self._channel is None:
            raise VisavisError(ErrorKind.MediaUnavailable)
        if isinstance(request, control_protocol.Command):
            request = structs.replace(request, term=self._newest_term(request.bridge))
        future: Reply = asyncio.get_running_loop().create_future()
        self._pending[request.request_id] = future
        self._channel.send(request)
        try:
            reply = await asyncio.wait_for(future, REQUEST_SECONDS)
        except TimeoutError:
            raise VisavisError(ErrorKind.MediaUnavailable) from None
        finally:
            self._pending.pop(request.request_id, None)
        if isinstance(reply, control_protocol.Fenced):
            await self._fencing.on_fenced()  # the call is forgotten: nothing follows from the error
            raise VisavisError(ErrorKind.MediaUnavailable, "Another process owns the site.")
        if isinstance(reply, control_protocol.Failed):
            raise VisavisError(ErrorKind[reply.error], reply.message)
        return reply

    def _newest_term(self, bridge: BridgeId) -> SiteTerm | None:
        """Return the term for a command, the last one for a call that is unknown by now."""
        if term := self._fencing.term_of(bridge):
            self._terms[bridge] = term
        return self._terms.get(bridge)

    async def _listen(self, channel: ControlChannel, listener: MediaListener) -> None:
        while True:
            frame = await channel.receive()
            if isinstance(frame, control_protocol.LimitReached):
                self.limits_reached[frame.limit] += 1
            elif isinstance(frame, control_protocol.PortReport):
                self.port = frame
            elif isinstance(frame, control_protocol.BridgeTaken):
                self.bridges.discard(frame.bridge)
            elif isinstance(frame, control_protocol.Event):
                self._spawn(_dispatch(listener, frame))
            elif (future := self._pending.get(frame.request_id)) and not future.done():
                future.set_result(frame)

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a listener's reaction as a task, because it may itself wait for a reply."""
        spawn("media event", _log_failure(coroutine))


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
