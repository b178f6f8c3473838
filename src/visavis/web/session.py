"""Who is asking: a bearer token, or the cookie of an agent who signed in on a page."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import msgspec
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.oauth import CredentialKind
from visavis.domain.people import Agent, Permission
from visavis.services.people import People
from visavis.services.tokens import SESSION_LIFETIME, Tokens
from visavis.web.body import read_body

COOKIE: Final = "visavis_session"


class SignIn(msgspec.Struct, frozen=True):
    email: str
    password: str


class Sessions:
    """Signing in and out of the pages, and recognising who did."""

    def __init__(self, tokens: Tokens, people: People) -> None:
        self._tokens = tokens
        self._people = people

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/session", self.show, methods=["GET"]),
            Route("/session", self.sign_in, methods=["POST"]),
            Route("/session", self.sign_out, methods=["DELETE"]),
        ]

    async def bearer(self, connection: HTTPConnection) -> Agent:
        """The agent of the request's bearer token; raises `Unauthorized`."""
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.casefold() != "bearer" or not token.strip():
            raise VisavisError(ErrorKind.Unauthorized)
        return await self._tokens.authenticate(token.strip())

    async def signed_in(self, connection: HTTPConnection) -> Agent:
        """The agent of the token or the cookie; raises `Unauthorized`."""
        if "authorization" in connection.headers:
            return await self.bearer(connection)
        token = connection.cookies.get(COOKIE)
        if not token:
            raise VisavisError(ErrorKind.Unauthorized, "Sign in first.")
        return await self._tokens.authenticate(token)

    async def show(self, request: Request) -> Response:
        return JSONResponse(_described(await self.signed_in(request)))

    async def sign_in(self, request: Request) -> Response:
        demand_same_origin(request)
        try:
            form = msgspec.json.decode(await read_body(request), type=SignIn)
        except (msgspec.MsgspecError, UnicodeError):
            raise VisavisError(
                ErrorKind.ParameterInvalid, "Send a JSON object with email and password."
            ) from None
        address = request.client.host if request.client else ""
        agent = await self._people.sign_in(form.email, form.password, address)
        token = await self._tokens.issue(agent, CredentialKind.SESSION, SESSION_LIFETIME)
        response = JSONResponse(_described(agent))
        response.set_cookie(
            COOKIE,
            token,
            max_age=int(SESSION_LIFETIME.total_seconds()),
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return response

    async def sign_out(self, request: Request) -> Response:
        demand_same_origin(request)
        if token := request.cookies.get(COOKIE):
            await self._tokens.revoke(token)
        response = Response(status_code=204)
        response.delete_cookie(COOKIE)
        return response


def is_same_origin(connection: HTTPConnection) -> bool:
    """Whether a browser sends this from one of our own pages; other clients send no Origin."""
    origin = connection.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == connection.headers.get("host")


def demand_same_origin(request: Request) -> None:
    if not is_same_origin(request):
        raise VisavisError(ErrorKind.PermissionDenied, "Do this on our own pages.")


def _described(agent: Agent) -> dict[str, object]:
    return {
        "agentName": agent.name,
        "email": agent.email,
        "siteId": agent.site_id,
        "permissions": [p.value for p in Permission if agent.may(p)],
    }
