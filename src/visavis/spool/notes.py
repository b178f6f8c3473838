"""NOTE records of a journal: JSON objects told apart by `type`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from visavis.domain.call_events import CallEvent
from visavis.domain.leg import AGENT_LEG, VISITOR_LEG, CallRole
from visavis.domain.vocabulary import Party


class JournalNote(msgspec.Struct, frozen=True, rename="camel", tag_field="type"):
    """A record of a journal that is not a packet."""


class DescribedLeg(msgspec.Struct, frozen=True, rename="camel"):
    """A leg's participant, and the session description of that participant's page.

    `leg` is the leg's number in the bridge, `participant` the participant's in the call.
    `screen_mid` is the mid of the m-section that carries the page's screen, empty if none does.
    """

    leg: int
    participant: int
    role: str
    sdp: str
    screen_mid: str = ""
    name: str = ""


class Descriptions(JournalNote, frozen=True, tag="descriptions"):
    """The session descriptions of a bridge's legs, after every offer and answer.

    `link` is the number of the bridge in its call. Notes of version 1 had a field for each of two
    pages instead of `legs`; `parse_note` makes legs of them.
    """

    legs: tuple[DescribedLeg, ...]
    link: int = 1
    version: int = 2


class Paused(JournalNote, frozen=True, tag="paused"):
    """The recording was paused: the packets after it are missing."""


class Resumed(JournalNote, frozen=True, tag="resumed"):
    """The recording was resumed."""


class Gap(JournalNote, frozen=True, tag="gap"):
    """The disk was too slow: `records` records are missing here."""

    records: int = 0


class WallClock(JournalNote, frozen=True, tag="wallClock"):
    """The wall clock was set: from here on it is ahead of the recording's clock by `ahead_us`."""

    ahead_us: int = 0


class Stopped(JournalNote, frozen=True, tag="stopped"):
    """A limit stopped the recording: `why` continues "it was stopped because"."""

    why: str = ""


class EventNote(JournalNote, frozen=True, tag="event"):
    """A `CallEvent`, as far as the journal knows: the whole is told by the `CallReport`."""

    at: datetime
    name: str
    by: Party = "system"
    data: dict[str, Any] = {}

    @property
    def event(self) -> CallEvent:
        at = self.at if self.at.tzinfo else self.at.replace(tzinfo=UTC)
        return CallEvent(at, self.name, self.by, self.data)


class _ReadDescriptions(JournalNote, frozen=True, tag="descriptions"):
    """A note of either version as it is in a journal."""

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
    """`None` for a note of a kind that we do not know."""
    try:
        note = _decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return _current(note) if isinstance(note, _ReadDescriptions) else note


def _current(note: _ReadDescriptions) -> Descriptions | None:
    """Return the note as version 2 has it."""
    if note.version >= 2:
        return Descriptions(note.legs, note.link)
    if note.visitor is None or note.agent is None:
        return None
    visitor = DescribedLeg(VISITOR_LEG, 1, CallRole.VISITOR, note.visitor, note.visitor_screen_mid)
    agent = DescribedLeg(AGENT_LEG, 2, CallRole.AGENT, note.agent, note.agent_screen_mid)
    return Descriptions((visitor, agent), note.link)
