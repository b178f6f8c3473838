"""Finding recordings by date, people, length and kind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy

from visavis.archive.search import read_search
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.library import Entry, LibrarySearch
from visavis.protocol.library import LibraryPage
from visavis.protocol.query import Query
from visavis.store import open_store
from visavis.store.rows import library_search
from visavis.store.sql import SqlStore

pytestmark = pytest.mark.anyio


class Searching(NamedTuple):
    """Search of an archive's library, which is in a store."""

    run: Callable[[dict[str, str]], Awaitable[LibraryPage]]
    store: SqlStore

    async def __call__(self, query: dict[str, str]) -> LibraryPage:
        return await self.run(query)


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

    yield Searching(run, store)
    store.close()


async def found(search: Searching, **query: str) -> list[str]:
    page = await search({name.rstrip("_"): value for name, value in query.items()})
    return [one.id for one in page.recordings]


FOUND = [
    ({}, "r4 r3 r2 r1"),
    ({"sort": "startedAt"}, "r1 r2 r3 r4"),
    ({"sort": "-duration"}, "r4 r3 r2 r1"),
    ({"sort": "size"}, "r4 r3 r2 r1"),
    ({"sort": "visitor"}, "r4 r1 r2 r3"),
    ({"sort": "agent"}, "r1 r2 r4 r3"),
    ({"visitor": "ANNA"}, "r4"),
    ({"visitor": "v2@"}, "r2"),
    ({"agent": "ärn"}, "r3"),
    ({"agent": "bo"}, "r4 r3 r2 r1"),
    ({"agent": "r"}, "r3"),
    ({"agent": "nobody"}, ""),
    ({"agent": "bo", "sort": "startedAt"}, "r1 r2 r3 r4"),
    ({"agent": "bo", "sort": "size"}, "r4 r3 r2 r1"),
    ({"agent": "bo", "to": "2026-01-02"}, "r2 r1"),
    ({"agent": "bo", "media": "video", "pageSize": "2", "pageIndex": "2"}, "r1"),
    ({"agent": "bo", "visitor": "visitor", "shortest": "100"}, "r3 r2"),
    ({"visitor": "nobody", "sort": "size"}, ""),
    ({"from_": "2026-01-02", "to": "2026-01-03", "sort": "size"}, "r3 r2"),
    ({"media": "audio", "held": "true"}, ""),
    ({"agent": "bo", "pageSize": "3", "pageIndex": "9"}, ""),
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
]
LIMITS = {
    "few": {},
    "one after the other": {"FEW": 0},
    "in the order of the list": {"CANDIDATES": 0, "INTERSECTED": 0, "MERGED": 0},
    "merged": {"CANDIDATES": 0, "INTERSECTED": 0},
    "intersected": {"CANDIDATES": 1},
    "in the order of the list, by numbers": {"CANDIDATES": 0},
    "many agents": {"NAMED": 0, "MERGED": 0},
    "too many agents": {"AGENTS": 0},
    "counted in part": {"CANDIDATES": 0, "INTERSECTED": 0, "COUNTED": 0},
}


@pytest.mark.parametrize("limits", LIMITS.values(), ids=LIMITS)
async def test_each_way_of_searching_finds_the_same(
    search: Searching, monkeypatch: pytest.MonkeyPatch, limits: dict[str, int]
) -> None:
    for name, limit in limits.items():
        monkeypatch.setattr(library_search, name, limit)
    for query, ids in FOUND:
        assert await found(search, **query) == ids.split(), query


async def test_the_total_is_of_all_pages(search: Searching) -> None:
    page = await search({"pageSize": "1"})
    assert (page.total, page.is_total_exact) == (4, True)


@pytest.mark.parametrize(
    ("query", "count", "total"),
    [
        ({}, 4, 2),
        ({"visitor": "visitor"}, 3, 1),
        ({"agent": "bo", "media": "video"}, 3, 2),
        ({"agent": "bo"}, 4, 2),
    ],
)
async def test_not_every_recording_is_counted(
    search: Searching,
    monkeypatch: pytest.MonkeyPatch,
    query: dict[str, str],
    count: int,
    total: int,
) -> None:
    monkeypatch.setattr(library_search, "COUNTED", 2)
    monkeypatch.setattr(library_search, "CANDIDATES", 0)
    monkeypatch.setattr(library_search, "INTERSECTED", 0)
    pages = [await search({**query, "pageSize": "1", "pageIndex": str(n)}) for n in (1, 2, 3, 4)]
    assert [len(page.recordings) for page in pages] == [1] * count + [0] * (4 - count)
    assert (pages[0].total, pages[0].is_total_exact) == (total, False)
    assert (pages[count - 1].total, pages[count - 1].is_total_exact) == (count, True)
    assert [bool(page.next_page) for page in pages[:count]] == [True] * (count - 1) + [False]
    assert not (await search({**query, "pageSize": "3", "pageIndex": "2"})).next_page


async def test_names_that_many_have_are_found_in_the_order_of_the_page(
    search: Searching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library_search, "CANDIDATES", 1)
    assert await found(search, visitor="visitor") == ["r3", "r2", "r1"]
    assert await found(search, visitor="anna") == ["r4"]


async def test_the_agents_of_a_recording_are_those_that_it_has_now(search: Searching) -> None:
    store = search.store
    changed = entry(3, agent_names=("Bo", "Cleo", "BO"), started_at="2026-02-01T12:00:00.000+00:00")
    await store.write(lambda rows: rows.library.save("a", [(changed, 1)]))
    assert await found(search, agent="ärn") == []
    assert await found(search, agent="cleo") == ["r3"]
    assert await found(search, agent="bo") == ["r3", "r4", "r2", "r1"]
    await store.write(lambda rows: rows.library.delete("a", [(1, "r3")]))
    assert await found(search, agent="cleo") == []
    assert await found(search, visitor="visitor 3") == []


@pytest.mark.parametrize(
    ("sought", "ids", "ways"),
    [
        (
            LibrarySearch(visitor="Anna", since="2026-01-01"),
            ["r4"],
            ["SCAN library_text VIRTUAL TABLE INDEX"],
        ),
        (LibrarySearch(is_held=True), ["r3"], ["library_entries_held"]),
        (LibrarySearch(shortest=200), ["r4"], ["library_entries_by_duration"]),
        (
            LibrarySearch(agent="ärn", order="size"),
            ["r3"],
            [
                "SEARCH library_agents USING PRIMARY KEY (archive=? AND site_id=? AND agent>?)",
                "SEARCH library_agents USING PRIMARY KEY (archive=? AND site_id=? AND agent=?)",
            ],
        ),
    ],
)
async def test_rare_recordings_are_not_looked_for_among_all(
    new_database: Path,
    monkeypatch: pytest.MonkeyPatch,
    sought: LibrarySearch,
    ids: list[str],
    ways: list[str],
) -> None:
    """SQLite would otherwise read every row of the site in the order of the page."""
    monkeypatch.setattr(library_search, "FEW", 0)
    store = open_store(str(new_database))
    statements = list[tuple[str, Any]]()

    def record(*event: Any) -> None:
        statements.append((event[2], event[3]))

    engine = store._database.engine
    await store.write(lambda rows: rows.library.save("a", [(one, 0) for one in ENTRIES]))
    sqlalchemy.event.listen(engine, "before_cursor_execute", record)
    page = await store.read(lambda rows: rows.library.search("a", 1, sought))
    assert [one.id for one in page.entries] == ids
    with engine.connect() as connection:
        plans = {
            statement: str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", how).all())
            for statement, how in statements
            if statement.startswith(("SELECT", "WITH"))
        }
    for way in ways:
        assert way in str(plans.values())
    (rows,) = (
        plan
        for statement, plan in plans.items()
        if "json_each" in statement and "ORDER BY" in statement
    )
    assert "SEARCH library_entries USING INTEGER PRIMARY KEY" in rows
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
