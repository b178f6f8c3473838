"""Descriptions of the resources below `/v4`."""

from __future__ import annotations

from typing import Any, Final

from visavis.domain.audit import ActionType
from visavis.domain.call import CallState
from visavis.domain.errors import ErrorKind
from visavis.protocol.calls import (
    ENDINGS,
    MAX_AGENT_ID,
    MAX_TEXT_LENGTH,
)
from visavis.protocol.openapi import (
    BAD_BODY,
    BAD_PARAMETER,
    Body,
    DocumentedAnswer,
    Operation,
    Schema,
    described_by_name,
)
from visavis.protocol.parameters import (
    ID_TEXT,
    IF_MATCH,
    IF_NONE_MATCH,
    NOT_MODIFIED,
    SITE,
    TAGGED,
    TIME,
    list_parameter,
    paging,
    path_parameter,
    query,
)
from visavis.web.api import audit, events, recordings

CONFIGURATION: Final = "Audio & Video Chat"
CALLS: Final = "Calls"
RECORDING: Final = "Recording"
AUDIT: Final = "Audit log"
TAGS: Final = {
    CONFIGURATION: "The switch of a site, and its recording server.",
    CALLS: "Calls are looked up, ended, and made for another live-chat product.",
    RECORDING: "How a site records, and how far its recordings have come.",
    AUDIT: "Changes of the configuration and uses of recordings, with their authors.",
}

_AUDIT_FILTERS: Final = (
    query("agentId", "Of this agent.", type="integer", minimum=0, maximum=audit.MAX_AGENT_ID),
    query("author", "Part of the agent's name or e-mail address.", maxLength=audit.MAX_TEXT_LENGTH),
    list_parameter("actionType", "With one of these actions.", ActionType),
    query("object", "Part of the name of what was acted upon.", maxLength=audit.MAX_TEXT_LENGTH),
    query("from", "Then or later.", **TIME),
    query("to", "Before then.", **TIME),
)
_NEEDS_SETTINGS: Final = "Needs the permission *Manage Settings*."
_NEEDS_CALLS: Final = "Needs the permission *Accept Audio & Video Chats*."
_NEEDS_EITHER: Final = (
    "Needs the permission *Accept Audio & Video Chats* or the permission *Manage Settings*."
)
_NEEDS_AUDIT: Final = "Needs the permission *View Audit Log*."
_KEEPS: Final = "A value that is not sent stays as it is."
_OPEN: Final = "Keys match without regard to case; unknown ones are ignored."

_ID: Final = path_parameter("id", ID_TEXT)
CALL_FILTERS: Final[tuple[Schema, ...]] = (
    list_parameter("state", "Only calls in one of these states.", tuple(CallState)),
    list_parameter("reason", "Only calls that ended for one of these.", ENDINGS),
    query(
        "agentId",
        "Only calls of this agent.",
        type="integer",
        minimum=0,
        maximum=MAX_AGENT_ID,
    ),
    query("isAnswered", "Whether an agent accepted the call.", type="boolean"),
    query("from", "Requested then or later.", **TIME),
    query("to", "Requested before then.", **TIME),
    query("text", "Part of the visitor's name or e-mail address.", maxLength=MAX_TEXT_LENGTH),
    query(
        "keywords",
        "The same as text, as existing clients name it.",
        maxLength=MAX_TEXT_LENGTH,
    ),
)


def _operation(
    name: str,
    tag: str,
    summary: str,
    description: str,
    answer: DocumentedAnswer,
    *,
    status: int = 200,
    parameters: tuple[Schema, ...] = (),
    errors: tuple[ErrorKind, ...] = (),
    **options: Any,
) -> Operation:
    """Return the description of a route that agents call."""
    more = options.pop("more", {})
    return Operation(
        name=name,
        tag=tag,
        summary=summary,
        description=description,
        answers={status: answer, **more},
        parameters=(*parameters, *SITE),
        errors=errors,
        **options,
    )


DESCRIPTIONS: Final = described_by_name(
    _operation(
        "getAudioVideoChatConfig",
        CONFIGURATION,
        "Read the configuration",
        _NEEDS_SETTINGS,
        DocumentedAnswer("The configuration", headers=TAGGED),
        more={304: NOT_MODIFIED},
        parameters=(IF_NONE_MATCH,),
    ),
    _operation(
        "updateAudioVideoChatConfig",
        CONFIGURATION,
        "Change the configuration",
        f"A boolean that is not sent stays as it is. {_OPEN} {_NEEDS_SETTINGS}",
        DocumentedAnswer("The configuration as it is now", headers=TAGGED),
        parameters=(IF_MATCH,),
        errors=(*BAD_BODY, ErrorKind.PreconditionFailed),
    ),
    _operation(
        "enableAudioVideoChat",
        CONFIGURATION,
        "Switch Audio & Video Chat on",
        f"Changes nothing if it is on. {_NEEDS_SETTINGS}",
        DocumentedAnswer("The configuration as it is now", headers=TAGGED),
        parameters=(IF_MATCH,),
        errors=(ErrorKind.PreconditionFailed,),
    ),
    _operation(
        "disableAudioVideoChat",
        CONFIGURATION,
        "Switch Audio & Video Chat off",
        f"Changes nothing if it is off. {_NEEDS_SETTINGS}",
        DocumentedAnswer("The configuration as it is now", headers=TAGGED),
        parameters=(IF_MATCH,),
        errors=(ErrorKind.PreconditionFailed,),
    ),
    _operation(
        "watchAudioVideoChatConfig",
        CONFIGURATION,
        "Follow the configuration as it changes",
        "Server-sent events (WHATWG HTML §9.2). The event `config` comes at once and at each "
        "change; its data is the JSON of a `ConfigEvent`. A comment every "
        f"{events.HEARTBEAT_SECONDS:.0f} seconds keeps the connection alive. {_NEEDS_SETTINGS}",
        DocumentedAnswer("The stream; it ends with the server or the permission"),
    ),
    _operation(
        "testRecordingServer",
        RECORDING,
        "Test whether a recording server takes recordings",
        "Uploads a small file. What is absent is taken from what is stored. "
        f"{_OPEN} {_NEEDS_SETTINGS}",
        DocumentedAnswer("The result of the test, good or bad"),
        body=Body({}, is_required=False),
        errors=BAD_BODY,
    ),
    _operation(
        "getRecordingPolicy",
        RECORDING,
        "Read how the site records, and its calls' limits",
        _NEEDS_SETTINGS,
        DocumentedAnswer("The recording policy", headers=TAGGED),
        more={304: NOT_MODIFIED},
        parameters=(IF_NONE_MATCH,),
    ),
    _operation(
        "updateRecordingPolicy",
        RECORDING,
        "Change how the site records, and its calls' limits",
        f"{_KEEPS} {_OPEN} {_NEEDS_SETTINGS}",
        DocumentedAnswer("The recording policy as it is now", headers=TAGGED),
        parameters=(IF_MATCH,),
        errors=(*BAD_BODY, ErrorKind.PreconditionFailed),
    ),
    _operation(
        "getRecordings",
        RECORDING,
        "Read how far recordings have come, newest first",
        _NEEDS_SETTINGS,
        DocumentedAnswer("A page of the recordings, and a summary of all"),
        parameters=(
            list_parameter(
                "state", "Only recordings in one of these states.", recordings.STATE_WORDS
            ),
            *paging(),
        ),
        errors=BAD_PARAMETER,
    ),
    _operation(
        "getAudioVideoChats",
        CALLS,
        "Look calls up, newest first",
        _NEEDS_EITHER,
        DocumentedAnswer("A page of the calls"),
        parameters=(*CALL_FILTERS, *paging()),
        errors=BAD_PARAMETER,
    ),
    _operation(
        "createAudioVideoChat",
        CALLS,
        "Make a call, and a join link for each of its parties",
        "The links are secrets. They are valid until the call ends, and for an hour at most if "
        f"the visitor does not come. {_OPEN} {_NEEDS_CALLS}",
        DocumentedAnswer("The call that was made", headers={"Location": "URL of the call"}),
        status=201,
        errors=(*BAD_BODY, ErrorKind.AudioVideoChatDisabled),
    ),
    _operation(
        "getAudioVideoChat",
        CALLS,
        "Read a call and all that has happened in it",
        _NEEDS_EITHER,
        DocumentedAnswer("The call"),
        parameters=(_ID,),
        errors=(ErrorKind.EntityNotFound,),
    ),
    _operation(
        "endAudioVideoChat",
        CALLS,
        "End a call that is in progress",
        _NEEDS_CALLS,
        DocumentedAnswer("The call, which has ended"),
        parameters=(_ID,),
        errors=(ErrorKind.EntityNotFound, ErrorKind.CallNotPossible),
    ),
    _operation(
        "getAuditLogs",
        AUDIT,
        "Read the audit log, newest first",
        _NEEDS_AUDIT,
        DocumentedAnswer("A page of the audit log"),
        parameters=(*_AUDIT_FILTERS, *paging()),
        errors=BAD_PARAMETER,
    ),
    _operation(
        "exportAuditLogs",
        AUDIT,
        "Download the audit log as JSON lines, oldest entry first",
        "For administrators. Each line has all that goes into the hash of its entry.",
        DocumentedAnswer("One entry a line"),
        parameters=_AUDIT_FILTERS,
        errors=BAD_PARAMETER,
    ),
    _operation(
        "getAuditLog",
        AUDIT,
        "Read an entry of the audit log",
        _NEEDS_AUDIT,
        DocumentedAnswer("The entry"),
        parameters=(_ID,),
        errors=(ErrorKind.EntityNotFound,),
    ),
)
