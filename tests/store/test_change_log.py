"""The log of changes is read completely, in whatever order transactions commit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, insert

from tests.postgresql import Cluster
from visavis.domain.changes import (
    EVERYTHING,
    Change,
    ChangeKind,
    ChangeSet,
    change_set,
    rights_changed,
)
from visavis.store import change_log, open_store
from visavis.store.change_log import MAX_ENTRIES, RETENTION_SECONDS, ChangeReader
from visavis.store.tables import changes

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NOTHING = ChangeSet()


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    store = open_store(database)
    yield store._database.engine
    store.close()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection, connection.begin():
        yield connection


@pytest.mark.postgresql
def test_an_entry_that_is_committed_late_is_read(cluster: Cluster) -> None:
    store = open_store(cluster.new_database())
    engine = store._database.engine
    reader, young = ChangeReader(), ChangeReader()
    with engine.connect() as late, engine.connect() as early, engine.connect() as reading:
        add_change(early, rights_changed(7), NOW)
        early.commit()
        reader.begin(reading)
        add_change(late, Change(ChangeKind.SETTINGS, 1), NOW)
        add_change(early, Change(ChangeKind.SETTINGS, 2), NOW)
        early.commit()
        assert reader.read(reading) == change_set([Change(ChangeKind.SETTINGS, 2)])
        young.begin(reading)  # it may have read what the missing entry's transaction will change
        reading.commit()
        assert reader.read(reading) == NOTHING
        late.commit()
        reading.commit()
        assert reader.read(reading) == change_set([Change(ChangeKind.SETTINGS, 1)])
        assert young.read(reading) == change_set([Change(ChangeKind.SETTINGS, 1)])
        assert reader.read(reading) == young.read(reading) == NOTHING
    store.close()


def add_change(connection: Connection, change: Change, now: datetime) -> None:
    values = {"kind": change.kind, "site_id": change.site_id, "agent_id": change.agent_id}
    connection.execute(insert(changes).values(at=now.isoformat(timespec="microseconds"), **values))


def add(connection: Connection, number: int) -> None:
    entry = "INSERT INTO changes (id, kind, site_id, at) VALUES ({}, 'rights', 1, '2026-01-01')"
    connection.exec_driver_sql(entry.format(number))


def test_a_missing_entry_is_looked_for_as_long_as_entries_are_kept(connection: Connection) -> None:
    now = [0.0]
    reader = ChangeReader(lambda: now[0])
    add(connection, 1)
    reader.begin(connection)
    add(connection, 4)
    assert reader.read(connection) == change_set([rights_changed(1)])
    assert set(reader._missing) == {2, 3}
    now[0] += RETENTION_SECONDS / 2
    add(connection, 2)
    assert reader.read(connection) == change_set([rights_changed(1)])
    assert set(reader._missing) == {3}
    now[0] += RETENTION_SECONDS / 2
    assert reader.read(connection) == NOTHING
    assert not reader._missing


def test_more_entries_than_are_told_by_name_are_everything(connection: Connection) -> None:
    reader = ChangeReader()
    reader.begin(connection)
    for number in range(1, 2 * MAX_ENTRIES + 5):
        add(connection, number)
    assert reader.read(connection) == EVERYTHING
    assert reader.read(connection) == NOTHING
    add(connection, 4 * MAX_ENTRIES)  # the numbers between are missing
    assert reader.read(connection) == EVERYTHING
    assert reader.read(connection) == NOTHING


def test_more_missing_entries_than_are_looked_for_are_everything(connection: Connection) -> None:
    reader = ChangeReader()
    add(connection, 1)
    reader.begin(connection)
    add(connection, MAX_ENTRIES)
    assert reader.read(connection) == change_set([rights_changed(1)])
    add(connection, MAX_ENTRIES + 10)
    assert reader.read(connection) == EVERYTHING
    assert reader.read(connection) == NOTHING
    assert not reader._missing


def test_a_reader_that_was_away_longer_than_entries_are_kept(connection: Connection) -> None:
    """A frozen virtual machine, for example, which then goes on with what it knew."""
    reader, other = ChangeReader(), ChangeReader()
    for hours in range(5):
        add_change(connection, rights_changed(1, hours), NOW + timedelta(hours=hours))
        if hours < 2:
            reader.begin(connection)
    change_log.trim(connection, NOW + timedelta(hours=3))
    assert reader.read(connection) == EVERYTHING
    assert reader.read(connection) == NOTHING
    add_change(connection, Change(ChangeKind.SETTINGS, 1), NOW)
    assert reader.read(connection) == change_set([Change(ChangeKind.SETTINGS, 1)])
    assert other.read(connection) == EVERYTHING  # it began before the first entry


def test_old_entries_are_removed_but_for_the_newest_of_them(connection: Connection) -> None:
    reader = ChangeReader()
    reader.begin(connection)
    change_log.trim(connection, NOW)
    for hours in range(3):
        add_change(connection, rights_changed(1, hours), NOW + timedelta(hours=hours))
    assert reader.read(connection) == change_set([rights_changed(1, hours) for hours in range(3)])
    for _ in range(2):
        change_log.trim(connection, NOW + timedelta(days=1))
        ids = connection.exec_driver_sql("SELECT id FROM changes").scalars().all()
        assert ids == [3]
    assert reader.read(connection) == NOTHING
    add_change(connection, Change(ChangeKind.SETTINGS, 2), NOW)
    assert reader.read(connection) == change_set([Change(ChangeKind.SETTINGS, 2)])


def test_a_server_that_lost_the_newest_entries_in_a_failover(connection: Connection) -> None:
    """Without a synchronous standby: numbers are then given again."""
    reader = ChangeReader()
    add(connection, 1)
    add(connection, 2)
    reader.begin(connection)
    connection.exec_driver_sql("DELETE FROM changes WHERE id = 2")
    assert reader.read(connection) == EVERYTHING
    add(connection, 2)
    assert reader.read(connection) == change_set([rights_changed(1)])
