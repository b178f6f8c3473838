"""The OpenAPI document, made of the very routes that answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from visavis import __version__
from visavis.domain.errors import ErrorKind
from visavis.protocol.configuration import ConfigEvent
from visavis.protocol.openapi import Key, Operation, Operations, components_of, paths_of
from visavis.web.description import access, rest, service
from visavis.web.description.security import security_schemes
from visavis.web.rate_limit import UNLIMITED
from visavis.web.resource import BASE, SAFE_HEADERS, Resource
from visavis.web.spelling import canonical_path

OPERATIONS: Final[Operations] = {**rest.OPERATIONS, **access.OPERATIONS, **service.OPERATIONS}
TAGS: Final = {**rest.TAGS, **access.TAGS, **service.TAGS}
DESCRIPTION: Final = f"""\
Audio & Video Chat: its configuration, its calls, their recordings, who changed what.

Paths below {BASE} are also served below /api{BASE} and /api, and those of OAuth below /api, in any
case. HEAD is answered wherever GET is, and OPTIONS everywhere; other methods are answered 405 with
`Allow`. A request that is not valid HTTP/1.1 is answered 400.

Unknown parameters and keys are ignored. With a new version answers can gain keys, and enums
values."""


def description_of(
    endpoints: Iterable[Key],
    sockets: Iterable[str],
    operations: Operations,
    tags: Mapping[str, str],
    base_url: str,
) -> dict[str, Any]:
    """Return the document; raises `KeyError` for an endpoint that is not described."""
    described = {key: _limited(key[0], operations[key]) for key in endpoints}
    used = {operation.tag for operation in described.values()}
    socket_items = {path: service.SOCKETS[path] for path in sockets}
    used |= {service.SIGNALING} if socket_items else set()
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
        "paths": {**paths_of(described), **socket_items},
        "components": {
            **components_of(described.values(), [ConfigEvent]),
            "securitySchemes": security_schemes(base_url),
        },
    }


def description_resource(
    resources: Iterable[Resource],
    routes: Iterable[BaseRoute],
    operations: Operations,
    tags: Mapping[str, str],
    base_url: str,
) -> Resource:
    """Return the resource of the document, which needs no authorization.

    `operations` and `tags` describe the routes that are not ours.
    """
    routes = list(routes)
    document = JSONResponse(
        description_of(
            [*_of_resources(resources), (service.DOCUMENT_PATH, "GET"), *_of_routes(routes)],
            [route.path for route in routes if isinstance(route, WebSocketRoute)],
            {**OPERATIONS, **operations},
            {**TAGS, **tags},
            base_url,
        ),
        headers={**SAFE_HEADERS, "Access-Control-Allow-Origin": "*"},
    )

    async def get(_: Request) -> Response:
        return document

    return Resource(service.DOCUMENT_PATH, {"GET": get})


def _limited(path: str, operation: Operation) -> Operation:
    """Return the operation with the error of too many requests, where they are counted."""
    if path.startswith(UNLIMITED):
        return operation
    return replace(operation, errors=(*operation.errors, ErrorKind.TooManyRequests))


def _of_resources(resources: Iterable[Resource]) -> Iterator[Key]:
    for resource in resources:
        for method in resource.methods:
            yield resource.path, method


def _of_routes(routes: Iterable[BaseRoute]) -> Iterator[Key]:
    """Each endpoint once, whatever spellings of its path are served."""
    seen = set[Key]()
    for route in routes:
        if isinstance(route, Mount):
            keys = {(f"{route.path}/{{path}}", "GET")}
        elif isinstance(route, Route) and route.include_in_schema:
            methods = set(route.methods or ())
            methods -= {"HEAD"} if "GET" in methods else set()
            keys = {(canonical_path(route.path), method) for method in methods}
        else:
            continue
        yield from sorted(keys - seen)
        seen |= keys
