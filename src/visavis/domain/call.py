"""State machine of a call: state × trigger → state, and the reason when it ends.

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
from visavis.domain.vocabulary import Media, Party

RING_SECONDS: Final = 45.0
QUEUE_SECONDS: Final = 300.0
CONNECT_SECONDS: Final = 30.0
RESUME_SECONDS: Final = 30.0
"""Time that a call waits for a page or a bridge that was lost."""
JOIN_SECONDS: Final = 3600.0
"""Time that a call made over the API waits for its visitor."""


class CallState(StrEnum):
    REQUESTED = "requested"
    QUEUED = "queued"
    RINGING = "ringing"
    ACCEPTED = "accepted"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    ENDED = "ended"


class CallTrigger(StrEnum):
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


_UNTAKEN = (CallState.REQUESTED, CallState.QUEUED, CallState.RINGING)
_SETTING_UP = (CallState.ACCEPTED, CallState.CONNECTING)
_TALKING = (CallState.CONNECTED, CallState.RECONNECTING)
_WITH_AGENT = (*_SETTING_UP, *_TALKING)
_ALIVE = (*_UNTAKEN, *_WITH_AGENT)

_Next = tuple[CallState, EndReason | None]


def _ends(states: tuple[CallState, ...], event: CallTrigger, reason: EndReason) -> dict[Any, _Next]:
    return {(state, event): (CallState.ENDED, reason) for state in states}


TRANSITIONS: Final[dict[tuple[CallState, CallTrigger], _Next]] = {
    (CallState.REQUESTED, CallTrigger.RING): (CallState.RINGING, None),
    (CallState.REQUESTED, CallTrigger.NOBODY_FREE): (CallState.QUEUED, None),
    (CallState.QUEUED, CallTrigger.RING): (CallState.RINGING, None),
    (CallState.RINGING, CallTrigger.NOBODY_FREE): (CallState.QUEUED, None),
    (CallState.RINGING, CallTrigger.ACCEPT): (CallState.ACCEPTED, None),
    (CallState.ACCEPTED, CallTrigger.ANSWER): (CallState.CONNECTING, None),
    (CallState.CONNECTING, CallTrigger.BOTH_LEGS_UP): (CallState.CONNECTED, None),
    (CallState.CONNECTED, CallTrigger.LINK_LOST): (CallState.RECONNECTING, None),
    (CallState.RECONNECTING, CallTrigger.BOTH_LEGS_UP): (CallState.CONNECTED, None),
    **_ends((CallState.RINGING,), CallTrigger.EVERYBODY_DECLINED, EndReason.DECLINED),
    **_ends((CallState.RINGING,), CallTrigger.RING_TIME_OUT, EndReason.MISSED),
    **_ends((CallState.QUEUED,), CallTrigger.QUEUE_TIME_OUT, EndReason.MISSED),
    **_ends(_UNTAKEN, CallTrigger.NOBODY_ON_DUTY, EndReason.MISSED),
    **_ends((CallState.QUEUED,), CallTrigger.SWITCHED_OFF, EndReason.DISABLED),
    **_ends(_SETTING_UP, CallTrigger.CONNECT_TIME_OUT, EndReason.FAILED),
    **_ends(_SETTING_UP, CallTrigger.LINK_LOST, EndReason.FAILED),
    **_ends((CallState.RECONNECTING,), CallTrigger.RESUME_TIME_OUT, EndReason.FAILED),
    **_ends(_WITH_AGENT, CallTrigger.CANNOT_RECORD, EndReason.RECORDING_UNAVAILABLE),
    **_ends(_ALIVE, CallTrigger.MEDIA_FAILS, EndReason.FAILED),
    **_ends(_UNTAKEN, CallTrigger.VISITOR_HANGS_UP, EndReason.CANCELLED),
    **_ends(_WITH_AGENT, CallTrigger.VISITOR_HANGS_UP, EndReason.HUNG_UP),
    **_ends(_WITH_AGENT, CallTrigger.AGENT_HANGS_UP, EndReason.HUNG_UP),
    **_ends(_ALIVE, CallTrigger.VISITOR_LEAVES, EndReason.ABANDONED),
    **_ends(_WITH_AGENT, CallTrigger.AGENT_LEAVES, EndReason.FAILED),
    **_ends(_ALIVE, CallTrigger.ENDED_BY_API, EndReason.HUNG_UP),
    **_ends(_ALIVE, CallTrigger.SHUT_DOWN, EndReason.SHUT_DOWN),
}

ENDED_BY: Final[dict[CallTrigger, Party]] = {
    CallTrigger.VISITOR_HANGS_UP: "visitor",
    CallTrigger.VISITOR_LEAVES: "visitor",
    CallTrigger.AGENT_HANGS_UP: "agent",
    CallTrigger.AGENT_LEAVES: "agent",
    CallTrigger.EVERYBODY_DECLINED: "agent",
}


def next_state(state: CallState, event: CallTrigger) -> tuple[CallState, EndReason | None]:
    """Look an event up in the table; raises `CallNotPossible` when the state does not allow it."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise VisavisError(
            ErrorKind.CallNotPossible, f'A call that is {state} cannot take "{event}".'
        ) from None


Origin = Literal["widget", "invitation", "api"]
"""Origin of a call: a visitor, an agent's invitation, or another live-chat product."""


@dataclass(slots=True)
class CallRecord:
    """One call and what has happened to it. Times are wall clock, UTC.

    `interrupted_at` is when a party of a connected call was lost, until it is back.
    `talk_ended_at` is the end of the talk: earlier than `ended_at` if a lost party did not return.

    `quality` holds the last report of each side (`rtp.mos.LegReport`), ready for JSON.
    `is_unrecorded` says that it should have been recorded and, at least in part, was not.
    """

    id: str
    site_id: int
    visitor: Visitor
    media: Media
    is_recorded: bool
    requested_at: datetime
    state: CallState = CallState.REQUESTED
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

    def apply(self, event: CallTrigger, now: datetime) -> None:
        """Move by `event`; raises `CallNotPossible`, unchanged, where the table has none."""
        self.state, reason = next_state(self.state, event)
        if self.state is CallState.ACCEPTED:
            self.accepted_at = now
        elif self.state is CallState.CONNECTED:
            self.connected_at = self.connected_at or now
            self.interrupted_at = None
        elif self.state is CallState.RECONNECTING:
            self.interrupted_at = now
        elif self.state is CallState.ENDED:
            self.ended_at, self.reason = now, reason
            self.talk_ended_at = (self.interrupted_at or now) if self.connected_at else None
            self.ended_by = ENDED_BY.get(event, "system")

    def interrupt(self, at: datetime) -> None:
        """Count nothing after `at` as talk: a party was lost then and has not come back."""
        self.interrupted_at = min(at, self.interrupted_at or at)

    def allows(self, event: CallTrigger) -> bool:
        return (self.state, event) in TRANSITIONS

    @property
    def is_over(self) -> bool:
        return self.state is CallState.ENDED


HANG_UP: Final = {
    Side.VISITOR: CallTrigger.VISITOR_HANGS_UP,
    Side.AGENT: CallTrigger.AGENT_HANGS_UP,
}
LEAVE: Final = {Side.VISITOR: CallTrigger.VISITOR_LEAVES, Side.AGENT: CallTrigger.AGENT_LEAVES}
