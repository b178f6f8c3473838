"""Events of a call and its report, for the recording, the library and the REST API."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal

import msgspec

from visavis.domain.vocabulary import Media, Party


class CallEventName(StrEnum):
    """The names of `CallEvent`s; the states of the call have theirs in `domain.call.CallState`."""

    UPGRADED = "upgraded"  # from audio to video; data: {"side": …}
    SHARE_STARTED = "shareStarted"  # data: {"side": …}
    SHARE_STOPPED = "shareStopped"  # data: {"side": …}
    TRANSFERRED = "transferred"  # data: {"agentName": …, "agentId": …}
    RECORDING_STARTED = "recordingStarted"
    RECORDING_PAUSED = "recordingPaused"
    RECORDING_RESUMED = "recordingResumed"
    UNRECORDED = "unrecorded"  # it should have been recorded and could not; data: {"why": …}
    LINKED = "linked"  # a link flows; data: {"link": number}
    TEXT = "text"  # data: {"text": …}


class CallEvent(msgspec.Struct, frozen=True, rename="camel"):
    """`name` is a `CallEventName` or the state that the call has reached; `by` is who did it."""

    at: datetime
    name: str
    by: Party = "system"
    data: dict[str, Any] = {}


class CallReport(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Report of a call that is over. `quality` holds a report for each side (`rtp.mos`)."""

    call_id: str
    site_id: int
    media: Media
    visitor_name: str = ""
    visitor_email: str = ""
    agent_names: tuple[str, ...] = ()
    consent: str = "none"
    events: tuple[CallEvent, ...] = ()
    quality: dict[str, Any] = {}


class RecordedTrack(msgspec.Struct, frozen=True, rename="camel"):
    """One track of a recording; `name` is its title in the file, `codec` as RTP names it."""

    name: str
    side: Literal["visitor", "agent"]
    content: Literal["audio", "video", "screen"]
    codec: str


class RecordedCallReport(CallReport, frozen=True, rename="camel", kw_only=True):
    """The attachment `CALL_JSON` of a recording: the story, and how the file lies in it.

    `started_at` is where the file's time is 0, `duration` in seconds; `pauses` are pairs of seconds
    from the beginning. `lost_records` counts what a slow disk cost.
    """

    recording_id: str
    started_at: datetime
    duration: float
    tracks: tuple[RecordedTrack, ...] = ()
    pauses: tuple[tuple[float, float], ...] = ()
    lost_records: int = 0
    software: str = ""


CALL_JSON: Final = "call.json"
