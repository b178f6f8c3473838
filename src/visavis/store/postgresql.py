"""PostgreSQL: for several nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from sqlalchemy import Connection, ExceptionContext, create_engine, event, make_url, text

from visavis.domain.errors import ErrorKind, UnusableDatabaseError, VisavisError
from visavis.store.migrations import migrate
from visavis.store.postgresql_client import (
    ENCODING,
    LIMITS,
    Connector,
    PostgresqlConnection,
    has_left_primary,
    without_hosts,
)
from visavis.store.sql import EXECUTION_OPTIONS

MIGRATION_LOCK: Final = 0x76697361


CONNECT_SECONDS: Final = 5
STATEMENT_SECONDS: Final = 10


class PostgresqlDatabase:
    """Implements `store.sql.Database`, migrated to today's schema.

    An address may name several servers: the one that takes writes is used. Each is tried for
    `connect_seconds`, and given up when a statement takes more than `statement_seconds`. Raises
    `sqlalchemy.exc.OperationalError` when no server can be reached.
    """

    writers = 4
    readers = 4
    begin_to_read = begin_to_write = ""
    may_miss_beats = False

    def __init__(
        self,
        url: str,
        connect_seconds: int = CONNECT_SECONDS,
        statement_seconds: float = STATEMENT_SECONDS,
    ) -> None:
        self.queue_seconds = statement_seconds
        plain, hosts = without_hosts(url)
        address = make_url(plain).set(drivername="postgresql+psycopg")
        given = {**address.get_dialect()().create_connect_args(address)[1], **hosts}
        self._parameters = _defaults(given) | {"connect_timeout": connect_seconds} | given
        self._connector = Connector(statement_seconds)
        self.engine = create_engine(
            address,
            connect_args=self._parameters,
            pool_size=self.writers + self.readers,
            pool_pre_ping=True,
            execution_options=EXECUTION_OPTIONS,
            hide_parameters=True,  # an error's text goes to the log
        )
        self.log_engine = self.engine
        event.listen(self.engine, "do_connect", self._connect)
        event.listen(self.engine, "handle_error", _leave_server)
        try:
            self._migrate()
        except UnusableDatabaseError:
            self.close()
            raise

    def _connect(self, _: Any, __: Any, ___: Any, parameters: dict[str, Any]) -> Any:
        return self._connector.connect(parameters)

    def _migrate(self) -> None:
        with self.engine.connect() as connection:
            _require_utf8(connection)
            driver = cast(PostgresqlConnection, connection.connection.driver_connection)
            driver.statement_seconds = None  # tables may be large, and another node may be at it
            migrate(connection, before=_alone)
            driver.statement_seconds = self._connector.statement_seconds

    def require_primary(self, connection: Connection) -> None:
        """Raise `StoreUnavailable` on a standby: its primary may be ahead of it."""
        if connection.execute(text("SELECT pg_is_in_recovery()")).scalar_one():
            raise VisavisError(ErrorKind.StoreUnavailable, "The database is a standby.")

    def close(self) -> None:
        self.engine.dispose()


def _defaults(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is added to the parameters of an address; of several hosts, use the primary."""
    is_one_of_several = "," in given.get("host", "")
    return LIMITS | ENCODING | ({"target_session_attrs": "read-write"} if is_one_of_several else {})


def _require_utf8(connection: Connection) -> None:
    """Raise `UnusableDatabaseError` if the database cannot hold the names of all people.

    `initdb` chooses the encoding by the locale, and takes none without one.
    """
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    connection.rollback()
    if encoding != "UTF8":
        raise UnusableDatabaseError(
            f"its encoding is {encoding}: create it with "
            "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        )


def _alone(connection: Connection) -> None:
    """Two nodes may start at once: only one of them migrates, however long it computes."""
    connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})


def _leave_server(context: ExceptionContext) -> None:
    """Give up all connections of a server that became a standby or has lost its own standby."""
    if has_left_primary(context.original_exception):
        context.is_disconnect = True
