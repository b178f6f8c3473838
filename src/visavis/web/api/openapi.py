"""The API's description (OpenAPI 3.1), made of the very resources that answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from visavis import __version__
from visavis.domain.call import State
from visavis.domain.errors import ErrorKind
from visavis.domain.people import Permission
from visavis.domain.query import MAX_PAGE_INDEX, MAX_PAGE_SIZE, PAGE_SIZE
from visavis.web.api import audit, calls, config, policy, recordings, shapes
from visavis.web.resource import BASE, SAFE_HEADERS, Resource

PATH: Final = f"{BASE}/openapi.json"
PARAMETERS: Final[tuple[dict[str, Any], ...]] = (
    {
        "name": "pageIndex",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_INDEX, "default": 1},
    },
    {
        "name": "pageSize",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": PAGE_SIZE},
    },
)
REFERENCE: Final = "#/components/schemas/{name}"

# what any operation can answer
_ALWAYS: Final = (
    ErrorKind.ParameterInvalid,
    ErrorKind.Unauthorized,
    ErrorKind.PermissionDenied,
    ErrorKind.EntityNotFound,
    ErrorKind.MethodNotAllowed,
    ErrorKind.TooManyRequests,
    ErrorKind.InternalError,
)
_TEXT: Final = {"type": "string"}
_ERROR_HEADERS: Final = {
    ErrorKind.Unauthorized: {"WWW-Authenticate": "RFC 6750 §3"},
    ErrorKind.PermissionDenied: {"WWW-Authenticate": "RFC 6750 §3, where a token is not enough"},
    ErrorKind.MethodNotAllowed: {"Allow": "The methods that are answered here"},
    ErrorKind.TooManyRequests: {"Retry-After": "Seconds to wait"},
}
_SITE: Final = {
    "name": "siteId",
    "in": "query",
    "description": "Your own site; needed with an API key.",
    "schema": {"type": "integer"},
}
_ID: Final = {"name": "id", "in": "path", "required": True, "schema": _TEXT}
_TIME: Final = {"type": "string", "format": "date-time"}
_CALL_FILTERS: Final[tuple[dict[str, Any], ...]] = (
    *(
        {
            "name": name,
            "in": "query",
            "description": "Repeat the parameter, or separate values by commas.",
            "schema": {
                "type": "array",
                "minItems": 1,
                "items": {"type": "string", "enum": list(names)},
            },
        }
        for name, names in (("state", tuple(State)), ("reason", calls.ENDINGS))
    ),
    {
        "name": "agentId",
        "in": "query",
        "schema": {"type": "integer", "minimum": 0, "maximum": calls.MAX_AGENT_ID},
    },
    {
        "name": "isAnswered",
        "in": "query",
        "description": "Whether an agent accepted the call.",
        "schema": {"type": "boolean"},
    },
    {"name": "from", "in": "query", "description": "Made then or later.", "schema": _TIME},
    {"name": "to", "in": "query", "description": "Made before then.", "schema": _TIME},
    {
        "name": "text",
        "in": "query",
        "description": "Part of the visitor's name or e-mail address.",
        "schema": {"type": "string", "maxLength": calls.MAX_TEXT_LENGTH},
    },
)
_IF_MATCH: Final = {
    "name": "If-Match",
    "in": "header",
    "description": "Change only what still has this tag (RFC 9110 §13.1.1).",
    "schema": _TEXT,
}
_IF_NONE_MATCH: Final = {
    "name": "If-None-Match",
    "in": "header",
    "description": "Answer 304 while it has this tag (RFC 9110 §13.1.2).",
    "schema": _TEXT,
}


@dataclass(frozen=True, slots=True)
class Operation:
    """What one method of one resource takes and answers."""

    name: str
    summary: str
    answer: type
    tag: str = "Audio & Video Chat"
    status: str = "200"
    body: type | None = None
    is_body_required: bool = True
    parameters: tuple[dict[str, Any], ...] = ()
    errors: tuple[ErrorKind, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    also: dict[str, str] = field(default_factory=dict)


_TAGGED: Final = {"ETag": "Changes with the configuration"}
_CHANGED: Final = (ErrorKind.PreconditionFailed,)
OPERATIONS: Final = {
    (config.PATH, "GET"): Operation(
        "getAudioVideoChatConfig",
        "Read the configuration",
        shapes.Config,
        parameters=(_SITE, _IF_NONE_MATCH),
        headers=_TAGGED,
        also={"304": "It still has the tag of If-None-Match"},
    ),
    (config.PATH, "PUT"): Operation(
        "updateAudioVideoChatConfig",
        "Change the configuration; a boolean that is not sent stays",
        shapes.Config,
        body=shapes.ConfigChange,
        parameters=(_SITE, _IF_MATCH),
        errors=(*_CHANGED, ErrorKind.PayloadTooLarge, ErrorKind.UnsupportedMediaType),
        headers=_TAGGED,
    ),
    (f"{config.PATH}:enable", "POST"): Operation(
        "enableAudioVideoChat",
        "Switch Audio & Video Chat on",
        shapes.Config,
        parameters=(_SITE, _IF_MATCH),
        errors=_CHANGED,
        headers=_TAGGED,
    ),
    (f"{config.PATH}:disable", "POST"): Operation(
        "disableAudioVideoChat",
        "Switch Audio & Video Chat off",
        shapes.Config,
        parameters=(_SITE, _IF_MATCH),
        errors=_CHANGED,
        headers=_TAGGED,
    ),
    (audit.PATH, "GET"): Operation(
        "getAuditLogs",
        "Read who changed what, newest first",
        shapes.AuditLogs,
        tag="Audit log",
        parameters=(
            _SITE,
            *PARAMETERS,
        ),
    ),
    (f"{audit.PATH}/{{id}}", "GET"): Operation(
        "getAuditLog",
        "Read an entry of the audit log",
        shapes.AuditLog,
        tag="Audit log",
        parameters=(_ID, _SITE),
    ),
    (recordings.TRIAL_PATH, "POST"): Operation(
        "testRecordingServer",
        "Try the recording server out: does it take recordings?",
        shapes.RecordingServerVerdict,
        tag="Recording",
        body=shapes.RecordingServerTrial,
        is_body_required=False,
        parameters=(_SITE,),
        errors=(ErrorKind.PayloadTooLarge, ErrorKind.UnsupportedMediaType),
    ),
    (policy.PATH, "GET"): Operation(
        "getRecordingPolicy",
        "Read how the site records",
        shapes.RecordingPolicy,
        tag="Recording",
        parameters=(_SITE, _IF_NONE_MATCH),
        headers=_TAGGED,
        also={"304": "It still has the tag of If-None-Match"},
    ),
    (policy.PATH, "PUT"): Operation(
        "updateRecordingPolicy",
        "Change how the site records; what is not sent stays",
        shapes.RecordingPolicy,
        tag="Recording",
        body=shapes.RecordingPolicyChange,
        parameters=(_SITE, _IF_MATCH),
        errors=(*_CHANGED, ErrorKind.PayloadTooLarge, ErrorKind.UnsupportedMediaType),
        headers=_TAGGED,
    ),
    (recordings.PATH, "GET"): Operation(
        "getRecordings",
        "Read how far recordings have come, newest first",
        shapes.Recordings,
        tag="Recording",
        parameters=(
            _SITE,
            {
                "name": "state",
                "in": "query",
                "description": "Only recordings in one of these states.",
                "schema": {
                    "type": "array",
                    "minItems": 1,
                    "items": {"type": "string", "enum": list(recordings.STATE_WORDS)},
                },
            },
            *PARAMETERS,
        ),
    ),
    (calls.PATH, "GET"): Operation(
        "getAudioVideoChats",
        "Look calls up, newest first",
        shapes.AudioVideoChats,
        tag="Calls",
        parameters=(_SITE, *_CALL_FILTERS, *PARAMETERS),
    ),
    (calls.PATH, "POST"): Operation(
        "createAudioVideoChat",
        "Make a call, and an address for each of its parties to join it",
        shapes.AudioVideoChatJoin,
        tag="Calls",
        status="201",
        body=shapes.AudioVideoChatRequest,
        parameters=(_SITE,),
        errors=(ErrorKind.PayloadTooLarge, ErrorKind.UnsupportedMediaType),
        headers={"Location": "Where the call is read"},
    ),
    (f"{calls.PATH}/{{id}}", "GET"): Operation(
        "getAudioVideoChat",
        "Read a call and all that has happened in it",
        shapes.AudioVideoChatStory,
        tag="Calls",
        parameters=(_ID, _SITE),
    ),
    (f"{calls.PATH}/{{id}}:end", "POST"): Operation(
        "endAudioVideoChat",
        "End a call that goes on",
        shapes.AudioVideoChatStory,
        tag="Calls",
        parameters=(_ID, _SITE),
        errors=(ErrorKind.CallNotPossible,),
    ),
}


def description_of(resources: Iterable[Resource], base_url: str) -> dict[str, Any]:
    """The document; raises `KeyError` for a method that nobody has described."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Visavis",
            "version": __version__,
            "description": "Audio & Video Chat: its configuration, its calls, who changed what. "
            "The same resources answer below /v4, /api/v4 and /api, in any case.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": base_url}],
        "paths": {resource.path: _path(resource) for resource in resources},
        "components": {"schemas": _schemas(), "securitySchemes": _security(base_url)},
        "security": [{"bearer": []}, {"oauth": []}, {"key": []}],
    }


def description_resource(resources: Iterable[Resource], base_url: str) -> Resource:
    """Where the document is answered, to anybody."""
    document = JSONResponse(
        description_of(resources, base_url),
        headers={**SAFE_HEADERS, "Access-Control-Allow-Origin": "*"},
    )

    async def get(_: Request) -> Response:
        return document

    return Resource(PATH, {"GET": get})


@cache
def _schemas() -> dict[str, Any]:
    answers = {operation.answer for operation in OPERATIONS.values()}
    bodies = {operation.body for operation in OPERATIONS.values() if operation.body}
    kinds = sorted(answers | bodies | {shapes.Problem}, key=lambda kind: kind.__name__)
    _, schemas = msgspec.json.schema_components(kinds, ref_template=REFERENCE)
    return schemas


def _path(resource: Resource) -> dict[str, Any]:
    return {
        method.lower(): _operation(OPERATIONS[resource.path, method]) for method in resource.methods
    }


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": list(operation.parameters),
        "responses": {
            operation.status: {
                "description": "The whole resource",
                "headers": _headers({**operation.headers, "X-Request-Id": "As in the log"}),
                "content": {"application/json": {"schema": _reference(operation.answer)}},
            },
            **{status: {"description": text} for status, text in operation.also.items()},
            **_problems((*_ALWAYS, *operation.errors)),
        },
    }
    if operation.body:
        content = {"application/json": {"schema": _reference(operation.body)}}
        described["requestBody"] = {"required": operation.is_body_required, "content": content}
    return described


def _problems(kinds: Iterable[ErrorKind]) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": _reference(shapes.Problem)}}
    return {
        str(kind.status): {
            "description": kind.sentence,
            "headers": _headers({**_ERROR_HEADERS.get(kind, {}), "X-Request-Id": "As in the log"}),
            "content": content,
        }
        for kind in kinds
    }


def _headers(descriptions: dict[str, str]) -> dict[str, Any]:
    return {name: {"description": text, "schema": _TEXT} for name, text in descriptions.items()}


def _reference(kind: type) -> dict[str, str]:
    return {"$ref": REFERENCE.format(name=kind.__name__)}


def _security(base_url: str) -> dict[str, Any]:
    at = f"{base_url}/oauth"
    scopes = {permission.scope: permission.value for permission in Permission}
    token = {"tokenUrl": f"{at}/token", "refreshUrl": f"{at}/token", "scopes": scopes}
    return {
        "bearer": {"type": "http", "scheme": "bearer"},
        "oauth": {
            "type": "oauth2",
            "flows": {
                "authorizationCode": {"authorizationUrl": f"{at}/authorize", **token},
                "clientCredentials": token,
                "password": token,
            },
        },
        "key": {
            "type": "http",
            "scheme": "basic",
            "description": "An agent's e-mail address and API key, with siteId in the query.",
        },
    }
