"""Control channels over the bus: an app controls the media workers of other nodes.

The bus delivers requests and responses at most once. Two numbered streams of frames make a channel
of them, as BOSH does over HTTP (XEP-0124): each exchange of the app has the requests that the
worker has not accepted yet, and the response has the frames that the app has not received yet. So
what is lost is sent again, and what arrives twice is recognised by its number. The worker performs
each request once, in order.

The worker holds the newest exchange of each app until it has a frame to send, for at most
`HOLD_SECONDS`. So each side also hears that the other one is there.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, Protocol

import msgspec
import structlog

from visavis.media import control_protocol
from visavis.media.control_channel import ControlChannel, FromWorker, decode_from_worker
from visavis.media.controllers import Controller
from visavis.services.ports import AskError, Bus
from visavis.services.topics import WORKER_TOPIC
from visavis.tasks import run_every, run_forever, spawn

log = structlog.get_logger(__name__)

HOLD_SECONDS: Final = 0.5
EXCHANGE_SECONDS: Final = 1.2
"""Time after which an exchange without a response is repeated."""
RETRY_SECONDS: Final = 0.1
SILENCE_SECONDS: Final = 3.0
"""Time without a response after which a worker has died."""
MAX_STEP_SECONDS: Final = 0.5
"""Time that one look can add to a worker's silence.

A process that was frozen itself could not hear the worker, and must not consider it dead.
"""
WATCH_SECONDS: Final = 0.1
MAX_EXCHANGES: Final = 2
"""Exchanges of a channel at a time: the one that is held, and one with new requests."""
MAX_BATCH_BYTES: Final = 256 * 1024
"""Size of the frames after which the others wait for the next exchange."""
MAX_WAITING: Final = 10_000
"""Frames that wait for the other side; with more, the channel is closed."""
MAX_WAITING_REPORTS: Final = 1_000
"""Waiting frames with which further quality reports are dropped, since newer ones follow."""
HEARD_SECONDS: Final = 5.0
"""Time without an exchange after which an app is not connected."""


class Exchange(msgspec.Struct, frozen=True, tag=True):
    """Requests of an app process, the first of which has the number `first`.

    `app` is its node, `session` identifies the channel. `received` is the number of the last frame
    that it has received from the worker, 0 at first.
    """

    app: str
    session: str
    first: int
    requests: list[msgspec.Raw]
    received: int


class Exchanged(msgspec.Struct, frozen=True, tag=True):
    """Frames of the worker, the first of which has the number `first`.

    `accepted` is the number of the last request that it has received.
    """

    accepted: int
    first: int
    frames: list[msgspec.Raw]


class SessionLost(msgspec.Struct, frozen=True, tag=True):
    """The worker does not know the session: its process has been replaced, or the app's."""


_encode: Final = msgspec.json.Encoder().encode
_decode_exchange: Final = msgspec.json.Decoder(Exchange).decode
_decode_response: Final = msgspec.json.Decoder(Exchanged | SessionLost).decode
_decode_request: Final = msgspec.json.Decoder(control_protocol.Request).decode


class FrameQueue:
    """Numbered frames that the other side has not confirmed yet. The first number is 1."""

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque()
        self._first = 1

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def last(self) -> int:
        """Number of the last frame; 0 before the first."""
        return self._first + len(self._frames) - 1

    def append(self, frame: control_protocol.ControlFrame) -> None:
        self._frames.append(_encode(frame))

    def confirm(self, number: int) -> None:
        """Remove the frames up to this number."""
        while self._frames and self._first <= number:
            self._frames.popleft()
            self._first += 1

    def batch(self) -> tuple[int, list[msgspec.Raw]]:
        """Return the number of the first frame, and as many frames as one message should have."""
        frames, size = list[msgspec.Raw](), 0
        for frame in self._frames:
            size += len(frame)
            if frames and size > MAX_BATCH_BYTES:
                break
            frames.append(msgspec.Raw(frame))
        return self._first, frames


def new_frames(received: int, first: int, frames: Sequence[msgspec.Raw]) -> Sequence[msgspec.Raw]:
    """Return those of the frames that follow the number `received`; the others have arrived."""
    return frames[received + 1 - first :] if first <= received + 1 else ()


# The side of the app


class BusTransport:
    """Transport to a media worker of another node.

    `app` is the node of this process. The time during which the bus is not connected does not count
    as silence of the worker.
    """

    def __init__(
        self,
        *,
        bus: Bus,
        worker: str,
        app: str,
        new_id: Callable[[], str],
        is_connected: Callable[[], bool],
    ) -> None:
        self._bus = bus
        self._worker = worker
        self._app = app
        self._new_id = new_id
        self._is_connected = is_connected

    @property
    def name(self) -> str:
        return self._worker

    async def connect(self) -> ControlChannel:
        channel = BusChannel(self._bus, self._worker, self._app, self._new_id(), self._is_connected)
        await channel.open()
        return channel


class BusChannel:
    """Channel to one process of a media worker."""

    def __init__(
        self, bus: Bus, worker: str, app: str, session: str, is_connected: Callable[[], bool]
    ) -> None:
        self._bus = bus
        self._topic = f"{WORKER_TOPIC}{worker}"
        self._app = app
        self._session = session
        self._is_connected = is_connected
        self._requests = FrameQueue()
        self._sent = 0
        self._received = 0
        self._frames: deque[msgspec.Raw] = deque()
        self._news = asyncio.Event()
        self._work = asyncio.Event()
        self._exchanges: set[asyncio.Task[None]] = set()
        self._silent_seconds = 0.0
        self._looked_at = 0.0
        self._is_lost = False
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    async def open(self) -> None:
        """Begin the session; raises `ConnectionError` if the worker does not answer."""
        try:
            await self._exchange()
        except AskError as error:
            raise ConnectionRefusedError(self._topic) from error
        if self._is_lost:
            raise ConnectionRefusedError(self._topic)
        self._looked_at = asyncio.get_running_loop().time()
        self._tasks = (
            run_forever("control exchanges", self._run),
            run_every("watch of a media worker", WATCH_SECONDS, self._look),
        )

    def send(self, request: control_protocol.Request) -> None:
        if len(self._requests) >= MAX_WAITING:
            self._lose("it accepts no requests")
            return
        self._requests.append(request)
        self._work.set()

    async def receive(self) -> FromWorker:
        while not self._frames:
            if self._is_lost:
                raise ConnectionResetError(self._topic)
            await self._news.wait()
            self._news.clear()
        return decode_from_worker(self._frames.popleft())

    def close(self) -> None:
        self._is_lost = True
        for task in (*self._tasks, *self._exchanges):
            task.cancel()

    def _lose(self, reason: str) -> None:
        if not self._is_lost:
            log.warning("control channel lost", topic=self._topic, reason=reason)
            self._is_lost = True
            self._news.set()

    async def _run(self) -> None:
        """Keep one exchange in progress, and another one while there are new requests."""
        while True:
            await self._next()

    async def _next(self) -> None:
        """Start an exchange if one is wanted, else wait for work."""
        is_wanted = not self._exchanges or self._sent < self._requests.last
        if is_wanted and len(self._exchanges) < MAX_EXCHANGES:
            exchange = spawn("control exchange", self._try_exchange())
            self._exchanges.add(exchange)
            exchange.add_done_callback(self._finish)
            await asyncio.sleep(0)  # the exchange takes the waiting requests with it
        else:
            self._work.clear()
            await self._work.wait()

    def _finish(self, exchange: asyncio.Task[None]) -> None:
        self._exchanges.discard(exchange)
        self._work.set()

    async def _try_exchange(self) -> None:
        try:
            await self._exchange()
        except (AskError, msgspec.MsgspecError):
            self._sent = 0
            await asyncio.sleep(RETRY_SECONDS)

    async def _exchange(self) -> None:
        first, requests = self._requests.batch()
        self._sent = first + len(requests) - 1
        message = Exchange(self._app, self._session, first, requests, self._received)
        response = _decode_response(
            await self._bus.ask(self._topic, _encode(message), EXCHANGE_SECONDS)
        )
        if isinstance(response, SessionLost):
            self._lose("its process has been replaced")
            return
        self._silent_seconds = 0.0
        self._requests.confirm(response.accepted)
        if frames := new_frames(self._received, response.first, response.frames):
            self._received += len(frames)
            self._frames.extend(frames)
            self._news.set()

    async def _look(self) -> None:
        """Notice when the worker has been silent for too long."""
        now = asyncio.get_running_loop().time()
        step, self._looked_at = min(now - self._looked_at, MAX_STEP_SECONDS), now
        self._silent_seconds = self._silent_seconds + step if self._is_connected() else 0.0
        if self._silent_seconds >= SILENCE_SECONDS:
            self._lose("it does not answer")


# The side of the worker


class ControlledWorker(Protocol):
    """A media worker, as its controllers see it."""

    def attach(self, name: str, controller: Controller) -> None: ...
    def handle(
        self, name: str, controller: Controller, request: control_protocol.Request
    ) -> None: ...


class BusSession:
    """An app process of another node, as a controller of this worker."""

    def __init__(self, session: str) -> None:
        self.id = session
        self.accepted = 0
        self.is_lost = False
        self._frames = FrameQueue()
        self._newest: asyncio.Event | None = None
        self._heard_at = 0.0

    @property
    def is_connected(self) -> bool:
        now = asyncio.get_running_loop().time()
        return not self.is_lost and now - self._heard_at < HEARD_SECONDS

    def send(self, frame: FromWorker) -> None:
        if len(self._frames) >= MAX_WAITING:
            self.is_lost = True
        is_report = isinstance(frame, control_protocol.LegQualityReport)
        if self.is_lost or (is_report and len(self._frames) >= MAX_WAITING_REPORTS):
            return
        self._frames.append(frame)
        self._release()

    def close(self) -> None:
        self.is_lost = True
        self._release()

    def _release(self) -> None:
        if self._newest:
            self._newest.set()

    async def hold(self, received: int) -> Exchanged | SessionLost:
        """Return the frames that follow `received`, as soon as there is one or a newer exchange.

        The first exchange, by which the app knows that there is a channel, is not held.
        """
        is_first = not self._heard_at
        self._frames.confirm(received)
        self._heard_at = asyncio.get_running_loop().time()
        self._release()
        mine = self._newest = asyncio.Event()
        if not self._frames and not self.is_lost and not is_first:
            with suppress(TimeoutError):
                async with asyncio.timeout(HOLD_SECONDS):
                    await mine.wait()
        if self._newest is mine:
            self._newest = None
        if self.is_lost:
            return SessionLost()
        return Exchanged(self.accepted, *self._frames.batch())


class BusControl:
    """Answers the exchanges of apps on other nodes with a media worker."""

    def __init__(self, worker: ControlledWorker) -> None:
        self._worker = worker
        self._sessions: dict[str, BusSession] = {}

    async def run(self, bus: Bus, name: str) -> None:
        """Answer until cancelled; `name` is that of the worker."""
        async with bus.answer(f"{WORKER_TOPIC}{name}", self.answer):
            await asyncio.Event().wait()

    async def answer(self, message: bytes) -> bytes:
        exchange = _decode_exchange(message)
        session = self._session(exchange)
        if session is None or session.is_lost:
            return _encode(SessionLost())
        for raw in new_frames(session.accepted, exchange.first, exchange.requests):
            session.accepted += 1
            self._worker.handle(exchange.app, session, _decode_request(raw))
        return _encode(await session.hold(exchange.received))

    def _session(self, exchange: Exchange) -> BusSession | None:
        """Return the session of an exchange, a new one for the first; `None` if it is lost."""
        session = self._sessions.get(exchange.app)
        if session and session.id == exchange.session:
            return session
        if exchange.first != 1 or exchange.received:
            return None
        session = self._sessions[exchange.app] = BusSession(exchange.session)
        self._worker.attach(exchange.app, session)
        return session
