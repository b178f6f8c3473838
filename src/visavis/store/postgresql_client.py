"""Connections to PostgreSQL servers of which one takes writes and any may stop answering."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeVar

import psycopg
import structlog
from psycopg.abc import PQGen
from psycopg.errors import Diagnostic, ReadOnlySqlTransaction
from sqlalchemy.exc import ArgumentError

T = TypeVar("T")
log = structlog.get_logger(__name__)

ENCODING: Final = {"client_encoding": "utf8"}
"""Otherwise the driver would return bytes from a database without an encoding."""
LIMITS: Final = {
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 4_000,
}
"""libpq's parameters; by default it takes a quarter of an hour to notice that a machine is gone."""

IDLE_SECONDS: Final = 5.0
"""Time that the server grants a transaction between two statements.

A frozen process would keep its locks: its kernel goes on acknowledging packets, and everybody else
would wait for it. The limit is shorter than the one of a statement, so that those who wait succeed.
"""

POLL_SECONDS: Final = 0.1
CANCEL_SECONDS: Final = 1.0

_HOSTS: Final = re.compile(r"^(\w+://(?:[^/?#]*@)?)([^/?#@]*,[^/?#@]*)")
_HOST: Final = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(?::(\d*))?")


class UnconfirmedCommitError(psycopg.OperationalError):
    """The server has committed a transaction that no synchronous standby has confirmed."""


class PostgresqlConnection(psycopg.Connection[Any]):
    """Connection that does not wait forever, and does not take every COMMIT for durable.

    The time limit is the client's own: a frozen server enforces none, and its kernel goes on
    acknowledging packets, so that TCP notices nothing. `statement_seconds` is None for no limit.
    """

    statement_seconds: float | None = None
    on_silence: Callable[[], None] = staticmethod(lambda: None)
    _is_unconfirmed = False

    def wait(
        self, gen: PQGen[T], interval: float = POLL_SECONDS, timeout: float | None = None
    ) -> T:
        limit = self.statement_seconds if timeout is None else timeout
        try:
            return super().wait(gen, interval, limit)
        except psycopg.errors._WaitTimeout:
            return self._cancelled(gen, interval)

    def commit(self) -> None:
        """Commit; raises `UnconfirmedCommitError` if the server did not wait for its standby.

        A COMMIT that is cancelled while it waits for a synchronous standby succeeds with a warning:
        it is durable on that server only, and lost if the standby is promoted.
        """
        self._is_unconfirmed = False
        self.add_notice_handler(self._note)
        try:
            super().commit()
        finally:
            self.remove_notice_handler(self._note)
        if self._is_unconfirmed:
            raise UnconfirmedCommitError("no standby has confirmed the change")

    def _note(self, notice: Diagnostic) -> None:
        if notice.source_function == "SyncRepWaitForLSN":  # unlike its text not translated
            self._is_unconfirmed = True

    def _cancelled(self, gen: PQGen[T], interval: float) -> T:
        """Cancel the statement; close the connection of a server that does not even do that."""
        self._try_cancel(timeout=CANCEL_SECONDS)
        try:
            return super().wait(gen, interval, CANCEL_SECONDS)
        except psycopg.errors._WaitTimeout:
            pass
        self.pgconn.finish()
        self.on_silence()
        raise psycopg.OperationalError("the server does not answer")


class Connector:
    """Opens connections, first to the server that was the right one the last time.

    A server that was given up comes last: otherwise each connection would first wait for it.
    """

    def __init__(self, statement_seconds: float) -> None:
        self.statement_seconds = statement_seconds
        self._server = ""
        self._silent = ""

    def connect(self, parameters: Mapping[str, Any]) -> PostgresqlConnection:
        started_at = time.monotonic()
        chosen = in_order(parameters, first=self._server, last=self._silent)
        connection = PostgresqlConnection.connect(**chosen)
        connection.statement_seconds = self.statement_seconds
        limit_idle_transactions(connection)
        server = f"{connection.info.host}:{connection.info.port}"
        connection.on_silence = partial(self._give_up, server)
        before, self._server = self._server, server
        if before and before != server:
            log.warning(
                "the database is on another server now",
                server=server,
                before=before,
                seconds=round(time.monotonic() - started_at, 1),
            )
        return connection

    def _give_up(self, server: str) -> None:
        log.error("the database server does not answer: giving it up", server=server)
        self._silent = server


def limit_idle_transactions(connection: psycopg.Connection[Any]) -> None:
    """Have the server end a session that leaves a transaction idle for `IDLE_SECONDS`."""
    connection.autocommit = True
    limit = f"{IDLE_SECONDS * 1000:.0f}ms"
    connection.execute(
        "SELECT set_config('idle_in_transaction_session_timeout', %s, false)", [limit]
    )
    connection.autocommit = False


def in_order(parameters: Mapping[str, Any], *, first: str, last: str) -> dict[str, Any]:
    """Return the parameters with the hosts in the order in which to try them."""
    hosts, ports = parameters.get("host", "").split(","), _ports(parameters)
    if len(hosts) < 2 or "hostaddr" in parameters:
        return dict(parameters)
    pairs = list(zip(hosts, ports * len(hosts) if len(ports) == 1 else ports, strict=True))
    names = {pair: f"{pair[0]}:{pair[1] or 5432}" for pair in pairs}
    pairs.sort(key=lambda pair: (names[pair] == last, names[pair] != first))
    return {
        **parameters,
        "host": ",".join(host for host, _ in pairs),
        "port": ",".join(port for _, port in pairs),
    }


def _ports(parameters: Mapping[str, Any]) -> list[str]:
    return str(parameters.get("port") or "").split(",")


def without_hosts(address: str) -> tuple[str, dict[str, str]]:
    """Return an address such as postgresql://a:5432,b/name without its hosts, and their parameters.

    libpq takes such addresses, but SQLAlchemy reads one host only. Raises `ArgumentError`.
    """
    found = _HOSTS.match(address)
    if found is None:
        return address, {}
    pairs = [_HOST.fullmatch(host) for host in found[2].split(",")]
    if not all(pairs):
        raise ArgumentError(f"not a list of hosts: {found[2]}")
    hosts = ",".join(pair[1].strip("[]") for pair in pairs if pair)
    ports = ",".join(pair[2] or "" for pair in pairs if pair)
    return found[1] + address[found.end() :], {"host": hosts, "port": ports}


def has_left_primary(error: BaseException | None) -> bool:
    """Whether a connection is of no use any longer, although the server is still there."""
    return isinstance(error, ReadOnlySqlTransaction | UnconfirmedCommitError)
