"""The bodies of the REST API, for its description."""

# the names are the wire's
# ruff: noqa: N815

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from visavis.services.configs import MAX_URL_LENGTH

Word = Annotated[
    str,
    Meta(pattern="^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$", description="As existing clients."),
]
Url = Annotated[
    str,
    Meta(
        pattern="^([Hh][Tt][Tt][Pp][Ss]?://.+)?$",
        max_length=MAX_URL_LENGTH,
        description="An absolute http or https URL without user name and password; empty only "
        "while automatic recording is off.",
        examples=["http://google.com"],
    ),
]


class Config(Struct):
    """The configuration of Audio & Video Chat of one site."""

    isEnabled: bool
    isAutomaticallyRecordingAudioVideoChatsEnabled: bool
    recordingServerUrl: str


class ConfigChange(Struct):
    """What to change. Keys match without regard to case; unknown ones are ignored."""

    recordingServerUrl: Url
    isEnabled: bool | Word | UnsetType = UNSET
    isAutomaticallyRecordingAudioVideoChatsEnabled: bool | Word | UnsetType = UNSET


class Detail(Struct):
    """One field that was changed."""

    fieldName: str
    newValue: str
    oldValue: str


class AuditLog(Struct):
    """One act of an agent; agentId is null for the command line."""

    id: str
    siteId: int
    agentId: int | None
    agentEmail: str
    createTime: Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
    actionType: str
    actionSummary: str
    actionDetails: list[Detail]


class AuditLogs(Struct):
    """A page of the log, newest first, and the addresses of its neighbours."""

    total: int
    previousPage: str
    nextPage: str
    auditLogs: list[AuditLog]


Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
Name = Annotated[str, Meta(max_length=200)]


class AudioVideoChat(Struct):
    """A call. Its times are null until they come; duration is in seconds, of the talk alone."""

    id: str
    siteId: int
    media: Literal["audio", "video"]
    state: str
    reason: str | None
    endedBy: Literal["visitor", "agent", "system"] | None
    visitorName: str
    visitorEmail: str
    agentId: int | None
    agentName: str
    createTime: Time
    acceptTime: Time | None
    connectTime: Time | None
    endTime: Time | None
    duration: float | None
    isRecorded: bool
    isUnrecorded: bool
    recordingId: str | None
    consent: Literal["none", "notice", "agreement"]
    origin: Literal["widget", "invitation", "api"]
    message: str


class AudioVideoChats(Struct):
    """A page of the calls, newest first, and the addresses of its neighbours."""

    total: int
    previousPage: str
    nextPage: str
    audioVideoChats: list[AudioVideoChat]


class ChatEvent(Struct):
    """A state that the call has reached, or something else that has happened in it."""

    time: Time
    name: str
    by: Literal["visitor", "agent", "system"]
    data: dict[str, Any]


class LegQuality(Struct):
    """One side's connection: loss 0 to 1, times in milliseconds, mos 1 to 4.5 (ITU-T G.107)."""

    lossIn: float
    lossOut: float
    jitter: float
    roundTrip: float | None
    mos: float | None
    bytesIn: int
    bytesOut: int
    packetsIn: int
    packetsOut: int


class Quality(Struct, omit_defaults=True):
    visitor: LegQuality | UnsetType = UNSET
    agent: LegQuality | UnsetType = UNSET


class AudioVideoChatStory(AudioVideoChat):
    """A call and all that has happened in it; agentNames in the order in which they had it."""

    agentNames: list[str]
    events: list[ChatEvent]
    quality: Quality


class AudioVideoChatRequest(Struct):
    """A call to make. Without agentId it is of the agent who asks."""

    media: Literal["audio", "video"]
    visitorName: Name | UnsetType = UNSET
    visitorEmail: Name | UnsetType = UNSET
    agentId: Annotated[int, Meta(ge=1, le=2**31 - 1)] | UnsetType = UNSET


class AudioVideoChatJoin(AudioVideoChat):
    """A call that waits for its parties, and the address for each of them to open."""

    visitorUrl: str
    agentUrl: str


class Problem(Struct):
    """Every error: the name existing clients look at, and the members of RFC 9457."""

    error: str
    message: str
    type: str
    title: str
    status: int
    detail: str
    instance: str
    requestId: str
    pointer: str | UnsetType = UNSET
