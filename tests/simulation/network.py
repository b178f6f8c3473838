"""The bus of a simulated cluster: delays, lost connections, and counts of its messages.

The delays are drawn from the measurements of nats-py over loopback, with the latency of a network
between machines: half of a request and its response took 0.13 ms.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from random import Random
from typing import Any, Final

from tests.simulation.event_loop import Process, SimulatedLoop
from visavis.bus.local import LocalBus, LocalSubscription
from visavis.bus.nats import RETRY_SECONDS
from visavis.services.ports import (
    AskError,
    AskTimeoutError,
    NoResponderError,
    RequestHandler,
    ResponderFailedError,
)
from visavis.services.topics import OWNER_TOPIC, node_of
from visavis.tasks import spawn

MEDIAN_SECONDS: Final = 0.000_4
NOTICE_SECONDS: Final = 2.0
"""Time after which servers and clients notice that a connection is dead without being closed."""
RECONNECT_SECONDS: Final = (0.2, 0.5)
"""Time in which a client connects to another server after its own was killed."""

Inbox = Callable[[Any], None]


class Network:
    """The servers of the bus. Nodes hear each other unless they are on different sides.

    `counts` are the messages that were published and delivered, by their kinds.
    """

    def __init__(self, loop: SimulatedLoop, random: Random) -> None:
        self.loop = loop
        self.random = random
        self.published: Counter[str] = Counter()
        self.delivered: Counter[str] = Counter()
        self.buses: dict[str, SimulatedBus] = {}
        self.interest: defaultdict[str, dict[SimulatedBus, None]] = defaultdict(dict)

    def delay(self) -> float:
        return MEDIAN_SECONDS * self.random.lognormvariate(0.0, 0.7)

    def send(
        self, kind: str, sender: SimulatedBus, receiver: SimulatedBus, deliver: Callable[[], None]
    ) -> bool:
        """Deliver a message unless the nodes do not hear each other; return whether they do."""
        if not sender.hears(receiver):
            return False
        self.delivered[kind] += 1
        # a client whose server was killed sends what waits when it has another one
        waits = max(0.0, sender.offline_until - self.loop.time())
        self.loop.after(waits + self.delay(), deliver, of=receiver.process)
        return True


class SimulatedBus:
    """The bus as one node sees it; implements `services.ports.Bus`.

    The node is alone on its `side` if it is cut off from the bus. Messages to the sockets of pages
    go to their `inboxes` without being encoded.
    """

    dropped = reconnects = 0

    def __init__(self, network: Network, node_id: str, process: Process) -> None:
        self.node_id = node_id
        self.process = process
        self.side = 0
        self.side_since = -NOTICE_SECONDS
        self.offline_until = 0.0
        self.inboxes: defaultdict[str, dict[Inbox, None]] = defaultdict(dict)
        self.is_closed = False
        self.on_sent: Callable[[str], None] = lambda _: None
        self._network = network
        self._loop = network.loop
        self._local = LocalBus()
        self._responders: dict[str, RequestHandler] = {}
        network.buses[node_id] = self

    def hears(self, other: SimulatedBus) -> bool:
        return not (self.is_closed or other.is_closed) and self.side == other.side

    @property
    def is_connected(self) -> bool:
        """Whether the servers deliver this node's own messages, as far as it has noticed."""
        now = self._loop.time()
        is_alone = (
            self.side and sum(bus.side == self.side for bus in self._network.buses.values()) == 1
        )
        return now >= self.offline_until and not (
            is_alone and now - self.side_since > NOTICE_SECONDS
        )

    def move(self, side: int) -> None:
        """Let the node hear only those on this side from now on."""
        self.side, self.side_since = side, self._loop.time()

    def lose_server(self) -> None:
        """The node's server was killed: it connects to another one."""
        self.offline_until = self._loop.time() + self._network.random.uniform(*RECONNECT_SECONDS)

    def publish(self, topic: str, message: Any) -> None:
        node_id, network = node_of(topic), self._network
        if node_id:
            self.on_sent(topic)
        if node_id in {"", self.node_id}:
            self._receive(topic, message)
        if node_id == self.node_id:
            return
        kind = type(message).__name__
        network.published[kind] += 1
        receivers = [network.buses.get(node_id)] if node_id else network.interest.get(topic, ())
        for receiver in list(receivers):
            if receiver and receiver is not self:
                network.send(kind, self, receiver, partial(receiver._receive, topic, message))

    def _receive(self, topic: str, message: Any) -> None:
        for inbox in list(self.inboxes.get(topic, ())):
            inbox(message)
        self._local.publish(topic, message)

    def listen(self, topic: str, inbox: Inbox) -> None:
        """Let a page of this node receive the messages of a topic."""
        self.inboxes[topic][inbox] = None
        if not node_of(topic):
            self._network.interest[topic][self] = None

    def stop_listening(self, topic: str, inbox: Inbox) -> None:
        self.inboxes[topic].pop(inbox, None)
        if not self.inboxes[topic]:
            del self.inboxes[topic]
            self._network.interest[topic].pop(self, None)

    @asynccontextmanager
    async def subscribe(self, *topics: str) -> AsyncIterator[LocalSubscription]:
        async with self._local.subscribe(*topics) as subscription:
            for topic in topics:
                self._network.interest[topic][self] = None
            yield subscription

    def answer(self, topic: str, handler: RequestHandler) -> AbstractAsyncContextManager[None]:
        self._responders[topic] = handler
        return self._local.answer(topic, handler)

    async def ask(self, topic: str, message: bytes, seconds: float) -> bytes:
        if self._local.is_answered(topic):
            return await self._local.ask(topic, message, seconds)
        try:
            async with asyncio.timeout(seconds):
                try:
                    return await self._request(topic, message)
                except NoResponderError:
                    await asyncio.sleep(RETRY_SECONDS)
                    return await self._request(topic, message)
        except TimeoutError as error:
            raise AskTimeoutError(topic) from error

    async def _request(self, topic: str, message: bytes) -> bytes:
        network, kind = self._network, "alive" if b'"NodeAlive"' in message[:24] else "ask"
        answered: asyncio.Future[bytes] = self._loop.create_future()

        def settle(result: bytes | AskError) -> None:
            if answered.done():
                return
            if isinstance(result, bytes):
                answered.set_result(result)
            else:
                answered.set_exception(result)

        network.published[kind] += 1
        responder = network.buses.get(topic.removeprefix(OWNER_TOPIC))
        if responder and network.send(
            kind,
            self,
            responder,
            lambda: responder._respond(kind, topic, message, self, settle),
        ):
            return await answered
        moved_at = max(self.side_since, responder.side_since if responder else 0.0)
        if self._loop.time() - moved_at > NOTICE_SECONDS:
            self._loop.after(network.delay(), settle, NoResponderError(topic), of=self.process)
        return await answered

    def _respond(
        self,
        kind: str,
        topic: str,
        message: bytes,
        asker: SimulatedBus,
        settle: Callable[[bytes | AskError], None],
    ) -> None:
        network, handler = self._network, self._responders.get(topic)
        if handler is None:
            network.send(kind, self, asker, lambda: settle(NoResponderError(topic)))
            return

        def reply(task: asyncio.Task[bytes]) -> None:
            failed = task.cancelled() or task.exception()
            result = ResponderFailedError(topic) if failed else task.result()
            network.published[kind] += 1
            network.send(kind, self, asker, lambda: settle(result))

        spawn("request of another node", handler(message)).add_done_callback(reply)
