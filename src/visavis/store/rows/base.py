"""Base class of the queries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CursorResult, Table
from sqlalchemy.dialects import sqlite


@dataclass(frozen=True)
class Rows:
    """The queries of one table, in one transaction.

    `_changed` is to be called wherever other processes may remember what a query changes.
    """

    _run: Callable[..., CursorResult[*tuple[Any, ...]]]
    _is_postgresql: bool
    _changed: Callable[[], None]

    def _upsert(self, table: Table) -> Any:
        """An INSERT with ON CONFLICT, which both databases have and SQLAlchemy's core has not."""
        if not self._is_postgresql:
            return sqlite.insert(table)
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
