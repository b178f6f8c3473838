"""Descriptions of the pages, the operator's endpoints and the WebSockets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from visavis.domain.errors import ErrorKind
from visavis.protocol.openapi import (
    HTML,
    STRING,
    TEXT,
    DocumentedAnswer,
    Operation,
    described_by_name,
)
from visavis.protocol.parameters import path_parameter, query
from visavis.protocol.routes import Access, Caller, security_of

DOCUMENT_PATH: Final = "/v4/openapi.json"
OPERATION: Final = "Operation"
PAGE_TAG: Final = "Pages"
SIGNALING: Final = "Signalling"
TAGS: Final = {
    OPERATION: "Health and metrics, for the operator and the orchestrator.",
    PAGE_TAG: "Pages for browsers; they are not an interface for programs.",
    SIGNALING: "WebSockets of the pages of visitors and agents: `x-websocket` of their paths.",
}

_TITLES: Final[Mapping[str, tuple[str, str]]] = {
    "/": ("openHome", "Open the page that names the others"),
    "/demo": ("openDemo", "Open the page that shows the widget"),
    "/console": ("openConsole", "Open the agents' console"),
    "/library": ("openLibrary", "Open the library of recordings"),
    "/profile": ("openProfile", "Open the agent's own password and sessions"),
    "/signin": ("openSignIn", "Open the page for signing in"),
    "/admin": ("openAdmin", "Open the administrators' page"),
    "/docs": ("openDocs", "Open this description, to read and to try out"),
    "/docs/oauth2-redirect": ("openDocsRedirect", "Return from signing in to the page /docs"),
}


def _page(name: str, summary: str) -> Operation:
    return Operation(
        name=name,
        tag=PAGE_TAG,
        summary=summary,
        description="An HTML page.",
        answers={200: DocumentedAnswer("The page")},
    )


DESCRIPTIONS: Final = described_by_name(
    Operation(
        name="getDescription",
        tag=OPERATION,
        summary="Read this description (OpenAPI 3.1)",
        description="Needs no authorization.",
        answers={200: DocumentedAnswer("The document")},
    ),
    Operation(
        name="getHealth",
        tag=OPERATION,
        summary="Ask whether the process answers",
        description="Does not look at the other processes or the database; /readyz does.",
        answers={200: DocumentedAnswer("The process answers")},
    ),
    Operation(
        name="getReadiness",
        tag=OPERATION,
        summary="Ask whether calls can be taken",
        description="Lines of text: `ready` or the reason why not, then warnings.",
        answers={
            200: DocumentedAnswer("Ready"),
            503: DocumentedAnswer("Not ready, and why", {TEXT: STRING}),
        },
    ),
    Operation(
        name="getMetrics",
        tag=OPERATION,
        summary="Read the metrics",
        description="Prometheus's text format.",
        answers={200: DocumentedAnswer("The metrics")},
    ),
    *(_page(*title) for title in _TITLES.values()),
    Operation(
        name="getWidget",
        tag=PAGE_TAG,
        summary="Load the visitors' widget into a page",
        description="For pages of any origin.",
        answers={200: DocumentedAnswer("The script")},
    ),
    Operation(
        name="getAsset",
        tag=PAGE_TAG,
        summary="Load a script, a style or a picture of the pages",
        description="A name with a hash never changes its content.",
        answers={
            200: DocumentedAnswer("The file"),
            304: DocumentedAnswer("It has not changed"),
        },
        parameters=(path_parameter("path", "The name of the file, which may contain slashes."),),
        errors=(ErrorKind.EntityNotFound,),
    ),
    Operation(
        name="openJoinLink",
        tag=PAGE_TAG,
        summary="Open the page of a call that was made over the API",
        description="The URL is a secret; the answer must not be cached.",
        answers={
            200: DocumentedAnswer("The page"),
            404: DocumentedAnswer(
                "The page, which says that the link is not valid", {HTML: STRING}
            ),
        },
        parameters=(path_parameter("token", "The secret of one party of one call."),),
    ),
)

_JOIN: Final = query("join", "The secret of a join link, instead of everything else.")
SOCKETS: Final[Mapping[str, Mapping[str, Any]]] = {
    "/signaling/visitor": {
        "summary": "Signalling of a visitor's page",
        "description": "A WebSocket (RFC 6455): a GET with Upgrade is answered 101, or with a "
        "problem document. Messages are JSON objects with a `type`, described in "
        "docs/protocol.md.",
        "x-websocket": {
            "operationId": "signalVisitor",
            "tags": [SIGNALING],
            "parameters": [
                query("site", "The site.", type="integer"),
                _JOIN,
            ],
            "statuses": [101, 404, 429, 500, 503],
            "security": [],
        },
    },
    "/signaling/agent": {
        "summary": "Signalling of an agent's console",
        "description": "A WebSocket (RFC 6455): a GET with Upgrade is answered 101, or with a "
        "problem document. Messages are JSON objects with a `type`, described in "
        "docs/protocol.md.",
        "x-websocket": {
            "operationId": "signalAgent",
            "tags": [SIGNALING],
            "parameters": [_JOIN],
            "statuses": [101, 401, 403, 404, 429, 500, 503],
            "security": [
                {name: list(scopes) for name, scopes in way.items()}
                for way in security_of(Access(Caller.CONSOLE))
            ],
        },
    },
}
