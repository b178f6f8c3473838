"""Heartbeats of the nodes on the bus: whose messages arrive at this node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from visavis.protocol.cluster import NodeHeartbeat, decode_heartbeat
from visavis.services.ports import Bus
from visavis.services.topics import NODES_TOPIC

HEARTBEAT_SECONDS: Final = 0.5
SILENCE_SECONDS: Final = 3.5
"""Time without a heartbeat after which a node is not heard, and other nodes take its sites.

Pages must have an answer within five seconds. An app process that has died alone is usually started
again within this time: the calls then stay on their node, whose media workers still relay them.
"""
LATE_SECONDS: Final = 2.0
"""Time without a heartbeat after which a node might not hear this one, either."""
SETTLE_SECONDS: Final = 1.5
"""Time for which the bus must be connected before this node counts as heard.

Right after it has connected, it has not heard the others yet.
"""
MAX_STEP_SECONDS: Final = 1.0
"""Time that one heartbeat of this node can add to the silence of the others.

A process that was frozen itself could not hear them, and must not consider them dead.
"""


class Heartbeats:
    """The nodes that this one hears, itself included if the bus has been connected for a while.

    `elapsed` is a monotonic clock.
    """

    def __init__(
        self,
        *,
        bus: Bus,
        node_id: str,
        is_connected: Callable[[], bool],
        elapsed: Callable[[], float],
    ) -> None:
        self._bus = bus
        self._node_id = node_id
        self._is_connected = is_connected
        self.is_leaving = False
        self._elapsed = elapsed
        self._sent_at = elapsed()
        self._connected_seconds = 0.0
        self._silent_seconds: dict[str, float] = {}

    @property
    def heard(self) -> frozenset[str]:
        """Nodes whose heartbeats arrive."""
        return self._heard_within(SILENCE_SECONDS)

    @property
    def heard_lately(self) -> frozenset[str]:
        """Nodes whose heartbeats have arrived in the last `LATE_SECONDS`."""
        return self._heard_within(LATE_SECONDS)

    def _heard_within(self, limit: float) -> frozenset[str]:
        is_heard = self._is_connected() and self._connected_seconds >= SETTLE_SECONDS
        heard = {node_id for node_id, silent in self._silent_seconds.items() if silent < limit}
        return frozenset(heard.union({self._node_id} if is_heard else ()))

    async def send(self) -> None:
        """Send a heartbeat, every `HEARTBEAT_SECONDS`; forget the nodes that have fallen silent."""
        self._bus.publish(NODES_TOPIC, NodeHeartbeat(self._node_id, is_leaving=self.is_leaving))
        now = self._elapsed()
        step = min(now - self._sent_at, MAX_STEP_SECONDS)
        self._sent_at = now
        self._connected_seconds = self._connected_seconds + step if self._is_connected() else 0.0
        silent = {node_id: seconds + step for node_id, seconds in self._silent_seconds.items()}
        self._silent_seconds = {
            node_id: seconds for node_id, seconds in silent.items() if seconds < SILENCE_SECONDS
        }

    def leave(self) -> None:
        """Tell the others from now on that this process ends: they need not wait for silence."""
        self.is_leaving = True
        self._bus.publish(NODES_TOPIC, NodeHeartbeat(self._node_id, is_leaving=True))

    async def follow(self) -> None:
        """Receive the heartbeats of the others until cancelled."""
        while True:
            async with self._bus.subscribe(NODES_TOPIC) as heartbeats:
                async for heartbeat in heartbeats:
                    self.receive(heartbeat)

    def receive(self, encoded: bytes) -> None:
        heartbeat = decode_heartbeat(encoded)
        if heartbeat.is_leaving:
            self._silent_seconds.pop(heartbeat.node, None)
        elif heartbeat.node != self._node_id:
            self._silent_seconds[heartbeat.node] = 0.0
