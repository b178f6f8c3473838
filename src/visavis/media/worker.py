"""The media worker's process: one UDP port, one control socket, and the relay between them."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from typing import Final

import msgspec
import structlog

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import Candidate, Link, LocalTransport, Side
from visavis.media import control
from visavis.media.dtls import Identity
from visavis.media.journal import create_journal
from visavis.media.leg import Down, Leg, Up
from visavis.media.relay import Relay
from visavis.media.stun import Address
from visavis.settings import Settings

log = structlog.get_logger(__name__)

MAX_DATAGRAM_BYTES: Final = 2048
DATAGRAMS_PER_WAKE_UP: Final = 64
SOCKET_BUFFER_BYTES: Final = 4 * 1024 * 1024
TICK_SECONDS: Final = 0.05


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Serve until `stop`; raises `OSError` when the port is taken."""
    worker = Worker(settings)
    settings.media_socket.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(worker.serve_app, settings.media_socket)
    loop = asyncio.get_running_loop()
    loop.add_reader(worker.socket, worker.read)
    try:
        while not stop.is_set():
            worker.tick()
            try:
                await asyncio.wait_for(stop.wait(), TICK_SECONDS)
            except TimeoutError:
                continue
    finally:
        server.close()
        await worker.close_all(keep=())
        loop.remove_reader(worker.socket)
        worker.socket.close()


class Worker:
    """The worker's wires; what happens on them is the relay's."""

    def __init__(self, settings: Settings) -> None:
        self._spool = settings.spool
        self.socket = _open_socket(settings.media_port)
        port = self.socket.getsockname()[1]
        addresses = settings.advertise_addresses or _own_addresses()
        self._candidates = tuple(Candidate(address, port) for address in addresses)
        self._identity = Identity(datetime.now(UTC))
        self._relay = Relay(self._identity, self._send, self._on_event)
        self._app: asyncio.StreamWriter | None = None
        self._app_gone_at: float | None = None
        self._loop = asyncio.get_running_loop()
        self._errands: set[asyncio.Task[None]] = set()

    # The UDP port

    def read(self) -> None:
        """Take in what has arrived, and leave some of the loop's time to the control socket."""
        now = time.monotonic()
        arrival_us = time.time_ns() // 1000
        for _ in range(DATAGRAMS_PER_WAKE_UP):
            try:
                datagram, address = self.socket.recvfrom(MAX_DATAGRAM_BYTES)
            except BlockingIOError:
                return
            self._relay.receive(datagram, address, now, arrival_us)

    def _send(self, datagram: bytes, address: Address) -> None:
        try:
            self.socket.sendto(datagram, address)
        except OSError as error:
            # a full buffer or a route that is gone: to the browsers it is packet loss
            log.debug("datagram not sent", error=error.strerror)

    def tick(self) -> None:
        now = time.monotonic()
        self._relay.tick(now)
        gone_at = self._app_gone_at
        if gone_at is not None and now - gone_at > control.GRACE_SECONDS:
            self._app_gone_at = None
            log.warning("the app is gone, closing every link", links=len(self._relay.links))
            self._run(self.close_all(keep=()))

    # The control socket

    async def serve_app(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one app's requests until it goes; a new connection takes the place of an old."""
        if self._app:
            self._app.close()
        self._app, self._app_gone_at = writer, None
        decoder = msgspec.json.Decoder(control.Request)
        try:
            while True:
                (length,) = control.LENGTH.unpack(await reader.readexactly(control.LENGTH.size))
                if length > control.MAX_FRAME_BYTES:
                    break
                self._run(self._answer(decoder.decode(await reader.readexactly(length)), writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the app is gone; it comes back, or GRACE_SECONDS pass
        except msgspec.MsgspecError as error:
            log.error("the app speaks another protocol", error=str(error))  # noqa: TRY400
        finally:
            writer.close()
            if self._app is writer:
                self._app, self._app_gone_at = None, time.monotonic()

    async def _answer(self, request: control.Request, writer: asyncio.StreamWriter) -> None:
        try:
            reply = await self._perform(request)
        except VisavisError as error:
            reply = control.Failed(
                request_id=request.request_id, error=error.kind.name, message=error.message
            )
        _write(writer, reply)

    async def _perform(self, request: control.Request) -> control.Reply:
        done = control.Done(request_id=request.request_id)
        match request:
            case control.OpenLeg():
                leg = self._relay.open_leg(request.link, request.side, time.monotonic())
                transport = self._transport(leg)
                return control.LegOpened(request_id=request.request_id, transport=transport)
            case control.SetRemote():
                self._demand(request.link)
                self._relay.set_remote(request.link, request.side, request.remote)
                leg = self._relay.links[request.link].legs[request.side]
                transport = self._transport(leg)
                return control.LegOpened(request_id=request.request_id, transport=transport)
            case control.Join():
                self._demand(request.link)
                self._relay.join(request.link)
            case control.Note():
                self._note(request)
            case control.Pause():
                self._relay.pause(request.link, paused=request.paused)
            case control.Tap():
                await self._tap(request)
            case control.Close():
                await self._close(request.link)
            case control.Keep():
                await self.close_all(keep=request.links)
        return done

    def _demand(self, link: Link) -> None:
        joined = self._relay.links.get(link)
        if joined is None or len(joined.legs) < len(Side):
            raise VisavisError(ErrorKind.MediaUnavailable, "The media worker lost this call.")

    def _transport(self, leg: Leg) -> LocalTransport:
        return LocalTransport(leg.ufrag, leg.pwd, self._identity.fingerprint, self._candidates)

    def _note(self, request: control.Note) -> None:
        link = self._relay.links.get(request.link)
        if link and link.journal:
            link.journal.note(request.note)

    async def _tap(self, request: control.Tap) -> None:
        link = self._relay.link(request.link)
        if link.journal:
            return
        on_lost = self._from_thread(lambda why: self._tell(control.TapLost(request.link, why)))
        try:
            link.journal = await asyncio.to_thread(
                create_journal, self._spool, request.manifest, on_lost
            )
        except OSError as error:
            log.warning("no journal", link=str(request.link), error=str(error))
            raise VisavisError(ErrorKind.RecordingUnavailable) from None

    async def _close(self, link: Link) -> None:
        closed = self._relay.remove(link)
        if closed and closed.journal:
            await asyncio.to_thread(closed.journal.close)

    async def close_all(self, keep: Collection[Link]) -> None:
        gone = [link for link in self._relay.links if link not in keep]
        await asyncio.gather(*map(self._close, gone))

    # What the worker tells

    def _on_event(self, leg: Leg, event: Up | Down) -> None:
        if isinstance(event, Up):
            self._tell(control.LegUp(leg.link, leg.side))
        else:
            log.info("leg down", link=str(leg.link), side=leg.side, why=event.why)
            self._tell(control.LegDown(leg.link, leg.side, event.why))

    def _tell(self, event: control.Event) -> None:
        if self._app:
            _write(self._app, event)

    def _from_thread(self, tell: Callable[[str], None]) -> Callable[[str], None]:
        def call_soon(why: str) -> None:
            self._loop.call_soon_threadsafe(tell, why)

        return call_soon

    def _run(self, errand: Awaitable[None]) -> None:
        task = asyncio.ensure_future(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)


def _write(writer: asyncio.StreamWriter, frame: control.Frame) -> None:
    if not writer.is_closing():
        body = msgspec.json.encode(frame)
        writer.write(control.LENGTH.pack(len(body)) + body)


def _open_socket(port: int) -> socket.socket:
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setblocking(False)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        udp.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER_BYTES)
    try:
        udp.bind(("0.0.0.0", port))  # noqa: S104  browsers reach us by any of our addresses
    except OSError as error:
        udp.close()
        raise OSError(
            error.errno, f"UDP port {port} cannot be had ({error.strerror}): choose --media-port"
        ) from None
    return udp


def _own_addresses() -> tuple[str, ...]:
    """The address of the default route, and loopback. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            found = str(probe.getsockname()[0])
        except OSError:
            found = "127.0.0.1"
    return tuple(dict.fromkeys((found, "127.0.0.1")))
