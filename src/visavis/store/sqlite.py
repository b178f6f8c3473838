"""The store on SQLite: whole units of work, one thread hop each, durable before they return."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event

from visavis.services.ports import Transaction
from visavis.store.migrations import migrate
from visavis.store.rows import SqlTransaction

T = TypeVar("T")

BUSY_SECONDS: Final = 10
PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # durable before the answer is sent, also in WAL mode
    "PRAGMA foreign_keys=ON",
)


class SqliteStore:
    """Implements `services.ports.Store`. Writers queue here instead of in SQLite's busy loop."""

    def __init__(self, engine: Engine, watcher: sqlite3.Connection) -> None:
        self._engine = engine
        self._watcher = watcher
        self._writer = ThreadPoolExecutor(1, "store-write")
        self._readers = ThreadPoolExecutor(2, "store-read")

    async def read(self, work: Callable[[Transaction], T]) -> T:
        return await self._perform(self._readers, "BEGIN", work)

    async def write(self, work: Callable[[Transaction], T]) -> T:
        return await self._perform(self._writer, "BEGIN IMMEDIATE", work)

    async def data_version(self) -> int:
        """A number that differs once anybody has written."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._data_version)

    def close(self) -> None:
        self._writer.shutdown()
        self._readers.shutdown()
        self._watcher.close()
        self._engine.dispose()

    async def _perform(
        self, threads: ThreadPoolExecutor, begin: str, work: Callable[[Transaction], T]
    ) -> T:
        def unit() -> T:
            connection = self._engine.connect().execution_options(begin=begin)
            with connection, connection.begin():
                return work(SqlTransaction(connection))

        return await asyncio.get_running_loop().run_in_executor(threads, unit)

    def _data_version(self) -> int:
        # SQLite counts per connection: always ask the same one
        (version,) = self._watcher.execute("PRAGMA data_version").fetchone()
        return int(version)


def open_store(database: Path) -> SqliteStore:
    """Open the database, made or migrated to today's schema."""
    database.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        f"sqlite:///{database}",
        connect_args={"timeout": BUSY_SECONDS, "isolation_level": None},
        pool_size=3,
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    with engine.connect().execution_options(begin="BEGIN IMMEDIATE") as connection:
        migrate(connection)
    return SqliteStore(engine, sqlite3.connect(database, check_same_thread=False))


def _prepare(connection: Any, _: Any) -> None:
    for pragma in PRAGMAS:
        connection.execute(pragma)


def _begin(connection: Connection) -> None:
    # the driver would begin late, and never IMMEDIATE
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))
