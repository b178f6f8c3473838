"""DTLS server of a leg, without I/O: consumes datagrams, returns datagrams and keys (RFC 5764)."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from OpenSSL import SSL

from visavis.media.srtp import PROFILES, Srtp, keying_material_bytes
from visavis.self_signed import self_signed

MTU: Final = 1200
FIRST_WAIT_SECONDS: Final = 0.2
LONGEST_WAIT_SECONDS: Final = 3.2
_RECORD_HEADER: Final = 13
_HANDSHAKE: Final = 22
_READ_BYTES: Final = 65536


class DtlsError(Exception):
    """The handshake has failed, or the association has ended."""


class Identity:
    """Self-signed certificate of a worker, which its fingerprint in the SDP proves (RFC 8122)."""

    def __init__(self) -> None:
        made = self_signed("visavis")
        self.certificate = made.certificate
        self.fingerprint = fingerprint(made.certificate)
        self.context = SSL.Context(SSL.DTLS_METHOD)
        self.context.use_certificate(made.certificate)
        self.context.use_privatekey(made.key)
        # Accept any certificate here: its fingerprint is compared later (`Dtls.is_peer`).
        verify = SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT
        self.context.set_verify(verify, lambda *_: True)
        self.context.set_tlsext_use_srtp(b":".join(PROFILES))
        # A renegotiation would cost CPU without changing the SRTP keys, and browsers do not resume
        # sessions, so tickets are useless.
        self.context.set_options(SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_TICKET)


def fingerprint(certificate: x509.Certificate) -> str:
    """Return a certificate's fingerprint in the form of an SDP attribute (RFC 8122 §5)."""
    return "sha-256 " + certificate.fingerprint(hashes.SHA256()).hex(":").upper()


class Dtls:
    """DTLS association. The datagrams that `receive`, `handle_timeout` and `close` return are sent.

    OpenSSL's own retransmission timers read the clock and start at one second. Therefore this class
    retransmits a lost flight itself, as identical datagrams, which look to a browser like datagrams
    that the network duplicated.
    """

    def __init__(self, identity: Identity) -> None:
        self._connection = SSL.Connection(identity.context, None)
        self._connection.set_accept_state()
        self._connection.set_ciphertext_mtu(MTU)
        self.is_established = False
        self._flight: list[bytes] = []
        self._repeat_at = 0.0
        self._wait = FIRST_WAIT_SECONDS

    def receive(self, datagram: bytes, now: float) -> list[bytes]:
        """Process a datagram; return those to send. Raises `DtlsError` if the association ends."""
        is_repeated = self.is_established and datagram[:1] == bytes((_HANDSHAKE,))
        self._connection.bio_write(datagram)
        try:
            if not self.is_established:
                self._connection.do_handshake()
                self.is_established = True
            while True:  # Discard application data, which has no meaning here.
                self._connection.recv(_READ_BYTES)
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            raise DtlsError("the browser closed the association") from None
        except SSL.Error as error:
            raise DtlsError(f"DTLS failed: {error}") from None
        if flight := self._outgoing():
            self._flight, self._wait = flight, FIRST_WAIT_SECONDS
            self._repeat_at = now + self._wait
            return flight
        # The browser has not received our last flight (RFC 6347 §4.2.4, state FINISHED).
        return self._flight if is_repeated else []

    def handle_timeout(self, now: float) -> list[bytes]:
        """Return the last flight if it is due to be retransmitted (RFC 6347 §4.2.4)."""
        if self.is_established or not self._flight or now < self._repeat_at:
            return []
        self._wait = min(2 * self._wait, LONGEST_WAIT_SECONDS)
        self._repeat_at = now + self._wait
        return self._flight

    def is_peer(self, expected: str) -> bool:
        """Whether the browser's certificate has the `expected` fingerprint from its SDP."""
        certificate = self._connection.get_peer_certificate(as_cryptography=True)
        if certificate is None:
            return False
        return hmac.compare_digest(fingerprint(certificate).lower(), expected.lower())

    def srtp(self) -> Srtp:
        """Return the SRTP sessions of the established association.

        Raises `DtlsError` if no SRTP profile was negotiated.
        """
        profile = self._connection.get_selected_srtp_profile()
        if profile not in PROFILES:
            raise DtlsError("no SRTP profile in common")
        length = keying_material_bytes(profile)
        label = b"EXTRACTOR-dtls_srtp"
        return Srtp(profile, self._connection.export_keying_material(label, length))

    def close(self) -> list[bytes]:
        """Close the association (close_notify)."""
        try:
            self._connection.shutdown()
        except SSL.Error:
            return []  # The association was never established.
        return self._outgoing()

    def _outgoing(self) -> list[bytes]:
        try:
            return list(_datagrams(self._connection.bio_read(_READ_BYTES)))
        except SSL.WantReadError:
            return []


def _datagrams(records: bytes) -> Iterator[bytes]:
    """Split the memory BIO's stream of records into datagrams that do not exceed the MTU."""
    start = position = 0
    while position + _RECORD_HEADER <= len(records):
        end = position + _RECORD_HEADER + int.from_bytes(records[position + 11 : position + 13])
        if end - start > MTU and position > start:
            yield records[start:position]
            start = position
        position = end
    if start < len(records):
        yield records[start:]
