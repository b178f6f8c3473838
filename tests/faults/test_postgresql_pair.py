"""The pair of PostgreSQL servers that other fault tests need does what it says."""

from __future__ import annotations

import psycopg
import pytest

from tests.faults.postgresql_pair import DATABASE, PostgresqlPair

pytestmark = pytest.mark.fault


def test_the_servers_change_places_and_lose_nothing() -> None:
    pair = PostgresqlPair()
    try:
        pair.start()
        pair.primary.execute("CREATE TABLE numbers (number int)", DATABASE)
        for number in range(2):
            pair.primary.execute(f"INSERT INTO numbers VALUES ({number})", DATABASE)
            pair.demote()
            with pytest.raises(psycopg.OperationalError, match="read-only"):
                psycopg.connect(pair.address)
            pair.promote()
            with psycopg.connect(pair.address) as connection:
                found = connection.execute("SELECT number FROM numbers ORDER BY 1").fetchall()
            assert found == [(n,) for n in range(number + 1)]
    finally:
        pair.stop()


def test_a_dead_primary_becomes_the_standby_and_takes_over_again() -> None:
    pair = PostgresqlPair(is_synchronous=True)
    try:
        pair.start()
        pair.primary.execute("CREATE TABLE numbers (number int)", DATABASE)
        for number in range(2):
            pair.primary.execute(f"INSERT INTO numbers VALUES ({number})", DATABASE)
            pair.primary.kill()
            pair.promote()
            pair.replace_standby()
        found = pair.primary.execute("SELECT number FROM numbers ORDER BY 1", DATABASE)
        assert found == [(0,), (1,)]
    finally:
        pair.stop()
