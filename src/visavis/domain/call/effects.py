"""Effects of an event: the actions that the owner of the call carries out, in order."""

from __future__ import annotations

from dataclasses import dataclass

from visavis.domain.call.commands import MediaCommand
from visavis.domain.call.notices import Notice
from visavis.domain.call_events import CallEvent


@dataclass(frozen=True, slots=True)
class Send:
    """Send a notice to the page with this socket."""

    socket_id: str
    notice: Notice


@dataclass(frozen=True, slots=True)
class RunCommand:
    """Have a media worker carry out a command and report the result as an event."""

    command: MediaCommand


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Report `TimerFired` after this many seconds; a timer of the same name is replaced."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class CancelTimer:
    name: str


@dataclass(frozen=True, slots=True)
class RecordEvent:
    """Write an event of the call, and its record, to the database."""

    event: CallEvent


@dataclass(frozen=True, slots=True)
class SaveRecord:
    """Write the call's record to the database.

    If `is_awaited`, the notices that follow in the same step wait until it is written: a page that
    was told of the change must find it again after a crash of the app.
    """

    is_awaited: bool = False


@dataclass(frozen=True, slots=True)
class ParticipantJoined:
    """A participant's page is in the call."""

    participant: int
    socket_id: str
    agent_id: int


@dataclass(frozen=True, slots=True)
class PageLeft:
    """A page is no longer in the call; its participant may return on another page."""

    socket_id: str


@dataclass(frozen=True, slots=True)
class ParticipantLeft:
    """A participant is no longer in the call."""

    participant: int
    socket_id: str
    agent_id: int


@dataclass(frozen=True, slots=True)
class MarkUnrecorded:
    """The call goes on although it could not be recorded."""

    why: str


@dataclass(frozen=True, slots=True)
class SiteChanged:
    """A change that may let other calls of the site ring."""


@dataclass(frozen=True, slots=True)
class CallOver:
    """The call has ended; only reports on its last bridges may follow."""


Effect = (
    Send
    | RunCommand
    | SetTimer
    | CancelTimer
    | RecordEvent
    | SaveRecord
    | ParticipantJoined
    | PageLeft
    | ParticipantLeft
    | MarkUnrecorded
    | SiteChanged
    | CallOver
)
