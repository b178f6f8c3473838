"""The resources below `/library`: recordings of the built-in recording server."""

from __future__ import annotations

from typing import Any, Literal

from visavis.protocol.wire import JsonBody, Page, Time


class LibraryRecording(JsonBody):
    """A recording in the library: size in bytes, duration in seconds.

    missing lists, in sentences, media that were received and are not in the file. A recording on
    legal hold (isHeld) is kept even after its retention.
    """

    id: str
    site_id: int
    call_id: str
    media: str
    visitor_name: str
    visitor_email: str
    agent_names: list[str]
    started_at: Time
    duration: float
    size: int
    sha256: str
    missing: list[str]
    is_held: bool


class LibraryPage(Page):
    """A page of the library, with the URLs of the previous and the next page.

    Not every recording that is found is counted: unless isTotalExact, there are more than total.
    """

    recordings: list[LibraryRecording]
    is_total_exact: bool


class LibraryTrack(JsonBody):
    """A track of the file. side is visitor, agent or, in files of other programs, empty.

    participants are the numbers of the participants in the track. number counts from 1: a side has
    more than one track of a kind if the codec changed.
    """

    index: int
    side: str
    kind: str
    number: int
    codec: str
    width: int
    height: int
    participants: list[int]


class LibraryParticipant(JsonBody):
    """A participant of the call, by their number in it; role is visitor or agent."""

    id: int
    role: str
    name: str


class LibraryChapter(JsonBody):
    """A chapter of the file; at is in seconds from the beginning."""

    at: float
    title: str


class LibraryEvent(JsonBody):
    """An event of the call; at is its position in the recording, in seconds from the beginning."""

    at: float
    name: str
    by: str
    data: dict[str, Any]


class LibraryContents(JsonBody):
    """Contents of the file: its tracks, its chapters, and the events of the call.

    Times are in seconds from the beginning; duration is 0 if the file cannot be read.
    """

    duration: float
    tracks: list[LibraryTrack]
    chapters: list[LibraryChapter]
    texts: list[LibraryEvent]
    events: list[LibraryEvent]
    quality: dict[str, Any]
    consent: str
    visitor_name: str
    visitor_email: str
    agent_names: list[str]
    participants: list[LibraryParticipant]


class LibraryEntry(JsonBody):
    """A recording in the library."""

    recording: LibraryRecording


class LibraryDetails(LibraryEntry):
    """A recording with the contents of its file."""

    contents: LibraryContents


class LibraryPart(JsonBody):
    """A file that a browser can play, from begins to ends in seconds of the recording.

    pictures are the spans with visible video, participants the numbers of the participants in the
    part.
    """

    name: str
    side: str
    kind: Literal["audio", "video", "screen"]
    file_name: str
    media_type: str
    begins: float
    ends: float
    pictures: list[tuple[float, float]]
    participants: list[int]


class LibraryParts(JsonBody):
    """The files into which a recording is split for browsers."""

    parts: list[LibraryPart]


class LibraryComposition(JsonBody):
    """Progress of the MP4 of both sides, from 0 to 1."""

    state: Literal["none", "waiting", "running", "done", "failed"]
    progress: float
