"""One browser's transport to us, without I/O: datagrams and `now` in; datagrams and events out.

`now` is seconds of a monotonic clock. A leg is `up` when ICE has nominated an address, DTLS is done
and the browser's certificate has the fingerprint of its SDP; only then are there SRTP keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from visavis.domain.leg import Link, RemoteTransport, Side
from visavis.media.dtls import Dtls, DtlsError, Identity
from visavis.media.srtp import Srtp, SrtpError
from visavis.media.stun import Address, BindingRequest, binding_success
from visavis.rtp.rtcp import picture_loss_indication

CONSENT_SECONDS: Final = 30.0  # RFC 7675 §5.1
MAX_ADDRESSES: Final = 8
MAX_VIDEO_SSRCS: Final = 4
OUR_SSRC: Final = 1

Datagram = tuple[bytes, Address]


@dataclass(frozen=True, slots=True)
class Up:
    """Media can flow."""


@dataclass(frozen=True, slots=True)
class Down:
    """The leg is over, and why."""

    why: str


def is_rtcp(packet: bytes) -> bool:
    """Tell RTCP from RTP on one port by the packet type (RFC 5761 §4)."""
    return len(packet) > 1 and 192 <= packet[1] <= 223


class Leg:
    """The engine of one leg. Only `peer` and the tap, both set from outside, know the call."""

    def __init__(
        self, link: Link, side: Side, ufrag: str, pwd: str, identity: Identity, now: float
    ) -> None:
        self.link = link
        self.side = side
        self.ufrag = ufrag
        self.pwd = pwd
        self.addresses: list[Address] = []
        self.address: Address | None = None
        self.remote: RemoteTransport | None = None
        self.is_up = False
        self.is_down = False
        self.video_ssrcs: set[int] = set()
        self.outbox: list[Datagram] = []
        self.events: list[Up | Down] = []
        self._dtls = Dtls(identity)
        self._srtp: Srtp | None = None
        self._checked_at = now

    def set_remote(self, remote: RemoteTransport) -> None:
        self.remote = remote
        self._maybe_up()

    def receive_check(self, request: BindingRequest, address: Address, now: float) -> bool:
        """An ICE check. Whether it was authentic, so that `address` is this leg's from now on."""
        if self.is_down or not request.is_authentic(self.pwd):
            return False
        self._checked_at = now
        self._learn(address)
        if request.uses_candidate or self.address is None:
            self.address = address
        self.outbox.append((binding_success(request.transaction_id, address, self.pwd), address))
        self._maybe_up()
        return True

    def receive_dtls(self, datagram: bytes, address: Address) -> None:
        """A DTLS datagram from an address that an authentic check has bound."""
        if self.is_down:
            return
        try:
            self._send(self._dtls.receive(datagram), address)
            self._maybe_up()
        except DtlsError as error:
            self._fail(str(error))

    def unprotect(self, datagram: bytes) -> bytes | None:
        """The RTP or RTCP packet in a datagram; `None` if there is nothing authentic in it."""
        if self._srtp is None:
            return None
        try:
            packet = self._srtp.unprotect(datagram, is_rtcp=is_rtcp(datagram))
        except SrtpError:
            return None
        if len(self.video_ssrcs) < MAX_VIDEO_SSRCS:
            self._learn_video(packet)
        return packet

    def protect(self, packet: bytes) -> Datagram | None:
        """The datagram that brings a packet to the browser; `None` while the leg is not up."""
        if self._srtp is None or self.address is None:
            return None
        try:
            return self._srtp.protect(packet, is_rtcp=is_rtcp(packet)), self.address
        except SrtpError:
            return None

    def ask_for_key_frames(self) -> None:
        for ssrc in self.video_ssrcs:
            if datagram := self.protect(picture_loss_indication(OUR_SSRC, ssrc)):
                self.outbox.append(datagram)

    def tick(self, now: float) -> None:
        """Retransmit and expire; to be called several times a second."""
        if self.is_down:
            return
        if now - self._checked_at > CONSENT_SECONDS:
            self._fail("the browser has not been heard of for 30 seconds")
        elif self.address and not self._dtls.is_established:
            try:
                self._send(self._dtls.handle_timeout(), self.address)
            except DtlsError as error:
                self._fail(str(error))

    def close(self) -> None:
        if self.address and self._dtls.is_established:
            self._send(self._dtls.close(), self.address)
        self.is_down = True
        self._srtp = None

    def _learn(self, address: Address) -> None:
        if address not in self.addresses:
            self.addresses = [*self.addresses[1 - MAX_ADDRESSES :], address]

    def _learn_video(self, packet: bytes) -> None:
        is_video = self.remote and packet[1] & 0x7F in self.remote.video_payload_types
        if is_video and not is_rtcp(packet):
            self.video_ssrcs.add(int.from_bytes(packet[8:12]))

    def _maybe_up(self) -> None:
        if self.is_up or self.is_down or not (self.remote and self._dtls.is_established):
            return
        if not self._dtls.is_peer(self.remote.fingerprint):
            self._fail("the browser's certificate is not the one of its session description")
            return
        try:
            self._srtp = self._dtls.srtp()
        except DtlsError as error:
            self._fail(str(error))
            return
        self.is_up = True
        self.events.append(Up())

    def _fail(self, why: str) -> None:
        self.close()
        self.events.append(Down(why))

    def _send(self, datagrams: list[bytes], address: Address) -> None:
        self.outbox += [(datagram, address) for datagram in datagrams]
