"""The bodies of the REST API, for its description."""

# the names are the wire's
# ruff: noqa: N815

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from visavis.domain.audit import ActionType
from visavis.domain.call import CallState, EndReason
from visavis.domain.call_events import CallEventName
from visavis.domain.recording import RecordingState
from visavis.services.configs import MAX_URL_LENGTH
from visavis.services.policies import MAX_RETENTION_DAYS, MAX_SECRET_LENGTH, SECRET_PATTERN

Word = Annotated[
    str,
    Meta(
        pattern="^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$",
        description="As existing clients send it.",
    ),
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

ENDINGS: Final = tuple(reason for reason in EndReason if reason is not EndReason.TRANSFERRED)
"""Reasons of calls that are over; a transferred call goes on."""
Reason = Annotated[str, Meta(extra_json_schema={"enum": list(ENDINGS)})]
EventName = Annotated[str, Meta(extra_json_schema={"enum": [*CallState, *CallEventName]})]

Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
Consent = Literal["notice", "agreement"]
Days = Annotated[int, Meta(ge=1, le=MAX_RETENTION_DAYS)]
Secret = Annotated[
    str,
    Meta(
        pattern=f"^({SECRET_PATTERN})?$",
        max_length=MAX_SECRET_LENGTH,
        description="The bearer token that the recording server wants (RFC 6750 §2.1).",
    ),
]


class Configuration(Struct):
    """The configuration of Audio & Video Chat of one site."""

    isEnabled: bool
    isAutomaticallyRecordingAudioVideoChatsEnabled: bool
    recordingServerUrl: str


class ConfigChange(Struct):
    """A change of the settings. Keys match without regard to case; unknown ones are ignored."""

    recordingServerUrl: Url
    isEnabled: bool | Word | UnsetType = UNSET
    isAutomaticallyRecordingAudioVideoChatsEnabled: bool | Word | UnsetType = UNSET
    recordingServerSecret: Secret | UnsetType = UNSET


class ConfigEvent(Struct):
    """The data of an event: the configuration as it is now, and its tag for If-Match."""

    etag: str
    config: Configuration


class Detail(Struct):
    """One field that was changed."""

    fieldName: str
    newValue: str
    oldValue: str


class AuditLog(Struct):
    """One act of an agent; agentId is null for the command line, the system and strangers.

    author is the agent's e-mail address at that time, or one of command line, system, anonymous.
    """

    id: str
    siteId: int
    agentId: int | None
    agentEmail: str
    createTime: Time
    actionType: ActionType
    actionSummary: str
    actionDetails: list[Detail]
    agentName: str
    author: str
    objectName: str


class AuditLogPage(Struct):
    """A page of the log, newest first, and the addresses of its neighbours."""

    total: int
    previousPage: str
    nextPage: str
    auditLogs: list[AuditLog]


class RecordingPolicySettings(Struct):
    """Recording policy of a site. retentionDays null keeps recordings forever."""

    consent: Consent
    unrecordable: Literal["refuse", "continue"]
    retentionDays: Days | None
    hasSecret: bool


class RecordingPolicyChange(Struct):
    """A change of the policy; absent fields stay. A secret of null or "" removes it."""

    consent: Consent | UnsetType = UNSET
    unrecordable: Literal["refuse", "continue"] | UnsetType = UNSET
    retentionDays: Days | UnsetType | None = UNSET
    secret: Secret | UnsetType | None = UNSET


class RecordingServerTrial(Struct):
    """The server to test; absent fields are those that are stored."""

    recordingServerUrl: Url | UnsetType = UNSET
    secret: Secret | UnsetType | None = UNSET


class RecordingServerVerdict(Struct):
    """Whether the recording server takes recordings, in words, and what it offers (tus 1.0)."""

    ok: bool
    message: str
    extensions: list[str]
    hasChecksums: bool


class Recording(Struct):
    """A recording and how far it has come; sizes in bytes, duration in seconds.

    isIncomplete: the file lacks media that were received; missingMedia says which and why.
    """

    id: str
    callId: str
    state: RecordingState
    startedAt: Time
    duration: float | None
    size: int | None
    sha256: str | None
    uploaded: int
    attempts: int
    triedAt: Time | None
    nextTryAt: Time | None
    lastError: str | None
    isIncomplete: bool
    missingMedia: list[str]
    recordingServerUrl: str | None
    deliveredAt: Time | None


class RecordingPage(Struct):
    """The backlog, summed up, and a page of recordings, newest first.

    missing counts the calls of the last 30 days that ought to have a recording at the recording
    server and have none. incomplete counts the recordings of which the file lacks received media.
    """

    pending: int
    failed: int
    incomplete: int
    missing: int
    oldestPending: Time | None
    lastSuccess: Time | None
    lastError: str | None
    lastErrorTime: Time | None
    total: int
    previousPage: str
    nextPage: str
    recordings: list[Recording]


Name = Annotated[str, Meta(max_length=200)]


class AudioVideoChat(Struct):
    """A call. Its times are null until they come; duration is in seconds, of the talk alone.

    isRecorded and recordingId tell of a recording that exists; recordingState how far it has come
    or that it was deleted, null if none was begun; missingMedia which received media it lacks.
    isRecordingIntended: it was to be recorded, automatically or by its agent.
    """

    id: str
    siteId: int
    media: Literal["audio", "video"]
    state: CallState
    reason: Reason | None
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
    isRecordingIntended: bool
    recordingState: RecordingState | None
    missingMedia: list[str]
    consent: Literal["none", "notice", "agreement"]
    origin: Literal["widget", "invitation", "api"]
    message: str


class AudioVideoChatPage(Struct):
    """A page of the calls, newest first, and the addresses of its neighbours."""

    total: int
    previousPage: str
    nextPage: str
    audioVideoChats: list[AudioVideoChat]


class ChatEvent(Struct):
    """A state that the call has reached, or something else that has happened in it.

    data is open: its keys depend on name, and later versions add some.
    """

    time: Time
    name: EventName
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


class CallQuality(Struct, omit_defaults=True):
    """The last report of each side's connection; a side without one is absent."""

    visitor: LegQuality | UnsetType = UNSET
    agent: LegQuality | UnsetType = UNSET


class AudioVideoChatStory(AudioVideoChat):
    """A call and all that has happened in it; agentNames in the order in which they had it."""

    agentNames: list[str]
    events: list[ChatEvent]
    quality: CallQuality


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
