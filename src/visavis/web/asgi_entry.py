"""ASGI entry: request id, rate limit, access log and metrics of every request."""

from __future__ import annotations

import itertools
import re
import secrets
import time
from contextvars import ContextVar
from typing import Final

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from structlog.contextvars import STRUCTLOG_KEY_PREFIX

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.web.access_log import METRICS, AccessLog
from visavis.web.errors import problem
from visavis.web.headers import has_one_host, header, index_headers
from visavis.web.rate_limit import RateLimit
from visavis.web.request_limits import KEEP_ALIVE_SECONDS
from visavis.web.resource import Resources

REQUEST_ID: Final = ContextVar[str](f"{STRUCTLOG_KEY_PREFIX}request_id")
"""Every log line of a request's task bears it: structlog merges what has its prefix."""

_KEEP_ALIVE: Final = b"keep-alive", b"timeout=%d" % KEEP_ALIVE_SECONDS
_GIVEN_ID: Final = re.compile(r"[\w.-]{1,64}", re.ASCII)


class AsgiEntry:
    """ASGI, around everything: resources are answered here, the rest goes to the router.

    The way to a resource is kept short. It is what programs call all day, and a layer of
    middleware costs as much as a third of the whole answer.
    """

    def __init__(
        self, resources: Resources, router: ASGIApp, log: AccessLog, limit: RateLimit
    ) -> None:
        self._resources = resources
        self._router = router
        self._log = log
        self._limit = limit
        self._ids = map(f"{secrets.token_hex(6)}-%x".__mod__, itertools.count(1))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        index_headers(scope)
        if scope["type"] != "http":
            if seconds := self._limit.seconds_to_wait(scope):
                socket = WebSocket(scope, receive, send)
                await socket.send_denial_response(_later(scope, seconds))
                return
            await self._router(scope, receive, send)
            return
        started = time.perf_counter()
        method, path = scope["method"], scope["path"]
        request_id = self._identify(scope)
        status = 500
        try:
            resource = self._resources.find(path)
            if not has_one_host(scope):
                status = await _send(_hostless(scope), send, request_id)
            elif seconds := self._limit.seconds_to_wait(scope):
                status = await _send(_later(scope, seconds), send, request_id)
            elif resource:
                status = await _send(await resource.respond(scope, receive), send, request_id)
            else:
                status = await self._route(scope, receive, send, request_id)
        finally:
            seconds_taken = time.perf_counter() - started
            METRICS.observe(method, status, seconds_taken)
            self._log.add(method, path, status, seconds_taken, request_id)

    def _identify(self, scope: Scope) -> str:
        """The caller's own X-Request-Id, if it can stand in a log; else a new one."""
        given = header(scope, b"x-request-id")
        request_id = given if given and _GIVEN_ID.fullmatch(given) else next(self._ids)
        scope.setdefault("state", {})["request_id"] = request_id
        REQUEST_ID.set(request_id)
        return request_id

    async def _route(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> int:
        status = 500

        async def sealed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = (b"x-request-id", request_id.encode()), _KEEP_ALIVE
                message = {**message, "headers": [*message["headers"], *own]}
            await send(message)

        await self._router(scope, receive, sealed)
        return status


async def _send(response: Response, send: Send, request_id: str) -> int:
    """Send a whole response at once; its status."""
    status = response.status_code
    headers = [*response.raw_headers, (b"x-request-id", request_id.encode()), _KEEP_ALIVE]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
    return status


def _hostless(scope: Scope) -> Response:
    error = VisavisError(ErrorKind.ParameterInvalid, "Send exactly one Host header.")
    return problem(HTTPConnection(scope), error, {})


def _later(scope: Scope, seconds: int) -> Response:
    error = VisavisError(ErrorKind.TooManyRequests)
    return problem(HTTPConnection(scope), error, {"Retry-After": str(seconds)})
