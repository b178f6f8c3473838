"""Events of a call and its report, for the recording, the library and the REST API."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from visavis.domain.vocabulary import Media, Party


class CallEventName(StrEnum):
    """Names of call events; a change of the call's state has the state's name (`CallState`)."""

    UPGRADED = "upgraded"  # from audio to video; data: {"side": …}
    SHARE_STARTED = "shareStarted"  # data: {"side": …}
    SHARE_STOPPED = "shareStopped"  # data: {"side": …}
    TRANSFERRED = "transferred"  # data: {"agentName": …, "agentId": …}
    RECORDING_STARTED = "recordingStarted"
    RECORDING_PAUSED = "recordingPaused"
    RECORDING_RESUMED = "recordingResumed"
    UNRECORDED = "unrecorded"  # a call that must be recorded could not be; data: {"why": …}
    LINKED = "linked"  # a new bridge carries media; data: {"link": its number}
    TEXT = "text"  # data: {"text": …}


class CallEvent(msgspec.Struct, frozen=True):
    """An event of a call.

    `name` is a `CallEventName` or the state that the call has reached; `by` is the party that
    caused it.
    """

    at: datetime
    name: str
    by: Party = "system"
    data: dict[str, Any] = {}


class CallReport(msgspec.Struct, frozen=True, kw_only=True):
    """Report of a finished call. `quality` holds a report for each side (`rtp.mos`)."""

    call_id: str
    site_id: int
    media: Media
    visitor_name: str = ""
    visitor_email: str = ""
    agent_names: tuple[str, ...] = ()
    consent: str = "none"
    events: tuple[CallEvent, ...] = ()
    quality: dict[str, Any] = {}
