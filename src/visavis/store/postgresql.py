"""PostgreSQL: for several nodes, which tell each other of changes by LISTEN and NOTIFY."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final

import psycopg
from sqlalchemy import Connection, ExceptionContext, create_engine, event, make_url, text

from visavis.store.migrations import migrate

CHANNEL: Final = "visavis_changes"
MIGRATION_LOCK: Final = 0x76697361


HEARTBEAT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 5.0
LIMITS: Final = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"""libpq's parameters; with its defaults a dead connection is noticed after hours."""


class PostgresqlDatabase:
    """Implements `store.sql.Database`, migrated to today's schema.

    Raises `sqlalchemy.exc.OperationalError` when the server cannot be reached.
    """

    writers = 4
    readers = 4
    write_options: Final[dict[str, str]] = {}

    def __init__(self, url: str) -> None:
        address = make_url(url).set(drivername="postgresql+psycopg")
        given = address.get_dialect()().create_connect_args(address)[1]
        self._parameters = _defaults(given) | dict(given)
        self.engine = create_engine(
            address,
            connect_args=self._parameters,
            pool_size=self.writers + self.readers,
            pool_pre_ping=True,
            hide_parameters=True,  # an error's text goes to the log
        )
        event.listen(self.engine, "handle_error", _leave_standby)
        with self.engine.connect() as connection:
            migrate(connection, before=_alone)

    def notify(self, connection: Connection) -> None:
        connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})

    async def changes(self) -> AsyncGenerator[None]:
        """Raise `psycopg.Error` or `TimeoutError` when changes can no longer be heard.

        That is so when the connection is lost, and on a standby, which takes no LISTEN.
        """
        connection = await psycopg.AsyncConnection.connect(autocommit=True, **self._parameters)
        async with connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            yield  # for whatever was missed before
            while True:
                async for _ in connection.notifies(timeout=HEARTBEAT_SECONDS):
                    yield
                # a server that was cut off or frozen is silent like one without changes
                async with asyncio.timeout(ANSWER_SECONDS):
                    await connection.execute("SELECT 1")

    def close(self) -> None:
        self.engine.dispose()


def _defaults(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is added to the parameters of an address; of several hosts, use the primary."""
    is_one_of_several = "," in given.get("host", "")
    return LIMITS | ({"target_session_attrs": "read-write"} if is_one_of_several else {})


def _alone(connection: Connection) -> None:
    """Two nodes may start at once: only one of them migrates."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})


def _leave_standby(context: ExceptionContext) -> None:
    """Give up all connections of a server that became a standby: another one may take writes."""
    if isinstance(context.original_exception, psycopg.errors.ReadOnlySqlTransaction):
        context.is_disconnect = True
