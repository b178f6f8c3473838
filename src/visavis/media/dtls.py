"""The DTLS server of a leg over memory: datagrams in, datagrams and keys out (RFC 5764)."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL

from visavis.media.srtp import PROFILES, Srtp, keying_material_bytes

MTU: Final = 1200
FIRST_WAIT_SECONDS: Final = 0.2
LONGEST_WAIT_SECONDS: Final = 3.2
_RECORD_HEADER: Final = 13
_HANDSHAKE: Final = 22
_READ_BYTES: Final = 65536


class DtlsError(Exception):
    """The handshake or the association is over."""


class Identity:
    """A worker's certificate: self-signed, proved by its fingerprint in the SDP (RFC 8122)."""

    def __init__(self, now: datetime) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "visavis")])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=365))
            .sign(key, hashes.SHA256())
        )
        self.fingerprint = fingerprint(certificate)
        self.context = SSL.Context(SSL.DTLS_METHOD)
        self.context.use_certificate(certificate)
        self.context.use_privatekey(key)
        # the fingerprint decides, not a chain
        verify = SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT
        self.context.set_verify(verify, lambda *_: True)
        self.context.set_tlsext_use_srtp(b":".join(PROFILES))
        # each would cost us a handshake, and SRTP keeps its first keys anyway; nobody resumes
        self.context.set_options(SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_TICKET)


def fingerprint(certificate: x509.Certificate) -> str:
    return "sha-256 " + certificate.fingerprint(hashes.SHA256()).hex(":").upper()


class Dtls:
    """One association. What `receive`, `handle_timeout` and `close` return is to be sent.

    OpenSSL's own timers read the clock and begin with a second, so a lost flight is repeated here:
    the same datagrams, which a browser cannot tell from ones that the network has doubled.
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
        """Take a datagram in; raises `DtlsError` when the association is over."""
        is_repeated = self.is_established and datagram[:1] == bytes((_HANDSHAKE,))
        self._connection.bio_write(datagram)
        try:
            if not self.is_established:
                self._connection.do_handshake()
                self.is_established = True
            while True:  # whatever else the browser says has no meaning, and is not to pile up
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
        # the browser has not had our last flight (RFC 6347 §4.2.4, the state FINISHED)
        return self._flight if is_repeated else []

    def handle_timeout(self, now: float) -> list[bytes]:
        """Send the last flight again if it is due (RFC 6347 §4.2.4)."""
        if self.is_established or not self._flight or now < self._repeat_at:
            return []
        self._wait = min(2 * self._wait, LONGEST_WAIT_SECONDS)
        self._repeat_at = now + self._wait
        return self._flight

    def is_peer(self, expected: str) -> bool:
        """Whether the browser's certificate has the fingerprint of its SDP."""
        certificate = self._connection.get_peer_certificate(as_cryptography=True)
        if certificate is None:
            return False
        return hmac.compare_digest(fingerprint(certificate).lower(), expected.lower())

    def srtp(self) -> Srtp:
        """The SRTP sessions of the established association; raises `DtlsError` if none agreed."""
        profile = self._connection.get_selected_srtp_profile()
        if profile not in PROFILES:
            raise DtlsError("no SRTP profile in common")
        length = keying_material_bytes(profile)
        label = b"EXTRACTOR-dtls_srtp"
        return Srtp(profile, self._connection.export_keying_material(label, length))

    def close(self) -> list[bytes]:
        """Say goodbye (close_notify)."""
        try:
            self._connection.shutdown()
        except SSL.Error:
            return []  # never established: there is nobody to say it to
        return self._outgoing()

    def _outgoing(self) -> list[bytes]:
        try:
            return list(_datagrams(self._connection.bio_read(_READ_BYTES)))
        except SSL.WantReadError:
            return []


def _datagrams(records: bytes) -> Iterator[bytes]:
    """Cut the memory BIO's stream of records into datagrams no longer than the MTU."""
    start = position = 0
    while position + _RECORD_HEADER <= len(records):
        end = position + _RECORD_HEADER + int.from_bytes(records[position + 11 : position + 13])
        if end - start > MTU and position > start:
            yield records[start:position]
            start = position
        position = end
    if start < len(records):
        yield records[start:]
