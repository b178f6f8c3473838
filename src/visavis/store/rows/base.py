"""Base class of the queries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import sqlite


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
        if not self._is_postgresql:
            return sqlite.insert(table)
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
