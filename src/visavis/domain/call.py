"""A call's life as a table: state × event → state, and the reason when it ends.

The diagram in `docs/protocol.md` is drawn from `TRANSITIONS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import Side
from visavis.domain.people import Agent, Visitor
from visavis.domain.signaling import Media, Party

RING_SECONDS: Final = 45.0
CONNECT_SECONDS: Final = 30.0


class State(StrEnum):
    REQUESTED = "requested"
    RINGING = "ringing"
    ACCEPTED = "accepted"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    ENDED = "ended"


class Event(StrEnum):
    RING = "ring"
    NOBODY_THERE = "nobody there"
    EVERYBODY_DECLINED = "everybody declined"
    RING_TIME_OUT = "ring time-out"
    ACCEPT = "accept"
    ANSWER = "answer"
    BOTH_LEGS_UP = "both legs up"
    CONNECT_TIME_OUT = "connect time-out"
    LEG_DOWN = "leg down"
    VISITOR_HANGS_UP = "visitor hangs up"
    AGENT_HANGS_UP = "agent hangs up"
    VISITOR_LEAVES = "visitor leaves"
    AGENT_LEAVES = "agent leaves"
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
    RECORDING_UNAVAILABLE = "recordingUnavailable"
    SHUT_DOWN = "shutDown"


_ALIVE = (State.REQUESTED, State.RINGING, State.ACCEPTED, State.CONNECTING, State.CONNECTED)
_WITH_AGENT = (State.ACCEPTED, State.CONNECTING, State.CONNECTED)
_UNTAKEN = (State.REQUESTED, State.RINGING)

TRANSITIONS: Final[dict[tuple[State, Event], tuple[State, EndReason | None]]] = {
    (State.REQUESTED, Event.RING): (State.RINGING, None),
    (State.REQUESTED, Event.NOBODY_THERE): (State.ENDED, EndReason.MISSED),
    (State.RINGING, Event.NOBODY_THERE): (State.ENDED, EndReason.MISSED),
    (State.RINGING, Event.EVERYBODY_DECLINED): (State.ENDED, EndReason.DECLINED),
    (State.RINGING, Event.RING_TIME_OUT): (State.ENDED, EndReason.MISSED),
    (State.RINGING, Event.ACCEPT): (State.ACCEPTED, None),
    (State.ACCEPTED, Event.ANSWER): (State.CONNECTING, None),
    (State.CONNECTING, Event.BOTH_LEGS_UP): (State.CONNECTED, None),
    **{
        (s, Event.CANNOT_RECORD): (State.ENDED, EndReason.RECORDING_UNAVAILABLE)
        for s in _WITH_AGENT
    },
    **{(s, Event.CONNECT_TIME_OUT): (State.ENDED, EndReason.FAILED) for s in _WITH_AGENT[:2]},
    **{(s, Event.LEG_DOWN): (State.ENDED, EndReason.FAILED) for s in _WITH_AGENT},
    **{(s, Event.MEDIA_FAILS): (State.ENDED, EndReason.FAILED) for s in _WITH_AGENT},
    **{(s, Event.VISITOR_HANGS_UP): (State.ENDED, EndReason.CANCELLED) for s in _UNTAKEN},
    **{(s, Event.VISITOR_HANGS_UP): (State.ENDED, EndReason.HUNG_UP) for s in _WITH_AGENT},
    **{(s, Event.AGENT_HANGS_UP): (State.ENDED, EndReason.HUNG_UP) for s in _WITH_AGENT},
    **{(s, Event.VISITOR_LEAVES): (State.ENDED, EndReason.ABANDONED) for s in _ALIVE},
    **{(s, Event.AGENT_LEAVES): (State.ENDED, EndReason.FAILED) for s in _WITH_AGENT},
    **{(s, Event.SHUT_DOWN): (State.ENDED, EndReason.SHUT_DOWN) for s in _ALIVE},
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


@dataclass(slots=True)
class CallRecord:
    """One call and what has happened to it. Times are wall clock, UTC."""

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
    reason: EndReason | None = None
    ended_by: Party = "system"

    def apply(self, event: Event, now: datetime) -> None:
        """Move by `event`; raises `CallNotPossible`, unchanged, where the table has none."""
        self.state, reason = next_state(self.state, event)
        if self.state is State.ACCEPTED:
            self.accepted_at = now
        elif self.state is State.CONNECTED:
            self.connected_at = now
        elif self.state is State.ENDED:
            self.ended_at, self.reason = now, reason
            self.ended_by = ENDED_BY.get(event, "system")

    def allows(self, event: Event) -> bool:
        return (self.state, event) in TRANSITIONS

    @property
    def is_over(self) -> bool:
        return self.state is State.ENDED


HANG_UP: Final = {Side.VISITOR: Event.VISITOR_HANGS_UP, Side.AGENT: Event.AGENT_HANGS_UP}
LEAVE: Final = {Side.VISITOR: Event.VISITOR_LEAVES, Side.AGENT: Event.AGENT_LEAVES}
