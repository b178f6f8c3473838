"""The attachment `call.json` of a recording: the call, and where its parts are in the file.

The recorder writes it and the archive reads it; `docs/recording-file.md` describes it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

from msgspec import Struct

from visavis.domain.vocabulary import Media, Party

CALL_JSON: Final = "call.json"
VERSION: Final = 2
"""Version of the attachment. Version 1 had no participants and no field `version`."""


class RecordedEvent(Struct, frozen=True, rename="camel"):
    """An event of the call; see `domain.call_events`."""

    at: datetime
    name: str
    by: Party = "system"
    data: dict[str, Any] = {}


class RecordedTrack(Struct, frozen=True, rename="camel"):
    """A track of a recording; `name` is its title in the file, `codec` its name in RTP."""

    name: str
    side: Literal["visitor", "agent"]
    content: Literal["audio", "video", "screen"]
    codec: str


class RecordedParticipant(Struct, frozen=True, rename="camel"):
    """A participant of the call; `tracks` are the names of the tracks that contain them.

    Participants who follow each other in a call, for example after a transfer, share tracks.
    """

    id: int
    role: str
    name: str = ""
    tracks: tuple[str, ...] = ()


class RecordedCallReport(Struct, frozen=True, rename="camel", kw_only=True):
    """Report of a recorded call. `quality` holds a report for each side (`rtp.mos`).

    `started_at` is the time at which the file begins, `duration` is in seconds, and `pauses` are
    pairs of seconds from the beginning. `lost_records` is the number of packets that were not
    recorded because the disk was too slow.
    """

    call_id: str
    site_id: int
    media: Media
    visitor_name: str = ""
    visitor_email: str = ""
    agent_names: tuple[str, ...] = ()
    consent: str = "none"
    events: tuple[RecordedEvent, ...] = ()
    quality: dict[str, Any] = {}
    recording_id: str
    started_at: datetime
    duration: float
    tracks: tuple[RecordedTrack, ...] = ()
    participants: tuple[RecordedParticipant, ...] = ()
    pauses: tuple[tuple[float, float], ...] = ()
    lost_records: int = 0
    software: str = ""
    version: int = 1
