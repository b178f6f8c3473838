"""Call history: past calls and the search for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from visavis.domain.call import CallState, EndReason, Origin
from visavis.domain.policy import Consent
from visavis.domain.recording import RecordingState
from visavis.domain.vocabulary import Media, Party


@dataclass(frozen=True, slots=True)
class CallSearch:
    """Search of the call history; `None` and the empty text do not filter.

    `since` and `until` bound the time of the request, the latter excluded. `text` is part of the
    visitor's name or e-mail address, in any case. `is_answered` asks whether an agent accepted.
    """

    states: frozenset[CallState] = frozenset()
    reasons: frozenset[EndReason] = frozenset()
    agent_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""
    is_answered: bool | None = None


@dataclass(frozen=True, slots=True)
class PastCall:
    """A call as the store knows it; it may go on still. `message` was left by its visitor.

    `talk_ended_at` is `None` if the call was never connected, or if nobody knows when the talk
    ended because the server failed. `is_recording_intended` says that it was to be recorded:
    automatically, or by its agent. `recording_state` is that of its recording, `None` if none was
    begun; `missing` says in sentences which media that lacks. `recording_id` is `None`
    where no recording exists.
    """

    id: str
    site_id: int
    visitor_name: str
    visitor_email: str
    media: Media
    state: CallState
    reason: EndReason | None
    ended_by: Party
    agent_id: int | None
    agent_name: str
    requested_at: datetime
    accepted_at: datetime | None
    connected_at: datetime | None
    ended_at: datetime | None
    talk_ended_at: datetime | None
    is_recording_intended: bool
    is_unrecorded: bool
    recording_id: str | None
    recording_state: RecordingState | None
    missing: tuple[str, ...]
    consent: Consent
    origin: Origin
    message: str
    quality: dict[str, Any]

    @property
    def talk_seconds(self) -> float | None:
        """Seconds from the connection to the end of the talk."""
        if self.connected_at is None or self.talk_ended_at is None:
            return None
        return (self.talk_ended_at - self.connected_at).total_seconds()

    @property
    def is_recorded(self) -> bool:
        """Whether a recording exists, wherever it is and however far it has come."""
        return self.recording_id is not None
