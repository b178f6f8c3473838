from __future__ import annotations

from datetime import UTC, datetime

import pytest

from visavis.spool.notes import (
    DescribedLeg,
    Descriptions,
    EventNote,
    Gap,
    Paused,
    Resumed,
    Stopped,
    WallClock,
    parse_note,
)


@pytest.mark.parametrize(
    ("written", "note"),
    [
        (
            '{"type": "descriptions", "visitor": "v=0", "agent": "v=0", "visitorScreenMid": "2"}',
            Descriptions(
                (
                    DescribedLeg(1, 1, "visitor", "v=0", "2"),
                    DescribedLeg(2, 2, "agent", "v=0"),
                )
            ),
        ),
        (
            '{"type": "descriptions", "version": 2, "link": 3, "legs": ['
            '{"leg": 1, "participant": 1, "role": "visitor", "sdp": "v=0", "screenMid": "2"},'
            '{"leg": 2, "participant": 4, "role": "agent", "sdp": "v=0", "name": "Ann"},'
            '{"leg": 3, "participant": 5, "role": "agent", "sdp": "v=0", "name": "Bob"}]}',
            Descriptions(
                (
                    DescribedLeg(1, 1, "visitor", "v=0", "2"),
                    DescribedLeg(2, 4, "agent", "v=0", name="Ann"),
                    DescribedLeg(3, 5, "agent", "v=0", name="Bob"),
                ),
                link=3,
            ),
        ),
        ('{"type": "paused"}', Paused()),
        ('{"type": "resumed", "by": "of a later version"}', Resumed()),
        ('{"type": "gap", "records": 7}', Gap(7)),
        ('{"type": "wallClock", "aheadUs": -5}', WallClock(-5)),
        ('{"type": "stopped", "why": "it is too long"}', Stopped("it is too long")),
    ],
)
def test_notes_are_told_apart_by_their_type(written: str, note: object) -> None:
    assert parse_note(written.encode()) == note


@pytest.mark.parametrize(
    "written", ['{"type": "descriptions"}', '{"type": "descriptions", "visitor": "v=0"}']
)
def test_descriptions_of_the_first_version_without_both_pages_are_left(written: str) -> None:
    assert parse_note(written.encode()) is None


@pytest.mark.parametrize("written", [b"", b"{", b"[]", b'{"type": "later"}', b'"\xff"', b"{}"])
def test_notes_of_other_kinds_are_left(written: bytes) -> None:
    assert parse_note(written) is None


@pytest.mark.parametrize("at", ["2026-01-01T10:00:00", "2026-01-01T10:00:00Z"])
def test_the_time_of_an_event_is_of_utc_without_a_zone(at: str) -> None:
    note = parse_note(f'{{"type": "event", "at": "{at}", "name": "connected"}}'.encode())
    assert isinstance(note, EventNote)
    assert note.event.at == datetime(2026, 1, 1, 10, tzinfo=UTC)
    assert (note.event.name, note.event.by) == ("connected", "system")
