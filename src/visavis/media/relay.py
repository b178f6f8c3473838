"""The links of a worker and the path of a packet: whose datagram, unprotect, tap, protect, send."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from visavis.domain.leg import Link, RemoteTransport, Side
from visavis.media.dtls import Identity
from visavis.media.journal import Journal
from visavis.media.leg import Down, Leg, Up, is_rtcp
from visavis.media.stun import Address, parse_binding_request
from visavis.rtp.journal import JournalLeg, RecordKind

_JOURNAL_LEG: Final = {Side.VISITOR: JournalLeg.VISITOR, Side.AGENT: JournalLeg.AGENT}


@dataclass(slots=True)
class MediaLink:
    """Up to two legs, the tap of both, and whether what one sends the other receives."""

    legs: dict[Side, Leg] = field(default_factory=dict)
    journal: Journal | None = None
    is_joined: bool = False
    is_paused: bool = False

    def ask_for_key_frames(self) -> None:
        if self.is_joined and all(leg.is_up for leg in self.legs.values()):
            for leg in self.legs.values():
                leg.ask_for_key_frames()


class Relay:
    """All links of a worker, without I/O of its own but the journals'.

    `on_event` hears of legs that are up or down; `send` puts a datagram on the wire.
    """

    def __init__(
        self,
        identity: Identity,
        send: Callable[[bytes, Address], None],
        on_event: Callable[[Leg, Up | Down], None],
    ) -> None:
        self._identity = identity
        self._send = send
        self._on_event = on_event
        self.links: dict[Link, MediaLink] = {}
        self._by_ufrag: dict[str, Leg] = {}
        self._by_address: dict[Address, Leg] = {}

    # What the app asks for

    def link(self, link: Link) -> MediaLink:
        return self.links.setdefault(link, MediaLink())

    def open_leg(self, link: Link, side: Side, now: float) -> Leg:
        joined = self.link(link)
        leg = joined.legs.get(side)
        if leg is None:
            ufrag, pwd = secrets.token_hex(8), secrets.token_hex(16)
            leg = Leg(link, side, ufrag, pwd, self._identity, now)
            joined.legs[side] = self._by_ufrag[ufrag] = leg
        return leg

    def set_remote(self, link: Link, side: Side, remote: RemoteTransport) -> None:
        """Raises `KeyError` when there is no such leg."""
        leg = self.links[link].legs[side]
        leg.set_remote(remote)
        self._settle(leg)

    def join(self, link: Link) -> None:
        """Raises `KeyError` when there is no such link."""
        joined = self.links[link]
        joined.is_joined = True
        self._ask_for_key_frames(joined)

    def pause(self, link: Link, *, paused: bool) -> None:
        """Keep packets out of the journal for a while."""
        joined = self.link(link)
        if joined.is_paused != paused:
            joined.is_paused = paused
            if joined.journal:
                joined.journal.note({"type": "paused" if paused else "resumed"})
            if not paused:
                self._ask_for_key_frames(joined)

    def remove(self, link: Link) -> MediaLink | None:
        """Close a link's legs; its journal is the caller's to close."""
        joined = self.links.pop(link, None)
        if joined:
            for leg in joined.legs.values():
                leg.close()
                self._flush(leg)
                self._forget(leg)
        return joined

    # What the wire brings

    def receive(self, datagram: bytes, address: Address, now: float, arrival_us: int) -> None:
        """Take one datagram in, told apart by its first byte (RFC 7983)."""
        if not datagram:
            return
        first = datagram[0]
        if 128 <= first < 192:
            if leg := self._by_address.get(address):
                self._receive_media(leg, datagram, arrival_us)
        elif first < 4:
            self._receive_check(datagram, address, now)
        elif 20 <= first < 64 and (leg := self._by_address.get(address)):
            leg.receive_dtls(datagram, address)
            self._settle(leg)

    def tick(self, now: float) -> None:
        for leg in list(self._by_ufrag.values()):
            leg.tick(now)
            self._settle(leg)

    def _receive_media(self, leg: Leg, datagram: bytes, arrival_us: int) -> None:
        packet = leg.unprotect(datagram)
        link = self.links.get(leg.link)
        if packet is None or link is None:
            return
        if link.journal and not link.is_paused:
            kind = RecordKind.RTCP if is_rtcp(packet) else RecordKind.RTP
            link.journal.append(arrival_us, kind, _JOURNAL_LEG[leg.side], packet)
        peer = link.legs.get(leg.side.other)
        if link.is_joined and peer and (outgoing := peer.protect(packet)):
            self._send(*outgoing)

    def _receive_check(self, datagram: bytes, address: Address, now: float) -> None:
        request = parse_binding_request(datagram)
        leg = self._by_ufrag.get(request.ufrag) if request else None
        if request is None or leg is None:
            return
        before = leg.addresses
        if leg.receive_check(request, address, now):
            for forgotten in set(before) - set(leg.addresses):
                self._by_address.pop(forgotten, None)
            self._by_address[address] = leg
            self._settle(leg)

    def _settle(self, leg: Leg) -> None:
        """Send what the leg wants sent and tell what it tells."""
        self._flush(leg)
        events, leg.events = leg.events, []
        for event in events:
            if isinstance(event, Up) and (link := self.links.get(leg.link)):
                self._ask_for_key_frames(link)
            self._on_event(leg, event)

    def _ask_for_key_frames(self, link: MediaLink) -> None:
        link.ask_for_key_frames()
        for leg in link.legs.values():
            self._flush(leg)

    def _flush(self, leg: Leg) -> None:
        for datagram, address in self._drain(leg):
            self._send(datagram, address)

    def _drain(self, leg: Leg) -> Iterator[tuple[bytes, Address]]:
        outbox, leg.outbox = leg.outbox, []
        yield from outbox

    def _forget(self, leg: Leg) -> None:
        self._by_ufrag.pop(leg.ufrag, None)
        for address in leg.addresses:
            if self._by_address.get(address) is leg:
                del self._by_address[address]
