from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from visavis.domain.oauth import ApiKey, Client, Grant

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
CLIENT = Client("id", 1, "Program", b"new", (), frozenset({Grant.CLIENT_CREDENTIALS}))


def test_a_client_without_a_secret_is_public() -> None:
    assert not CLIENT.is_public
    public = replace(CLIENT, secret_digest=None)
    assert public.is_public
    assert public.secrets_at(NOW) == ()


def test_a_replaced_secret_is_valid_until_the_overlap_ends() -> None:
    replaced = replace(CLIENT, old_secret_digest=b"old", old_secret_expires_at=LATER)
    assert replaced.secrets_at(NOW) == (b"new", b"old")
    assert replaced.secrets_at(LATER) == (b"new",)
    assert CLIENT.secrets_at(NOW) == (b"new",)


def test_a_replaced_key_is_valid_until_it_expires() -> None:
    key = ApiKey("id", 1, 1, "key", b"digest", NOW)
    assert key.is_valid(LATER)
    replaced = replace(key, expires_at=LATER)
    assert replaced.is_valid(NOW)
    assert not replaced.is_valid(LATER)


def test_grants_have_the_names_of_rfc_6749() -> None:
    assert {str(grant) for grant in Grant} == {
        "password",
        "authorization_code",
        "refresh_token",
        "client_credentials",
    }
