"""Pages of visitors and agents that write down what they see, for the history of a storm."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any, Final

from tests.cluster.history import (
    BridgeLeft,
    CallAnswered,
    CallConnected,
    CallOver,
    CallPlaced,
    CallRefused,
    Event,
    MediaPaused,
    RecordingShown,
    SocketLost,
)
from tests.participants.peer import Peer
from tests.participants.people import Agent, Person, Visitor

CALL_IS_GONE: Final = frozenset({"EntityNotFound", "PermissionDenied"})
"""Errors by which a page knows that it is no longer in the call."""
FIRST_NUMBER: Final = 100
PAUSE_SECONDS: Final = 0.7
"""Shorter times without a packet are those of a busy machine."""


class Notes:
    """The events of a storm so far, with their times."""

    def __init__(self, media_nodes: dict[int, str]) -> None:
        self.began_at = monotonic()
        self.events: list[Event] = []
        self._media_nodes = media_nodes

    def now(self) -> float:
        return round(monotonic() - self.began_at, 3)

    def add(self, event: Event) -> None:
        self.events.append(event)

    def media_node(self, port: int) -> str:
        return self._media_nodes.get(port, f"port {port}")


class NotingPage(Person):
    """A page that notes what it sees of its call."""

    def __init__(self, notes: Notes, name: str, *arguments: Any, **options: Any) -> None:
        self.notes = notes
        self.name = name
        self._is_resuming = False
        self._shown: set[tuple[str, str]] = set()
        self._began: dict[Peer, float] = {}
        self._heard_at = self._packets = 0.0
        super().__init__(*arguments, **options)

    def new_peer(self, *, has_video: bool) -> Peer:
        """A peer whose sequence numbers do not wrap soon, as those of browsers do not.

        The worker may be ready so late, on a busy machine, that it never sees the numbers before
        the wrap, and then it cannot decrypt the others (RFC 3711 section 3.3.1).
        """
        peer = super().new_peer(has_video=has_video)
        for stream in (peer.camera.audio, peer.camera.video):
            stream.number = FIRST_NUMBER
        return peer

    @property
    def is_in_call(self) -> bool:
        """Whether its call has been connected, and is not over."""
        return ("connected", self.call_id) in self._shown

    def departed(self) -> None:
        if self.call_id and not self._is_resuming:
            self.notes.add(SocketLost(self.notes.now(), self.name, self.call_id))
            self._is_resuming = True

    async def hear(self, message: dict[str, Any]) -> None:
        now, kind = self.notes.now(), message["type"]
        if kind == "refused" and self.is_in_call and message["error"] not in CALL_IS_GONE:
            return  # only this request is refused, such as a transfer without the database
        if kind == "callState" and message["callId"] == self.call_id:
            if self._is_resuming:
                self._is_resuming = False
                self.notes.add(CallAnswered(now, self.name, self.call_id))
            if message["state"] == "connected" and not self.is_in_call:
                self._note_once("connected", CallConnected)
                self._heard_at = now
        if kind == "recording" and message["state"] == "on" and self.is_in_call:
            self._note_once("recording", RecordingShown)
        if kind == "linked":
            for number, peer in self.peers.items():
                if number < message["link"]:
                    self._leave_bridge(peer)
        await super().hear(message)

    def _note_once(self, what: str, make: Callable[[float, str, str], Event]) -> None:
        if (what, self.call_id) not in self._shown:
            self._shown.add((what, self.call_id))
            self.notes.add(make(self.notes.now(), self.name, self.call_id))

    def watch_media(self, late: float) -> None:
        """Note a time without packets when it is over; called several times a second.

        The time by which the storm itself was `late`, on a busy machine, does not count.
        """
        now, packets = self.notes.now(), 0
        self._heard_at += late
        for peer in self.peers.values():
            packets += peer.received
            if peer.received:
                self._began.setdefault(peer, now)
        is_flowing = packets != self._packets or not self.is_in_call
        if is_flowing:
            if self.is_in_call and now - self._heard_at > PAUSE_SECONDS:
                self._note_pause(now)
            self._heard_at, self._packets = now, packets

    def _note_pause(self, now: float) -> None:
        seconds = round(now - self._heard_at, 3)
        self.notes.add(MediaPaused(now, self.name, self.call_id, seconds))

    def _leave_bridge(self, peer: Peer) -> None:
        if (began_at := self._began.pop(peer, None)) is not None:
            gap = max(reception.longest_gap for reception in peer.receptions.values())
            node = self.notes.media_node(peer.remote_port)
            self.notes.add(
                BridgeLeft(self.notes.now(), self.name, self.call_id, node, began_at, gap)
            )

    def close_peers(self) -> None:
        for peer in self.peers.values():
            self._leave_bridge(peer)
        super().close_peers()

    def _over(self, reason: str) -> None:
        now = self.notes.now()
        is_known = isinstance(self, Visitor) or self.is_in_call or self._is_resuming
        if self.call_id and is_known:
            if self.is_in_call and now - self._heard_at > PAUSE_SECONDS:
                self._note_pause(now)
            self.notes.add(CallOver(now, self.name, self.call_id, reason))
        self._is_resuming = False
        super()._over(reason)


class NotingVisitor(NotingPage, Visitor):
    """A visitor who places the call again if the page has lost its socket before it knew the call.

    The first one then has no page, so it ends by itself.
    """

    _is_placing = False

    async def place(self) -> None:
        await self.is_open.wait()
        self._is_placing = True
        await self.call(self.name)

    async def arrived(self) -> None:
        await super().arrived()
        if self._is_placing and not self.call_id and not self.is_over.is_set():
            self.close_peers()
            await self.call(self.name)

    async def hear_more(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "refused":
            self.notes.add(CallRefused(self.notes.now(), self.name, str(message["message"])))
        await super().hear_more(message)
        if kind == "calling":
            self.notes.add(CallPlaced(self.notes.now(), self.name, self.call_id))


class NotingAgent(NotingPage, Agent):
    """An agent who, while free, accepts the call that has been ringing for the longest time."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._ringing: dict[str, None] = {}
        self.agent_id = 0
        super().__init__(*arguments, **options)

    def departed(self) -> None:
        super().departed()
        self._ringing.clear()  # what rings then rings again at the new socket

    async def hear(self, message: dict[str, Any]) -> None:
        await super().hear(message)
        if not self.call_id and self._ringing:
            call_id = next(iter(self._ringing))
            await super().hear_more({"type": "ring", "callId": self._take(call_id)})

    def _take(self, call_id: str) -> str:
        del self._ringing[call_id]
        return call_id

    async def hear_more(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "ring":
                if message["callId"] != self.call_id:
                    self._ringing[message["callId"]] = None
            case "ringStopped":
                self._ringing.pop(message["callId"], None)
            case "welcome":
                self.agent_id = message["agentId"]
            case _:
                await super().hear_more(message)
