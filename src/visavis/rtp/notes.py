"""NOTE records of a journal: JSON objects told apart by `type`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from visavis.domain.call_events import CallEvent
from visavis.domain.signaling import Party


class Note(msgspec.Struct, frozen=True, rename="camel", tag_field="type"):
    """What the journal tells besides packets."""


class Descriptions(Note, frozen=True, tag="descriptions"):
    """Both pages' session descriptions of a bridge, after every offer and answer.

    `…_screen_mid` is the mid of the m-section that carries that page's screen, empty if none does.
    """

    visitor: str
    agent: str
    visitor_screen_mid: str = ""
    agent_screen_mid: str = ""
    link: int = 1


class Paused(Note, frozen=True, tag="paused"):
    """From here on packets are left out."""


class Resumed(Note, frozen=True, tag="resumed"):
    """From here on packets are kept again."""


class Gap(Note, frozen=True, tag="gap"):
    """The disk was too slow: so many records are missing here."""

    records: int = 0


class Stopped(Note, frozen=True, tag="stopped"):
    """From here on nothing is recorded, by a limit: `why` continues "it was stopped because"."""

    why: str = ""


class Event(Note, frozen=True, tag="event"):
    """A `CallEvent`, as far as the journal knows: the whole is told by the `CallReport`."""

    at: datetime
    name: str
    by: Party = "system"
    data: dict[str, Any] = {}

    @property
    def event(self) -> CallEvent:
        at = self.at if self.at.tzinfo else self.at.replace(tzinfo=UTC)
        return CallEvent(at, self.name, self.by, self.data)


AnyNote = Descriptions | Paused | Resumed | Gap | Stopped | Event

_decoder: Final[msgspec.json.Decoder[AnyNote]] = msgspec.json.Decoder(AnyNote)


def parse_note(payload: bytes) -> AnyNote | None:
    """`None` for a note of a kind that we do not know."""
    try:
        return _decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
