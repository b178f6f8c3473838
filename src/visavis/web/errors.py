"""Every error as one JSON shape: `error` and `message`, and the members of RFC 9457."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response

from visavis.domain.errors import ErrorKind, VisavisError

log = structlog.get_logger(__name__)

REALM = 'Bearer realm="visavis"'
RETRY_SECONDS = 300


class Problem(JSONResponse):
    media_type = "application/problem+json"


def problem(request: HTTPConnection, error: VisavisError, headers: dict[str, str]) -> Response:
    """The answer to a request that failed."""
    kind = error.kind
    body: dict[str, Any] = {
        "error": kind.name,
        "message": error.message,
        "type": "about:blank",
        "title": HTTPStatus(kind.status).phrase,
        "status": kind.status,
        "detail": error.message,
        "instance": request.scope["path"].encode("utf-8", "replace").decode(),
        "requestId": request.scope.get("state", {}).get("request_id", ""),
    }
    if error.pointer:
        body["pointer"] = error.pointer
    return Problem(body, kind.status, headers={**_challenge(request, kind), **headers})


def _challenge(request: HTTPConnection, kind: ErrorKind) -> dict[str, str]:
    """What RFC 6750 §3 wants with a refusal, and RFC 6585 §4 with a limit."""
    match kind:
        case ErrorKind.Unauthorized if "authorization" in request.headers:
            return {"WWW-Authenticate": f'{REALM}, error="invalid_token"'}
        case ErrorKind.Unauthorized:
            return {"WWW-Authenticate": REALM}
        case ErrorKind.PermissionDenied:
            return {"WWW-Authenticate": f'{REALM}, error="insufficient_scope"'}
        case ErrorKind.TooManyRequests:
            return {"Retry-After": str(RETRY_SECONDS)}
        case ErrorKind.PayloadTooLarge | ErrorKind.RequestTimeout:
            return {"Connection": "close"}  # or the rest of the body would be read
        case ErrorKind.StoreUnavailable:
            return {"Retry-After": "1"}
    return {}


async def on_visavis_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, VisavisError):
        raise error
    return problem(request, error, {})


async def on_http_exception(request: Request, error: Exception) -> Response:
    """What the router refuses: an unknown path, a wrong method."""
    if not isinstance(error, HTTPException):
        raise error
    kinds = {404: ErrorKind.EntityNotFound, 405: ErrorKind.MethodNotAllowed}
    kind = kinds.get(error.status_code, ErrorKind.ParameterInvalid)
    return problem(request, VisavisError(kind), dict(error.headers or {}))


async def on_crash(request: Request, error: Exception) -> Response:
    log.error("request failed", path=request.scope["path"], exc_info=error)
    return problem(request, VisavisError(ErrorKind.InternalError), {})
