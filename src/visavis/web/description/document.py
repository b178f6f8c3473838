"""The OpenAPI document, made of the very table of routes that answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from visavis import __version__
from visavis.protocol.configuration import ConfigEvent
from visavis.protocol.openapi import Operation, components_of, paths_of
from visavis.protocol.routes import WEBSOCKET, Route, operations_of
from visavis.web.description import access, rest, service
from visavis.web.description.security import security_schemes

DESCRIPTIONS: Final[Mapping[str, Operation]] = {
    **rest.DESCRIPTIONS,
    **access.DESCRIPTIONS,
    **service.DESCRIPTIONS,
}
TAGS: Final = {**rest.TAGS, **access.TAGS, **service.TAGS}
DESCRIPTION: Final = """\
Audio & Video Chat: its configuration, its calls, their recordings, who changed what.

Paths below /v4 are also served below /api/v4 and /api, and those of OAuth below /api, in any
case. HEAD is answered wherever GET is, and OPTIONS everywhere; other methods are answered 405 with
`Allow`. A request that is not valid HTTP/1.1 is answered 400.

Unknown parameters and keys are ignored. With a new version answers can gain keys, and enums
values."""


def description_of(
    routes: Iterable[Route],
    descriptions: Mapping[str, Operation],
    tags: Mapping[str, str],
    base_url: str,
) -> dict[str, Any]:
    """Return the document; raises `KeyError` for a route that is not described."""
    routes = list(routes)
    described = operations_of(routes, descriptions)
    used = {operation.tag for operation in described.values()}
    sockets = {x.path: service.SOCKETS[x.path] for x in routes if x.method == WEBSOCKET}
    used |= {service.SIGNALING} if sockets else set()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Visavis",
            "version": __version__,
            "description": DESCRIPTION,
            "contact": {"name": "Operator of this server", "url": base_url},
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": base_url}],
        "tags": [
            {"name": name, "description": text} for name, text in tags.items() if name in used
        ],
        "paths": {**paths_of(described), **sockets},
        "components": {
            **components_of(described.values(), [ConfigEvent]),
            "securitySchemes": security_schemes(base_url),
        },
    }


class Document:
    """Serves the document, which needs no authorization.

    It is one of the routes that it describes, so it receives the table after it was added to it.
    The document is made on the first request, so that the start of the app does not wait for it.
    """

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._make: Callable[[], dict[str, Any]] = dict
        self._response: Response | None = None

    def describe(
        self,
        routes: Iterable[Route],
        descriptions: Mapping[str, Operation],
        tags: Mapping[str, str],
    ) -> None:
        """Describe the whole table; `descriptions` and `tags` are added to ours."""
        self._make = partial(
            description_of,
            routes,
            {**DESCRIPTIONS, **descriptions},
            {**TAGS, **tags},
            self._base_url,
        )

    async def get(self, _: Request) -> Response:
        if self._response is None:
            self._response = await asyncio.to_thread(self._respond)
        return self._response

    def _respond(self) -> Response:
        return JSONResponse(self._make(), headers={"Access-Control-Allow-Origin": "*"})
