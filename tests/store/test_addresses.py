"""Addresses of databases, as people see them."""

from __future__ import annotations

import pytest

from visavis.store.addresses import has_password, masked


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://chat:s:cr%40t@db/chat", "postgresql://chat:***@db/chat"),
        ("postgres://:secret@db", "postgres://:***@db"),
        (
            "postgresql:///chat?host=/run/pg&password=secret",
            "postgresql:///chat?host=/run/pg&password=***",
        ),
    ],
)
def test_a_password_is_masked(address: str, shown: str) -> None:
    assert masked(address) == shown
    assert has_password(address)


@pytest.mark.parametrize(
    "address", ["postgresql://chat@db/chat?sslmode=require", "/data/a:b@c.db", "postgresql:///x"]
)
def test_an_address_without_a_password_stays_as_it_is(address: str) -> None:
    assert masked(address) == address
    assert not has_password(address)
