"""Every error as one JSON shape: `error` and `message`, and the members of RFC 9457."""

from __future__ import annotations

from typing import Final

import structlog
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import FileResponse, Response
from starlette.websockets import WebSocket

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.protocol.problem import PROBLEM, problem_of
from visavis.protocol.routes import AnswerError
from visavis.protocol.wire import encode
from visavis.web.pages import STATIC
from visavis.web.request import header

log = structlog.get_logger(__name__)

CLIENT_CLOSED_REQUEST: Final = 499
"""Status that nginx logs when the client has closed the connection."""

NO_STORE: Final = {"Cache-Control": "no-store"}
REALM = 'Bearer realm="visavis"'
BASIC = 'Basic realm="visavis", charset="UTF-8"'
RETRY_SECONDS = 300
SOCKET_RETRY_SECONDS: Final = 60
POLICY_VIOLATION: Final = 1008  # RFC 6455 §7.4.1
_FINAL: Final = {
    ErrorKind.Unauthorized,
    ErrorKind.PermissionDenied,
    ErrorKind.EntityNotFound,
}
"""Errors that a page would receive again if it reconnected."""
_TAKES_BASIC = "takes_basic"
_SENT_BY_PAGES = ("cookie", "origin", "referer", "sec-fetch-mode")


def problem(request: HTTPConnection, error: VisavisError, headers: dict[str, str]) -> Response:
    """The answer to a request that failed."""
    kind = error.kind
    path = request.scope["path"].encode("utf-8", "replace").decode()
    body = problem_of(error, path, request.scope.get("state", {}).get("request_id", ""))
    all_headers = {**_hints(request, error), **headers}
    response = Response(encode(body), kind.status, all_headers, PROBLEM)
    if kind is ErrorKind.Unauthorized and _may_offer_basic(request):
        response.headers.append("WWW-Authenticate", BASIC)
    return response


def takes_basic(connection: HTTPConnection) -> None:
    """Remember that this request may authenticate by HTTP Basic."""
    connection.scope.setdefault("state", {})[_TAKES_BASIC] = True


def _may_offer_basic(connection: HTTPConnection) -> bool:
    """Whether to name Basic in a 401; a browser would ask its user for a password on our page."""
    is_taken = _TAKES_BASIC in connection.scope.get("state", {})
    return is_taken and not any(name in connection.headers for name in _SENT_BY_PAGES)


def _hints(request: HTTPConnection, error: VisavisError) -> dict[str, str]:
    """Headers that RFC 6750 §3, RFC 6585 §4 and RFC 9110 §15.5.16 want with a refusal."""
    match error.kind:
        case ErrorKind.Unauthorized:
            return {"WWW-Authenticate": _bearer_challenge(request, error)}
        case ErrorKind.PermissionDenied:
            return {"WWW-Authenticate": f'{REALM}, error="insufficient_scope"'}
        case ErrorKind.TooManyRequests:
            return {"Retry-After": str(RETRY_SECONDS)}
        case ErrorKind.PayloadTooLarge | ErrorKind.RequestTimeout:
            return {"Connection": "close"}  # or the rest of the body would be read
        case ErrorKind.StoreUnavailable:
            return {"Retry-After": "1"}
        case ErrorKind.UnsupportedMediaType if "content-encoding" in request.headers:
            return {"Accept-Encoding": "identity"}
    return {}


def _bearer_challenge(request: HTTPConnection, error: VisavisError) -> str:
    """RFC 6750 §3: an error only if a token was sent."""
    scheme = request.headers.get("authorization", "").partition(" ")[0]
    if scheme.casefold() != "bearer":
        return REALM
    description = error.message.replace('"', "'")
    return f'{REALM}, error="invalid_token", error_description="{description}"'


class NotFoundError(VisavisError):
    """Refusal of a path that has no route."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.EntityNotFound)


class NotAllowedError(VisavisError):
    """The path has no route for the method; `allow` lists those that it has."""

    def __init__(self, allow: str) -> None:
        super().__init__(ErrorKind.MethodNotAllowed)
        self.allow = allow


async def answer_to(request: Request, error: Exception) -> Response:
    """Return the answer to a request that was refused or has failed."""
    match error:
        case NotFoundError() if _is_for_a_person(request):
            return FileResponse(STATIC / "404.html", 404, headers={"Cache-Control": "no-cache"})
        case NotAllowedError():
            return problem(request, error, {**NO_STORE, "Allow": error.allow})
        case VisavisError():
            return problem(request, error, NO_STORE)
        case AnswerError():
            response: Response = error.response
            return response
        case ClientDisconnect():  # the client is gone
            return Response(status_code=CLIENT_CLOSED_REQUEST)
    log.error("request failed", path=request.scope["path"], exc_info=error)
    return problem(request, VisavisError(ErrorKind.InternalError), NO_STORE)


def too_many_requests(connection: HTTPConnection, seconds: int) -> Response:
    """Return the answer to a client that has to wait."""
    error = VisavisError(ErrorKind.TooManyRequests)
    return problem(connection, error, {"Retry-After": str(seconds)})


async def refuse_socket(socket: WebSocket, error: VisavisError) -> None:
    """Refuse the handshake with a problem document, as any other request is refused.

    A browser hides that answer from its page. A page that will never be let in (it sends
    `Origin`, RFC 6455 §4.1) therefore gets an open socket, which is closed with the sentence.
    """
    if error.kind in _FINAL and header(socket.scope, b"origin"):
        await socket.accept()
        await socket.close(POLICY_VIOLATION, error.message)
        return
    is_limited = error.kind is ErrorKind.TooManyRequests
    headers = {"Retry-After": str(SOCKET_RETRY_SECONDS)} if is_limited else {}
    await socket.send_denial_response(problem(socket, error, headers))


def _is_for_a_person(request: Request) -> bool:
    """Whether a browser shows the answer as a page: programs do not ask for HTML."""
    return request.method in {"GET", "HEAD"} and "text/html" in request.headers.get("accept", "")
