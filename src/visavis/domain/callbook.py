"""Calls as they are looked up afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from visavis.domain.call import EndReason, Origin, State
from visavis.domain.policy import Consent
from visavis.domain.signaling import Media, Party


@dataclass(frozen=True, slots=True)
class CallSearch:
    """Which calls are looked for; `None` and the empty text leave a question out.

    `since` and `until` bound the time of the request, the latter excluded. `text` is part of the
    visitor's name or e-mail address, in any case.
    """

    states: frozenset[State] = frozenset()
    reasons: frozenset[EndReason] = frozenset()
    agent_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class PastCall:
    """A call as the store knows it; it may go on still. `message` was left by its visitor."""

    id: str
    site_id: int
    visitor_name: str
    visitor_email: str
    media: Media
    state: State
    reason: EndReason | None
    ended_by: Party
    agent_id: int | None
    agent_name: str
    requested_at: datetime
    accepted_at: datetime | None
    connected_at: datetime | None
    ended_at: datetime | None
    is_recorded: bool
    is_unrecorded: bool
    recording_id: str | None
    consent: Consent
    origin: Origin
    message: str
    quality: dict[str, Any]
