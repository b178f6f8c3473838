"""NOTE records of a journal: JSON objects told apart by `type`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from visavis.domain.call_events import CallEvent
from visavis.domain.vocabulary import Party


class JournalNote(msgspec.Struct, frozen=True, rename="camel", tag_field="type"):
    """A record of a journal that is not a packet."""


class Descriptions(JournalNote, frozen=True, tag="descriptions"):
    """Both pages' session descriptions of a bridge, after every offer and answer.

    `…_screen_mid` is the mid of the m-section that carries that page's screen, empty if none does.
    """

    visitor: str
    agent: str
    visitor_screen_mid: str = ""
    agent_screen_mid: str = ""
    link: int = 1


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


AnyNote = Descriptions | Paused | Resumed | Gap | WallClock | Stopped | EventNote

_decoder: Final[msgspec.json.Decoder[AnyNote]] = msgspec.json.Decoder(AnyNote)


def parse_note(payload: bytes) -> AnyNote | None:
    """`None` for a note of a kind that we do not know."""
    try:
        return _decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
