"""Relay of a worker: assigns each datagram to a leg and forwards media within the bridges."""

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
"""No valid datagram is shorter."""

CONTROL_COST_BYTES: Final = 4000
"""Size that a STUN or DTLS datagram counts in the rate limit: it takes the CPU of ten packets."""

ASK_AGAIN_SECONDS: Final = (0.5, 1.5)
"""Further requests for key frames after a pause.

The first key frame may show a picture that was captured during the pause, which is dropped.
"""

TICK_SECONDS: Final = 0.2
"""Minimum interval between two ticks of a bridge whose legs are all up.

Twenty ticks per second of 400 legs would take a tenth of a core.
"""

WATCH_SECONDS: Final = 0.5
"""Interval at which key frames are requested that recordings need."""

_BINDING_SUCCESS: Final = b"\x01\x01"

NewLeg = Callable[[BridgeId, int, str, str, Identity, float], Leg]
"""Creates a leg from its bridge, number, ufrag, password, our identity and the current time."""


@dataclass(slots=True)
class MediaBridge:
    """Bridge: its legs by number, whether they are joined, and the journal of their packets.

    `asks_at` are times at which key frames will be requested. `gaps` is the number of the journal's
    gaps for which key frames were requested already. `watched_at` is the time of the last check for
    key frames that the recording needs. `tick_at` is the time of the next tick.
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
        """Set each leg's listeners: the other legs if they are joined, and the journal."""
        taps = [self.journal] if self.journal and not self.is_paused else []
        for leg in self.legs.values():
            peers = [one for one in self.legs.values() if one is not leg] if self.is_joined else []
            leg.connect((*peers, *taps))

    def ask_for_key_frames(self) -> None:
        """Request key frames from all browsers, if the legs are joined and up."""
        if self.is_joined and all(leg.is_up for leg in self.legs.values()):
            for leg in self.legs.values():
                leg.ask_for_key_frames()

    def ask_for_recording(self, now: float) -> None:
        """Request the key frames that the recording needs. Call it several times per second."""
        journal = self.journal
        if journal and journal.is_written and now - self.watched_at >= WATCH_SECONDS:
            self.watched_at = now
            is_restarted, self.gaps = journal.gaps != self.gaps, journal.gaps
            for leg in self.legs.values():
                if leg.taps:
                    leg.ask_for_recording(now, is_restarted=is_restarted)


class Relay:
    """All bridges of a worker. The relay does no I/O itself, except through the journals.

    `send` sends a datagram. `on_event` receives the events and reports of the legs. `steer` is
    called if a remote address starts or stops to belong to a leg. `new_leg` creates the legs, and
    thereby selects the packet path. `leg_rate` is in bytes per second.
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
        """Number of legs that send far more than their limit."""
        legs = (leg for bridge in self.bridges.values() for leg in bridge.legs.values())
        return sum(leg.is_excessive for leg in legs)

    # Requests of the app

    def bridge(self, bridge: BridgeId) -> MediaBridge:
        """Return the bridge, which is created if needed; raises `MediaUnavailable` if too many."""
        found = self.bridges.get(bridge)
        if found is None:
            if len(self.bridges) >= MAX_BRIDGES:
                raise VisavisError(ErrorKind.MediaUnavailable)
            found = self.bridges[bridge] = MediaBridge()
        return found

    def open_leg(self, bridge: BridgeId, number: int, now: float) -> Leg:
        """Return a leg of a bridge; both are created if needed. Raises `MediaUnavailable`."""
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
        """Set the browser's transport parameters of a leg, and return the leg.

        Raises `KeyError` if there is no such leg, and `ParameterInvalid` if it rejects them.
        """
        leg = self.bridges[bridge].legs[number]
        is_restart = leg.is_restarted_by(remote)
        leg.set_remote(remote)
        if is_restart:
            leg.add_credentials(*_new_credentials())
            self._index(leg)
        self._flush_and_report(leg)
        return leg

    def join(self, bridge: BridgeId) -> None:
        """Start relaying media between the legs of a bridge; raises `KeyError` if unknown."""
        joined = self.bridges[bridge]
        joined.is_joined = True
        joined.connect()
        self._ask_for_key_frames(joined)

    def record(self, bridge: BridgeId, journal: JournalWriter, now: float) -> None:
        """Record the browsers' packets in a journal from now on; raises `KeyError` if unknown."""
        recorded = self.bridges[bridge]
        recorded.journal = journal
        recorded.connect()
        recorded.ask_for_recording(now)
        self._ask_for_key_frames(recorded)

    def pause(self, bridge: BridgeId, now: float, *, is_paused: bool) -> None:
        """Pause or resume the recording of a bridge."""
        paused = self.bridges.get(bridge)
        if paused and paused.journal and paused.is_paused != is_paused:
            paused.is_paused = is_paused
            if is_paused:  # Disconnect first, so that no packet is recorded between the two notes.
                paused.connect()
            paused.journal.note({"type": "paused" if is_paused else "resumed"})
            if not is_paused:
                paused.connect()
                for leg in paused.legs.values():
                    leg.ask_for_recording(now, is_restarted=True)
                self._ask_for_key_frames(paused)
                paused.asks_at = [now + seconds for seconds in ASK_AGAIN_SECONDS]

    def remove(self, bridge: BridgeId, now: float) -> MediaBridge | None:
        """Close the legs of a bridge and return it; the caller must close its journal."""
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
        """Handle a datagram by its first byte (RFC 7983).

        `now` and `arrival_us` are the same monotonic time, in seconds and microseconds.
        """
        size = len(datagram)
        if size < SHORTEST_BYTES:
            return
        first = datagram[0]
        leg = self._by_remote_address.get(remote_address)
        if leg is None:
            # From an unknown address, only an ICE check is valid.
            if first < 4 and self.strangers.admits(network_of(remote_address), now):
                self._receive_check(datagram, remote_address, now)
        elif 128 <= first < 192:
            for outgoing in leg.receive_media(datagram, now, arrival_us):
                self._send(*outgoing)
        elif first < 64 and leg.rate_limit.admits(CONTROL_COST_BYTES, now):
            self._receive_control(leg, datagram, remote_address, now)

    def receive_admitted(self, datagram: bytes, remote_address: RemoteAddress, now: float) -> None:
        """Handle a STUN or DTLS datagram that the leg's rate limit has already admitted."""
        if leg := self._by_remote_address.get(remote_address):
            self._receive_control(leg, datagram, remote_address, now)

    def is_known(self, remote_address: RemoteAddress) -> bool:
        """Whether a leg has bound the remote address."""
        return remote_address in self._by_remote_address

    def lose(self, remote_address: RemoteAddress) -> None:
        """Handle the loss of a TCP connection."""
        if leg := self._by_remote_address.pop(remote_address, None):
            leg.lose(remote_address)
            leg.unbind(remote_address)
            self._steer(remote_address, Source.STRANGER)

    def tick(self, now: float) -> None:
        """Tick all bridges that are due. Call it as often as a leg that is not up requires."""
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
        """Move a leg that sends too much to its own socket, or back to that of the other legs."""
        leg.is_excessive = is_excessive
        log.warning(
            "a leg far exceeds its rate" if is_excessive else "a leg keeps to its rate again",
            bridge=str(leg.bridge),
            leg=leg.number,
            dropped=leg.rate_limit.dropped,
        )
        for remote_address in leg.remote_addresses:
            self._steer(remote_address, _source_of(leg))

    def _receive_control(
        self, leg: Leg, datagram: bytes, remote_address: RemoteAddress, now: float
    ) -> None:
        """Handle a STUN or DTLS datagram from a remote address that a leg has bound."""
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
        """Whether another live leg has bound the address.

        Then a check does not rebind it, as its source address may be forged.
        """
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
        """Update the index of ufrags after a change of the leg's credentials."""
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
    """Return a new ufrag and password (RFC 8839 §5.4)."""
    return secrets.token_hex(8), secrets.token_hex(16)
