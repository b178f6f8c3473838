"""Effects of an event: the actions that the owner of the call carries out, in order."""

from __future__ import annotations

from msgspec import Struct

from visavis.domain.call.commands import MediaCommand
from visavis.domain.call.notices import Notice
from visavis.domain.call_events import CallEvent


class Send(Struct, frozen=True):
    """Send a notice to the page with this socket."""

    socket_id: str
    notice: Notice


class RunCommand(Struct, frozen=True):
    """Have a media worker carry out a command and report the result as an event."""

    command: MediaCommand


class SetTimer(Struct, frozen=True):
    """Report `TimerFired` after this many seconds; a timer of the same name is replaced."""

    name: str
    seconds: float


class CancelTimer(Struct, frozen=True):
    name: str


class RecordEvent(Struct, frozen=True):
    """Write an event of the call, and its record, to the database."""

    event: CallEvent


class SaveRecord(Struct, frozen=True):
    """Write the call's record to the database.

    If `is_awaited`, the notices that follow in the same step wait until it is written: a page that
    was told of the change must find it again after a crash of the app.
    """

    is_awaited: bool = False


class ParticipantJoined(Struct, frozen=True):
    """A participant's page is in the call."""

    participant: int
    socket_id: str
    agent_id: int


class PageLeft(Struct, frozen=True):
    """A page is no longer in the call; its participant may return on another page."""

    socket_id: str


class ParticipantLeft(Struct, frozen=True):
    """A participant is no longer in the call."""

    participant: int
    socket_id: str
    agent_id: int


class MarkUnrecorded(Struct, frozen=True):
    """The call goes on although it could not be recorded."""

    why: str


class SiteChanged(Struct, frozen=True):
    """A change that may let other calls of the site ring."""


class CallOver(Struct, frozen=True):
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
