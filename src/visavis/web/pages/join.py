"""`/join/<token>`: the page of a call that was made over the API, one for each of its parties."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import CallRole
from visavis.web.authentication import FindJoinLink
from visavis.web.pages import STATIC
from visavis.web.source import source_of

PAGES: Final = {
    CallRole.VISITOR: "join-visitor.html",
    CallRole.AGENT: "join-agent.html",
}
HEADERS: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
"""Headers of join pages. The URL is a secret: it is neither cached nor sent as a referrer."""


class JoinPages:
    """The pages that join links open."""

    def __init__(self, find: FindJoinLink) -> None:
        """`find` takes the token and the network that asks: it limits guessing."""
        self._find = find

    async def page(self, request: Request) -> Response:
        token, source = request.path_params["token"], source_of(request.scope)
        try:
            side, status = (await self._find(token, source)).side, 200
        except VisavisError as error:
            if error.kind is ErrorKind.TooManyRequests:
                raise
            side, status = CallRole.VISITOR, error.kind.status  # the page says why
        return FileResponse(STATIC / PAGES[side], status, headers=HEADERS)
