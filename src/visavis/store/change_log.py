"""The log of changes, by which processes tell one another which data in memory is out of date.

An entry is written in the transaction of its change and read by every process twice a second.
PostgreSQL's NOTIFY would be faster, but it lets one transaction commit at a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, func, or_, select

from visavis.domain.changes import (
    EVERYTHING,
    Change,
    ChangeKind,
    ChangeSet,
    change_set,
)
from visavis.store import tables as t

RETENTION_SECONDS: Final = 3600.0
MAX_ENTRIES: Final = 1_000
"""New entries, and missing ones, up to which a reader tells the changes by name."""


def trim(connection: Connection, before: datetime) -> None:
    """Remove the entries from before a time in UTC, except the newest of them.

    A reader finds the entry that it has read last unless it has been away since that time, and no
    number is given twice.
    """
    c = t.changes.c
    is_old = c.at < before.isoformat(timespec="microseconds")
    newest = select(func.max(c.id)).where(is_old).scalar_subquery()
    connection.execute(delete(t.changes).where(c.id < newest))


class ChangeReader:
    """Reads every entry once, also one whose transaction commits after that of a later entry.

    The number of such an entry is missing at first. It is looked for as long as entries are kept:
    its transaction may still be open, or may have been rolled back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = 0
        self._missing: dict[int, float] = {}
        """Times at which the numbers were found missing."""

    def begin(self, connection: Connection) -> None:
        """Skip the entries that are there."""
        c = t.changes.c
        query = select(c.id).order_by(c.id.desc()).limit(MAX_ENTRIES)
        found = list(connection.execute(query).scalars())
        self._last = found[0] if found else 0
        oldest = max(found[-1], self._last - MAX_ENTRIES) if found else 0
        missing = set(range(oldest, self._last)).difference(found)
        self._missing = dict.fromkeys(missing, self._clock())

    def read(self, connection: Connection) -> ChangeSet:
        """Return the changes since the last time; `EVERYTHING` if that is too long ago."""
        c = t.changes.c
        is_unread = or_(c.id >= self._last, c.id.in_(list(self._missing)))
        query = select(t.changes).where(is_unread).order_by(c.id).limit(2 * MAX_ENTRIES + 2)
        rows = connection.execute(query).all()
        found = {row.id for row in rows}
        newest = max(found, default=0)
        # the last one is gone if the log was trimmed meanwhile, or lost entries in a fail-over
        is_complete = not (self._last or rows) or max(self._last, 1) in found
        if not is_complete or newest - self._last > MAX_ENTRIES:
            self.begin(connection)
            return EVERYTHING
        changes = [
            Change(ChangeKind(row.kind), row.site_id, row.agent_id)
            for row in rows
            if row.id != self._last
        ]
        self._look_for_missing(found, newest)
        self._last = newest
        if len(self._missing) > MAX_ENTRIES:
            self._missing.clear()
            return EVERYTHING
        return change_set(changes)

    def _look_for_missing(self, found: set[int], newest: int) -> None:
        now = self._clock()
        self._missing = {
            number: since
            for number, since in self._missing.items()
            if number not in found and now - since < RETENTION_SECONDS
        }
        skipped = set(range(self._last + 1, newest)) - found
        self._missing.update(dict.fromkeys(skipped, now))
