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
    """Filters of the call history; `None` and empty values do not filter.

    A call was requested at `since` or later, and before `until`. `text` occurs in the visitor's
    name or e-mail address, in upper or lower case. `is_answered` asks whether an agent accepted.
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
    """A stored call, which may still be in progress.

    `message` is the text that the visitor left after the call was missed. `talk_ended_at` is `None`
    if the call was never connected, or if the end of the talk is unknown because the server failed.
    `is_recording_intended` says that the call was to be recorded, automatically or by its agent.
    `recording_state` is `None` if no recording was started, `recording_id` is `None` if no
    recording exists now. `missing` lists, in sentences, the media that the recording lacks.
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
        """Whether a recording exists, delivered or not."""
        return self.recording_id is not None
