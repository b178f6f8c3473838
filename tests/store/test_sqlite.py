"""The SQLite database: its connection for other processes' changes."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from visavis.store.sqlite import SqliteDatabase


def test_it_is_closed_while_a_thread_looks_for_changes(tmp_path: Path) -> None:
    """A connection that is closed in use would end the process."""
    for number in range(10):
        database = SqliteDatabase(tmp_path / f"{number}.db")
        has_looked, ends = threading.Event(), list[type]()

        def look(
            database: SqliteDatabase = database,
            has_looked: threading.Event = has_looked,
            ends: list[type] = ends,
        ) -> None:
            try:
                while True:
                    database._version()
                    has_looked.set()
            except sqlite3.ProgrammingError as error:
                ends.append(type(error))

        thread = threading.Thread(target=look)
        thread.start()
        has_looked.wait()
        database.close()
        thread.join()
        assert ends == [sqlite3.ProgrammingError]
