"""The bus of a single node: messages go from one task to another in the same event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from visavis.protocol.signaling import Message
from visavis.protocol.wire import encode

MAX_WAITING = 256
"""Maximum number of unread messages of a subscriber before it is disconnected."""


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


class LocalBus:
    """Bus within one process; implements `services.ports.Bus`."""

    def __init__(self) -> None:
        self._topics: dict[str, set[LocalSubscription]] = {}

    def publish(self, topic: str, message: Message) -> None:
        if subscriptions := self._topics.get(topic):
            encoded = encode(message)
            for subscription in subscriptions:
                subscription.put(encoded)

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
