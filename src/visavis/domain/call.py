"""A call's life as a table: state × event → state, and the reason when it ends.

The diagram in `docs/protocol.md` is drawn from `TRANSITIONS`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import Side
from visavis.domain.people import Agent, Visitor
from visavis.domain.policy import Consent
from visavis.domain.signaling import Media, Party

RING_SECONDS: Final = 45.0
QUEUE_SECONDS: Final = 300.0
CONNECT_SECONDS: Final = 30.0
RESUME_SECONDS: Final = 30.0
"""How long a call waits for a page or a link that it has lost."""
JOIN_SECONDS: Final = 3600.0
"""How long the addresses of a call that was made over the API wait for its visitor."""


class State(StrEnum):
    REQUESTED = "requested"
    QUEUED = "queued"
    RINGING = "ringing"
    ACCEPTED = "accepted"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    ENDED = "ended"


class Event(StrEnum):
    NOBODY_FREE = "nobody free"
    RING = "ring"
    EVERYBODY_DECLINED = "everybody declined"
    RING_TIME_OUT = "ring time-out"
    QUEUE_TIME_OUT = "queue time-out"
    SWITCHED_OFF = "switched off"
    NOBODY_ON_DUTY = "nobody on duty"
    ACCEPT = "accept"
    ANSWER = "answer"
    BOTH_LEGS_UP = "both legs up"
    CONNECT_TIME_OUT = "connect time-out"
    LINK_LOST = "link lost"
    RESUME_TIME_OUT = "resume time-out"
    VISITOR_HANGS_UP = "visitor hangs up"
    AGENT_HANGS_UP = "agent hangs up"
    VISITOR_LEAVES = "visitor leaves"
    AGENT_LEAVES = "agent leaves"
    ENDED_BY_API = "ended by API"
    CANNOT_RECORD = "cannot record"
    MEDIA_FAILS = "media fails"
    SHUT_DOWN = "shut down"


class EndReason(StrEnum):
    """Why a call ended, in the words of live chat."""

    MISSED = "missed"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    ABANDONED = "abandoned"
    HUNG_UP = "hungUp"
    FAILED = "failed"
    DISABLED = "disabled"
    TRANSFERRED = "transferred"  # told to the agent who handed the call over; the call goes on
    RECORDING_UNAVAILABLE = "recordingUnavailable"
    SHUT_DOWN = "shutDown"


_UNTAKEN = (State.REQUESTED, State.QUEUED, State.RINGING)
_SETTING_UP = (State.ACCEPTED, State.CONNECTING)
_TALKING = (State.CONNECTED, State.RECONNECTING)
_WITH_AGENT = (*_SETTING_UP, *_TALKING)
_ALIVE = (*_UNTAKEN, *_WITH_AGENT)

_Next = tuple[State, EndReason | None]


def _ends(states: tuple[State, ...], event: Event, reason: EndReason) -> dict[Any, _Next]:
    return {(state, event): (State.ENDED, reason) for state in states}


TRANSITIONS: Final[dict[tuple[State, Event], _Next]] = {
    (State.REQUESTED, Event.RING): (State.RINGING, None),
    (State.REQUESTED, Event.NOBODY_FREE): (State.QUEUED, None),
    (State.QUEUED, Event.RING): (State.RINGING, None),
    (State.RINGING, Event.NOBODY_FREE): (State.QUEUED, None),
    (State.RINGING, Event.ACCEPT): (State.ACCEPTED, None),
    (State.ACCEPTED, Event.ANSWER): (State.CONNECTING, None),
    (State.CONNECTING, Event.BOTH_LEGS_UP): (State.CONNECTED, None),
    (State.CONNECTED, Event.LINK_LOST): (State.RECONNECTING, None),
    (State.RECONNECTING, Event.BOTH_LEGS_UP): (State.CONNECTED, None),
    **_ends((State.RINGING,), Event.EVERYBODY_DECLINED, EndReason.DECLINED),
    **_ends((State.RINGING,), Event.RING_TIME_OUT, EndReason.MISSED),
    **_ends((State.QUEUED,), Event.QUEUE_TIME_OUT, EndReason.MISSED),
    **_ends(_UNTAKEN, Event.NOBODY_ON_DUTY, EndReason.MISSED),
    **_ends((State.QUEUED,), Event.SWITCHED_OFF, EndReason.DISABLED),
    **_ends(_SETTING_UP, Event.CONNECT_TIME_OUT, EndReason.FAILED),
    **_ends(_SETTING_UP, Event.LINK_LOST, EndReason.FAILED),
    **_ends((State.RECONNECTING,), Event.RESUME_TIME_OUT, EndReason.FAILED),
    **_ends(_WITH_AGENT, Event.CANNOT_RECORD, EndReason.RECORDING_UNAVAILABLE),
    **_ends(_ALIVE, Event.MEDIA_FAILS, EndReason.FAILED),
    **_ends(_UNTAKEN, Event.VISITOR_HANGS_UP, EndReason.CANCELLED),
    **_ends(_WITH_AGENT, Event.VISITOR_HANGS_UP, EndReason.HUNG_UP),
    **_ends(_WITH_AGENT, Event.AGENT_HANGS_UP, EndReason.HUNG_UP),
    **_ends(_ALIVE, Event.VISITOR_LEAVES, EndReason.ABANDONED),
    **_ends(_WITH_AGENT, Event.AGENT_LEAVES, EndReason.FAILED),
    **_ends(_ALIVE, Event.ENDED_BY_API, EndReason.HUNG_UP),
    **_ends(_ALIVE, Event.SHUT_DOWN, EndReason.SHUT_DOWN),
}

ENDED_BY: Final[dict[Event, Party]] = {
    Event.VISITOR_HANGS_UP: "visitor",
    Event.VISITOR_LEAVES: "visitor",
    Event.AGENT_HANGS_UP: "agent",
    Event.AGENT_LEAVES: "agent",
    Event.EVERYBODY_DECLINED: "agent",
}


def next_state(state: State, event: Event) -> tuple[State, EndReason | None]:
    """Look an event up in the table; raises `CallNotPossible` when the state does not allow it."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise VisavisError(
            ErrorKind.CallNotPossible, f'A call that is {state} cannot take "{event}".'
        ) from None


Origin = Literal["widget", "invitation", "api"]
"""Who had the idea: a visitor, an agent who invited them, or another live-chat product."""


@dataclass(slots=True)
class CallRecord:
    """One call and what has happened to it. Times are wall clock, UTC.

    `interrupted_at` is when a party of a connected call was lost, until it is back.
    `talk_ended_at` is the end of the talk: earlier than `ended_at` if a lost party did not return.

    `quality` holds the last report of each side (`rtp.quality.LegReport`), ready for JSON.
    `is_unrecorded` says that it should have been recorded and, at least in part, was not.
    """

    id: str
    site_id: int
    visitor: Visitor
    media: Media
    is_recorded: bool
    requested_at: datetime
    state: State = State.REQUESTED
    agent: Agent | None = None
    accepted_at: datetime | None = None
    connected_at: datetime | None = None
    ended_at: datetime | None = None
    talk_ended_at: datetime | None = None
    interrupted_at: datetime | None = None
    reason: EndReason | None = None
    ended_by: Party = "system"
    recording_id: str | None = None
    is_unrecorded: bool = False
    consent: Consent = Consent.NONE
    origin: Origin = "widget"
    quality: dict[str, Any] = field(default_factory=dict)

    def apply(self, event: Event, now: datetime) -> None:
        """Move by `event`; raises `CallNotPossible`, unchanged, where the table has none."""
        self.state, reason = next_state(self.state, event)
        if self.state is State.ACCEPTED:
            self.accepted_at = now
        elif self.state is State.CONNECTED:
            self.connected_at = self.connected_at or now
            self.interrupted_at = None
        elif self.state is State.RECONNECTING:
            self.interrupted_at = now
        elif self.state is State.ENDED:
            self.ended_at, self.reason = now, reason
            self.talk_ended_at = (self.interrupted_at or now) if self.connected_at else None
            self.ended_by = ENDED_BY.get(event, "system")

    def interrupt(self, at: datetime) -> None:
        """Count nothing after `at` as talk: a party was lost then and has not come back."""
        self.interrupted_at = min(at, self.interrupted_at or at)

    def allows(self, event: Event) -> bool:
        return (self.state, event) in TRANSITIONS

    @property
    def is_over(self) -> bool:
        return self.state is State.ENDED


HANG_UP: Final = {Side.VISITOR: Event.VISITOR_HANGS_UP, Side.AGENT: Event.AGENT_HANGS_UP}
LEAVE: Final = {Side.VISITOR: Event.VISITOR_LEAVES, Side.AGENT: Event.AGENT_LEAVES}
