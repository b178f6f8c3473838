"""Compiled statements: one compilation for all engines of the same kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Compiled, Dialect, event, literal, make_url, select
from sqlalchemy.engine.interfaces import CacheStats

from visavis.store import sql
from visavis.store.sql import CompiledStatements
from visavis.store.sqlite import SqliteDatabase


def dialect_of(name: str) -> Dialect:
    return make_url(f"{name}://").get_dialect()()


def test_a_second_store_compiles_no_statement_again(tmp_path: Path) -> None:
    found: list[CacheStats] = []

    def note(*arguments: Any) -> None:
        found.append(arguments[4].cache_hit)

    for name in ("first.db", "second.db"):
        database = SqliteDatabase(tmp_path / name)
        for number, engine in enumerate((database.engine, database.log_engine)):
            event.listen(engine, "after_cursor_execute", note)
            with engine.connect() as connection:
                value = connection.execute(select(literal(number).label("of_this_test"))).scalar()
                assert value == number  # the statement is shared, but not its values
        database.close()
    assert found == [CacheStats.CACHE_MISS, *[CacheStats.CACHE_HIT] * 3]


def test_kinds_and_versions_of_databases_share_nothing() -> None:
    statements = CompiledStatements()
    old, new = dialect_of("postgresql+psycopg"), dialect_of("postgresql+psycopg")
    old.server_version_info, new.server_version_info = (15, 0), (17, 0)
    dialects = (dialect_of("sqlite"), old, new)
    compiled = [select(literal(1)).compile(dialect=dialect) for dialect in dialects]
    for dialect, statement in zip(dialects, compiled, strict=True):
        statements[dialect, "statement"] = statement
    assert [statements[dialect, "statement"] for dialect in dialects] == compiled
    assert len(list(statements)) == len(dialects)
    del statements[dialect_of("sqlite"), "statement"]
    assert statements.get((dialect_of("sqlite"), "statement")) is None


def test_many_statements_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "MAX_STATEMENTS", 3)
    statements = CompiledStatements()
    dialect = dialect_of("sqlite")
    compiled: Compiled = select(literal(1)).compile(dialect=dialect)
    for number in range(10):
        statements[dialect, number] = compiled
        assert len(statements) <= 3
        assert statements[dialect, number] is compiled
