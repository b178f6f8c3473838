"""Finding recordings by date, people, length and kind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import sqlalchemy

from visavis.archive.search import read_search
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.library import Entry, LibrarySearch
from visavis.protocol.library import LibraryPage
from visavis.protocol.query import Query
from visavis.store import open_store
from visavis.store.rows import library

pytestmark = pytest.mark.anyio

Searching: TypeAlias = Callable[[dict[str, str]], Awaitable[LibraryPage]]


def entry(number: int, **more: Any) -> Entry:
    usual = {
        "id": f"r{number}",
        "site_id": 1,
        "call_id": "c",
        "media": "video",
        "visitor_name": f"Visitor {number}",
        "visitor_email": f"v{number}@example.com",
        "agent_names": ("Bo",),
        "started_at": f"2026-01-{number:02}T12:00:00.000+00:00",
        "duration": float(number * 60),
        "size": 1000 - number,
        "sha256": "",
    }
    return Entry(**{**usual, **more})


ENTRIES = [
    entry(1),
    entry(2, media="audio"),
    entry(3, agent_names=("Bo", "Ärnst"), is_held=True),
    entry(4, visitor_name="anna"),
]


@pytest.fixture
async def search(database: str, anyio_backend: str) -> AsyncIterator[Searching]:
    store = open_store(database)
    await store.write(lambda rows: rows.library.save("a", [(one, 0) for one in ENTRIES]))
    await store.write(lambda rows: rows.library.save("b", [(entry(9), 0)]))
    await store.write(lambda rows: rows.library.save("a", [(entry(8, site_id=2), 0)]))

    async def run(query: dict[str, str]) -> LibraryPage:
        asked = read_search(Query(query.items()))
        found = await store.read(lambda rows: rows.library.search("a", 1, asked.search))
        return asked.page(found, "/list")

    yield run
    store.close()


async def found(search: Searching, **query: str) -> list[str]:
    page = await search({name.rstrip("_"): value for name, value in query.items()})
    return [one.id for one in page.recordings]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({}, "r4 r3 r2 r1"),
        ({"sort": "startedAt"}, "r1 r2 r3 r4"),
        ({"sort": "-duration"}, "r4 r3 r2 r1"),
        ({"sort": "size"}, "r4 r3 r2 r1"),
        ({"sort": "visitor"}, "r4 r1 r2 r3"),
        ({"sort": "agent"}, "r1 r2 r4 r3"),
        ({"visitor": "ANNA"}, "r4"),
        ({"visitor": "v2@"}, "r2"),
        ({"agent": "ärn"}, "r3"),
        ({"from_": "2026-01-02", "to": "2026-01-03"}, "r3 r2"),
        ({"from_": "2026-01-02T14:00:00+02:00"}, "r4 r3 r2"),
        ({"to": "2026-01-02T12:00:00Z"}, "r1"),
        ({"shortest": "120", "longest": "180"}, "r3 r2"),
        ({"media": "audio"}, "r2"),
        ({"held": "true"}, "r3"),
        ({"held": "false"}, "r4 r2 r1"),
        ({"pageSize": "3"}, "r4 r3 r2"),
        ({"pageSize": "3", "pageIndex": "2"}, "r1"),
        ({"pageSize": "3", "pageIndex": "9"}, ""),
    ],
)
async def test_what_is_found(search: Searching, query: dict[str, str], ids: str) -> None:
    assert await found(search, **query) == ids.split()


async def test_the_total_is_of_all_pages(search: Searching) -> None:
    page = await search({"pageSize": "1"})
    assert (page.total, page.is_total_exact) == (4, True)


@pytest.mark.parametrize("query", [{}, {"visitor": "visitor"}])
async def test_not_every_recording_is_counted(
    search: Searching, monkeypatch: pytest.MonkeyPatch, query: dict[str, str]
) -> None:
    monkeypatch.setattr(library, "COUNTED", 2)
    monkeypatch.setattr(library, "COUNTED_FILTERED", 2)
    pages = [await search({**query, "pageSize": "1", "pageIndex": str(n)}) for n in (1, 2, 3, 4)]
    count = 3 if query else 4
    assert [len(page.recordings) for page in pages] == [1] * count + [0] * (4 - count)
    assert (pages[0].total, pages[0].is_total_exact) == (2, False)
    assert [bool(page.next_page) for page in pages[:3]] == [True] * 3
    assert not (await search({**query, "pageSize": "3", "pageIndex": "2"})).next_page


async def test_names_that_many_have_are_found_in_the_order_of_the_page(
    search: Searching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "CANDIDATES", 1)
    assert await found(search, visitor="visitor") == ["r3", "r2", "r1"]
    assert await found(search, visitor="anna") == ["r4"]


@pytest.mark.parametrize(
    ("sought", "ids", "way"),
    [
        (LibrarySearch(visitor="Anna", since="2026-01-01"), ["r4"], "INTEGER PRIMARY KEY"),
        (LibrarySearch(is_held=True), ["r3"], "INDEX library_entries_held"),
    ],
)
async def test_rare_recordings_are_not_looked_for_among_all(
    new_database: Path, sought: LibrarySearch, ids: list[str], way: str
) -> None:
    """SQLite would otherwise read every row of the site in the order of the page."""
    store = open_store(str(new_database))
    statements = list[tuple[str, Any]]()

    def record(*event: Any) -> None:
        statements.append((event[2], event[3]))

    engine = store._database.engine
    sqlalchemy.event.listen(engine, "before_cursor_execute", record)
    await store.write(lambda rows: rows.library.save("a", [(one, 0) for one in ENTRIES]))
    page = await store.read(lambda rows: rows.library.search("a", 1, sought))
    assert [one.id for one in page.entries] == ids
    statement, values = next(one for one in statements if "ORDER BY" in one[0])
    with engine.connect() as connection:
        plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all())
    assert f"SEARCH library_entries USING {way}" in plan
    store.close()


@pytest.mark.parametrize("text", ['a"b', "100%", "a_b", "'", '"', "\\", "an", "*", "AND"])
async def test_signs_in_names_are_taken_literally(search: Searching, text: str) -> None:
    assert await found(search, visitor=text) == (["r4"] if text == "an" else [])


async def test_the_pages_name_their_neighbours_with_the_filters(search: Searching) -> None:
    first = await search({"pageSize": "1", "visitor": "Visitor", "media": "VIDEO", "unknown": "x"})
    assert (first.total, first.previous_page) == (2, "")
    assert first.next_page == "/list?visitor=Visitor&media=VIDEO&pageIndex=2&pageSize=1"
    last = await search({"pageSize": "1", "pageIndex": "4"})
    assert (last.previous_page, last.next_page) == ("/list?pageIndex=3&pageSize=1", "")


async def test_times_end_in_z_and_one_without_a_zone_is_utc(search: Searching) -> None:
    assert (await search({})).recordings[0].started_at == "2026-01-04T12:00:00.000Z"
    assert await found(search, from_="2026-01-04T12:00:00") == ["r4"]
    assert await found(search, from_="2026-01-04T12:00:00.001") == []


@pytest.mark.parametrize(
    "query",
    [
        {"sort": "id"},
        {"visitor": "x" * 257},
        {"from": "soon"},
        {"to": "9999-12-31"},
        {"shortest": "-1"},
        {"longest": "1" * 9},
        {"pageIndex": "0"},
        {"pageSize": "501"},
        {"media": "smell"},
        {"held": "maybe"},
    ],
)
def test_what_cannot_be_asked(query: dict[str, str]) -> None:
    with pytest.raises(VisavisError) as refused:
        read_search(Query(query.items()))
    assert refused.value.kind in {ErrorKind.ParameterInvalid, ErrorKind.ParameterFormatIncorrect}
    assert refused.value.pointer == f"/{next(iter(query))}"
