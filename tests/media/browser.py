"""A browser's end of a leg, without a browser: ICE-controlling, DTLS client, SRTP."""

from __future__ import annotations

from datetime import UTC, datetime

from OpenSSL import SSL
from pylibsrtp import Policy, Session

from tests.media.test_stun import request
from visavis.domain.leg import RemoteTransport
from visavis.media.dtls import MTU, Identity
from visavis.media.leg import Leg
from visavis.media.stun import parse_binding_request

ADDRESS = ("192.0.2.10", 5000)
IDENTITY = Identity(datetime(2026, 1, 1, tzinfo=UTC))


class Browser:
    """Talks to one leg; `lose` decides which of its and the leg's datagrams get lost."""

    def __init__(self) -> None:
        self._connection = SSL.Connection(IDENTITY.context, None)
        self._connection.set_connect_state()
        self._connection.set_ciphertext_mtu(MTU)
        self.is_established = False

    @property
    def remote(self) -> RemoteTransport:
        return RemoteTransport("theirs", "x" * 24, IDENTITY.fingerprint, (96,))

    def check(self, leg: Leg, now: float, address: tuple[str, int] = ADDRESS) -> bool:
        parsed = parse_binding_request(request(leg.pwd))
        assert parsed
        return leg.receive_check(parsed, address, now)

    def datagrams(self) -> list[bytes]:
        """The next flight, or the last one again when its timer has run out."""
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
        """What it sends with, what it receives with."""
        material = self._connection.export_keying_material(b"EXTRACTOR-dtls_srtp", 56)
        keys = material[0:16] + material[32:44], material[16:32] + material[44:56]
        profile = Policy.SRTP_PROFILE_AEAD_AES_128_GCM
        return (
            Session(Policy(keys[0], Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile)),
            Session(Policy(keys[1], Policy.SSRC_ANY_INBOUND, srtp_profile=profile)),
        )


def shake_hands(browser: Browser, leg: Leg) -> None:
    """Carry DTLS flights both ways until neither has anything to say."""
    for _ in range(10):
        for datagram in browser.datagrams():
            leg.receive_dtls(datagram, ADDRESS)
        answers, leg.outbox = leg.outbox, []
        for datagram, _ in answers:
            if 20 <= datagram[0] < 64:
                browser.receive(datagram)
