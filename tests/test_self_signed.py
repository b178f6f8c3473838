"""Self-signed certificates of media workers and recorders."""

from __future__ import annotations

import ssl
from pathlib import Path

from cryptography import x509

from visavis.media.dtls import Identity, fingerprint
from visavis.recorder.handover_server import RecorderIdentity
from visavis.self_signed import VALID_FROM, VALID_UNTIL, self_signed


def test_openssl_accepts_the_certificate_with_its_key(tmp_path: Path) -> None:
    made, path = self_signed("visavis"), tmp_path / "both.pem"
    path.write_bytes(made.key_pem() + made.certificate_pem())
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path)
    made.certificate.verify_directly_issued_by(made.certificate)


def test_no_two_certificates_have_the_same_key_or_number() -> None:
    one, other = self_signed("visavis").certificate, self_signed("visavis").certificate
    assert one.public_key() != other.public_key()
    assert one.serial_number != other.serial_number


def test_workers_and_recorders_are_valid_whatever_the_clocks_of_two_machines_say() -> None:
    worker = Identity()
    certificate = worker.certificate
    recorder = x509.load_pem_x509_certificate(RecorderIdentity().certificate.encode())
    for one in (certificate, recorder):
        assert (one.not_valid_before_utc, one.not_valid_after_utc) == (VALID_FROM, VALID_UNTIL)
    assert worker.fingerprint == fingerprint(certificate)
