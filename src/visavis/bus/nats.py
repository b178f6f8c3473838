"""The bus of several nodes: core NATS between them, and the bus within the process on each.

Subscribers and responders of this node are served without NATS, so that nothing on one node depends
on its servers. Messages are delivered at most once. Messages sent or received wait in queues of our
own, which are limited: nats-py would drop messages silently, or wait without a time limit.

Each connection has a client object of its own. nats-py's own reconnection waits until the old
connection has sent its pending data, which never happens if the network drops its packets (nats.py
issue 671). So this node publishes a heartbeat to itself, and aborts a connection on which the
heartbeat does not arrive.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import ssl
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog
from msgspec import Struct
from nats import errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from visavis.bus.addresses import BusAddress
from visavis.bus.local import LocalBus, LocalSubscription
from visavis.protocol.wire import encode
from visavis.services.ports import (
    AskError,
    AskTimeoutError,
    NoResponderError,
    RequestHandler,
    ResponderBusyError,
    ResponderFailedError,
)
from visavis.services.topics import is_within_node, node_of
from visavis.tasks import cancelled, child, describe, spawn

log = structlog.get_logger(__name__)

CONNECT_SECONDS: Final = 1.5
"""Time that a server may take to answer before the next one is tried."""
PAUSE_SECONDS: Final = 0.1
HEARTBEAT_SECONDS: Final = 0.5
SILENCE_SECONDS: Final = 2.0
"""Time without our own heartbeat after which a connection is aborted."""
WATCH_SECONDS: Final = 0.25
RETRY_SECONDS: Final = 0.3
"""Pause before a request that nobody answers is repeated.

It takes a moment until all servers know a subscription, and until a responder has reconnected.
"""
SETTLE_SECONDS: Final = 0.5
"""Time that a new subscriber waits until the server has its subscription."""
ANSWER_SECONDS: Final = 30.0
"""Maximum time for which any node waits for a response."""
DISCARD_SECONDS: Final = 1.0
MAX_MESSAGES: Final = 10_000
MAX_BYTES: Final = 16 * 1024 * 1024
MAX_MESSAGE_BYTES: Final = 1_000_000
"""A little less than a server accepts (`max_payload`, 1 MiB by default)."""
MAX_AGE_SECONDS: Final = 10.0
"""Age at which a message that could not be sent is dropped: pages have asked again by then."""

_RESPONSE: Final = "response."
_NO_RESPONDERS: Final = "503"
"""Status in the header of a server's message for a request whose subject has no subscriber."""
_OK, _BUSY, _FAILED, _GONE = b"+", b"b", b"f", b"g"
_REFUSALS: Final[dict[bytes, type[AskError]]] = {
    _BUSY: ResponderBusyError,
    _FAILED: ResponderFailedError,
    _GONE: NoResponderError,
}
_CODES: Final = {error: code for code, error in _REFUSALS.items()}

_Receive = Callable[[Msg], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BusOptions:
    """The servers of the bus and the name of the cluster, the first part of each subject.

    `credentials` is a file with a user's JWT and seed, and `ca` one with the certificates that sign
    those of the servers; `None` for the system's.
    """

    address: BusAddress
    prefix: str = "visavis"
    credentials: Path | None = None
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class _Outgoing:
    subject: str
    payload: bytes
    reply: str
    expires_at: float


class _Client(Client):
    """Client that, if `is_tls`, sends nothing to a server that does not offer TLS."""

    def __init__(self, *, is_tls: bool) -> None:
        super().__init__()
        self._is_tls = is_tls

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
        if self._is_tls and initial_connection and not info.get("tls_required"):
            raise errors.Error("the server offers no TLS")
        await super()._process_info(info, initial_connection)


class NatsBus:
    """Bus between nodes; implements `services.ports.Bus`. `run` keeps it connected.

    `dropped` is the number of messages that were not delivered because a queue was full or the
    servers were away for too long. Raises `OSError` if the file of certificates cannot be read.
    """

    def __init__(self, options: BusOptions, node_id: str) -> None:
        self.dropped = 0
        self._connections = 0
        self._options = options
        self._node_id = node_id
        self._node_prefix = f"{options.prefix}.node.{node_id}."
        self._site_prefix = f"{options.prefix}.site."
        self._ask_prefix = f"{options.prefix}.ask."
        self._local = LocalBus()
        self._client: Client | None = None
        self._connected = asyncio.Event()
        self._outgoing: deque[_Outgoing] = deque()
        self._outgoing_bytes = 0
        self._has_work = asyncio.Event()
        self._is_settled = asyncio.Event()
        self._receivers: dict[str, _Receive] = {f"{self._node_prefix}>": self._receive_for_node}
        self._subscribers: Counter[str] = Counter()
        self._changed: set[str] = set()
        self._subscribed: dict[str, Subscription] = {}
        self._responses: dict[str, asyncio.Future[bytes]] = {}
        self._numbers = itertools.count()
        self._heard_at = 0.0
        self._problem = ""
        # read now, so that a missing file is noticed at the start
        self._tls = ssl.create_default_context(cafile=options.ca) if self._is_tls else None

    @property
    def _is_tls(self) -> bool:
        return self._options.address.is_tls

    @property
    def reconnects(self) -> int:
        """Number of connections after the first."""
        return max(0, self._connections - 1)

    @property
    def is_connected(self) -> bool:
        """Whether a server receives and delivers messages."""
        return self._connected.is_set()

    # services.ports.Bus

    def publish(self, topic: str, message: Struct) -> None:
        encoded, node_id = encode(message), node_of(topic)
        if node_id in {"", self._node_id}:
            self._local.deliver(topic, encoded)
        if is_within_node(topic):
            return
        if not node_id:
            self._send(f"{self._site_prefix}{topic}", b"%s\n%s" % (self._node_id.encode(), encoded))
        elif node_id != self._node_id:
            self._send(f"{self._options.prefix}.node.{node_id}.{topic}", encoded)

    @asynccontextmanager
    async def subscribe(self, *topics: str) -> AsyncIterator[LocalSubscription]:
        subjects = [
            f"{self._site_prefix}{topic}"
            for topic in topics
            if not (node_of(topic) or is_within_node(topic))
        ]
        async with self._local.subscribe(*topics) as subscription:
            for subject in subjects:
                self._add(subject, self._receive_for_site)
            try:
                await self._settle()
                yield subscription
            finally:
                for subject in subjects:
                    self._remove(subject)

    async def ask(self, topic: str, message: bytes, seconds: float) -> bytes:
        if self._local.is_answered(topic):
            return await self._local.ask(topic, message, seconds)
        try:
            async with asyncio.timeout(seconds):
                try:
                    return await self._request(topic, message, seconds)
                except NoResponderError:
                    await asyncio.sleep(RETRY_SECONDS)
                    return await self._request(topic, message, seconds)
        except TimeoutError as error:
            raise AskTimeoutError(topic) from error

    @asynccontextmanager
    async def answer(self, topic: str, handler: RequestHandler) -> AsyncIterator[None]:
        subject = f"{self._ask_prefix}{topic}"
        async with self._local.answer(topic, handler):
            self._add(subject, self._receive_request)
            try:
                await self._settle()
                yield
            finally:
                self._remove(subject)

    async def _request(self, topic: str, message: bytes, seconds: float) -> bytes:
        """Send a request once and wait for its response."""
        name = f"{_RESPONSE}{next(self._numbers)}"
        response: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._responses[name] = response
        try:
            subject, reply = f"{self._ask_prefix}{topic}", f"{self._node_prefix}{name}"
            if not self._send(subject, message, reply=reply, seconds=seconds):
                raise ResponderBusyError(topic)
            answer = await response
        finally:
            del self._responses[name]
        if answer[:1] != _OK:
            raise _REFUSALS.get(answer[:1], ResponderFailedError)(topic)
        return answer[1:]

    # Receiving. These callbacks never wait, or nats-py would drop messages.

    async def _receive_for_node(self, message: Msg) -> None:
        topic = message.subject.removeprefix(self._node_prefix)
        if topic == "heartbeat":
            self._heard_at = self._now()
        elif topic.startswith(_RESPONSE):
            self._receive_response(topic, message)
        else:
            self._local.deliver(topic, message.data)

    def _receive_response(self, name: str, message: Msg) -> None:
        response = self._responses.get(name)
        if response and not response.done():
            has_status = message.headers and message.headers.get("Status") == _NO_RESPONDERS
            response.set_result(_GONE if has_status else message.data)

    async def _receive_for_site(self, message: Msg) -> None:
        sender, _, encoded = message.data.partition(b"\n")
        if sender != self._node_id.encode():  # our own subscribers have received it already
            self._local.deliver(message.subject.removeprefix(self._site_prefix), encoded)

    async def _receive_request(self, message: Msg) -> None:
        if message.reply:
            spawn("request of another node", self._respond(message))

    async def _respond(self, message: Msg) -> None:
        topic = message.subject.removeprefix(self._ask_prefix)
        try:
            response = _OK + await self._local.ask(topic, message.data, ANSWER_SECONDS)
        except AskTimeoutError:
            return
        except AskError as error:
            response = _CODES[type(error)]
        self._send(message.reply, response)

    # Sending

    def _send(
        self, subject: str, payload: bytes, *, reply: str = "", seconds: float | None = None
    ) -> bool:
        """Put a message into the queue for at most these seconds; return whether there was room."""
        is_full = (
            len(self._outgoing) >= MAX_MESSAGES or self._outgoing_bytes + len(payload) > MAX_BYTES
        )
        if is_full or len(payload) > MAX_MESSAGE_BYTES:
            self.dropped += 1
            return False
        expires_at = self._now() + (seconds or MAX_AGE_SECONDS)
        self._outgoing.append(_Outgoing(subject, payload, reply, expires_at))
        self._outgoing_bytes += len(payload)
        self._has_work.set()
        return True

    def _add(self, subject: str, receive: _Receive) -> None:
        self._subscribers[subject] += 1
        if subject not in self._receivers:
            self._receivers[subject] = receive
            self._change(subject)

    def _remove(self, subject: str) -> None:
        self._subscribers[subject] -= 1
        if not self._subscribers[subject]:
            del self._subscribers[subject], self._receivers[subject]
            self._change(subject)

    def _change(self, subject: str) -> None:
        self._changed.add(subject)
        self._is_settled.clear()
        self._has_work.set()

    async def _settle(self) -> None:
        """Wait until the server has the new subscriptions, if there is a connection."""
        if self._client and self._changed:
            with suppress(TimeoutError):
                async with asyncio.timeout(SETTLE_SECONDS):
                    await self._is_settled.wait()

    async def _write(self, client: Client) -> None:
        """Send what waits, subscriptions first, until another connection is used.

        The client's methods return normally when they are cancelled.
        """
        while self._client is client:
            await self._has_work.wait()
            self._has_work.clear()
            while self._changed:
                await self._update(client, self._changed.pop())
            self._is_settled.set()
            self._connected.set()
            while self._outgoing and not self._changed and self._client is client:
                await self._publish_next(client)

    async def _update(self, client: Client, subject: str) -> None:
        """Subscribe to a subject if it has receivers, otherwise unsubscribe."""
        receive = self._receivers.get(subject)
        if receive and subject not in self._subscribed:
            self._subscribed[subject] = await client.subscribe(subject, cb=receive)
        elif receive is None and subject in self._subscribed:
            await self._subscribed.pop(subject).unsubscribe()

    async def _publish_next(self, client: Client) -> None:
        item = self._outgoing.popleft()
        self._outgoing_bytes -= len(item.payload)
        if item.expires_at < self._now():
            self.dropped += 1
        else:
            await client.publish(item.subject, item.payload, item.reply)

    # The connection

    async def run(self) -> None:
        """Stay connected to one of the servers until cancelled."""
        servers = list(self._options.address.servers)
        random.shuffle(servers)
        while True:
            for server in servers:
                await self._serve(server)
                _raise_cancellation()
                await asyncio.sleep(PAUSE_SECONDS)

    async def _serve(self, server: str) -> None:
        """Use one server until the connection is lost."""
        client = _Client(is_tls=self._is_tls)
        lost = asyncio.Event()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._connect(client, server, lost)
                _raise_cancellation()
            await self._use(client, server, lost)
        except (OSError, TimeoutError, errors.Error) as error:
            self._report(server, describe(error))
        finally:
            await _discard(client)

    async def _connect(self, client: Client, server: str, lost: asyncio.Event) -> None:
        options, address = self._options, self._options.address

        async def count_error(error: Exception) -> None:
            if isinstance(error, errors.SlowConsumerError):
                self.dropped += 1

        async def note_loss() -> None:
            lost.set()

        await client.connect(
            [f"{'tls' if address.is_tls else 'nats'}://{server}"],
            name=self._node_id,
            tls=self._tls,
            user=address.user if address.password else None,
            password=address.password or None,
            token=address.user if address.user and not address.password else None,
            user_credentials=options.credentials,
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=PAUSE_SECONDS,  # type: ignore[arg-type]  # used as a float
            ping_interval=1,
            max_outstanding_pings=2,
            error_cb=count_error,
            closed_cb=note_loss,
        )

    async def _use(self, client: Client, server: str, lost: asyncio.Event) -> None:
        self._subscribed, self._changed = {}, set(self._receivers)
        self._client, self._heard_at = client, self._now()
        self._has_work.set()
        self._connections += 1
        self._problem = ""
        log.info("bus connected", server=server)
        tasks = (
            child(self._write(client)),
            child(self._send_heartbeats()),
            child(self._watch()),
            child(lost.wait()),
        )
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._client = None
            self._connected.clear()
            _abort(client)
            await cancelled(*tasks)
        self._report(server, "the connection was lost")

    async def _send_heartbeats(self) -> None:
        while True:
            self._send(f"{self._node_prefix}heartbeat", b"")
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def _watch(self) -> None:
        """Raise `TimeoutError` when our own heartbeat is no longer heard."""
        while self._now() - self._heard_at < SILENCE_SECONDS:
            before = self._now()
            await asyncio.sleep(WATCH_SECONDS)
            if self._now() - before > WATCH_SECONDS + HEARTBEAT_SECONDS:
                self._heard_at = self._now()  # this process was frozen: heartbeats may be queued
        raise TimeoutError("the server does not deliver messages")

    def _report(self, server: str, problem: str) -> None:
        """Log a problem once, not at every attempt."""
        if problem != self._problem:
            self._problem = problem
            log.warning("bus not connected", server=server, reason=problem)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _raise_cancellation() -> None:
    """Raise `CancelledError` if the task was cancelled while it connected.

    Before Python 3.12, `asyncio.wait_for`, by which the client connects, returns normally if what
    it waits for ends at the moment of the cancellation, or raises the error of that. Without this,
    the bus would stay connected or go on connecting, and a process that is stopped while it starts,
    or while all servers are away, would not end.
    """
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError


def _abort(client: Client) -> None:
    """Close a connection without waiting until its pending data are sent."""
    client._pending, client._pending_data_size = [], 0
    if writer := getattr(client._transport, "_io_writer", None):
        writer.transport.abort()


async def _discard(client: Client) -> None:
    """End the client's tasks, too."""
    _abort(client)
    with suppress(OSError, TimeoutError, errors.Error):
        async with asyncio.timeout(DISCARD_SECONDS):
            await client.close()
