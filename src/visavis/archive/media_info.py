"""Media info of a recording: its tracks, its chapters and the attached call report.

`media_reader` reads it from a file. It is apart because the app needs only the data, and libav
takes long to import.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec


class Track(msgspec.Struct, frozen=True, rename="camel"):
    """`side` is visitor, agent or, in files that are not ours, empty; `number` from 1 on.

    `participants` are the numbers of those who are on the track. They have more than one track of a
    kind when the codec changed in mid-call.
    """

    index: int
    side: str
    kind: str
    number: int
    codec: str
    width: int = 0
    height: int = 0
    participants: tuple[int, ...] = ()


class ListedParticipant(msgspec.Struct, frozen=True, rename="camel"):
    """A participant of the call, by their number in it."""

    id: int
    role: str
    name: str


class Chapter(msgspec.Struct, frozen=True, rename="camel"):
    """`at` in seconds from the beginning."""

    at: float
    title: str


class Moment(msgspec.Struct, frozen=True, rename="camel"):
    """A `CallEvent` on the recording's timeline; `at` in seconds."""

    at: float
    name: str
    by: str
    data: dict[str, Any] = {}


class MediaInfo(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Media info of a file. `duration` in seconds; 0 if the file is not a Matroska file."""

    duration: float = 0.0
    tracks: tuple[Track, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    texts: tuple[Moment, ...] = ()
    events: tuple[Moment, ...] = ()
    quality: dict[str, Any] = {}
    consent: str = ""
    visitor_name: str = ""
    visitor_email: str = ""
    agent_names: tuple[str, ...] = ()
    participants: tuple[ListedParticipant, ...] = ()


def read_time(text: str) -> datetime | None:
    """ISO 8601 as a time in UTC; a time without zone is one of UTC."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
