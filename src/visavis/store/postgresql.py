"""PostgreSQL: for several nodes, which tell each other of changes by LISTEN and NOTIFY."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import psycopg
from sqlalchemy import Connection, ExceptionContext, create_engine, event, make_url, text

from visavis.store.migrations import migrate

CHANNEL: Final = "visavis_changes"
MIGRATION_LOCK: Final = 0x76697361


class PostgresqlDatabase:
    """Implements `store.sql.Database`, migrated to today's schema.

    Raises `sqlalchemy.exc.OperationalError` when the server cannot be reached.
    """

    writers = 4
    readers = 4
    write_options: Final[dict[str, str]] = {}

    def __init__(self, url: str) -> None:
        dialect = make_url(url).set(drivername="postgresql+psycopg")
        self._address = dialect.set(drivername="postgresql").render_as_string(hide_password=False)
        self.engine = create_engine(
            dialect,
            pool_size=self.writers + self.readers,
            pool_pre_ping=True,
            hide_parameters=True,  # an error's text goes to the log
        )
        event.listen(self.engine, "handle_error", _leave_standby)
        with self.engine.connect() as connection:
            migrate(connection, before=_alone)

    def tell(self, connection: Connection) -> None:
        connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})

    async def changes(self) -> AsyncIterator[None]:
        """Raises `psycopg.Error` when the connection is lost or the server takes no LISTEN."""
        connection = await psycopg.AsyncConnection.connect(self._address, autocommit=True)
        async with connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            yield  # for whatever was missed before
            async for _ in connection.notifies():
                yield

    def close(self) -> None:
        self.engine.dispose()


def _alone(connection: Connection) -> None:
    """Two nodes may start at once: only one of them migrates."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})


def _leave_standby(context: ExceptionContext) -> None:
    """Give up all connections of a server that became a standby: another one may take writes."""
    if isinstance(context.original_exception, psycopg.errors.ReadOnlySqlTransaction):
        context.is_disconnect = True
