"""NOTE records of a journal: JSON objects with a `type`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from visavis.domain.call_events import CallEvent
from visavis.domain.leg import AGENT_LEG, VISITOR_LEG, CallRole
from visavis.domain.vocabulary import Party


class JournalNote(msgspec.Struct, frozen=True, rename="camel", tag_field="type"):
    """Base class of the notes: records of a journal that are not packets."""


class DescribedLeg(msgspec.Struct, frozen=True, rename="camel"):
    """Participant at a leg, and the session description of that participant's page.

    `leg` is the leg's number in the bridge, and `participant` the participant's number in the call.
    `screen_mid` is the mid of the media section with the shared screen, or empty without one.
    """

    leg: int
    participant: int
    role: str
    sdp: str
    screen_mid: str = ""
    name: str = ""


class Descriptions(JournalNote, frozen=True, tag="descriptions"):
    """Session descriptions of a bridge's legs, noted after every offer and answer.

    `link` is the number of the bridge in its call. Notes of version 1 had a field for each of the
    two pages instead of `legs`; `parse_note` converts them.
    """

    legs: tuple[DescribedLeg, ...]
    link: int = 1
    version: int = 2


class Paused(JournalNote, frozen=True, tag="paused"):
    """The recording was paused: packets after this note were not recorded."""


class Resumed(JournalNote, frozen=True, tag="resumed"):
    """The recording was resumed."""


class Gap(JournalNote, frozen=True, tag="gap"):
    """The disk was too slow, so `records` records are missing here."""

    records: int = 0


class WallClock(JournalNote, frozen=True, tag="wallClock"):
    """The wall clock was set: it is `ahead_us` microseconds ahead of the recording's clock now."""

    ahead_us: int = 0


class Stopped(JournalNote, frozen=True, tag="stopped"):
    """The recording was stopped by a limit. `why` completes the words "it was stopped because"."""

    why: str = ""


class EventNote(JournalNote, frozen=True, tag="event"):
    """Event of the call as the media worker knew it; the `CallReport` has all events."""

    at: datetime
    name: str
    by: Party = "system"
    data: dict[str, Any] = {}

    @property
    def event(self) -> CallEvent:
        """The event; a time without a time zone is UTC."""
        at = self.at if self.at.tzinfo else self.at.replace(tzinfo=UTC)
        return CallEvent(at, self.name, self.by, self.data)


class _ReadDescriptions(JournalNote, frozen=True, tag="descriptions"):
    """Descriptions of either version, as they are stored in a journal."""

    version: int = 1
    link: int = 1
    legs: tuple[DescribedLeg, ...] = ()
    visitor: str | None = None
    agent: str | None = None
    visitor_screen_mid: str = ""
    agent_screen_mid: str = ""


AnyNote = Descriptions | Paused | Resumed | Gap | WallClock | Stopped | EventNote

_ReadNote = _ReadDescriptions | Paused | Resumed | Gap | WallClock | Stopped | EventNote

_decoder: Final[msgspec.json.Decoder[_ReadNote]] = msgspec.json.Decoder(_ReadNote)


def parse_note(payload: bytes) -> AnyNote | None:
    """Parse a note; return `None` if it is malformed or of an unknown type."""
    try:
        note = _decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return _current(note) if isinstance(note, _ReadDescriptions) else note


def _current(note: _ReadDescriptions) -> Descriptions | None:
    """Convert a note to version 2; return `None` if it is malformed."""
    if note.version >= 2:
        return Descriptions(note.legs, note.link)
    if note.visitor is None or note.agent is None:
        return None
    visitor = DescribedLeg(VISITOR_LEG, 1, CallRole.VISITOR, note.visitor, note.visitor_screen_mid)
    agent = DescribedLeg(AGENT_LEG, 2, CallRole.AGENT, note.agent, note.agent_screen_mid)
    return Descriptions((visitor, agent), note.link)
