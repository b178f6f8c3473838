"""SQLite: one file, WAL, one writer at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, create_engine, event

from visavis.store.migrations import migrate
from visavis.store.sql import EXECUTION_OPTIONS

BUSY_SECONDS: Final = 10
LOG_BUSY_SECONDS: Final = 0.2
PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # durable before the answer is sent, also in WAL mode
    "PRAGMA foreign_keys=ON",
)


class SqliteDatabase:
    """Implements `store.sql.Database`, made or migrated to today's schema.

    A beat is not synced to disk, and is left out while another transaction writes, because no other
    member waits for it.
    """

    writers = 1  # they queue for our thread instead of in SQLite's busy loop
    readers = 2
    queue_seconds = None
    may_miss_beats = True
    begin_to_read = "BEGIN"
    begin_to_write = "BEGIN IMMEDIATE"  # or two that have read could not both write

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.engine = create_engine(
            f"sqlite:///{path}",
            # without a level: the driver would begin late, and never IMMEDIATE
            connect_args={"timeout": BUSY_SECONDS, "isolation_level": None},
            pool_size=self.writers + self.readers,
            execution_options=EXECUTION_OPTIONS,
            hide_parameters=True,  # an error's text goes to the log
        )
        event.listen(self.engine, "connect", _prepare)
        self.log_engine = create_engine(
            f"sqlite:///{path}",
            connect_args={"timeout": LOG_BUSY_SECONDS, "isolation_level": None},
            pool_size=1,
            execution_options=EXECUTION_OPTIONS,
            hide_parameters=True,
        )
        event.listen(self.log_engine, "connect", _prepare_log)
        with self.engine.connect() as connection:
            migrate(connection, before=_begin_to_write)

    def require_primary(self, connection: Connection) -> None:
        """A file has no standby."""

    def close(self) -> None:
        self.engine.dispose()
        self.log_engine.dispose()


def _prepare(connection: Any, _: Any) -> None:
    for pragma in PRAGMAS:
        connection.execute(pragma)


def _prepare_log(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")


def _begin_to_write(connection: Connection) -> None:
    connection.exec_driver_sql(SqliteDatabase.begin_to_write)
