"""What the queries share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


class Rows:
    """The queries of one table, in one transaction.

    `changed` is to be called wherever other processes may remember what a query changes.
    """

    def __init__(self, connection: Connection, changed: Callable[[], None]) -> None:
        self._run = connection.execute
        self._is_postgresql = connection.dialect.name == "postgresql"
        self._changed = changed

    def _upsert(self, table: Table) -> Any:
        """An INSERT with ON CONFLICT, which both databases have and SQLAlchemy's core has not."""
        return postgresql.insert(table) if self._is_postgresql else sqlite.insert(table)
