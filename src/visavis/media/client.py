"""The app's end of the control socket: a media worker as the use cases want it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import Link, LocalTransport, RemoteTransport, Side
from visavis.domain.recording import Manifest
from visavis.media import control
from visavis.services.ports import MediaListener

log = structlog.get_logger(__name__)

REQUEST_SECONDS: Final = 5.0
RECONNECT_SECONDS: Final = 0.2

Reply = asyncio.Future[control.Reply]


class MediaClient:
    """Implements `services.ports.MediaPlane` over one worker's control socket."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._writer: asyncio.StreamWriter | None = None
        self._request_ids = itertools.count(1)
        self._pending: dict[int, Reply] = {}

    @property
    def is_connected(self) -> bool:
        return self._writer is not None

    async def run(self, listener: MediaListener, kept: Callable[[], list[Link]]) -> None:
        """Stay connected until cancelled; `listener` hears what the worker tells."""
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(self._socket)
            except OSError:
                await asyncio.sleep(RECONNECT_SECONDS)
                continue
            self._writer = writer
            keeping = asyncio.create_task(self._keep(kept))
            try:
                await self._listen(reader, listener)
            except (asyncio.IncompleteReadError, ConnectionError):
                log.warning("the media worker is gone")
            finally:
                keeping.cancel()
                self._writer = None
                writer.close()
                self._fail_pending()
            await listener.worker_lost(kept())

    async def _keep(self, kept: Callable[[], list[Link]]) -> None:
        request_id = next(self._request_ids)
        await self._ask(control.Keep(request_id=request_id, links=kept()))

    async def tap(self, link: Link, manifest: Manifest) -> None:
        await self._ask(control.Tap(next(self._request_ids), link, manifest))

    async def note(self, link: Link, note: Mapping[str, Any]) -> None:
        await self._ask(control.Note(next(self._request_ids), link, dict(note)))

    async def open_leg(self, link: Link, side: Side) -> LocalTransport:
        request = control.OpenLeg(next(self._request_ids), link, side)
        return _transport_of(await self._ask(request))

    async def set_remote(self, link: Link, side: Side, remote: RemoteTransport) -> LocalTransport:
        request = control.SetRemote(next(self._request_ids), link, side, remote)
        return _transport_of(await self._ask(request))

    async def join(self, link: Link) -> None:
        await self._ask(control.Join(next(self._request_ids), link))

    async def pause(self, link: Link, *, paused: bool) -> None:
        await self._ask(control.Pause(next(self._request_ids), link, paused))

    async def close(self, link: Link) -> None:
        await self._ask(control.Close(next(self._request_ids), link))

    async def _ask(self, request: control.Request) -> control.Reply:
        """Send a request and wait for its reply; raises `VisavisError`."""
        if self._writer is None:
            raise VisavisError(ErrorKind.MediaUnavailable)
        future: Reply = asyncio.get_running_loop().create_future()
        self._pending[request.request_id] = future
        body = msgspec.json.encode(request)
        self._writer.write(control.LENGTH.pack(len(body)) + body)
        try:
            reply = await asyncio.wait_for(future, REQUEST_SECONDS)
        except TimeoutError:
            raise VisavisError(ErrorKind.MediaUnavailable) from None
        finally:
            self._pending.pop(request.request_id, None)
        if isinstance(reply, control.Failed):
            raise VisavisError(ErrorKind[reply.error], reply.message)
        return reply

    async def _listen(self, reader: asyncio.StreamReader, listener: MediaListener) -> None:
        decoder: msgspec.json.Decoder[control.Reply | control.Event] = msgspec.json.Decoder(
            control.Reply | control.Event
        )
        tasks: set[asyncio.Task[None]] = set()
        while True:
            (length,) = control.LENGTH.unpack(await reader.readexactly(control.LENGTH.size))
            frame = decoder.decode(await reader.readexactly(length))
            if isinstance(frame, control.Event):
                # on its own: what the listener does in answer may ask the worker something
                task = asyncio.create_task(_tell(listener, frame))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            elif (future := self._pending.get(frame.request_id)) and not future.done():
                future.set_result(frame)

    def _fail_pending(self) -> None:
        for future in self._pending.values():
            if not future.done():
                future.set_exception(VisavisError(ErrorKind.MediaUnavailable))


def _transport_of(reply: control.Reply) -> LocalTransport:
    if not isinstance(reply, control.LegOpened):
        raise VisavisError(ErrorKind.MediaUnavailable)
    return reply.transport


async def _tell(listener: MediaListener, event: control.Event) -> None:
    try:
        match event:
            case control.LegUp(link, side):
                await listener.leg_up(link, side)
            case control.LegDown(link, side, why):
                await listener.leg_down(link, side, why)
            case control.TapLost(link, why):
                await listener.tap_lost(link, why)
    except VisavisError as error:
        log.warning("event not dealt with", event_type=type(event).__name__, error=str(error))
