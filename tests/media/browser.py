"""Simulated browser side of a leg: controlling ICE agent, DTLS client, SRTP."""

from __future__ import annotations

from collections.abc import Callable

from OpenSSL import SSL
from pylibsrtp import Error, Policy, Session

from tests.media.test_stun import NOMINATE, request
from visavis.domain.leg import RemoteTransport
from visavis.media.dtls import MTU, Identity
from visavis.media.leg import Leg
from visavis.media.remote_address import RemoteAddress
from visavis.media.stun import binding_success, parse_binding_request

ADDRESS = ("192.0.2.10", 5000)
IDENTITY = Identity()
PWD = "x" * 24
CHECK_SECONDS = 0.5
REPEAT_SECONDS = 0.1


def answer(datagram: bytes, pwd: str = PWD) -> bytes | None:
    """Return the answer to a check; `None` if the datagram is not a check."""
    asked = parse_binding_request(datagram)
    return binding_success(asked.transaction_id, ("198.51.100.200", 1), pwd) if asked else None


def is_dtls(datagram: bytes) -> bool:
    return 20 <= datagram[0] < 64


class Browser:
    """Simulated browser of one leg. It retransmits in simulated time."""

    def __init__(self) -> None:
        self._connection = SSL.Connection(IDENTITY.context, None)
        self._connection.set_connect_state()
        self._connection.set_ciphertext_mtu(MTU)
        self._flight: list[bytes] = []
        self._repeat_at = 0.0
        self._check_at = 0.0
        self._is_checked = False
        self.is_established = False
        self.received: list[bytes] = []
        self._sending: Session | None = None
        self._receiving: Session | None = None

    @property
    def remote(self) -> RemoteTransport:
        return RemoteTransport("theirs", PWD, IDENTITY.fingerprint, (96,), (111,))

    def check(
        self,
        leg: Leg,
        now: float,
        remote_address: RemoteAddress = ADDRESS,
        *,
        nominate: bool = True,
    ) -> bool:
        extra = NOMINATE if nominate else b""
        parsed = parse_binding_request(request(leg.pwd, ufrag=leg.ufrag, extra=extra))
        assert parsed
        is_authentic = leg.receive_check(parsed, remote_address, now)
        self.answer_checks(leg, now)
        return is_authentic

    def answer_checks(self, leg: Leg, now: float) -> None:
        """Answer the leg's own checks, from the addresses to which it has sent them."""
        leg.tick(now)
        for datagram, remote_address in leg.outbox:
            if answered := answer(datagram):
                leg.receive_check_answer(answered, remote_address)

    # In simulated time

    def tick(self, leg: Leg, now: float, send: Callable[[bytes], None]) -> None:
        """Check the remote address twice per second, and retransmit what may have been lost."""
        if now >= self._check_at:
            self._check_at = now + CHECK_SECONDS
            send(request(leg.pwd, ufrag=leg.ufrag, extra=NOMINATE))
        if self._is_checked and not self._flight:
            self._advance(now, send)
        elif self._flight and not self.is_established and now >= self._repeat_at:
            self._send_flight(now, send)

    def receive_at(self, datagram: bytes, now: float, send: Callable[[bytes], None]) -> None:
        if datagram[0] < 4:
            if answered := answer(datagram):
                send(answered)
            else:
                self._is_checked = True
        elif is_dtls(datagram):
            self._connection.bio_write(datagram)
            self._advance(now, send)
        elif self._receiving:
            self._unprotect(datagram)

    def _advance(self, now: float, send: Callable[[bytes], None]) -> None:
        if flight := self.datagrams():
            self._flight = flight
            self._send_flight(now, send)
        if self.is_established and self._sending is None:
            self._sending, self._receiving = self.srtp()

    def _send_flight(self, now: float, send: Callable[[bytes], None]) -> None:
        self._repeat_at = now + REPEAT_SECONDS
        for datagram in self._flight:
            send(datagram)

    def _unprotect(self, datagram: bytes) -> None:
        assert self._receiving
        try:
            if 192 <= datagram[1] <= 223:
                self.received.append(self._receiving.unprotect_rtcp(datagram))
            else:
                self.received.append(self._receiving.unprotect(datagram))
        except Error:
            pass  # A replay, as the network duplicated the datagram.

    def protect(self, packet: bytes) -> bytes:
        assert self._sending
        return bytes(self._sending.protect(packet))

    # The handshake by hand

    def datagrams(self) -> list[bytes]:
        """Return the next flight, if it is our turn."""
        try:
            self._connection.do_handshake()
            self.is_established = True
        except SSL.WantReadError:
            pass
        try:
            return [self._connection.bio_read(65536)]
        except SSL.WantReadError:
            return []

    def receive(self, datagram: bytes) -> None:
        self._connection.bio_write(datagram)

    def srtp(self) -> tuple[Session, Session]:
        """Return the SRTP sessions for sending and receiving."""
        material = self._connection.export_keying_material(b"EXTRACTOR-dtls_srtp", 56)
        keys = material[0:16] + material[32:44], material[16:32] + material[44:56]
        profile = Policy.SRTP_PROFILE_AEAD_AES_128_GCM
        return (
            session(keys[0], Policy.SSRC_ANY_OUTBOUND, profile),
            session(keys[1], Policy.SSRC_ANY_INBOUND, profile),
        )


def session(key: bytes, direction: int, profile: int) -> Session:
    return Session(Policy(key, direction, srtp_profile=profile))


def shake_hands(browser: Browser, leg: Leg) -> None:
    """Exchange DTLS flights until neither side has more to send."""
    for _ in range(10):
        for datagram in browser.datagrams():
            leg.receive_dtls(datagram, ADDRESS, 0.0)
        answers, leg.outbox = leg.outbox, []
        for datagram, _ in answers:
            if is_dtls(datagram):
                browser.receive(datagram)
