"""Resources of the REST API: one address each, whichever way a client spells it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.web.errors import on_crash, problem

Endpoint = Callable[[Request], Awaitable[Response]]

SAFE_HEADERS: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "private, no-cache"}
"""On every answer of a resource: nobody else's cache keeps it, no browser takes it for a page."""

BASE: Final = "/v4"
_BASES: Final = re.compile(r"/(?:api/v4|api|v4)(?=/)", re.IGNORECASE | re.ASCII)


class Resource:
    """One address and what each method does there; `{id}` in it stands for any one segment.

    It also answers HEAD where there is a GET, OPTIONS, and 405 with `Allow` to everything else.
    Its answers are whole: a stream belongs in the router.
    """

    def __init__(self, path: str, methods: Mapping[str, Endpoint]) -> None:
        self.path = path
        self.methods = dict(methods)
        head = {"HEAD": methods["GET"]} if "GET" in methods else {}
        self._endpoints = {**methods, **head, "OPTIONS": self._options}
        self.allow = ", ".join(sorted(self._endpoints))

    async def respond(self, scope: Scope, receive: Receive) -> Response:
        """The answer, also to what is refused."""
        request = Request(scope, receive)
        try:
            return await self._endpoints.get(scope["method"], self._refuse)(request)
        except VisavisError as error:
            headers = {**SAFE_HEADERS, "Cache-Control": "no-store"}
            if error.kind is ErrorKind.MethodNotAllowed:
                headers["Allow"] = self.allow
            return problem(request, error, headers)
        except Exception as error:  # noqa: BLE001  whatever it is, the client is told, and the log
            return await on_crash(request, error)

    async def _options(self, _: Request) -> Response:
        return Response(status_code=204, headers={"Allow": self.allow, **SAFE_HEADERS})

    async def _refuse(self, _: Request) -> Response:
        raise VisavisError(ErrorKind.MethodNotAllowed)


class Resources:
    """Finds a resource by its path, without the router's one pattern after the other."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._by_path = {resource.path: resource for resource in resources}
        self._by_spelling = {_plain(path): resource for path, resource in self._by_path.items()}

    def find(self, path: str) -> Resource | None:
        if resource := self._by_path.get(path):
            return resource
        plain = _plain(path)
        return self._by_spelling.get(plain) or self._by_spelling.get(_family(plain))


def id_of(request: Request) -> str:
    """Return the path's value of `{id}`, in lower case."""
    last = _plain(request.scope["path"]).rpartition("/")[2]
    return last.partition(":")[0]


def _family(plain: str) -> str:
    """The address with `{id}` in place of its last segment, its verb kept."""
    parent, _, last = plain.rpartition("/")
    _, colon, verb = last.partition(":")
    return f"{parent}/{{id}}{colon}{verb}"


def _plain(path: str) -> str:
    """One spelling for all: existing clients differ in case, base, final slash and `\\:`."""
    base = _BASES.match(path)
    if not base or not path.isascii():
        return path
    return BASE + path[base.end() :].lower().replace("\\:", ":").removesuffix("/")
