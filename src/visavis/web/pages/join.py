"""`/join/<token>`: the page of a call that was made over the API, one for each of its parties."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from visavis.domain.errors import VisavisError
from visavis.domain.leg import Side
from visavis.services.calls.join_links import JoinLink
from visavis.services.visitor_limits import VisitorGuard
from visavis.web.pages import STATIC
from visavis.web.source import source_of

PAGES: Final = {Side.VISITOR: "join-visitor.html", Side.AGENT: "join-agent.html"}
HEADERS: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
"""The address is a secret: nothing keeps it, and no other site learns it."""


def join_routes(join: Callable[[str], JoinLink], guard: VisitorGuard) -> list[BaseRoute]:
    """`join` tells whom an address is for; `guard` limits guessing."""

    def page(request: Request) -> Response:
        source = source_of(request.scope)
        guard.require_join(source)
        try:
            side, status = join(request.path_params["token"]).side, 200
        except VisavisError as error:
            guard.count_unknown_join(source)
            side, status = Side.VISITOR, error.kind.status  # whose page says why
        return FileResponse(STATIC / PAGES[side], status, headers=HEADERS)

    return [Route("/join/{token}", page)]
