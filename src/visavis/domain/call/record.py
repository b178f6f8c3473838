"""Record of a call: the facts that are saved, from its request to its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from visavis.domain.call.states import (
    ENDED_BY,
    TRANSITIONS,
    CallState,
    CallTrigger,
    EndReason,
    next_state,
)
from visavis.domain.people import Agent, Visitor
from visavis.domain.policy import Consent
from visavis.domain.vocabulary import Media, Party

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
