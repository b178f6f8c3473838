"""Passwords with argon2 as it is in use, slow on purpose."""

from __future__ import annotations

import pytest

from visavis.store.passwords import Argon2Passwords

pytestmark = pytest.mark.anyio


async def test_only_the_password_matches_its_hash(anyio_backend: str) -> None:
    passwords = Argon2Passwords()
    hashed = await passwords.hash("geheim")
    # RFC 9106 §4, the second recommended option
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert await passwords.matches(hashed, "geheim")
    assert not await passwords.matches(hashed, "Geheim")


async def test_nobody_is_looked_for_as_long_as_somebody(anyio_backend: str) -> None:
    assert not await Argon2Passwords().matches(None, "nobody's password")
