"""The store: units of work, each run in a thread and durable when it returns."""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from collections.abc import AsyncGenerator, Callable, Hashable, Iterator, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol, TypeVar

import structlog
from sqlalchemy import Compiled, Connection, Dialect, Engine, RootTransaction, insert
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from visavis.domain.changes import EVERYTHING, Change, ChangeKind, ChangeSet, change_set
from visavis.domain.errors import ErrorCode, ErrorKind, VisavisError
from visavis.domain.membership import Member
from visavis.services.ports import MemberWatch, Transaction
from visavis.store import change_log
from visavis.store import tables as t
from visavis.store.change_log import RETENTION_SECONDS, ChangeReader
from visavis.store.rows.audit import SqlAuditRows
from visavis.store.rows.calls import SqlCallRows, SqlNodeRows
from visavis.store.rows.jobs import SqlJobRows
from visavis.store.rows.library import SqlLibraryRows
from visavis.store.rows.live_calls import SqlLiveCallRows
from visavis.store.rows.members import SqlMemberRows
from visavis.store.rows.oauth import SqlClientRows, SqlCodeRows, SqlCredentialRows, SqlKeyRows
from visavis.store.rows.people import SqlAgentRows, SqlRoleRows, SqlSiteRows
from visavis.store.rows.recordings import SqlRecordingRows
from visavis.store.rows.settings import SqlSettingsRows
from visavis.store.rows.site_owners import SqlSiteOwnerRows
from visavis.store.rows.upload_keys import SqlUploadKeyRows
from visavis.store.rows.uploads import SqlRecordingObjectRows, SqlUploadRows
from visavis.tasks import describe

T = TypeVar("T")

log = structlog.get_logger(__name__)

WATCH_SECONDS: Final = 0.5
WAKE_SECONDS: Final = 0.05
"""Pause after `wake`, so that one reading serves several calls of it."""
ANSWER_SECONDS: Final = 2.0
"""Time that reading the log of changes may take."""
CURRENT_SECONDS: Final = 1.0
"""Time after a reading of the log for which no later change is expected to matter."""
MAX_STATEMENTS: Final = 2000
"""Compiled statements that are kept."""


class Database(Protocol):
    """The differences between the databases."""

    @property
    def engine(self) -> Engine: ...
    @property
    def log_engine(self) -> Engine:
        """Engine for the log of changes and for beats, which need not be durable."""

    @property
    def may_miss_beats(self) -> bool:
        """Whether a beat that cannot be written at once may be left out."""

    @property
    def writers(self) -> int:
        """Threads for writing; one where the database lets only one write anyway."""

    @property
    def readers(self) -> int: ...
    @property
    def begin_to_read(self) -> str:
        """Statement that begins a transaction of reads; empty if the driver begins it."""

    @property
    def begin_to_write(self) -> str: ...
    @property
    def queue_seconds(self) -> float | None:
        """Time that a unit of work may wait for a thread; None for no limit."""

    def require_primary(self, connection: Connection) -> None:
        """Raise `StoreUnavailable` if the server may not have the newest changes."""

    def close(self) -> None: ...


class SqlTransaction:
    """Implements `services.ports.Transaction` on one connection.

    `changes` are those of data that processes keep in memory; the log of changes has them too.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.changes: list[Change] = []
        rest = connection.execute, connection.dialect.name == "postgresql", self._changed
        self.sites = SqlSiteRows(*rest)
        self.agents = SqlAgentRows(*rest)
        self.roles = SqlRoleRows(*rest)
        self.credentials = SqlCredentialRows(*rest)
        self.codes = SqlCodeRows(*rest)
        self.clients = SqlClientRows(*rest)
        self.keys = SqlKeyRows(*rest)
        self.settings = SqlSettingsRows(*rest)
        self.audit = SqlAuditRows(*rest)
        self.nodes = SqlNodeRows(*rest)
        self.members = SqlMemberRows(*rest)
        self.jobs = SqlJobRows(*rest)
        self.site_owners = SqlSiteOwnerRows(*rest)
        self.calls = SqlCallRows(*rest)
        self.live_calls = SqlLiveCallRows(*rest)
        self.recordings = SqlRecordingRows(*rest)
        self.library = SqlLibraryRows(*rest)
        self.upload_keys = SqlUploadKeyRows(*rest)
        self.uploads = SqlUploadRows(*rest)
        self.recording_objects = SqlRecordingObjectRows(*rest)

    def _changed(self, change: Change) -> None:
        if change not in self.changes:
            self.changes.append(change)
            values = {"kind": change.kind, "site_id": change.site_id, "agent_id": change.agent_id}
            at = datetime.now(UTC).isoformat(timespec="microseconds")
            self._connection.execute(insert(t.changes).values(at=at, **values))


class SqlStore:
    """Implements `services.ports.Store`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writers = ThreadPoolExecutor(database.writers, "store-write")
        self._readers = ThreadPoolExecutor(database.readers, "store-read")
        self.on_rights_change: list[Callable[[ChangeSet], None]] = []
        self.on_commit: list[Callable[[], None]] = []
        """Listeners for transactions of this process that have written to the log of changes."""
        self._is_woken = asyncio.Event()
        self._is_read_until = math.inf
        """Begin of the last reading of the log of changes, which not every process reads."""

    async def is_there(self) -> bool:
        """Whether the database answers."""
        try:
            await self.read(lambda rows: rows.nodes.newest_archive_url())
        except VisavisError:
            return False
        return True

    async def read(self, work: Callable[[Transaction], T]) -> T:
        def unit() -> T:
            with self._database.engine.connect() as connection, connection.begin():
                _begin(connection, self._database.begin_to_read)
                return work(SqlTransaction(connection))

        return await self._perform(self._readers, unit)

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Implement `services.ports.Store.write`.

        Raises `ChangeUnconfirmed` when the connection is lost during the commit.
        """

        def unit() -> tuple[T, list[Change]]:
            with self._database.engine.connect() as connection, connection.begin() as begun:
                _begin(connection, self._database.begin_to_write)
                transaction = SqlTransaction(connection)
                result = work(transaction)
                _commit(begun)
            return result, transaction.changes

        result, changes = await self._perform(self._writers, unit)
        if rights := [change for change in changes if change.kind is ChangeKind.RIGHTS]:
            self._tell(change_set(rights))
        if changes:
            for listener in self.on_commit:
                listener()
        return result

    def wake(self) -> None:
        """Read the log of changes soon, since another process has written to it."""
        self._is_woken.set()

    def is_current(self) -> bool:
        return time.monotonic() - self._is_read_until < CURRENT_SECONDS

    def _tell(self, changes: ChangeSet) -> None:
        for listener in self.on_rights_change:
            listener(changes)

    async def _perform(
        self, threads: ThreadPoolExecutor, unit: Callable[[], T], *, may_repeat: bool = True
    ) -> T:
        begun_at, limit = time.monotonic(), self._database.queue_seconds

        def perform() -> T:
            if limit and time.monotonic() - begun_at > limit:  # nobody waits for it any longer
                raise VisavisError(ErrorKind.StoreUnavailable)
            return _performed(unit) if may_repeat else unit()

        try:
            return await asyncio.get_running_loop().run_in_executor(threads, perform)
        except DBAPIError as error:
            if not is_unavailable(error):
                raise
            # every request fails during an outage: the stack is the same and is left out
            log.error("the database does not answer", reason=describe(error.orig or error))  # noqa: TRY400
            raise VisavisError(ErrorKind.StoreUnavailable) from error

    async def changes(self, members: MemberWatch | None = None) -> AsyncGenerator[ChangeSet]:
        """Follow the log of changes: notify the listeners, then yield each set of changes.

        The first set is `EVERYTHING`, because earlier changes were not seen; the listeners also
        receive it at the end. Every second reading is a beat of this process among the `members`.
        Never returns; raises `VisavisError` or `TimeoutError` when the log cannot be read.
        """
        reader = ChangeReader()

        def begin(connection: Connection) -> ChangeSet:
            reader.begin(connection)
            return EVERYTHING

        read: Callable[[Connection], ChangeSet] = begin
        self._is_read_until = -math.inf
        watches = itertools.cycle((members, None))
        try:
            while True:
                started_at = time.monotonic()
                changes = await self._read_log(read, next(watches))
                self._is_read_until, read = started_at, reader.read
                if changes.rights or changes.is_everything:
                    self._tell(changes)
                if changes != ChangeSet():
                    yield changes
                await self._wait()
        finally:
            self._is_read_until = -math.inf
            self._tell(EVERYTHING)

    async def _wait(self) -> None:
        """Wait until it is time to read the log of changes again."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._is_woken.wait(), WATCH_SECONDS)
            await asyncio.sleep(WAKE_SECONDS)
        self._is_woken.clear()

    async def trim_changes(self) -> None:
        """Remove the changes that every process has read, or has to assume."""
        before = datetime.now(UTC) - timedelta(seconds=RETENTION_SECONDS)

        def unit() -> None:
            with self._database.engine.connect() as connection, connection.begin():
                _begin(connection, self._database.begin_to_write)
                change_log.trim(connection, before)

        await self._perform(self._writers, unit)

    async def _read_log(
        self, read: Callable[[Connection], ChangeSet], watch: MemberWatch | None
    ) -> ChangeSet:
        me = watch.report() if watch else None

        def unit() -> tuple[ChangeSet, Sequence[Member]]:
            with self._database.log_engine.connect() as connection, connection.begin():
                _begin(connection, self._database.begin_to_read)
                members = self._beat(connection, me) if me else ()
                if not me:  # a beat requires a primary anyway
                    self._database.require_primary(connection)
                return read(connection), members

        async with asyncio.timeout(ANSWER_SECONDS):
            # a reader that is asked twice skips the entries that it has taken note of
            changes, members = await self._perform(self._readers, unit, may_repeat=False)
        if watch and members:
            watch.observe(members)
        return changes

    def _beat(self, connection: Connection, me: Member) -> Sequence[Member]:
        """Add a beat and return all members; return none if the beat was left out."""
        try:
            return SqlTransaction(connection).members.beat(me)
        except OperationalError:
            if not self._database.may_miss_beats:
                raise
            return ()

    def close(self) -> None:
        self._writers.shutdown()
        self._readers.shutdown()
        self._database.close()


def is_unavailable(error: DBAPIError) -> bool:
    """Whether a retry may succeed: the database is unreachable, read-only or recovering."""
    return isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated


def _performed(unit: Callable[[], T]) -> T:
    """Perform a unit of work, once more if its connection is lost before its commit.

    It has changed nothing then, and another server may be the primary. A connection that is lost
    during the commit leaves open whether the unit was committed: it is not repeated.
    """
    try:
        return unit()
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        log.warning("the connection to the database was lost", reason=describe(error.orig or error))
    return unit()


def _begin(connection: Connection, statement: str) -> None:
    if statement:
        connection.exec_driver_sql(statement)


def _commit(transaction: RootTransaction) -> None:
    try:
        transaction.commit()
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        log.error("a change was not confirmed", reason=describe(error.orig or error))  # noqa: TRY400
        raise VisavisError(ErrorCode.ChangeUnconfirmed) from error


class CompiledStatements(MutableMapping[Any, Compiled]):
    """Cache of SQLAlchemy for several engines (its execution option `compiled_cache`).

    Compiling a statement takes longer than executing it. SQLAlchemy's own cache is of one engine,
    and its keys begin with the engine's dialect. Here they begin with what the SQL depends on: the
    kind of the dialect and the server's version.
    """

    def __init__(self) -> None:
        self._statements: dict[Hashable, Compiled] = {}

    def __getitem__(self, key: tuple[Any, ...]) -> Compiled:
        return self._statements[_shared(key)]

    def __setitem__(self, key: tuple[Any, ...], compiled: Compiled) -> None:
        if len(self._statements) >= MAX_STATEMENTS:
            self._statements.clear()  # our statements are far fewer, unless searches vary much
        self._statements[_shared(key)] = compiled

    def __delitem__(self, key: tuple[Any, ...]) -> None:
        del self._statements[_shared(key)]

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._statements))

    def __len__(self) -> int:
        return len(self._statements)


def _shared(key: tuple[Any, ...]) -> Hashable:
    dialect: Dialect = key[0]
    return type(dialect), dialect.server_version_info, key[1:]


EXECUTION_OPTIONS: Final = {"compiled_cache": CompiledStatements()}
"""Options with which every engine of the store is created."""
