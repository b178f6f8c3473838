"""The database behind the ports of `services`: tables, queries and migrations."""

from __future__ import annotations

from pathlib import Path

from visavis.store.addresses import POSTGRESQL
from visavis.store.sql import SqlStore
from visavis.store.sqlite import SqliteDatabase

__all__ = ["POSTGRESQL", "SqlStore", "open_store"]


def open_store(
    database: str, *, connect_seconds: int = 5, statement_seconds: float = 10
) -> SqlStore:
    """Open a database, made or migrated to today's schema.

    `database` is a path, or an address that begins with postgresql://, for which the limits are:
    the time to connect to each server, and the time that a statement may take. Raises
    `sqlalchemy.exc.OperationalError` when it cannot be had, `UnusableDatabaseError` when a newer
    version has migrated it already, or when it cannot hold every text.
    """
    if database.startswith(POSTGRESQL):
        # its driver is a fifth of what a command has to import
        from visavis.store.postgresql import PostgresqlDatabase

        return SqlStore(PostgresqlDatabase(database, connect_seconds, statement_seconds))
    return SqlStore(SqliteDatabase(Path(database)))
