from __future__ import annotations

import hashlib

from visavis.services.secrets import digest


def test_a_secret_is_kept_as_its_sha_256() -> None:
    assert digest("vv_secret") == hashlib.sha256(b"vv_secret").digest()


def test_a_text_that_is_no_unicode_has_a_digest_too() -> None:
    """Clients may send lone surrogates."""
    assert digest("\ud800") == digest("?")
