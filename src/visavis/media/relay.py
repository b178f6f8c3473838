"""Relay of a worker: its bridges, and where each datagram belongs."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import BridgeId, RemoteTransport
from visavis.media.dtls import Identity
from visavis.media.leg import Leg, LegEvent, Up
from visavis.media.limits import StrangerLimit
from visavis.media.remote_address import RemoteAddress, network_of
from visavis.media.steering import Source
from visavis.media.stun import parse_binding_request
from visavis.spool.writer import JournalWriter

log = structlog.get_logger(__name__)

MAX_BRIDGES: Final = 1000
SHORTEST_BYTES: Final = 12
"""Nothing that has a meaning is shorter."""

CONTROL_COST_BYTES: Final = 4000
"""A leg's STUN and DTLS datagrams count as so long: each takes as much time as ten packets."""

ASK_AGAIN_SECONDS: Final = (0.5, 1.5)
"""After a pause: the first key frame may be of a picture that was captured while it lasted."""

TICK_SECONDS: Final = 0.2
"""Shortest time between two looks at a bridge whose legs are all up: looking at each of 400 legs
twenty times a second takes a tenth of a core."""

WATCH_SECONDS: Final = 0.5
"""So often recorded legs are asked for key frames that their recording lacks."""

_BINDING_SUCCESS: Final = b"\x01\x01"

NewLeg = Callable[[BridgeId, int, str, str, Identity, float], Leg]
"""Makes a leg of its bridge, number, ufrag, password, our identity and the time."""


@dataclass(slots=True)
class MediaBridge:
    """Legs by their numbers, whether they are joined, and the journal of what their browsers send.

    `asks_at` are moments at which key frames are wanted. `gaps` is the count of the journal's gaps
    after which key frames were asked for, and `watched_at` the time of the last look at what the
    recording lacks. Before `tick_at` the bridge needs no look.
    """

    legs: dict[int, Leg] = field(default_factory=dict)
    is_joined: bool = False
    journal: JournalWriter | None = None
    is_paused: bool = False
    last_note: dict[str, Any] | None = None
    asks_at: list[float] = field(default_factory=list)
    gaps: int = 0
    watched_at: float = -math.inf
    tick_at: float = -math.inf

    def connect(self) -> None:
        """Tell each leg its listeners: all other legs once they are joined, and the journal."""
        taps = [self.journal] if self.journal and not self.is_paused else []
        for leg in self.legs.values():
            peers = [one for one in self.legs.values() if one is not leg] if self.is_joined else []
            leg.connect((*peers, *taps))

    def ask_for_key_frames(self) -> None:
        if self.is_joined and all(leg.is_up for leg in self.legs.values()):
            for leg in self.legs.values():
                leg.ask_for_key_frames()

    def ask_for_recording(self, now: float) -> None:
        """Ask for the key frames that the recording lacks; to be called several times a second."""
        journal = self.journal
        if journal and journal.is_written and now - self.watched_at >= WATCH_SECONDS:
            self.watched_at = now
            is_restarted, self.gaps = journal.gaps != self.gaps, journal.gaps
            for leg in self.legs.values():
                if leg.taps:
                    leg.ask_for_recording(now, is_restarted=is_restarted)


class Relay:
    """All bridges of a worker, without I/O of its own but the journals'.

    `on_event` hears of legs that are up or down, and how they do; `send` puts a datagram on the
    wire. `steer` is told whose datagrams a remote address brings. `new_leg` decides by which packet
    path the legs' packets are relayed.
    """

    def __init__(
        self,
        identity: Identity,
        send: Callable[[bytes, RemoteAddress], None],
        on_event: Callable[[Leg, LegEvent], None],
        leg_rate: float = math.inf,
        strangers_per_second: float = 0,
        steer: Callable[[RemoteAddress, Source], None] = lambda *_: None,
        new_leg: NewLeg = Leg,
    ) -> None:
        self._identity = identity
        self._send = send
        self._on_event = on_event
        self._leg_rate = leg_rate
        self._steer = steer
        self._new_leg = new_leg
        self.strangers = StrangerLimit(strangers_per_second)
        self.bridges: dict[BridgeId, MediaBridge] = {}
        self._by_ufrag: dict[str, Leg] = {}
        self._by_remote_address: dict[RemoteAddress, Leg] = {}

    @property
    def excessive_legs(self) -> int:
        legs = (leg for bridge in self.bridges.values() for leg in bridge.legs.values())
        return sum(leg.is_excessive for leg in legs)

    # Requests of the app

    def bridge(self, bridge: BridgeId) -> MediaBridge:
        """The bridge, known or new; raises `MediaUnavailable` when there are too many."""
        found = self.bridges.get(bridge)
        if found is None:
            if len(self.bridges) >= MAX_BRIDGES:
                raise VisavisError(ErrorKind.MediaUnavailable)
            found = self.bridges[bridge] = MediaBridge()
        return found

    def open_leg(self, bridge: BridgeId, number: int, now: float) -> Leg:
        opened = self.bridge(bridge)
        leg = opened.legs.get(number)
        if leg is None:
            ufrag, pwd = _new_credentials()
            leg = self._new_leg(bridge, number, ufrag, pwd, self._identity, now)
            leg.limit_rate(self._leg_rate, now)
            opened.legs[number] = self._by_ufrag[ufrag] = leg
            opened.tick_at = -math.inf
            opened.connect()
        return leg

    def set_remote(self, bridge: BridgeId, number: int, remote: RemoteTransport) -> Leg:
        """Raises `KeyError` when there is no such leg, `VisavisError` when it cannot be."""
        leg = self.bridges[bridge].legs[number]
        is_restart = leg.is_restarted_by(remote)
        leg.set_remote(remote)
        if is_restart:
            leg.add_credentials(*_new_credentials())
            self._index(leg)
        self._flush_and_report(leg)
        return leg

    def join(self, bridge: BridgeId) -> None:
        """Raises `KeyError` when there is no such bridge."""
        joined = self.bridges[bridge]
        joined.is_joined = True
        joined.connect()
        self._ask_for_key_frames(joined)

    def record(self, bridge: BridgeId, journal: JournalWriter, now: float) -> None:
        """From now on, what the browsers send is written down; raises `KeyError`."""
        recorded = self.bridges[bridge]
        recorded.journal = journal
        recorded.connect()
        recorded.ask_for_recording(now)
        self._ask_for_key_frames(recorded)

    def pause(self, bridge: BridgeId, now: float, *, is_paused: bool) -> None:
        """Keep the browsers' packets out of the journal, or let them in again."""
        paused = self.bridges.get(bridge)
        if paused and paused.journal and paused.is_paused != is_paused:
            paused.is_paused = is_paused
            if is_paused:  # no packet is recorded between the two notes
                paused.connect()
            paused.journal.note({"type": "paused" if is_paused else "resumed"})
            if not is_paused:
                paused.connect()
                for leg in paused.legs.values():
                    leg.ask_for_recording(now, is_restarted=True)
                self._ask_for_key_frames(paused)
                paused.asks_at = [now + seconds for seconds in ASK_AGAIN_SECONDS]

    def remove(self, bridge: BridgeId, now: float) -> MediaBridge | None:
        """Close a bridge's legs; its journal is the caller's to close."""
        removed = self.bridges.pop(bridge, None)
        for leg in removed.legs.values() if removed else ():
            if leg.is_up:
                self._on_event(leg, leg.report(now))
            leg.close()
            leg.connect(())
            self._flush(leg)
            self._forget(leg)
            leg.release()
        return removed

    # Datagrams from the sockets

    def receive(
        self, datagram: bytes, remote_address: RemoteAddress, now: float, arrival_us: int
    ) -> None:
        """Take one datagram in, told apart by its first byte (RFC 7983)."""
        size = len(datagram)
        if size < SHORTEST_BYTES:
            return
        first = datagram[0]
        leg = self._by_remote_address.get(remote_address)
        if leg is None:
            # of a stranger only a check can have a meaning
            if first < 4 and self.strangers.admits(network_of(remote_address), now):
                self._receive_check(datagram, remote_address, now)
        elif 128 <= first < 192:
            for outgoing in leg.receive_media(datagram, now, arrival_us):
                self._send(*outgoing)
        elif first < 64 and leg.rate_limit.admits(CONTROL_COST_BYTES, now):
            self._receive_control(leg, datagram, remote_address, now)

    def receive_admitted(self, datagram: bytes, remote_address: RemoteAddress, now: float) -> None:
        """Take in STUN or DTLS of a leg whose rate limit has admitted it already."""
        if leg := self._by_remote_address.get(remote_address):
            self._receive_control(leg, datagram, remote_address, now)

    def is_known(self, remote_address: RemoteAddress) -> bool:
        """Whether a leg has bound the remote address."""
        return remote_address in self._by_remote_address

    def lose(self, remote_address: RemoteAddress) -> None:
        """A TCP connection is gone."""
        if leg := self._by_remote_address.pop(remote_address, None):
            leg.lose(remote_address)
            leg.unbind(remote_address)
            self._steer(remote_address, Source.STRANGER)

    def tick(self, now: float) -> None:
        """Look after every bridge; to be called as often as a leg needs that is not up."""
        for bridge in list(self.bridges.values()):
            if now >= bridge.tick_at:
                is_up = all(leg.is_up for leg in bridge.legs.values())
                bridge.tick_at = now + TICK_SECONDS if is_up else now
                self._tick(bridge, now)

    def _tick(self, bridge: MediaBridge, now: float) -> None:
        for leg in bridge.legs.values():
            leg.tick(now)
            self._flush_and_report(leg)
            if leg.rate_limit.is_excessive(now) != leg.is_excessive:
                self._set_excessive(leg, is_excessive=not leg.is_excessive)
        # A network that dropped one direction probably dropped the other, so ask both browsers for
        # a key frame.
        if any(leg.is_back for leg in bridge.legs.values()):
            self._ask_for_key_frames(bridge)
        if bridge.asks_at and now >= bridge.asks_at[0]:
            del bridge.asks_at[0]
            self._ask_for_key_frames(bridge)
        bridge.ask_for_recording(now)
        for leg in bridge.legs.values():
            if leg.outbox:
                self._flush(leg)

    def _set_excessive(self, leg: Leg, *, is_excessive: bool) -> None:
        """Have the kernel keep a leg that floods apart from the others, or put it back."""
        leg.is_excessive = is_excessive
        log.warning(
            "a leg floods" if is_excessive else "a leg keeps to its rate again",
            bridge=str(leg.bridge),
            leg=leg.number,
            dropped=leg.rate_limit.dropped,
        )
        for remote_address in leg.remote_addresses:
            self._steer(remote_address, _source_of(leg))

    def _receive_control(
        self, leg: Leg, datagram: bytes, remote_address: RemoteAddress, now: float
    ) -> None:
        """STUN or DTLS by a remote address that a leg has bound."""
        first = datagram[0]
        if first >= 20:
            leg.receive_dtls(datagram, remote_address, now)
        elif datagram.startswith(_BINDING_SUCCESS):
            leg.receive_check_answer(datagram, remote_address)
        elif first < 4:
            self._receive_check(datagram, remote_address, now)
        self._flush_and_report(leg)

    def _receive_check(self, datagram: bytes, remote_address: RemoteAddress, now: float) -> None:
        request = parse_binding_request(datagram)
        leg = self._by_ufrag.get(request.ufrag) if request else None
        if request is None or leg is None or self._is_taken(remote_address, leg, now):
            return
        known = set(leg.remote_addresses), set(leg.credentials)
        if not leg.receive_check(request, remote_address, now):
            return
        if self._by_remote_address.get(remote_address) is not leg:
            self._by_remote_address[remote_address] = leg
            leg.bind(remote_address)
            self._steer(remote_address, _source_of(leg))
        for forgotten in known[0].difference(leg.remote_addresses):
            self._unbind(forgotten, leg)
        for retired in known[1].difference(leg.credentials):
            self._by_ufrag.pop(retired, None)
        self._flush_and_report(leg)

    def _is_taken(self, remote_address: RemoteAddress, leg: Leg, now: float) -> bool:
        """Whether a live leg has bound it: a forged source address cannot take it over."""
        owner = self._by_remote_address.get(remote_address)
        return owner is not None and owner is not leg and owner.is_alive(now)

    def _flush_and_report(self, leg: Leg) -> None:
        """Send the leg's datagrams and report its events."""
        if leg.outbox:
            self._flush(leg)
        if leg.events:
            events, leg.events = leg.events, []
            for event in events:
                if isinstance(event, Up) and (bridge := self.bridges.get(leg.bridge)):
                    self._ask_for_key_frames(bridge)
                self._on_event(leg, event)

    def _ask_for_key_frames(self, bridge: MediaBridge) -> None:
        bridge.ask_for_key_frames()
        for leg in bridge.legs.values():
            self._flush(leg)

    def _flush(self, leg: Leg) -> None:
        outbox, leg.outbox = leg.outbox, []
        for datagram, remote_address in outbox:
            self._send(datagram, remote_address)

    def _index(self, leg: Leg) -> None:
        """Find the leg by its credentials as they are now."""
        for ufrag in [u for u, owner in self._by_ufrag.items() if owner is leg]:
            del self._by_ufrag[ufrag]
        self._by_ufrag.update(dict.fromkeys(leg.credentials, leg))

    def _forget(self, leg: Leg) -> None:
        for ufrag in leg.credentials:
            self._by_ufrag.pop(ufrag, None)
        for remote_address in leg.remote_addresses:
            self._unbind(remote_address, leg)

    def _unbind(self, remote_address: RemoteAddress, leg: Leg) -> None:
        if self._by_remote_address.get(remote_address) is leg:
            del self._by_remote_address[remote_address]
            leg.unbind(remote_address)
            self._steer(remote_address, Source.STRANGER)


def _source_of(leg: Leg) -> Source:
    return Source.EXCESSIVE_LEG if leg.is_excessive else Source.LEG


def _new_credentials() -> tuple[str, str]:
    """ufrag and password (RFC 8839 §5.4)"""
    return secrets.token_hex(8), secrets.token_hex(16)
