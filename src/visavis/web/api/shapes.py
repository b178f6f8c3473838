"""The bodies of the REST API, for its description."""

# the names are the wire's
# ruff: noqa: N815

from __future__ import annotations

from typing import Annotated

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
