"""Transport of one browser, without I/O: consumes datagrams, produces datagrams and events.

`now` is in seconds of a monotonic clock. A leg is up once ICE has nominated a remote address, the
DTLS handshake is complete and the browser's certificate has the fingerprint from its SDP. SRTP keys
exist only then.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import BridgeId, RemoteTransport
from visavis.media.connectivity_checks import ConnectivityChecks
from visavis.media.dtls import Dtls, DtlsError, Identity
from visavis.media.limits import LegRateLimit
from visavis.media.remote_address import RemoteAddress, address_of
from visavis.media.srtp import Srtp, SrtpError
from visavis.media.stun import BindingRequest, binding_success
from visavis.rtp.key_frame_watch import KeyFrameWatch
from visavis.rtp.leg_stats import LegStats
from visavis.rtp.mos import LegReport
from visavis.rtp.rtcp import picture_loss_indication
from visavis.spool.format import RecordKind

log = structlog.get_logger(__name__)

CONSENT_SECONDS: Final = 30.0  # RFC 7675 §5.1
REPORT_SECONDS: Final = 2.0
ALIVE_SECONDS: Final = 10.0
"""For this long after a leg's last check, no other leg can take over its remote addresses."""

SILENCE_SECONDS: Final = 7.0
"""Longer than the interval of a browser's checks: Chromium 2.5 seconds, Firefox 4 to 6."""

GAP_SECONDS: Final = 1.0
"""After a longer gap, a key frame is requested for the browsers.

A browser first requests the retransmission of each lost packet (NACK), without success, before it
requests a key frame itself.
"""

MAX_REMOTE_ADDRESSES: Final = 8
MAX_CREDENTIALS: Final = 3
MAX_KEY_FRAMES: Final = 4
OUR_SSRC: Final = 1

Outgoing = tuple[bytes, RemoteAddress]


class PacketListener(Protocol):
    """Receiver of the decrypted packets of legs, such as a journal."""

    def append(self, arrival_us: int, kind: RecordKind, leg: int, payload: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class Up:
    """The leg is up: media can flow."""


@dataclass(frozen=True, slots=True)
class Down:
    """The leg has ended, with the reason."""

    why: str


@dataclass(frozen=True, slots=True)
class Limited:
    """Packets were dropped for the first time because the browser sends too fast."""


LegEvent = Up | Down | Limited | LegReport


def is_rtcp(packet: bytes) -> bool:
    """Whether a packet is RTCP and not RTP, by its packet type (RFC 5761 §4)."""
    return len(packet) > 1 and 192 <= packet[1] <= 223


class Leg:
    """State machine of one leg. The caller sends `outbox` and handles `events`.

    `number` is the leg's number in its bridge, from 1. `is_back` is true from one `tick` to the
    next if packets arrived again after a gap. `remote_addresses` are the sources of authentic
    checks. Media is sent to `remote_address`, which the browser has nominated and a check of ours
    has proved. `credentials` are our ufrags and passwords, newest last: an ICE restart adds a pair,
    and the earlier ones remain valid until it is used. The `listeners` receive the browser's
    packets: `peers` are the legs among them, which forward them to their browsers, and `taps` are
    the others, such as the journal.
    """

    def __init__(
        self, bridge: BridgeId, number: int, ufrag: str, pwd: str, identity: Identity, now: float
    ) -> None:
        self.bridge = bridge
        self.number = number
        self.peers: tuple[Leg, ...] = ()
        self.taps: tuple[PacketListener, ...] = ()
        self.credentials = {ufrag: pwd}
        self.remote_addresses: list[RemoteAddress] = []
        self.remote_address: RemoteAddress | None = None
        self.remote: RemoteTransport | None = None
        self.is_up = False
        self.is_down = False
        self.is_back = False
        self.is_excessive = False
        self.stats = LegStats()
        self.rate_limit = LegRateLimit(math.inf, now)
        self.outbox: list[Outgoing] = []
        self.events: list[LegEvent] = []
        self._checks = ConnectivityChecks()
        self._nominated: RemoteAddress | None = None
        self._dtls_address: RemoteAddress | None = None
        self._dtls = Dtls(identity)
        self._srtp: Srtp | None = None
        self._checked_at = now
        self._is_limited = False
        self._reported_at = now
        self._packets_reported = 0
        self._packets_heard = 0
        self._heard_at = now

    @property
    def ufrag(self) -> str:
        """Our newest ufrag."""
        return next(reversed(self.credentials))

    @property
    def pwd(self) -> str:
        """Our newest password."""
        return self.credentials[self.ufrag]

    @property
    def is_flowing(self) -> bool:
        """Whether the leg is up and has not gone down."""
        return self.is_up and not self.is_down

    def is_alive(self, now: float) -> bool:
        """Whether the browser has sent an authentic check recently."""
        return not self.is_down and now - self._checked_at < ALIVE_SECONDS

    def is_restarted_by(self, remote: RemoteTransport) -> bool:
        """Whether the browser has new credentials, which means an ICE restart (RFC 8445 §9)."""
        known = self.remote
        return known is not None and (known.ufrag, known.pwd) != (remote.ufrag, remote.pwd)

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """The peers and the taps."""
        return (*self.peers, *self.taps)

    def connect(self, listeners: Sequence[Listener]) -> None:
        """Pass the browser's packets to these listeners and to no others."""
        # Legs and taps are separated here, so that this does not cost time for each packet.
        self.peers = tuple(one for one in listeners if isinstance(one, Leg))
        self.taps = tuple(one for one in listeners if not isinstance(one, Leg))

    def limit_rate(self, bytes_per_second: float, now: float) -> None:
        """Limit the rate at which the browser may send."""
        self.rate_limit = LegRateLimit(bytes_per_second, now)

    def bind(self, remote_address: RemoteAddress) -> None:
        """Called when datagrams from this address belong to the leg from now on, for subclasses."""

    def unbind(self, remote_address: RemoteAddress) -> None:
        """Called when datagrams from this address no longer belong to the leg, for subclasses."""

    def release(self) -> None:
        """Called when the leg is no longer used, for subclasses that hold resources."""

    def set_remote(self, remote: RemoteTransport) -> None:
        """Set the browser's transport parameters, initially or after a renegotiation.

        Raises `ParameterInvalid` if the fingerprint changes after the leg is up.
        """
        if self.is_up and self.remote and self.remote.fingerprint != remote.fingerprint:
            raise VisavisError(
                ErrorKind.ParameterInvalid, "Another certificate requires another connection."
            )
        if self.is_restarted_by(remote):
            self._checks.restart()
        self.remote = remote
        self._send_checks(self._checked_at)
        self.stats.set_audio(remote.audio_payload_types)
        if watch := self.stats.watch:
            self.watch_video(watch.now)
        self._maybe_up()

    def add_credentials(self, ufrag: str, pwd: str) -> None:
        """Add credentials for an ICE restart; at most `MAX_CREDENTIALS` are kept."""
        self.credentials[ufrag] = pwd
        if len(self.credentials) > MAX_CREDENTIALS:
            del self.credentials[next(iter(self.credentials))]

    def receive_check(
        self, request: BindingRequest, remote_address: RemoteAddress, now: float
    ) -> bool:
        """Handle an ICE check. Return whether it was authentic; then the address is bound."""
        pwd = self.credentials.get(request.ufrag)
        if self.is_down or pwd is None or not request.is_authentic(pwd):
            return False
        self._checked_at = now
        if request.uses_candidate and request.ufrag == self.ufrag:
            self.credentials = {request.ufrag: pwd}
        self._learn(remote_address)
        answer = binding_success(request.transaction_id, address_of(remote_address), pwd)
        self.outbox.append((answer, remote_address))
        if request.uses_candidate or self.remote_address is None:
            self._nominate(remote_address, now)
        return True

    def receive_check_answer(self, datagram: bytes, remote_address: RemoteAddress) -> None:
        """Handle the answer to a check of ours; if it is authentic, media may be sent there."""
        if self.is_down or not self._checks.receive_answer(datagram, remote_address):
            return
        if self.remote_address is None or remote_address == self._nominated:
            self._send_media_to(remote_address)
        self._maybe_up()

    def receive_dtls(self, datagram: bytes, remote_address: RemoteAddress, now: float) -> None:
        """Handle a DTLS datagram from an address that an authentic check has bound."""
        if self.is_down:
            return
        self._dtls_address = remote_address
        try:
            self._send(self._dtls.receive(datagram, now), remote_address)
            self._maybe_up()
        except DtlsError as error:
            self._fail(str(error))

    def receive_media(self, datagram: bytes, now: float, arrival_us: int) -> Sequence[Outgoing]:
        """Count an SRTP or SRTCP datagram and pass it to the taps.

        Returns the datagrams to be sent to the browsers of the peers.
        """
        if not self.rate_limit.admits(len(datagram), now):
            return ()
        is_control = is_rtcp(datagram)
        packet = self.unprotect(datagram, is_rtcp=is_control)
        if packet is None:
            return ()
        if is_control:
            self.receive_rtcp(packet, now)
        else:
            self.stats.receive_rtp(packet, arrival_us)
        for tap in self.taps:
            kind = RecordKind.RTCP if is_control else RecordKind.RTP
            tap.append(arrival_us, kind, self.number, packet)
        sent: tuple[Outgoing, ...] = ()
        for peer in self.peers:
            if outgoing := peer.protect(packet, is_rtcp=is_control):
                sent += (outgoing,)
        return sent

    def receive_rtcp(self, packet: bytes, now: float) -> None:
        """Count an RTCP packet of the browser, which reports on the media from the peers."""
        self.stats.receive_rtcp(packet, [peer.stats for peer in self.peers], now)

    def unprotect(self, datagram: bytes, *, is_rtcp: bool) -> bytes | None:
        """Decrypt a datagram; return `None` if it is not authentic."""
        source = datagram[4:8] if is_rtcp else datagram[8:12]
        stats, srtp = self.stats, self._srtp
        # libsrtp keeps state for each source forever, so the number of sources is limited.
        if srtp is None or not (source in stats.streams or stats.admits(source)):
            return None
        try:
            return srtp.unprotect_rtcp(datagram) if is_rtcp else srtp.unprotect(datagram)
        except SrtpError:
            return None

    def protect(self, packet: bytes, *, is_rtcp: bool) -> Outgoing | None:
        """Encrypt a packet for the browser; return `None` while the leg is not up."""
        srtp, remote_address = self._srtp, self.remote_address
        if srtp is None or remote_address is None:
            return None
        try:
            datagram = srtp.protect_rtcp(packet) if is_rtcp else srtp.protect(packet)
        except SrtpError:
            return None
        stats = self.stats
        stats.packets_out += 1
        stats.bytes_out += len(packet)
        return datagram, remote_address

    def ask_for_key_frames(self) -> None:
        """Request a key frame for each of the newest video streams."""
        types = self.remote.video_payload_types if self.remote else ()
        self._ask_for_key_frames(self.stats.sources(types)[-MAX_KEY_FRAMES:])

    def _ask_for_key_frames(self, ssrcs: Collection[int]) -> None:
        for ssrc in ssrcs:
            self.send_rtcp(picture_loss_indication(OUR_SSRC, ssrc))

    def send_rtcp(self, packet: bytes) -> None:
        """Send our own RTCP packet to the browser. Does nothing while the leg is not up."""
        if outgoing := self.protect(packet, is_rtcp=True):
            self.outbox.append(outgoing)

    def watch_video(self, now: float) -> None:
        """Watch the video for key frames that the recording needs, by the current SDP."""
        if remote := self.remote:
            codecs = dict(zip(remote.video_payload_types, remote.video_codecs, strict=False))
            repairs = frozenset(remote.repair_payload_types)
            watch = self.stats.watch or KeyFrameWatch(now)
            watch.set_payload_types(codecs, repairs)
            self.stats.watch_video(watch)

    def ask_for_recording(self, now: float, *, is_restarted: bool) -> None:
        """Request the key frames that the recording needs.

        With `is_restarted`, packets are missing in the journal, so all video needs one.
        """
        watch = self.stats.watch
        if watch is None:
            self.watch_video(now)
        elif is_restarted:
            watch.restart(now)
        elif self.is_up:
            self._ask_for_key_frames(watch.due(now, MAX_KEY_FRAMES))

    def lose(self, remote_address: RemoteAddress) -> None:
        """Forget a lost TCP connection. If media used it, a check must bind another address."""
        if remote_address in self.remote_addresses:
            self.remote_addresses.remove(remote_address)
        self._checks.forget(remote_address)
        if remote_address == self.remote_address:
            self._send_media_to(None)
        if remote_address == self._dtls_address:
            self._dtls_address = None

    def tick(self, now: float) -> None:
        """Handle timeouts, retransmissions and reports. Call it several times per second."""
        if self.is_down:
            return
        self._listen(now)
        if self.rate_limit.dropped and not self._is_limited:
            self._is_limited = True
            self.events.append(Limited())
        self._send_checks(now)
        if not (self.remote or self.remote_addresses):
            self._checked_at = now  # The browser is not expected to send checks yet.
        if now - self._checked_at > CONSENT_SECONDS:
            self._fail("nothing was received from the browser for 30 seconds")
        elif self.is_up and now - self._reported_at >= REPORT_SECONDS:
            self._reported_at = now
            self.events.append(self.report(now))
        elif self._dtls_address and not self._dtls.is_established:
            self._send(self._dtls.handle_timeout(now), self._dtls_address)

    def report(self, now: float) -> LegReport:
        """Return the quality report of the time since the last one."""
        is_quiet = self.stats.packets_in == self._packets_reported
        self._packets_reported = self.stats.packets_in
        return self.stats.report(is_silent=is_quiet and now - self._checked_at > SILENCE_SECONDS)

    def _listen(self, now: float) -> None:
        heard, self._packets_heard = self._packets_heard, self.stats.packets_in
        self.is_back = 0 < heard < self._packets_heard and now - self._heard_at > GAP_SECONDS
        if heard < self._packets_heard:
            self._heard_at = now

    def close(self) -> None:
        """Close the DTLS association and drop the SRTP keys."""
        if self.remote_address and self._dtls.is_established:
            self._send(self._dtls.close(), self.remote_address)
        if self.rate_limit.dropped:
            dropped = self.rate_limit.dropped
            log.warning(
                "a leg sent too fast", bridge=str(self.bridge), leg=self.number, dropped=dropped
            )
        self.is_down = True
        self._set_srtp(None)

    def _learn(self, remote_address: RemoteAddress) -> None:
        if remote_address in self.remote_addresses:
            return
        if len(self.remote_addresses) >= MAX_REMOTE_ADDRESSES:
            forgotten = next(r for r in self.remote_addresses if r != self.remote_address)
            self.remote_addresses.remove(forgotten)
            self._checks.forget(forgotten)
        self.remote_addresses.append(remote_address)

    def _nominate(self, remote_address: RemoteAddress, now: float) -> None:
        """Send media to this address once a check of ours has proved that the browser is there."""
        self._nominated = remote_address
        if self._checks.is_reachable(remote_address):
            self._send_media_to(remote_address)
            self._maybe_up()
        else:
            self._checks.begin(remote_address)
            self._send_checks(now)

    def _send_checks(self, now: float) -> None:
        if self.remote:
            self.outbox += self._checks.due(self.remote, self.ufrag, now)

    def _maybe_up(self) -> None:
        if self.is_up or self.is_down or not (self.remote and self._dtls.is_established):
            return
        if self.remote_address is None:
            return  # There is no address to send media to yet.
        if not self._dtls.is_peer(self.remote.fingerprint):
            self._fail("the browser's certificate is not the one of its session description")
            return
        try:
            self._set_srtp(self._dtls.srtp())
        except DtlsError as error:
            self._fail(str(error))
            return
        self.is_up = True
        self.events.append(Up())

    def _fail(self, why: str) -> None:
        self.close()
        self.events.append(Down(why))

    def _send_media_to(self, remote_address: RemoteAddress | None) -> None:
        self.remote_address = remote_address

    def _set_srtp(self, srtp: Srtp | None) -> None:
        self._srtp = srtp

    def _send(self, datagrams: list[bytes], remote_address: RemoteAddress) -> None:
        self.outbox += [(datagram, remote_address) for datagram in datagrams]


Listener = Leg | PacketListener
"""Receiver of the packets of a leg's browser: another leg, or a tap."""
