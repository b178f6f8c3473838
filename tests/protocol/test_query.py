from __future__ import annotations

from datetime import UTC, datetime

import pytest

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.ids import plain_id
from visavis.protocol.query import Place, Query


@pytest.mark.parametrize(
    "pairs",
    [
        [("state", "ended,ringing")],
        [("state", "ended"), ("state", "ringing")],
        [("state[]", "ended"), ("State[]", "ringing")],
        [("state[0]", "ended"), ("state[1]", "ringing")],
        [("STATE", "ended"), ("state[]", "ringing, ended")],
    ],
)
def test_a_list_is_the_union_of_every_spelling(pairs: list[tuple[str, str]]) -> None:
    assert Query(pairs).many("state") == ["ended", "ringing"]


def test_a_list_that_is_absent_is_empty() -> None:
    assert Query([("status", "ended")]).many("state") == []


def test_a_single_parameter_has_one_value() -> None:
    assert Query([("agentid", "1"), ("agentId", "1")]).one("agentId") == "1"
    assert Query([]).one("agentId") is None
    with pytest.raises(VisavisError) as refused:
        Query([("agentId", "1"), ("agentId", "2")]).one("agentId")
    assert (refused.value.kind, refused.value.pointer) == (ErrorKind.ParameterInvalid, "/agentId")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("x", ErrorKind.ParameterFormatIncorrect),
        ("-1", ErrorKind.ParameterFormatIncorrect),
        ("²", ErrorKind.ParameterFormatIncorrect),
        ("", ErrorKind.ParameterFormatIncorrect),
        ("0", ErrorKind.ParameterInvalid),
        ("101", ErrorKind.ParameterInvalid),
        ("9" * 5000, ErrorKind.ParameterInvalid),
    ],
)
def test_a_page_size_out_of_bounds_is_refused(text: str, kind: ErrorKind) -> None:
    with pytest.raises(VisavisError) as refused:
        Query([("pageSize", text)]).paging()
    assert (refused.value.kind, refused.value.pointer) == (kind, "/pageSize")


def test_pages_name_their_neighbours() -> None:
    paging = Query([("pageIndex", "2")]).paging()
    assert (paging.index, paging.size) == (2, 10)
    assert paging.neighbours("/list", 21, {"state": "a,b"}) == Place(
        total=21,
        previous_page="/list?state=a%2Cb&pageIndex=1&pageSize=10",
        next_page="/list?state=a%2Cb&pageIndex=3&pageSize=10",
    )
    assert paging.neighbours("/list", 0, {}) == Place(0, "", "")


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("0A0B0C0D-0000-4000-8000-000000000001", "0a0b0c0d000040008000000000000001"),
        ("0a0b0c0d000040008000000000000001", "0a0b0c0d000040008000000000000001"),
        ("my-recording", "my-recording"),
        ("", ""),
    ],
)
def test_an_id_may_be_written_as_a_guid(written: str, plain: str) -> None:
    assert plain_id(written) == plain


def test_times_are_in_utc() -> None:
    query = Query([("from", "2026-01-31t09:00:00z"), ("to", "2026-01-31T10:00:00"), ("x", "soon")])
    assert query.time("from") == datetime(2026, 1, 31, 9, tzinfo=UTC)
    assert query.time("to") == datetime(2026, 1, 31, 10, tzinfo=UTC)
    assert query.time("nothing") is None
    with pytest.raises(VisavisError) as refused:
        query.time("x")
    assert refused.value.kind is ErrorKind.ParameterFormatIncorrect
