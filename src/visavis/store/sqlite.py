"""SQLite: one file, WAL, one writer at a time."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, create_engine, event

from visavis.store.migrations import migrate

BUSY_SECONDS: Final = 10
WATCH_SECONDS: Final = 0.5
PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # durable before the answer is sent, also in WAL mode
    "PRAGMA foreign_keys=ON",
)
VERSION: Final = "PRAGMA user_version"


class SqliteDatabase:
    """Implements `store.sql.Database`, made or migrated to today's schema."""

    writers = 1  # they queue for our thread instead of in SQLite's busy loop
    readers = 2
    queue_seconds = None
    begin_to_read = "BEGIN"
    begin_to_write = "BEGIN IMMEDIATE"  # or two that have read could not both write

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.engine = create_engine(
            f"sqlite:///{path}",
            # without a level: the driver would begin late, and never IMMEDIATE
            connect_args={"timeout": BUSY_SECONDS, "isolation_level": None},
            pool_size=self.writers + self.readers,
            hide_parameters=True,  # an error's text goes to the log
        )
        event.listen(self.engine, "connect", _prepare)
        with self.engine.connect() as connection:
            migrate(connection, before=_begin_to_write)
        self._watcher = sqlite3.connect(path, check_same_thread=False)
        self._watching = threading.Lock()  # SQLite crashes if a connection is closed in use

    def notify(self, connection: Connection) -> None:
        """Count the change. SQLite's `data_version` also counts this process's own writes."""
        version = connection.exec_driver_sql(VERSION).scalar_one()
        connection.exec_driver_sql(f"{VERSION} = {(version + 1) % 2**31}")

    async def changes(self) -> AsyncGenerator[None]:
        seen = await asyncio.to_thread(self._version)
        yield  # for whatever was missed before
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            version = await asyncio.to_thread(self._version)
            if version != seen:
                seen = version
                yield

    def close(self) -> None:
        with self._watching:
            self._watcher.close()
        self.engine.dispose()

    def _version(self) -> int:
        with self._watching:
            (version,) = self._watcher.execute(VERSION).fetchone()
        return int(version)


def _prepare(connection: Any, _: Any) -> None:
    for pragma in PRAGMAS:
        connection.execute(pragma)


def _begin_to_write(connection: Connection) -> None:
    connection.exec_driver_sql(SqliteDatabase.begin_to_write)
