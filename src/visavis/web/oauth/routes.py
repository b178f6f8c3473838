"""The OAuth 2 endpoints (RFC 6749, 7009, 7662, 8414, 9207) on Starlette."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar
from urllib.parse import quote

from authlib.common.urls import add_params_to_uri
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidClientError, InvalidGrantError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.oauth import Client, ClientCredentials, Grant
from visavis.domain.people import Agent
from visavis.protocol.oauth import (
    OAuthError,
    OAuthErrorName,
    server_metadata,
    user_info,
)
from visavis.services.grants import Grants
from visavis.services.people import People
from visavis.services.ports import Store, Transaction
from visavis.web.authentication import COOKIE, NO_STORE, Authentication, ClientRequest
from visavis.web.oauth import consent
from visavis.web.oauth.parameters import MalformedError, read_parameters, read_query
from visavis.web.oauth.server import (
    NOBODY,
    Answered,
    Asked,
    OAuthServer,
    Redirected,
)
from visavis.web.request import json_response
from visavis.web.source import source_of

T = TypeVar("T")


class OAuth:
    """`/oauth/…` and its metadata."""

    def __init__(
        self,
        *,
        store: Store,
        grants: Grants,
        people: People,
        sessions: Authentication,
        issuer: str,
    ) -> None:
        self._store = store
        self._grants = grants
        self._people = people
        self._sessions = sessions
        self._issuer = issuer

    async def token(self, request: Request, presented: ClientRequest) -> Response:
        """RFC 6749 §3.2."""
        try:
            asked = await self._authenticated(request, presented)
        except VisavisError as error:
            if error.kind is not ErrorKind.TooManyRequests:
                raise
            refusal = _refusal(429, "temporarily_unavailable", error.message)
            refusal.headers["Retry-After"] = "300"
            return refusal
        if isinstance(asked, Response):
            return asked
        answer = await self._perform(lambda server: server.answer_token(asked))
        if answer.status != 200:
            await self._audit_refusal(request, presented, answer)
        return _json(answer)

    async def revoke(self, request: Request, presented: ClientRequest) -> Response:
        """RFC 7009 §2."""
        return await self._endpoint(request, presented, "revocation")

    async def introspect(self, request: Request, presented: ClientRequest) -> Response:
        """RFC 7662 §2."""
        return await self._endpoint(request, presented, "introspection")

    async def userinfo(self, _: Request, agent: Agent) -> Response:
        """Return the token's agent, in the fields of existing clients and of OpenID Connect."""
        return json_response(user_info(agent), headers=NO_STORE)

    async def metadata(self, _: Request) -> Response:
        """RFC 8414 §2."""
        return json_response(server_metadata(self._issuer))

    async def ask(self, request: Request, agent: Agent | None = None) -> Response:
        """RFC 6749 §3.1: check what the client wants, then ask the agent."""
        examined = await self._examine(request)
        if isinstance(examined, Response):
            return examined
        client, scope, redirect_uri = examined
        if agent is None:
            here = f"/oauth/authorize?{request.url.query}"
            return RedirectResponse(f"/signin?next={quote(here, safe='')}", 302, NO_STORE)
        if agent.site_id != client.site_id:
            return consent.error_page(consent.ConsentProblem.OTHER_SITE, 403)
        proof = consent.proof(request.cookies[COOKIE])
        return consent.page(client, agent, scope, redirect_uri, proof)

    async def decide(self, request: Request, agent: Agent | None = None) -> Response:
        """The agent's answer, given on our own page: back to the client with it."""
        examined = await self._examine(request)
        if isinstance(examined, Response):
            return examined
        client, _, _ = examined
        if agent is None:
            raise VisavisError(ErrorKind.Unauthorized)
        form = await read_parameters(request)
        is_ours = self._sessions.is_same_origin(request) and consent.is_proof(
            form.get("proof", ""), request.cookies[COOKIE]
        )
        if not is_ours or agent.site_id != client.site_id:
            return consent.error_page(consent.ConsentProblem.START_AGAIN, 403)
        asked = _asked_by_query(request)
        user = agent if form.get("decision") == "allow" else None

        def answer(server: OAuthServer) -> Redirected:
            grant = server.get_consent_grant(asked)
            redirected: Redirected = server.create_authorization_response(
                grant.request, user, grant
            )
            return redirected

        return self._redirect(await self._perform(answer))

    async def _examine(self, request: Request) -> tuple[Client, str, str] | Response:
        """The client, scope and redirect URI of an authorization request; or what to answer."""
        try:
            asked = _asked_by_query(request)
        except MalformedError as error:
            return consent.error_page(consent.ConsentProblem.INVALID_REQUEST, 400, str(error))

        def work(rows: Transaction) -> tuple[Client, str, str]:
            grant = OAuthServer(rows, self._grants).get_consent_grant(asked)
            return grant.request.client.row, grant.request.scope, grant.redirect_uri

        try:
            return await self._store.read(work)
        except OAuth2Error as error:
            if getattr(error, "redirect_uri", None):
                return self._redirect(Redirected(dict(error()[2])["Location"]))
            detail = error.description or error.error
            return consent.error_page(consent.ConsentProblem.INVALID_REQUEST, 400, detail)

    def _redirect(self, answer: Redirected) -> Response:
        """Back to the client, saying who answers (RFC 9207)."""
        location = add_params_to_uri(answer.location, [("iss", self._issuer)])
        return RedirectResponse(location, 302, NO_STORE)

    async def _endpoint(self, request: Request, presented: ClientRequest, name: str) -> Response:
        asked = _asked(presented)
        answer = await self._perform(lambda server: server.answer_endpoint(name, asked))
        if answer.status != 200:
            await self._audit_refusal(request, presented, answer)
        return _json(answer)

    async def _audit_refusal(
        self, request: Request, presented: ClientRequest, answer: Answered
    ) -> None:
        """Record a wrong client secret, code or refresh token; passwords are recorded already."""
        error = answer.body.error if isinstance(answer.body, OAuthError) else None
        client_id, address = presented.credentials.client_id, source_of(request.scope)
        if error == InvalidClientError.error:
            await self._people.failures.add_client(client_id, address)
        elif error == InvalidGrantError.error and _is_of_secret(presented):
            await self._people.failures.add_grant(client_id, address)

    async def _authenticated(self, request: Request, presented: ClientRequest) -> Asked | Response:
        """Check the password of a password grant. The rest is for the unit of work.

        Older clients send no `client_id` with it. Then the first public client of the agent's site
        that has the grant stands in, so that switching the grant off holds for them too.
        """
        asked, parameters = _asked(presented), {**presented.parameters}
        if parameters.get("grant_type") != Grant.PASSWORD:
            return asked
        email = parameters.setdefault("username", parameters.get("email", ""))
        is_anonymous = not presented.credentials.client_id
        address = source_of(request.scope)
        try:
            agent = await self._people.sign_in(email, parameters.get("password", ""), address)
        except VisavisError as error:
            if error.kind is not ErrorKind.Unauthorized:
                raise
            if is_anonymous:
                return _refusal(400, "invalid_grant", error.message)
            return replace(asked, parameters=parameters)
        if is_anonymous:
            clients = await self._store.read(lambda rows: rows.clients.list_by_site(agent.site_id))
            asked = replace(asked, credentials=_stand_in(clients))
        return replace(asked, parameters=parameters, agent=agent)

    async def _perform(self, step: Callable[[OAuthServer], T]) -> T:
        return await self._store.write(lambda rows: step(OAuthServer(rows, self._grants)))


def _asked(presented: ClientRequest) -> Asked:
    return Asked("POST", presented.parameters, presented.credentials)


def _asked_by_query(request: Request) -> Asked:
    return Asked("GET", read_query(request))


def _stand_in(clients: Iterable[Client]) -> ClientCredentials:
    """Return the first public client that may use passwords, or nobody's credentials."""
    for client in clients:
        if client.is_public and not client.is_disabled and Grant.PASSWORD in client.grants:
            return ClientCredentials(client.id, "", "none")
    return NOBODY


def _is_of_secret(presented: ClientRequest) -> bool:
    """Whether a request has tried to exchange a code or a refresh token."""
    return presented.parameters.get("grant_type") in {Grant.AUTHORIZATION_CODE, Grant.REFRESH_TOKEN}


def _refusal(status: int, error: OAuthErrorName, description: str) -> Response:
    return json_response(OAuthError(error, description), status, NO_STORE)


def _json(answer: Answered) -> Response:
    return json_response(answer.body, answer.status, {**answer.headers, **NO_STORE})
