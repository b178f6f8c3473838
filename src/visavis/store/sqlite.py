"""SQLite: one file, WAL, one writer at a time."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
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
IMMEDIATE: Final = {"begin": "BEGIN IMMEDIATE"}


class SqliteDatabase:
    """Implements `store.sql.Database`, made or migrated to today's schema."""

    writers = 1  # they queue for our thread instead of in SQLite's busy loop
    readers = 2
    write_options = IMMEDIATE

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.engine = create_engine(
            f"sqlite:///{path}",
            connect_args={"timeout": BUSY_SECONDS, "isolation_level": None},
            pool_size=self.writers + self.readers,
            hide_parameters=True,  # an error's text goes to the log
        )
        event.listen(self.engine, "connect", _prepare)
        event.listen(self.engine, "begin", _begin)
        with self.engine.connect().execution_options(**IMMEDIATE) as connection:
            migrate(connection)
        self._watcher = sqlite3.connect(path, check_same_thread=False)

    def tell(self, connection: Connection) -> None:
        """SQLite itself counts the writes."""

    async def changes(self) -> AsyncIterator[None]:
        seen = await asyncio.to_thread(self._data_version)
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            version = await asyncio.to_thread(self._data_version)
            if version != seen:
                seen = version
                yield

    def close(self) -> None:
        self._watcher.close()
        self.engine.dispose()

    def _data_version(self) -> int:
        # SQLite counts per connection: always ask the same one
        (version,) = self._watcher.execute("PRAGMA data_version").fetchone()
        return int(version)


def _prepare(connection: Any, _: Any) -> None:
    for pragma in PRAGMAS:
        connection.execute(pragma)


def _begin(connection: Connection) -> None:
    # the driver would begin late, and never IMMEDIATE
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))
