"""Rows of the table of routes.

The router, the OpenAPI document and the tests use the same rows. So every route that is served
names its callers, and its description is that of the served route.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from visavis.domain.errors import ErrorKind
from visavis.domain.people import Permission
from visavis.protocol.openapi import JSON, Body, DocumentedAnswer, Operation, Schema

WEBSOCKET: Final = "WEBSOCKET"
"""Value in the column of methods for the opening of a WebSocket (RFC 6455)."""

Content = type | Mapping[str, type | Schema] | None
"""A request or response body: a type for JSON, or a type or schema per media type."""

Handler = Callable[..., Awaitable[Any]]
"""Function that takes the request, and the caller if the route's gate returns one."""


class Caller(StrEnum):
    """Kinds of callers, and how they are authenticated."""

    ANYBODY = "anybody"
    OWN_PAGE = "anybody; a change only from a page of this server"
    AGENT = "agent, by bearer token, API key or session"
    SIGNED_IN = "agent, by bearer token or session"
    PAGE = "agent, by session"
    BEARER = "agent, by bearer token"
    OPERATOR = "operator, by network or metrics token"
    UPLOADER = "recorder, by upload key"
    BROWSER = "agent's browser, which OAuth sends to sign in"
    CLIENT = "OAuth client"
    VISITOR = "visitor of a site, or holder of a join link"
    CONSOLE = "agent, or holder of a join link"


class RateClass(StrEnum):
    """Requests that count against the same rate limit."""

    API = "api"
    PAGE = "page"
    SOCKET = "socket"


@dataclass(frozen=True, slots=True)
class Access:
    """Callers whom a route admits: an agent needs all of `needs`, and one of `needs_one_of`."""

    caller: Caller
    needs: tuple[Permission, ...] = ()
    needs_one_of: tuple[Permission, ...] = ()
    is_for_administrators: bool = False


def agents(*needs: Permission) -> Access:
    """Return the access for agents who have all of these permissions."""
    return Access(Caller.AGENT, needs)


Gate = Callable[[Any, Access], Awaitable[Any]]
"""Returns the caller of a request or a socket, `None` for nobody in particular.

It raises an error to refuse them.
"""

ANYBODY: Final = Access(Caller.ANYBODY)


@dataclass(frozen=True, slots=True)
class Route:
    """A row of the table: one method of one path.

    In the path, `{name}` stands for one segment and `{name:path}` for the rest. Paths below `/v4`
    and `/oauth` match in upper or lower case, and also below `/api`. `name` is the name of the
    route's description; a route without a name only refuses requests and is not documented.
    """

    method: str
    path: str
    handler: Handler
    access: Access
    body: Content
    answer: Content
    rate: RateClass | None
    name: str


Routes = tuple[Route, ...]


class AnswerError(Exception):
    """A refusal with a response of its own, because a protocol prescribes it."""

    def __init__(self, sentence: str, response: Any) -> None:
        super().__init__(sentence)
        self.response = response


# The description of a row

_WAYS: Final[Mapping[Caller, tuple[Mapping[str, tuple[str, ...]], ...]]] = {
    Caller.SIGNED_IN: ({"bearer": ()}, {"session": ()}),
    Caller.PAGE: ({"session": ()},),
    Caller.BEARER: ({"oauth": ()}, {"bearer": ()}),
    Caller.BROWSER: ({"session": ()}, {}),
    Caller.CLIENT: ({"client": ()}, {}),
    Caller.UPLOADER: ({"uploadKey": ()},),
}
_AGENT_ERRORS: Final = (
    ErrorKind.Unauthorized,
    ErrorKind.PermissionDenied,
    ErrorKind.StoreUnavailable,
)


def security_of(access: Access) -> tuple[Mapping[str, tuple[str, ...]], ...]:
    """Return the alternative authorizations; empty if none is needed."""
    if access.caller not in {Caller.AGENT, Caller.CONSOLE}:
        return _WAYS.get(access.caller, ())
    needs = tuple(permission.scope for permission in access.needs)
    scopes = [(*needs, one.scope) for one in access.needs_one_of] or [needs]
    return (*({"oauth": scope} for scope in scopes), {"bearer": ()}, {"key": ()}, {"session": ()})


def operations_of(
    routes: Iterable[Route], descriptions: Mapping[str, Operation]
) -> dict[tuple[str, str], Operation]:
    """Return the documented operations by path and method.

    Raises `KeyError` for a route whose description is missing.
    """
    return {
        (route.path.replace(":path}", "}"), route.method): _operation(
            route, descriptions[route.name]
        )
        for route in routes
        if route.name and route.method != WEBSOCKET
    }


def _operation(route: Route, described: Operation) -> Operation:
    """Complete a description with the facts of its row."""
    errors = described.errors
    if route.access.caller is Caller.AGENT:
        errors = (*_AGENT_ERRORS, *errors)
    if route.rate:
        errors = (*errors, ErrorKind.TooManyRequests)
    success, *others = described.answers.items()
    return replace(
        described,
        answers=dict([(success[0], _answer(success[1], route.answer)), *others]),
        body=_body(described.body, route.body),
        errors=errors,
        security=security_of(route.access),
    )


def _answer(described: DocumentedAnswer, content: Content) -> DocumentedAnswer:
    return replace(described, content=_by_media_type(content))


def _body(described: Body | None, content: Content) -> Body | None:
    """Return the body; it is required unless the description says otherwise."""
    if content is None:
        return None
    return Body(_by_media_type(content), described.is_required if described else True)


def _by_media_type(content: Content) -> Mapping[str, type | Schema]:
    if content is None:
        return {}
    return {JSON: content} if isinstance(content, type) else content
