"""Finding recordings by date, people, length and kind."""

from __future__ import annotations

from typing import Any

import pytest

from visavis.archive.search import read_search
from visavis.archive.storage import Entry
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.protocol.library import LibraryPage
from visavis.protocol.query import Query


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


def found(**query: str) -> list[str]:
    page = search({name.rstrip("_"): value for name, value in query.items()})
    return [one.id for one in page.recordings]


def search(query: dict[str, str]) -> LibraryPage:
    return read_search(Query(query.items())).run(ENTRIES, "/list")


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
def test_what_is_found(query: dict[str, str], ids: str) -> None:
    assert found(**query) == ids.split()


def test_the_total_is_of_all_pages() -> None:
    assert search({"pageSize": "1"}).total == 4


def test_the_pages_name_their_neighbours_with_the_filters() -> None:
    first = search({"pageSize": "1", "visitor": "Visitor", "media": "VIDEO", "unknown": "x"})
    assert (first.total, first.previous_page) == (2, "")
    assert first.next_page == "/list?visitor=Visitor&media=VIDEO&pageIndex=2&pageSize=1"
    last = search({"pageSize": "1", "pageIndex": "4"})
    assert (last.previous_page, last.next_page) == ("/list?pageIndex=3&pageSize=1", "")


def test_times_end_in_z_and_one_without_a_zone_is_utc() -> None:
    assert search({}).recordings[0].started_at == "2026-01-04T12:00:00.000Z"
    assert found(from_="2026-01-04T12:00:00") == ["r4"]
    assert found(from_="2026-01-04T12:00:00.001") == []


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
        search(query)
    assert refused.value.kind in {ErrorKind.ParameterInvalid, ErrorKind.ParameterFormatIncorrect}
    assert refused.value.pointer == f"/{next(iter(query))}"
