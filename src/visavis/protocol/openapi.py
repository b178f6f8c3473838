"""Operations of the HTTP API, and the OpenAPI 3.1 document that describes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from visavis.domain.errors import ErrorCode, ErrorKind
from visavis.protocol.problem import PROBLEM, Problem

Schema = Mapping[str, Any]
"""A JSON schema (draft 2020-12) in the form of the document."""

Key = tuple[str, str]
"""A path template, and a method in capitals."""

JSON: Final = "application/json"
TEXT: Final = "text/plain"
HTML: Final = "text/html"
STRING: Final[Schema] = {"type": "string"}

BAD_PARAMETER: Final = (
    ErrorKind.ParameterMissing,
    ErrorKind.ParameterFormatIncorrect,
    ErrorKind.ParameterInvalid,
    ErrorKind.ParameterStringLengthExceed,
)
BAD_BODY: Final = (
    *BAD_PARAMETER,
    ErrorKind.RequestTimeout,
    ErrorKind.PayloadTooLarge,
    ErrorKind.UnsupportedMediaType,
)
"""Errors of an operation that reads a body."""

_REFERENCE: Final = "#/components/schemas/{name}"
_REQUEST_ID: Final = {"$ref": "#/components/headers/RequestId"}
_ERROR_HEADERS: Final[Mapping[ErrorKind, Mapping[str, str]]] = {
    ErrorKind.Unauthorized: {"WWW-Authenticate": "The schemes that are taken (RFC 9110 §11.6.1)"},
    ErrorKind.PermissionDenied: {"WWW-Authenticate": "RFC 6750 §3"},
    ErrorKind.TooManyRequests: {"Retry-After": "Seconds to wait"},
    ErrorKind.StoreUnavailable: {"Retry-After": "Seconds to wait"},
}


@dataclass(frozen=True, slots=True)
class DocumentedAnswer:
    """A response: its body in each media type, and its headers with their descriptions."""

    description: str
    content: Mapping[str, type | Schema] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a request in each accepted media type."""

    content: Mapping[str, type | Schema]
    is_required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """Description of one method of one path.

    `answers` maps statuses to responses, the successful one first. `errors` are the errors sent as
    `Problem`, without those that every operation can have. `protocol.routes` completes the
    description from the route: the content of the request and of the successful response,
    `security`, and the errors of authorization. Each item of `security` is an alternative that maps
    a scheme to its scopes. An empty item, or no item at all, means that no authorization is needed.
    """

    name: str
    tag: str
    summary: str
    description: str
    answers: Mapping[int, DocumentedAnswer]
    errors: tuple[ErrorKind, ...] = ()
    body: Body | None = None
    parameters: tuple[Schema, ...] = ()
    security: tuple[Mapping[str, tuple[str, ...]], ...] = ()


Operations = Mapping[Key, Operation]


def json_answer(
    kind: type | Schema, description: str, headers: Mapping[str, str] | None = None
) -> DocumentedAnswer:
    return DocumentedAnswer(description, {JSON: kind}, headers or {})


def described_by_name(*operations: Operation) -> dict[str, Operation]:
    return {operation.name: operation for operation in operations}


def paths_of(operations: Operations) -> dict[str, dict[str, Any]]:
    """Return the path items of a document."""
    paths: dict[str, dict[str, Any]] = {}
    for (path, method), operation in operations.items():
        paths.setdefault(path, {})[method.lower()] = _operation(operation)
    return paths


def components_of(operations: Iterable[Operation], also: Iterable[type] = ()) -> dict[str, Any]:
    """Return the schemas, responses and headers that the path items refer to.

    `also` are types to which only the text of a schema refers.
    """
    operations = list(operations)
    kinds = {
        kind
        for operation in operations
        for content in _contents(operation)
        for kind in content.values()
        if isinstance(kind, type)
    }
    ordered = sorted({*kinds, *also, Problem}, key=lambda kind: kind.__name__)
    _, schemas = msgspec.json.schema_components(ordered, ref_template=_REFERENCE)
    kinds_of_error = [kind.name for kind in ErrorKind]
    properties = schemas["Problem"]["properties"]
    properties["error"] = {"enum": kinds_of_error}
    properties["code"] = {"enum": [*kinds_of_error, *(code.name for code in ErrorCode)]}
    groups = {group for operation in operations for group in _shared_errors(operation).values()}
    return {
        "schemas": _precise(schemas),
        "responses": {_group_name(group): _problem(group) for group in sorted(groups, key=repr)},
        "headers": {
            "RequestId": {"description": "As in the log", "schema": STRING},
        },
    }


def _precise(schema: Any) -> Any:
    """Return a schema in which each enum has a type and each open object says that it is open.

    Client generators treat an object without properties as one that is always empty.
    """
    if isinstance(schema, list):
        return [_precise(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _precise(value) for name, value in schema.items()}
    if isinstance(found.get("enum"), list) and "type" not in found:
        found = {"type": "string", **found}
    prefix = found.get("prefixItems", [])
    if prefix and all(item == prefix[0] for item in prefix):  # a list of fixed length
        found["items"] = prefix[0]
        del found["prefixItems"]
    if found.get("type") == "object" and not found.keys() & {"properties", "additionalProperties"}:
        found["additionalProperties"] = True
    return found


def _contents(operation: Operation) -> Iterable[Mapping[str, type | Schema]]:
    if operation.body:
        yield operation.body.content
    for answer in operation.answers.values():
        yield answer.content


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "responses": _responses(operation),
        "security": [
            {name: list(scopes) for name, scopes in way.items()} for way in operation.security
        ],
    }
    if operation.parameters:
        described["parameters"] = list(operation.parameters)
    if operation.body:
        described["requestBody"] = {
            "required": operation.body.is_required,
            "content": _content(operation.body.content),
        }
    return described


def _responses(operation: Operation) -> dict[str, Any]:
    """Return the responses by status; an error without a response of its own uses a shared one."""
    shared = _shared_errors(operation)
    groups = _errors_by_status(operation)
    found = {}
    for status in sorted({*operation.answers, *groups}):
        if status in shared:
            found[str(status)] = {"$ref": f"#/components/responses/{_group_name(shared[status])}"}
        else:
            found[str(status)] = _answer(operation.answers[status], groups.get(status, ()))
    return found


def _answer(answer: DocumentedAnswer, errors: tuple[ErrorKind, ...]) -> dict[str, Any]:
    problem = _problem(errors) if errors else {"headers": {}, "content": {}}
    described = {
        "description": answer.description,
        "headers": {**_headers(answer.headers), **problem["headers"], "X-Request-Id": _REQUEST_ID},
    }
    if content := {**_content(answer.content), **problem["content"]}:
        described["content"] = content
    return described


def _errors_by_status(operation: Operation) -> dict[int, tuple[ErrorKind, ...]]:
    kinds = {*operation.errors, ErrorKind.InternalError}
    ordered = [kind for kind in ErrorKind if kind in kinds]
    return {
        status: tuple(kind for kind in ordered if kind.status == status)
        for status in {kind.status for kind in ordered}
    }


def _shared_errors(operation: Operation) -> dict[int, tuple[ErrorKind, ...]]:
    groups = _errors_by_status(operation)
    return {status: group for status, group in groups.items() if status not in operation.answers}


def _group_name(kinds: tuple[ErrorKind, ...]) -> str:
    return "-".join(kind.name for kind in kinds)


def _problem(kinds: tuple[ErrorKind, ...]) -> dict[str, Any]:
    headers = {name: text for kind in kinds for name, text in _ERROR_HEADERS.get(kind, {}).items()}
    return {
        "description": "\n".join(f"- `{kind.name}`: {kind.sentence}" for kind in kinds),
        "headers": {**_headers(headers), "X-Request-Id": _REQUEST_ID},
        "content": {PROBLEM: {"schema": _reference(Problem)}},
    }


def _headers(descriptions: Mapping[str, str]) -> dict[str, Any]:
    return {name: {"description": text, "schema": STRING} for name, text in descriptions.items()}


def _content(content: Mapping[str, type | Schema]) -> dict[str, Any]:
    return {media_type: {"schema": _reference(kind)} for media_type, kind in content.items()}


def _reference(kind: type | Schema) -> Schema:
    return {"$ref": _REFERENCE.format(name=kind.__name__)} if isinstance(kind, type) else kind
