"""Searches of the archive's library with a million recordings, on SQLite and on PostgreSQL.

All recordings are of one site, which is the worst case; another site has a tenth as many. Each kind
of search is made with other names, times and pages every time, by `Library.search`, which also
serves requests to `/library/recordings`. The columns `cpu` have the processor time of a search, in
our thread and in PostgreSQL's process, which other programs on the machine hardly change. The last
column says how long the event loop was blocked meanwhile: the longest delay of a timer of 5 ms.

    python benchmarks/library.py [--recordings 1000000] [--searches 200] [--database ADDRESS]
        [--directory DIRECTORY] [--only NAME]

Recordings that are there from an earlier run, in the database or the directory, are used again.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from sqlalchemy import Connection, Engine, Table, text  # noqa: E402

from visavis.archive.library import Library  # noqa: E402
from visavis.archive.storage import LocalStorage  # noqa: E402
from visavis.domain.library import Entry, FoundEntries, LibrarySearch  # noqa: E402
from visavis.store import open_store  # noqa: E402
from visavis.store import tables as t  # noqa: E402
from visavis.store.rows.library import values_of  # noqa: E402
from visavis.store.rows.library_search import SqlLibrarySearch  # noqa: E402

BATCH = 5_000
LIMIT_MS = 50.0
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
SPAN = timedelta(days=730)
PARTS = "anbechdaelfogrhaivjukalomineorpequrosatiulvewoxeyazu"
SYLLABLES = [PARTS[n : n + 2] for n in range(0, len(PARTS), 2)]
"""Names are made of two to four of these: few are common, most are rare."""


class ProcessorTime:
    """Processor time of each search, in our thread and in PostgreSQL's process on this machine."""

    def __init__(self) -> None:
        self.milliseconds = list[float]()
        self._search = SqlLibrarySearch.search

    def measure(self) -> None:
        timer = self

        def search(
            rows: SqlLibrarySearch, archive: str, site_id: int, search: LibrarySearch
        ) -> FoundEntries:
            server = timer._server(rows)
            begun = time.thread_time_ns() + _on_cpu(server)
            found = timer._search(rows, archive, site_id, search)
            ended = time.thread_time_ns() + _on_cpu(server)
            timer.milliseconds.append((ended - begun) / 1e6)
            return found

        SqlLibrarySearch.search = search  # type: ignore[method-assign, assignment]

    def _server(self, rows: SqlLibrarySearch) -> Path | None:
        if not rows._is_postgresql:
            return None
        number = rows._run(text("SELECT pg_backend_pid()")).scalar_one()
        return Path(f"/proc/{number}/schedstat")


def _on_cpu(process: Path | None) -> int:
    return int(process.read_text().split()[0]) if process else 0


def name(dice: random.Random) -> str:
    return "".join(dice.choices(SYLLABLES, k=dice.choice((2, 3, 3, 4)))).title()


def entries(count: int, site_id: int) -> Iterator[Entry]:
    dice = random.Random(site_id)
    agents = [f"{name(dice)} {name(dice)}" for _ in range(200)]
    for number in range(count):
        first, last = name(dice), name(dice)
        started_at = FIRST + SPAN * (number / count)
        yield Entry(
            id=f"{site_id}-{number:032x}",
            site_id=site_id,
            call_id=f"{number:032x}",
            media="video" if dice.random() < 0.7 else "audio",
            visitor_name=f"{first} {last}",
            visitor_email=f"{first}.{last}@example.com".lower(),
            agent_names=(agent(dice, agents, number / count),),
            started_at=started_at.isoformat(timespec="milliseconds"),
            duration=round(dice.expovariate(1 / 420), 3),
            size=dice.randrange(10**6, 10**9),
            sha256=f"{number:064x}",
            is_held=dice.random() < 0.001,
        )


def agent(dice: random.Random, agents: list[str], progress: float) -> str:
    """Return one of the agents; some have most of the calls, and the second one left early."""
    chosen = min(199, int(dice.expovariate(0.03)))
    return agents[0 if chosen == 1 and progress > 0.3 else chosen]


def rows_of(archive: str, count: int) -> Iterator[dict[str, Any]]:
    numbers = itertools.count(1)
    for site_id, share in ((1, count), (2, count // 10)):
        for entry in entries(share, site_id):
            yield {"number": next(numbers), **values_of(archive, entry, 0)}


def fill(engine: Engine, archive: str, count: int) -> None:
    """Fill the tables without their indexes, which are built at the end: that is much faster."""
    is_postgresql = engine.dialect.name == "postgresql"
    with engine.begin() as connection:
        if not is_postgresql:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        query = INDEXES_POSTGRESQL if is_postgresql else INDEXES_SQLITE
        others = connection.execute(text(query)).all()
        for kind, made, _ in others:
            connection.execute(text(f"DROP {kind} {made}"))
        rows = rows_of(archive, count)
        while batch := list(itertools.islice(rows, BATCH)):
            (copy if is_postgresql else insert)(connection, t.library_entries, batch)
            agents = [{**row, "agent": row["agent_text"]} for row in batch]
            (copy if is_postgresql else insert)(connection, t.library_agents, agents)
        if not is_postgresql:
            connection.execute(text("INSERT INTO library_text (library_text) VALUES ('rebuild')"))
        for _, __, statement in others:
            connection.exec_driver_sql(statement)
        if is_postgresql:
            sequence = "pg_get_serial_sequence('library_entries', 'number')"
            connection.execute(text(f"SELECT setval({sequence}, {2 * count})"))
    if is_postgresql:  # as autovacuum does in time
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE library_entries, library_agents"))


INDEXES_SQLITE = """
SELECT type, name, sql FROM sqlite_master
WHERE tbl_name IN ('library_entries', 'library_agents') AND sql IS NOT NULL
AND type IN ('index', 'trigger')
"""
INDEXES_POSTGRESQL = """
SELECT 'INDEX', indexname, indexdef FROM pg_indexes
WHERE tablename = 'library_entries' AND indexname NOT LIKE '%pkey'
OR indexname = 'library_agents_by_number'
"""


def insert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    names = [column.name for column in table.c]
    marks = ", ".join("?" * len(names))
    listed = [tuple(plain(row[name]) for name in names) for row in rows]
    connection.exec_driver_sql(
        f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})", listed
    )


def copy(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    names = [column.name for column in table.c]
    cursor = connection.connection.cursor()
    with cursor.copy(f"COPY {table.name} ({', '.join(names)}) FROM STDIN") as target:
        for row in rows:
            target.write_row([plain(row[name]) for name in names])


def plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list) else value


def kinds(dice: random.Random, count: int) -> dict[str, Callable[[], LibrarySearch]]:
    sites = random.Random(1)
    agents = [f"{name(sites)} {name(sites)}" for _ in range(200)]

    def day() -> str:
        return (FIRST + SPAN * dice.random()).isoformat(timespec="milliseconds")

    def week() -> tuple[str, str]:
        begin = FIRST + SPAN * dice.random()
        end = begin + timedelta(days=7)
        return begin.isoformat(timespec="milliseconds"), end.isoformat(timespec="milliseconds")

    def in_week() -> LibrarySearch:
        since, until = week()
        return LibrarySearch(since=since, until=until)

    def day_only() -> tuple[str, str]:
        begin = FIRST + SPAN * dice.random()
        end = begin + timedelta(days=1)
        return begin.isoformat(timespec="milliseconds"), end.isoformat(timespec="milliseconds")

    def longest_of_day() -> LibrarySearch:
        since, until = day_only()
        return LibrarySearch(since=since, until=until, order="duration")

    def agent_in_week() -> LibrarySearch:
        since, until = week()
        return LibrarySearch(agent=dice.choice(agents), since=since, until=until)

    return {
        "newest": LibrarySearch,
        "another page": lambda: LibrarySearch(offset=50 * dice.randrange(1, 40)),
        "a week": in_week,
        "from a day on": lambda: LibrarySearch(since=day()),
        "visitor's full name": lambda: LibrarySearch(visitor=f"{name(dice)} {name(dice)}"),
        "visitor's first name": lambda: LibrarySearch(visitor=name(dice)),
        "visitor, 2 letters": lambda: LibrarySearch(visitor=dice.choice(SYLLABLES)[:2]),
        "e-mail": lambda: LibrarySearch(visitor=f"{name(dice)}.{name(dice)}@"),
        "agent": lambda: LibrarySearch(agent=dice.choice(agents)),
        "agent who has left": lambda: LibrarySearch(agent=agents[1]),
        "part of agents' names": lambda: LibrarySearch(agent=name(dice)[:4]),
        "agent in a week": agent_in_week,
        "agent and first name": lambda: LibrarySearch(
            agent=dice.choice(agents), visitor=name(dice)
        ),
        "agent's longest": lambda: LibrarySearch(agent=dice.choice(agents), order="duration"),
        "agent, over an hour": lambda: LibrarySearch(agent=dice.choice(agents), shortest=3600),
        "audio": lambda: LibrarySearch(media="audio", offset=50 * dice.randrange(10)),
        "on hold": lambda: LibrarySearch(is_held=True),
        "longer than an hour": lambda: LibrarySearch(shortest=3600),
        "10 to 20 minutes": lambda: LibrarySearch(shortest=600, longest=1200),
        "longest of a day": longest_of_day,
        "longest first": lambda: LibrarySearch(order="duration"),
        "by visitor": lambda: LibrarySearch(order="visitor", is_descending=False),
    }


async def lateness(stop: asyncio.Event, found: list[float]) -> None:
    while not stop.is_set():
        begun = time.perf_counter()
        await asyncio.sleep(0.005)
        found.append(time.perf_counter() - begun - 0.005)


def quantiles(times: list[float]) -> tuple[float, float]:
    times = sorted(times)
    return times[len(times) // 2], times[min(len(times) - 1, int(len(times) * 0.99))]


async def measure(
    library: Library, make: Callable[[], LibrarySearch], count: int, on_cpu: ProcessorTime
) -> None:
    stop, late, times = asyncio.Event(), list[float](), list[float]()
    on_cpu.milliseconds = []
    watch = asyncio.create_task(lateness(stop, late))
    for _ in range(count):
        begun = time.perf_counter()
        await library.search(1, make())
        times.append((time.perf_counter() - begun) * 1000)
    stop.set()
    await watch
    (p50, p99), (cpu50, cpu99) = quantiles(times), quantiles(on_cpu.milliseconds)
    mark = "" if p99 <= LIMIT_MS else f"  over {LIMIT_MS:.0f} ms"
    print(f"{p50:8.1f}{p99:8.1f}{cpu50:9.1f}{cpu99:8.1f}{max(late) * 1000:8.1f}{mark}", flush=True)


async def run(address: str, directory: Path, recordings: int, searches: int, only: str) -> None:
    store = open_store(address, statement_seconds=600)
    library = Library(LocalStorage(directory / "library"), store)
    archive = "benchmark"
    library._name = archive
    if not await library.site_ids():
        begun = time.perf_counter()
        fill(store._database.engine, archive, recordings)
        print(f"{recordings} recordings saved in {time.perf_counter() - begun:.0f} s", flush=True)
    print(f"{'milliseconds':24}{'p50':>8}{'p99':>8}{'cpu p50':>9}{'p99':>8}{'loop':>8}")
    on_cpu = ProcessorTime()
    on_cpu.measure()
    for kind, make in kinds(random.Random(7), recordings).items():
        if only not in kind:
            continue
        print(f"{kind:24}", end="", flush=True)
        await measure(library, make, searches, on_cpu)
    store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recordings", type=int, default=1_000_000)
    parser.add_argument("--searches", type=int, default=200)
    parser.add_argument("--only", default="", help="part of the names of the searches to measure")
    parser.add_argument("--database", help="an empty PostgreSQL database; SQLite if not given")
    parser.add_argument("--directory", type=Path, help="keeps SQLite's database; none if not given")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, contextlib.suppress(KeyboardInterrupt):
        directory = options.directory or Path(scratch)
        address = options.database or str(directory / "library.db")
        asyncio.run(run(address, directory, options.recordings, options.searches, options.only))


if __name__ == "__main__":
    main()
