"""The bus of a single node: messages go from one task to another in the same event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec import Struct

from visavis.protocol.wire import encode
from visavis.services.ports import (
    AskTimeoutError,
    NoResponderError,
    RequestHandler,
    ResponderBusyError,
    ResponderFailedError,
)
from visavis.tasks import cancelled, spawn

MAX_WAITING = 256
"""Maximum number of unread messages of a subscriber before it is disconnected."""
MAX_REQUESTS = 1_024
"""Maximum number of requests that a responder handles at the same time."""


class LocalSubscription:
    """The bounded queue of one subscriber."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._is_cut_off = False

    def put(self, message: bytes) -> None:
        if len(self._waiting) >= MAX_WAITING:
            self._is_cut_off = True
        else:
            self._waiting.append(message)
        self._news.set()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await self._news.wait()
            if self._is_cut_off:
                return
            if self._waiting:
                yield self._waiting.popleft()
            else:
                self._news.clear()


class LocalResponder:
    """The handler of one topic, and the requests in progress."""

    def __init__(self, topic: str, handler: RequestHandler) -> None:
        self._topic = topic
        self._handler = handler
        self._requests: set[asyncio.Task[bytes]] = set()

    async def ask(self, message: bytes, seconds: float) -> bytes:
        """Return the response; the handler continues after the time-out. Raises `AskError`."""
        if len(self._requests) >= MAX_REQUESTS:
            raise ResponderBusyError(self._topic)
        request = spawn("request on the bus", self._handler(message))
        self._requests.add(request)
        request.add_done_callback(self._requests.discard)
        await asyncio.wait([request], timeout=seconds)
        if not request.done():
            raise AskTimeoutError(self._topic)
        if request.cancelled():
            raise NoResponderError(self._topic)
        if error := request.exception():
            raise ResponderFailedError(self._topic) from error
        return request.result()

    async def close(self) -> None:
        """Cancel the requests in progress."""
        await cancelled(*self._requests)


class LocalBus:
    """Bus within one process; implements `services.ports.WatchedBus`, and is always connected."""

    is_connected = True
    reconnects = 0
    dropped = 0

    def __init__(self) -> None:
        self._topics: dict[str, set[LocalSubscription]] = {}
        self._responders: dict[str, LocalResponder] = {}

    def publish(self, topic: str, message: Struct) -> None:
        if topic in self._topics:
            self.deliver(topic, encode(message))

    def deliver(self, topic: str, encoded: bytes) -> None:
        """Put an encoded message into the queues of the topic's subscribers."""
        for subscription in self._topics.get(topic, ()):
            subscription.put(encoded)

    def is_answered(self, topic: str) -> bool:
        """Whether the topic has a responder."""
        return topic in self._responders

    async def ask(self, topic: str, message: bytes, seconds: float) -> bytes:
        responder = self._responders.get(topic)
        if responder is None:
            raise NoResponderError(topic)
        return await responder.ask(message, seconds)

    @asynccontextmanager
    async def answer(self, topic: str, handler: RequestHandler) -> AsyncIterator[None]:
        if topic in self._responders:
            raise ValueError(f"the topic {topic} has a responder already")
        responder = self._responders[topic] = LocalResponder(topic, handler)
        try:
            yield
        finally:
            del self._responders[topic]
            await responder.close()

    @asynccontextmanager
    async def subscribe(self, *topics: str) -> AsyncIterator[LocalSubscription]:
        subscription = LocalSubscription()
        for topic in topics:
            self._topics.setdefault(topic, set()).add(subscription)
        try:
            yield subscription
        finally:
            for topic in topics:
                self._topics[topic].discard(subscription)
                if not self._topics[topic]:
                    del self._topics[topic]
