"""Texts of a recording in which the library searches."""

from __future__ import annotations

from visavis.domain.library import Entry


def test_names_are_searched_without_regard_to_case() -> None:
    entry = Entry(
        id="r",
        site_id=1,
        call_id="c",
        media="video",
        visitor_name="\u00c4nn",
        visitor_email="A@Example.com",
        agent_names=("Bo", "STRA\u00dfE"),
        started_at="2026-01-01T00:00:00.000+00:00",
        duration=1.0,
        size=1,
        sha256="",
    )
    assert entry.visitor_text == "\u00e4nn\na@example.com"
    assert entry.agent_text == "bo\nstrasse"
