"""Base class of the queries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, CursorResult, Row, Table, literal_column
from sqlalchemy.dialects import sqlite

from visavis.domain.changes import Change, rights_changed

DATABASE_TIME: Final[ColumnElement[float]] = literal_column(
    "extract(epoch FROM clock_timestamp())::float8"
)
SQLITE_TIME: Final[ColumnElement[float]] = literal_column(
    "(julianday('now') - 2440587.5) * 86400.0"
)


_SAVING: Final[dict[tuple[Any, ...], Any]] = {}
"""Statements that save a row, by database, table and columns."""


@dataclass(frozen=True)
class Rows:
    """The queries of one table, in one transaction.

    `_changed` is to be called wherever processes may keep in memory what a query changes.
    """

    _run: Callable[..., CursorResult[*tuple[Any, ...]]]
    _is_postgresql: bool
    _changed: Callable[[Change], None]

    def _upsert(self, table: Table) -> Any:
        """An INSERT with ON CONFLICT, which both databases have and SQLAlchemy's core has not."""
        if not self._is_postgresql:
            return sqlite.insert(table)
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)

    def _save(self, table: Table, key: str, values: Mapping[str, Any], **of_new: Any) -> None:
        """Insert a row with these values, or update them in the row that has the same key.

        `of_new` are further values of a new row. The statement is built once, which takes longer
        than to run it.
        """
        saving = (self._is_postgresql, table.name, *values)
        statement = _SAVING.get(saving)
        if statement is None:
            insert = self._upsert(table)
            columns = {name: insert.excluded[name] for name in values}
            statement = insert.on_conflict_do_update(index_elements=[key], set_=columns)
            _SAVING[saving] = statement
        self._run(statement, {**values, **of_new})

    def _database_time(self) -> ColumnElement[float]:
        """Return the time of the database, the same for all processes, in seconds since 1970."""
        return DATABASE_TIME if self._is_postgresql else SQLITE_TIME

    def _rights_changed(self, agents: Iterable[Row[Any]]) -> int:
        """Note that the rights of these agents have changed; return how many rows there were."""
        pairs = [(row.site_id, row.agent_id) for row in agents]
        for site_id, agent_id in dict.fromkeys(pairs):
            self._changed(rights_changed(site_id, agent_id))
        return len(pairs)
