"""`livechat/audioVideoChatConfig`: four calls on one resource."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from visavis.domain.config import Config
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.people import Agent
from visavis.services.configs import ConfigChange, Configs, read_change
from visavis.web.body import read_body
from visavis.web.session import Sessions

PATH: Final = "/v4/livechat/audioVideoChatConfig"
_SPELLINGS: Final = re.compile(
    r"/(?:v4|api/v4|api)/livechat/audiovideochatconfig(?:\\?:(enable|disable))?/?",
    re.IGNORECASE | re.ASCII,
)


Endpoint = Callable[[Request], Awaitable[Response]]


class CanonicalPath:
    """ASGI middleware: whatever way a client spells the resource, the router sees `PATH`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (match := _SPELLINGS.fullmatch(scope["path"])):
            verb = f":{match[1].lower()}" if match[1] else ""
            scope = {**scope, "path": PATH + verb}
        await self._app(scope, receive, send)


class ConfigApi:
    def __init__(self, configs: Configs, sessions: Sessions) -> None:
        self._configs = configs
        self._sessions = sessions

    def routes(self) -> list[BaseRoute]:
        return [
            _resource(PATH, {"GET": self.get, "PUT": self.put}),
            _resource(f"{PATH}:enable", {"POST": self.enable}),
            _resource(f"{PATH}:disable", {"POST": self.disable}),
        ]

    async def get(self, request: Request) -> Response:
        config = await self._configs.read(await self._sessions.caller(request))
        etag = self._etag(config)
        if _is_listed(etag, request.headers.get("if-none-match")):
            return Response(status_code=304, headers={"ETag": etag})
        return self._answer(config)

    async def put(self, request: Request) -> Response:
        agent = await self._sessions.caller(request)
        _demand_json(request)
        change = read_change(_parse(await read_body(request)))
        return await self._change(request, agent, change)

    async def enable(self, request: Request) -> Response:
        return await self._switch(request, is_enabled=True)

    async def disable(self, request: Request) -> Response:
        return await self._switch(request, is_enabled=False)

    async def _switch(self, request: Request, *, is_enabled: bool) -> Response:
        agent = await self._sessions.caller(request)
        return await self._change(request, agent, ConfigChange(is_enabled=is_enabled))

    async def _change(self, request: Request, agent: Agent, change: ConfigChange) -> Response:
        wanted = request.headers.get("if-match")

        def is_expected(config: Config) -> bool:
            return wanted is None or _is_listed(self._etag(config), wanted)

        return self._answer(await self._configs.change(agent, change, is_expected))

    def _answer(self, config: Config) -> Response:
        return JSONResponse(self._configs.fields(config), headers={"ETag": self._etag(config)})

    def _etag(self, config: Config) -> str:
        state = f"{config.version} {self._configs.url(config)}"
        return f'"{hashlib.sha256(state.encode()).hexdigest()[:20]}"'


def _resource(path: str, methods: dict[str, Endpoint]) -> Route:
    """One address: the router then knows what to say of OPTIONS and of every other method."""
    allow = sorted({*methods, "OPTIONS", *(["HEAD"] if "GET" in methods else [])})

    async def answer(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": ", ".join(allow)})
        method = "GET" if request.method == "HEAD" else request.method
        return await methods[method](request)

    return Route(path, answer, methods=allow)


def _is_listed(etag: str, header: str | None) -> bool:
    """Whether If-Match or If-None-Match names the tag (RFC 9110 §13.1)."""
    if header is None:
        return False
    return header.strip() == "*" or etag in {tag.strip() for tag in header.split(",")}


def _demand_json(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    if kind not in {"", "application/json", "text/json"} and not kind.endswith("+json"):
        raise VisavisError(ErrorKind.UnsupportedMediaType)


def _parse(body: bytes) -> dict[str, Any]:
    """A JSON object; raises `ParameterInvalid`, also where a key stands twice."""
    try:
        value = json.loads(body, object_pairs_hook=_object, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _not_an_object() from None
    if not isinstance(value, dict):
        raise _not_an_object()
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = {name.casefold() for name, _ in pairs}
    if len(names) < len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _no_constant(word: str) -> None:
    raise ValueError(word)


def _not_an_object() -> VisavisError:
    return VisavisError(
        ErrorKind.ParameterInvalid, "Send a JSON object in which every key stands once."
    )
