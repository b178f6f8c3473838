"""The router: the ASGI application that answers every request by the table of routes.

A row of the table names the limit that counts its requests; the limits are counted here.
"""

from __future__ import annotations

import itertools
import re
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import compile_path
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from structlog.contextvars import STRUCTLOG_KEY_PREFIX

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.shared_counts import busiest, shared_key
from visavis.protocol.routes import WEBSOCKET, Caller, Gate, RateClass, Route
from visavis.web.errors import (
    NO_STORE,
    NotAllowedError,
    NotFoundError,
    answer_to,
    problem,
    refuse_socket,
    too_many_requests,
)
from visavis.web.request import METRICS, AccessLog, has_one_host, header, index_headers
from visavis.web.request_limits import KEEP_ALIVE_SECONDS
from visavis.web.security_headers import API_HEADERS, RawHeaders, headers_of_others
from visavis.web.source import source_of

REQUEST_ID: Final = ContextVar[str](f"{STRUCTLOG_KEY_PREFIX}request_id")
"""Every log line of a request's task bears it: structlog merges what has its prefix."""

_KEEP_ALIVE: Final = b"keep-alive", b"timeout=%d" % KEEP_ALIVE_SECONDS
_GIVEN_ID: Final = re.compile(r"[\w.-]{1,64}", re.ASCII)
_BASES: Final = re.compile(
    r"/(?:api/)?(?P<oauth>oauth)(?=/)|/(?:api/v4|api|v4)(?=/)", re.IGNORECASE | re.ASCII
)
ONE_HOST: Final = "Send exactly one Host header."
_NO_PARAMETERS: Final[dict[str, str]] = {}

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", ""})
WINDOW_SECONDS: Final = 300
MAX_COUNTED: Final = 50_000


class Resource:
    """One path and its routes by method; HEAD is that of GET, and OPTIONS is always answered."""

    def __init__(self, path: str) -> None:
        self.is_api = path.startswith("/v4/")
        self.routes: dict[str, Route] = {}

    def add(self, route: Route) -> None:
        self.routes[route.method] = route
        if route.method == "GET":
            self.routes.setdefault("HEAD", route)

    @property
    def allow(self) -> str:
        return ", ".join(sorted({*self.routes, "OPTIONS"}))


class RouteIndex:
    """Finds a resource by its path, without trying one pattern after the other."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.sockets: dict[str, Route] = {}
        self._exact: dict[str, Resource] = {}
        self._patterns: dict[str, list[tuple[re.Pattern[str], Resource]]] = {}
        resources: dict[str, Resource] = {}
        for route in routes:
            if route.method == WEBSOCKET:
                self.sockets[route.path] = route
                continue
            if route.path not in resources:
                resources[route.path] = Resource(route.path)
                self._add(route.path, resources[route.path])
            resources[route.path].add(route)

    def find(self, path: str) -> tuple[Resource | None, dict[str, str]]:
        """Return the resource of a path and the values of its parameters.

        A path without a parameter hides those that have one in its place.
        """
        resource = self._exact.get(path)
        if resource is None:
            path = _plain(path)
            resource = self._exact.get(path)
        if resource is not None:
            return resource, _NO_PARAMETERS
        for pattern, candidate in self._patterns.get(_first_segment(path), ()):
            if match := pattern.fullmatch(path):
                return candidate, match.groupdict()
        return None, _NO_PARAMETERS

    def _add(self, path: str, resource: Resource) -> None:
        plain = _plain(path)
        if "{" not in path:
            self._exact[path] = self._exact[plain] = resource
            return
        pattern = compile_path(plain)[0].pattern
        if resource.is_api:
            pattern = pattern.replace("[^/]+", "[^/:]+")  # an id ends where a verb begins
        patterns = self._patterns.setdefault(_first_segment(plain), [])
        patterns.append((re.compile(pattern), resource))


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """Requests in five minutes; 0 is no limit."""

    api: int = 0
    page: int = 0
    socket: int = 0


def _no_token(_: Scope) -> str:
    return ""


def _no_claim(_: Scope) -> bool:
    return False


class RateLimit:
    """Counts per fixed window; the machine itself is not counted.

    `token_of` returns the token of a request if it has been found good lately, else nothing.
    Who has one is counted by it, so that one colleague does not use up what the office has. Tokens
    that are not known yet are counted by network, apart from requests without any (`claims`).
    """

    def __init__(
        self,
        limits: RequestLimits,
        token_of: Callable[[Scope], str] = _no_token,
        claims: Callable[[Scope], bool] = _no_claim,
    ) -> None:
        self._limits = {
            RateClass.API: limits.api,
            RateClass.PAGE: limits.page,
            RateClass.SOCKET: limits.socket,
        }
        self._token_of = token_of
        self._claims = claims
        self._window = 0
        self._counts: dict[tuple[RateClass, str], int] = {}
        self.elsewhere: Mapping[str, float] = {}
        """Counts of other nodes, by the keys of `busiest`."""
        self.refused: Counter[RateClass] = Counter()

    def seconds_to_wait(self, scope: Scope, kind: RateClass | None) -> int:
        """Return the seconds until this client is answered again; 0 if it is not limited.

        Requests of no kind (probes, and uploads, which have limits of their own) never wait.
        """
        limit = self._limits[kind] if kind else 0
        if not kind or not limit:
            return 0
        client = scope.get("client")
        if (not client or client[0] in LOOPBACK) and not header(scope, b"x-forwarded-for"):
            return 0
        source = source_of(scope)
        if not source:
            return 0
        now = int(time.monotonic())
        window = now // WINDOW_SECONDS
        if window != self._window or len(self._counts) > MAX_COUNTED:
            self._window, self._counts = window, {}
        key = kind, self._counted_by(scope, source)
        count = self._counts[key] = self._counts.get(key, 0) + 1
        others = self.elsewhere.get(shared_key(*key), 0.0) if self.elsewhere else 0.0
        if count + others <= limit:
            return 0
        self.refused[kind] += 1
        return (window + 1) * WINDOW_SECONDS - now

    def busiest(self) -> Mapping[str, float]:
        """Return the highest counts of clients, to report to the other nodes.

        Their windows do not begin with ours, so a client is held to its limit within two windows.
        """
        if int(time.monotonic()) // WINDOW_SECONDS != self._window:
            return {}
        return busiest((key, count, self._limits[key[0]]) for key, count in self._counts.items())

    def _counted_by(self, scope: Scope, source: str) -> str:
        if token := self._token_of(scope):
            return f"token {token}"
        return f"unknown token from {source}" if self._claims(scope) else source


class Router:
    """Gives each request its id, limits, finds its route, admits its caller, answers, and logs.

    The way to an answer is kept short: programs call the API all day, and a layer of middleware
    costs as much as a third of the whole answer.
    """

    def __init__(
        self,
        routes: Iterable[Route],
        gates: Mapping[Caller, Gate],
        log: AccessLog,
        limit: RateLimit,
    ) -> None:
        """Raises `ValueError` if a route names a caller without a gate."""
        self.routes = tuple(routes)
        if missing := {x.access.caller for x in self.routes} - {Caller.ANYBODY} - gates.keys():
            raise ValueError(f"No gate admits {', '.join(sorted(missing))}.")
        self._index = RouteIndex(self.routes)
        self._gates = gates
        self._log = log
        self._limit = limit
        self._ids = map(f"{secrets.token_hex(6)}-%x".__mod__, itertools.count(1))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        index_headers(scope)
        if scope["type"] != "http":
            await self._open_socket(WebSocket(scope, receive, send))
            return
        started = time.perf_counter()
        request_id = self._identify(scope)
        sender = _ResponseSender(scope, receive, send, request_id)
        try:
            resource, scope["path_params"] = self._index.find(scope["path"])
            response = await self._respond(Request(scope, receive), resource)
            await sender.send(response, is_api=resource is not None and resource.is_api)
        finally:
            seconds = time.perf_counter() - started
            METRICS.observe(scope["method"], sender.status, seconds)
            self._log.add(scope["method"], scope["path"], sender.status, seconds, request_id)

    async def _respond(self, request: Request, resource: Resource | None) -> Response:
        """Return the answer, also to a request that is refused or that fails."""
        scope = request.scope
        route = resource.routes.get(scope["method"]) if resource else None
        if not has_one_host(scope):
            return problem(request, VisavisError(ErrorKind.ParameterInvalid, ONE_HOST), NO_STORE)
        try:
            rate = route.rate if route else _rate_of_unknown(scope["path"])
            if seconds := self._limit.seconds_to_wait(scope, rate):
                return too_many_requests(request, seconds)
            if route is None:
                return self._without_route(request, resource)
            gate = self._gates.get(route.access.caller)
            caller = await gate(request, route.access) if gate else None
            handled = route.handler(request) if caller is None else route.handler(request, caller)
            response: Response = await handled
        except Exception as error:  # noqa: BLE001  whatever it is, the client is told, and the log
            return await answer_to(request, error)
        return response

    def _without_route(self, request: Request, resource: Resource | None) -> Response:
        """Answer OPTIONS, and what has a slash too many or too few; refuse the rest."""
        if resource is None:
            path = request.scope["path"]
            other = path.removesuffix("/") if path.endswith("/") else f"{path}/"
            if self._index.find(other)[0]:
                return RedirectResponse(request.url.replace(path=other))
            raise NotFoundError
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": resource.allow})
        raise NotAllowedError(resource.allow)

    async def _open_socket(self, socket: WebSocket) -> None:
        if seconds := self._limit.seconds_to_wait(socket.scope, RateClass.SOCKET):
            await socket.send_denial_response(too_many_requests(socket, seconds))
        elif route := self._index.sockets.get(socket.scope["path"]):
            with suppress(WebSocketDisconnect):  # the page has gone before it was greeted
                await self._admit_socket(socket, route)
        else:
            error = VisavisError(ErrorKind.EntityNotFound)
            await socket.send_denial_response(problem(socket, error, {}))

    async def _admit_socket(self, socket: WebSocket, route: Route) -> None:
        try:
            caller = await self._gates[route.access.caller](socket, route.access)
        except VisavisError as error:
            await refuse_socket(socket, error)
            return
        await route.handler(socket, caller)

    def _identify(self, scope: Scope) -> str:
        """The caller's own X-Request-Id, if it can stand in a log; else a new one."""
        given = header(scope, b"x-request-id")
        request_id = given if given and _GIVEN_ID.fullmatch(given) else next(self._ids)
        scope.setdefault("state", {})["request_id"] = request_id
        REQUEST_ID.set(request_id)
        return request_id


class _ResponseSender:
    """Sends one response; `status` is 500 until it begins."""

    __slots__ = ("_is_api", "_own", "_receive", "_scope", "_send", "status")

    def __init__(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._own = (b"x-request-id", request_id.encode()), _KEEP_ALIVE
        self.status = 500

    async def send(self, response: Response, *, is_api: bool) -> None:
        self._is_api = is_api
        body: bytes | None = getattr(response, "body", None)
        if body is None:
            await self._stream(response)
            return
        self.status = response.status_code
        headers = self._complete(response.raw_headers)
        head = {"status": self.status, "headers": headers}
        await self._send({"type": "http.response.start", **head})
        await self._send({"type": "http.response.body", "body": body})

    def _complete(self, headers: RawHeaders) -> RawHeaders:
        """Add our own headers, and the security headers that the answer does not bring itself."""
        defaults = API_HEADERS if self._is_api else headers_of_others(self._scope)
        given = [name for name, _ in headers]
        return [*headers, *[pair for pair in defaults if pair[0] not in given], *self._own]

    async def _stream(self, response: Response) -> None:
        """Let a file or a stream send itself, until its reader has gone.

        The connection is closed if it fails on the way; before, there is an answer to that, too.
        """
        has_begun = False

        async def complete(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun, self.status = True, message["status"]
                headers = self._complete(message["headers"])
                message["headers"] = headers
            await self._send(message)

        try:
            await response(self._scope, self._receive, complete)
        except ClientDisconnect:
            return
        except Exception as error:
            failure = await answer_to(Request(self._scope), error)
            if has_begun:
                raise
            await self.send(failure, is_api=self._is_api)


def _rate_of_unknown(path: str) -> RateClass:
    return RateClass.API if _BASES.match(path) else RateClass.PAGE


def _first_segment(path: str) -> str:
    return path[: path.find("/", 1)]


def _plain(path: str) -> str:
    """One spelling for all: existing clients differ in case, base, final slash and `\\:`."""
    base = _BASES.match(path)
    if not base or not path.isascii():
        return path
    start = "/oauth" if base["oauth"] else "/v4"
    return start + path[base.end() :].lower().replace("\\:", ":").removesuffix("/")
