"""Descriptions of the resources below `/v4`."""

from __future__ import annotations

from typing import Any, Final

from visavis.domain.audit import ActionType
from visavis.domain.call import CallState
from visavis.domain.errors import ErrorKind
from visavis.domain.people import Permission
from visavis.protocol.audit import AuditLog, AuditLogPage
from visavis.protocol.calls import (
    ENDINGS,
    MAX_AGENT_ID,
    MAX_TEXT_LENGTH,
    AudioVideoChatJoin,
    AudioVideoChatPage,
    AudioVideoChatRequest,
    AudioVideoChatStory,
)
from visavis.protocol.configuration import ConfigChange, Configuration
from visavis.protocol.openapi import (
    BAD_BODY,
    BAD_PARAMETER,
    STRING,
    DocumentedAnswer,
    Operation,
    Operations,
    Schema,
    json_answer,
    json_body,
)
from visavis.protocol.parameters import (
    CALLER,
    ID_TEXT,
    IF_MATCH,
    IF_NONE_MATCH,
    NOT_MODIFIED,
    SITE,
    TAGGED,
    TIME,
    agents,
    list_parameter,
    paging,
    path_parameter,
    query,
)
from visavis.protocol.policy import RecordingPolicyChange, RecordingPolicySettings
from visavis.protocol.recordings import RecordingPage, RecordingServerTrial, RecordingServerVerdict
from visavis.web.api import audit, calls, config, events, policy, recordings

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

_SETTINGS: Final = agents(Permission.MANAGE_SETTINGS)
_AUDITORS: Final = agents(Permission.VIEW_AUDIT_LOG)
_AUDIT_FILTERS: Final = (
    query("agentId", "Of this agent.", type="integer", minimum=0, maximum=audit.MAX_AGENT_ID),
    query("author", "Part of the agent's name or e-mail address.", maxLength=audit.MAX_TEXT_LENGTH),
    list_parameter("actionType", "With one of these actions.", ActionType),
    query("object", "Part of the name of what was acted upon.", maxLength=audit.MAX_TEXT_LENGTH),
    query("from", "Then or later.", **TIME),
    query("to", "Before then.", **TIME),
)
_CALLERS: Final = agents(Permission.ACCEPT_CALLS)
_READERS: Final = agents(Permission.ACCEPT_CALLS, Permission.MANAGE_SETTINGS)
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
    """Return an operation that agents call, with the errors that all of those can meet."""
    more = options.pop("more", {})
    return Operation(
        name=name,
        tag=tag,
        summary=summary,
        description=description,
        answers={status: answer, **more},
        parameters=(*parameters, *SITE),
        errors=(*CALLER, *errors),
        **options,
    )


OPERATIONS: Final[Operations] = {
    (config.PATH, "GET"): _operation(
        "getAudioVideoChatConfig",
        CONFIGURATION,
        "Read the configuration",
        _NEEDS_SETTINGS,
        json_answer(Configuration, "The configuration", TAGGED),
        more={304: NOT_MODIFIED},
        parameters=(IF_NONE_MATCH,),
        security=_SETTINGS,
    ),
    (config.PATH, "PUT"): _operation(
        "updateAudioVideoChatConfig",
        CONFIGURATION,
        "Change the configuration",
        f"A boolean that is not sent stays as it is. {_OPEN} {_NEEDS_SETTINGS}",
        json_answer(Configuration, "The configuration as it is now", TAGGED),
        body=json_body(ConfigChange),
        parameters=(IF_MATCH,),
        errors=(*BAD_BODY, ErrorKind.PreconditionFailed),
        security=_SETTINGS,
    ),
    (f"{config.PATH}:enable", "POST"): _operation(
        "enableAudioVideoChat",
        CONFIGURATION,
        "Switch Audio & Video Chat on",
        f"Changes nothing if it is on. {_NEEDS_SETTINGS}",
        json_answer(Configuration, "The configuration as it is now", TAGGED),
        parameters=(IF_MATCH,),
        errors=(ErrorKind.PreconditionFailed,),
        security=_SETTINGS,
    ),
    (f"{config.PATH}:disable", "POST"): _operation(
        "disableAudioVideoChat",
        CONFIGURATION,
        "Switch Audio & Video Chat off",
        f"Changes nothing if it is off. {_NEEDS_SETTINGS}",
        json_answer(Configuration, "The configuration as it is now", TAGGED),
        parameters=(IF_MATCH,),
        errors=(ErrorKind.PreconditionFailed,),
        security=_SETTINGS,
    ),
    (events.EVENTS_PATH, "GET"): _operation(
        "watchAudioVideoChatConfig",
        CONFIGURATION,
        "Follow the configuration as it changes",
        "Server-sent events (WHATWG HTML §9.2). The event `config` comes at once and at each "
        "change; its data is the JSON of a `ConfigEvent`. A comment every "
        f"{events.HEARTBEAT_SECONDS:.0f} seconds keeps the connection alive. {_NEEDS_SETTINGS}",
        DocumentedAnswer(
            "The stream; it ends with the server or the permission",
            {
                events.MEDIA_TYPE: {
                    "type": "string",
                    "contentMediaType": "application/json",
                    "contentSchema": {"$ref": "#/components/schemas/ConfigEvent"},
                    "description": "The data of each event is such an object.",
                }
            },
        ),
        security=_SETTINGS,
    ),
    (recordings.TRIAL_PATH, "POST"): _operation(
        "testRecordingServer",
        RECORDING,
        "Test whether a recording server takes recordings",
        "Uploads a small file. What is absent is taken from what is stored. "
        f"{_OPEN} {_NEEDS_SETTINGS}",
        json_answer(RecordingServerVerdict, "The result of the test, good or bad"),
        body=json_body(RecordingServerTrial, is_required=False),
        errors=BAD_BODY,
        security=_SETTINGS,
    ),
    (policy.PATH, "GET"): _operation(
        "getRecordingPolicy",
        RECORDING,
        "Read how the site records",
        _NEEDS_SETTINGS,
        json_answer(RecordingPolicySettings, "The recording policy", TAGGED),
        more={304: NOT_MODIFIED},
        parameters=(IF_NONE_MATCH,),
        security=_SETTINGS,
    ),
    (policy.PATH, "PUT"): _operation(
        "updateRecordingPolicy",
        RECORDING,
        "Change how the site records",
        f"{_KEEPS} {_OPEN} {_NEEDS_SETTINGS}",
        json_answer(RecordingPolicySettings, "The recording policy as it is now", TAGGED),
        body=json_body(RecordingPolicyChange),
        parameters=(IF_MATCH,),
        errors=(*BAD_BODY, ErrorKind.PreconditionFailed),
        security=_SETTINGS,
    ),
    (recordings.PATH, "GET"): _operation(
        "getRecordings",
        RECORDING,
        "Read how far recordings have come, newest first",
        _NEEDS_SETTINGS,
        json_answer(RecordingPage, "A page of the recordings, and a summary of all"),
        parameters=(
            list_parameter(
                "state", "Only recordings in one of these states.", recordings.STATE_WORDS
            ),
            *paging(),
        ),
        errors=BAD_PARAMETER,
        security=_SETTINGS,
    ),
    (calls.PATH, "GET"): _operation(
        "getAudioVideoChats",
        CALLS,
        "Look calls up, newest first",
        _NEEDS_EITHER,
        json_answer(AudioVideoChatPage, "A page of the calls"),
        parameters=(*CALL_FILTERS, *paging()),
        errors=BAD_PARAMETER,
        security=_READERS,
    ),
    (calls.PATH, "POST"): _operation(
        "createAudioVideoChat",
        CALLS,
        "Make a call, and a join link for each of its parties",
        "The links are secrets. They are valid until the call ends, and for an hour at most if "
        f"the visitor does not come. {_OPEN} {_NEEDS_CALLS}",
        json_answer(AudioVideoChatJoin, "The call that was made", {"Location": "URL of the call"}),
        status=201,
        body=json_body(AudioVideoChatRequest),
        errors=(*BAD_BODY, ErrorKind.AudioVideoChatDisabled),
        security=_CALLERS,
    ),
    (f"{calls.PATH}/{{id}}", "GET"): _operation(
        "getAudioVideoChat",
        CALLS,
        "Read a call and all that has happened in it",
        _NEEDS_EITHER,
        json_answer(AudioVideoChatStory, "The call"),
        parameters=(_ID,),
        errors=(ErrorKind.EntityNotFound,),
        security=_READERS,
    ),
    (f"{calls.PATH}/{{id}}:end", "POST"): _operation(
        "endAudioVideoChat",
        CALLS,
        "End a call that is in progress",
        _NEEDS_CALLS,
        json_answer(AudioVideoChatStory, "The call, which has ended"),
        parameters=(_ID,),
        errors=(ErrorKind.EntityNotFound, ErrorKind.CallNotPossible),
        security=_CALLERS,
    ),
    (audit.PATH, "GET"): _operation(
        "getAuditLogs",
        AUDIT,
        "Read the audit log, newest first",
        _NEEDS_AUDIT,
        json_answer(AuditLogPage, "A page of the audit log"),
        parameters=(*_AUDIT_FILTERS, *paging()),
        errors=BAD_PARAMETER,
        security=_AUDITORS,
    ),
    (audit.EXPORT_PATH, "GET"): _operation(
        "exportAuditLogs",
        AUDIT,
        "Download the audit log as JSON lines, oldest entry first",
        "For administrators. Each line has all that goes into the hash of its entry.",
        DocumentedAnswer("One entry a line", {audit.LINES: STRING}),
        parameters=_AUDIT_FILTERS,
        errors=BAD_PARAMETER,
        security=_AUDITORS,
    ),
    (f"{audit.PATH}/{{id}}", "GET"): _operation(
        "getAuditLog",
        AUDIT,
        "Read an entry of the audit log",
        _NEEDS_AUDIT,
        json_answer(AuditLog, "The entry"),
        parameters=(_ID,),
        errors=(ErrorKind.EntityNotFound,),
        security=_AUDITORS,
    ),
}
