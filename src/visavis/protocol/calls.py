"""The resource `livechat/audioVideoChats`: its bodies, and reading them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from visavis.domain.call import CallState, EndReason, Origin
from visavis.domain.call_events import CallReport
from visavis.domain.call_history import PastCall
from visavis.domain.errors import ErrorKind
from visavis.domain.policy import Consent
from visavis.domain.recording import RecordingState
from visavis.domain.vocabulary import Media, Party
from visavis.protocol.call_events import AnyChatEvent, chat_event_of
from visavis.protocol.query import Place
from visavis.protocol.wire import (
    JsonBody,
    Page,
    Time,
    format_optional_time,
    format_time,
    wrong_field,
)

MAX_TEXT_LENGTH: Final = 200
MAX_AGENT_ID: Final = 2**31 - 1

ENDINGS: Final = tuple(reason for reason in EndReason if reason is not EndReason.TRANSFERRED)
"""Reasons with which a call can end; a transferred call goes on."""
Reason = Annotated[str, Meta(extra_json_schema={"enum": list(ENDINGS)})]
Name = Annotated[str, Meta(max_length=MAX_TEXT_LENGTH)]


class AudioVideoChat(JsonBody):
    """A call. Its times are null until they are known; duration is the seconds of talk.

    isRecorded and recordingId refer to a recording that exists. recordingState is its delivery
    state, also if it was deleted, and null if no recording was started. missingMedia lists the
    received media that it lacks. isRecordingIntended says that the call was to be recorded,
    automatically or by its agent.
    """

    id: str
    site_id: int
    media: Media
    state: CallState
    reason: Reason | None
    ended_by: Party | None
    visitor_name: str
    visitor_email: str
    agent_id: int | None
    agent_name: str
    create_time: Time
    accept_time: Time | None
    connect_time: Time | None
    end_time: Time | None
    duration: float | None
    is_recorded: bool
    is_unrecorded: bool
    recording_id: str | None
    is_recording_intended: bool
    recording_state: RecordingState | None
    missing_media: list[str]
    consent: Consent
    origin: Origin
    message: str


class AudioVideoChatPage(Page):
    """A page of the calls, newest first, with the URLs of the previous and the next page."""

    audio_video_chats: list[AudioVideoChat]


class LegQuality(JsonBody):
    """Quality of one side's connection.

    loss is 0 to 1, times are in milliseconds, mos is 1 to 4.5 (ITU-T G.107).
    """

    loss_in: float = 0.0
    loss_out: float = 0.0
    jitter: float = 0.0
    round_trip: float | None = None
    mos: float | None = None
    bytes_in: int = 0
    bytes_out: int = 0
    packets_in: int = 0
    packets_out: int = 0


class CallQuality(JsonBody, omit_defaults=True):
    """The last quality report of each side; a side without a report is absent."""

    visitor: LegQuality | UnsetType = UNSET
    agent: LegQuality | UnsetType = UNSET


class AudioVideoChatReport(AudioVideoChat):
    """A call with all its events; agentNames lists its agents in order."""

    agent_names: list[str]
    events: list[AnyChatEvent]
    quality: CallQuality


class AudioVideoChatRequest(JsonBody):
    """A call to create. Without agentId it is for the agent who sends the request."""

    media: Media
    visitor_name: Name | UnsetType = UNSET
    visitor_email: Name | UnsetType = UNSET
    agent_id: Annotated[int, Meta(ge=1, le=MAX_AGENT_ID)] | UnsetType = UNSET


class AudioVideoChatJoin(AudioVideoChat):
    """A call that waits for its participants, with a join link for each of them."""

    visitor_url: str
    agent_url: str


def chat_of(call: PastCall) -> AudioVideoChat:
    return AudioVideoChat(**_fields(call))


def page_of(calls: Sequence[PastCall], place: Place) -> AudioVideoChatPage:
    """Return a page of calls; `place` is its position in the list."""
    return AudioVideoChatPage(
        **place._asdict(), audio_video_chats=[chat_of(call) for call in calls]
    )


def report_of_call(call: PastCall, report: CallReport) -> AudioVideoChatReport:
    """Return a call with its events."""
    return AudioVideoChatReport(
        **_fields(call),
        agent_names=list(report.agent_names),
        events=[chat_event_of(event) for event in report.events],
        quality=msgspec.convert(report.quality, CallQuality),
    )


def join_of(call: PastCall, visitor_url: str, agent_url: str) -> AudioVideoChatJoin:
    """Return a new call with its join links."""
    return AudioVideoChatJoin(**_fields(call), visitor_url=visitor_url, agent_url=agent_url)


def _fields(call: PastCall) -> dict[str, Any]:
    seconds = call.talk_seconds
    return {
        "id": call.id,
        "site_id": call.site_id,
        "media": call.media,
        "state": call.state,
        "reason": call.reason,
        "ended_by": call.ended_by if call.ended_at else None,
        "visitor_name": call.visitor_name,
        "visitor_email": call.visitor_email,
        "agent_id": call.agent_id,
        "agent_name": call.agent_name,
        "create_time": format_time(call.requested_at),
        "accept_time": format_optional_time(call.accepted_at),
        "connect_time": format_optional_time(call.connected_at),
        "end_time": format_optional_time(call.ended_at),
        "duration": None if seconds is None else round(seconds, 3),
        "is_recorded": call.is_recorded,
        "is_unrecorded": call.is_unrecorded,
        "recording_id": call.recording_id,
        "is_recording_intended": call.is_recording_intended,
        "recording_state": call.recording_state,
        "missing_media": list(call.missing),
        "consent": call.consent,
        "origin": call.origin,
        "message": call.message,
    }


def read_request(values: Mapping[str, Any]) -> tuple[Media, str, str, int | None]:
    """Return media, visitor's name, e-mail address and agent's id; raise the 400 errors."""
    return (
        _media(values),
        _text(values, "visitorName"),
        _text(values, "visitorEmail"),
        _agent_id(values),
    )


def _media(values: Mapping[str, Any]) -> Media:
    match values.get("media"):
        case "audio":
            return "audio"
        case "video":
            return "video"
        case None:
            raise wrong_field("media", "is required.", ErrorKind.ParameterMissing)
    raise wrong_field("media", 'must be "audio" or "video".')


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name.casefold(), "")
    if not isinstance(value, str):
        raise wrong_field(name, "must be a string.")
    if len(value) > MAX_TEXT_LENGTH:
        kind = ErrorKind.ParameterStringLengthExceed
        raise wrong_field(name, f"is longer than {MAX_TEXT_LENGTH} characters.", kind)
    return value


def _agent_id(values: Mapping[str, Any]) -> int | None:
    if "agentid" not in values:
        return None
    value = values["agentid"]
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= MAX_AGENT_ID:
        raise wrong_field("agentId", "must be an agent's number.")
    return value
