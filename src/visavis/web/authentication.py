"""Authentication: the one place that finds out who sends a request or opens a socket.

Agents prove it by a bearer token, an API key or the cookie of a session, parties of a call by a
join link, OAuth clients by their credentials. The router asks the gate of the caller that the row
of a route names; a console is asked again while it is open.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from starlette.requests import HTTPConnection, Request
from starlette.types import Scope

from visavis.domain.errors import ErrorCode, ErrorKind, VisavisError
from visavis.domain.oauth import ClientCredentials
from visavis.domain.people import Agent
from visavis.protocol.oauth import OAuthError
from visavis.protocol.routes import Access, AnswerError, Caller, Gate
from visavis.services.api_keys import ApiKeys
from visavis.services.calls.join_links import JoinLink
from visavis.services.people import People
from visavis.services.tokens import Tokens
from visavis.web.errors import takes_basic
from visavis.web.oauth.parameters import MalformedError, read_parameters
from visavis.web.request import header, json_response
from visavis.web.source import source_of

COOKIE: Final = "visavis_session"
NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
DEFAULT_PORTS: Final = {"http": 80, "https": 443}
SITE_HEADER: Final = b"siteid"
BACKGROUND: Final = "visavis-background"
"""Header of what a page asks by itself: it is not a use of the session."""
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

_NUMBER: Final = re.compile(r"[0-9]{1,9}", re.ASCII)


class AdmittedVisitor(NamedTuple):
    """A visitor of a site; `call_id` is the one call that a join link admits them to.

    `source` is the network that they connect from.
    """

    site_id: int
    call_id: str
    source: str


class AdmittedAgent(NamedTuple):
    """An agent at a console; `call_id` is the one call that a join link admits them to."""

    agent: Agent
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """A request of an OAuth client: its parameters, and the credentials that it presents.

    They are verified in the transaction that issues, revokes or reads tokens: a client that is
    disabled at the same time gets nothing.
    """

    parameters: Mapping[str, str]
    credentials: ClientCredentials


FindJoinLink = Callable[[str, str], Awaitable[JoinLink]]
"""Function that finds the join link of a token, for the network that asks."""


async def no_join_link(_: str, __: str) -> JoinLink:
    """Find no join link, as in an archive that runs alone."""
    raise VisavisError(ErrorCode.JoinLinkInvalid)


class Authentication:
    """The gates of all callers who are agents, parties of calls or OAuth clients."""

    def __init__(
        self,
        tokens: Tokens,
        keys: ApiKeys,
        people: People,
        public_url: str = "",
        find_join_link: FindJoinLink = no_join_link,
    ) -> None:
        """`public_url` is the address of our pages, whatever `Host` a proxy sends."""
        self._find_join_link = find_join_link
        scheme, _, authority = public_url.rstrip("/").partition("://")
        self._public_origin = _origin_of(scheme, authority) if public_url else None
        self._tokens = tokens
        self._keys = keys
        self._people = people

    def gates(self) -> dict[Caller, Gate]:
        """Return the checks of the callers whom this class knows."""
        return {
            Caller.AGENT: self.admit,
            Caller.OWN_PAGE: self._admit_own_page,
            Caller.SIGNED_IN: self._admit_signed_in,
            Caller.PAGE: self._admit_session,
            Caller.BEARER: self._admit_bearer,
            Caller.BROWSER: self._admit_browser,
            Caller.CLIENT: self._admit_client,
            Caller.VISITOR: self._admit_visitor,
            Caller.CONSOLE: self._admit_console,
        }

    async def admit(self, request: Request, access: Access) -> Agent:
        """Return the agent who calls the REST API.

        Raises as `identify`, and `PermissionDenied` if a cookie comes from another origin's page
        or the access does not admit the agent.
        """
        agent = await self.identify(request)
        if request.method not in SAFE_METHODS and not header(request.scope, b"authorization"):
            self._require_same_origin(request)
        require_access(agent, access)
        return agent

    async def _admit_own_page(self, request: Request, _: Access) -> None:
        if request.method not in SAFE_METHODS:
            self._require_same_origin(request)

    async def _admit_signed_in(self, request: Request, access: Access) -> Agent:
        agent = await self.signed_in(request)
        require_access(agent, access)
        return agent

    async def _admit_session(self, request: Request, access: Access) -> Agent:
        await self._admit_own_page(request, access)
        agent = await self.of_page(request)
        require_access(agent, access)
        return agent

    async def _admit_bearer(self, request: Request, access: Access) -> Agent:
        agent = await self.bearer(request)
        require_access(agent, access)
        return agent

    async def _admit_browser(self, request: Request, _: Access) -> Agent | None:
        """Return the agent of the cookie, or `None`: OAuth has them sign in first."""
        try:
            return await self.of_page(request)
        except VisavisError as error:
            if error.kind is not ErrorKind.Unauthorized:
                raise
            return None

    async def _admit_client(self, request: Request, _: Access) -> ClientRequest:
        """Read the parameters and the credentials; raises the refusal of RFC 6749 §5.2."""
        try:
            parameters = await read_parameters(request)
        except MalformedError as error:
            refusal = OAuthError("invalid_request", str(error))
            raise AnswerError(str(error), json_response(refusal, 400, NO_STORE)) from None
        return ClientRequest(parameters, client_credentials(request.scope, parameters))

    async def _admit_visitor(self, connection: HTTPConnection, _: Access) -> AdmittedVisitor:
        """Return the visitor of a join link or of a site; raises `EntityNotFound`."""
        source = source_of(connection.scope)
        if token := connection.query_params.get("join"):
            join_link = await self._find_join_link(token, source)
            if join_link.agent is None:
                return AdmittedVisitor(join_link.site_id, join_link.call_id, source)
        site = connection.query_params.get("site", "")
        if not _NUMBER.fullmatch(site) or not await self._people.has_site(int(site)):
            raise VisavisError(ErrorKind.EntityNotFound, "There is no such site.")
        return AdmittedVisitor(int(site), "", source)

    async def _admit_console(self, connection: HTTPConnection, _: Access) -> AdmittedAgent:
        return await self.console(connection)

    async def console(self, connection: HTTPConnection) -> AdmittedAgent:
        """Return the agent of a join link, a token, an API key or a cookie.

        Raises `Unauthorized`, `EntityNotFound`, and `PermissionDenied` to strangers' pages.
        """
        if not self.is_same_origin(connection):
            raise VisavisError(ErrorKind.PermissionDenied, "Open the console on its own address.")
        if token := connection.query_params.get("join"):
            join_link = await self._find_join_link(token, source_of(connection.scope))
            if join_link.agent:
                agent = await self._people.active_agent(join_link.site_id, join_link.agent.id)
                return AdmittedAgent(agent, join_link.call_id)
        return AdmittedAgent(await self.identify(connection))

    async def identify(self, connection: HTTPConnection) -> Agent:
        """The agent of a bearer token, an API key with its `siteId`, or a page's cookie.

        Raises `Unauthorized`, or `PermissionDenied` when the request names another site.
        """
        try:
            return await self._identify(connection)
        except VisavisError:
            takes_basic(connection)
            raise

    async def _identify(self, connection: HTTPConnection) -> Agent:
        scope = connection.scope
        authorization = header(scope, b"authorization")
        if authorization[:7].casefold() == "bearer ":
            agent = await self._token_holder(connection, authorization[7:].strip())
        elif authorization[:6].casefold() == "basic ":
            agent = await self._key_holder(connection, authorization[6:].strip())
        elif authorization:
            raise VisavisError(ErrorKind.Unauthorized, "Authorize with Bearer or Basic.")
        else:
            agent = await self.of_page(connection)
        if scope["query_string"] or header(scope, SITE_HEADER):
            _require_own_site(connection, agent)
        return agent

    def known_token(self, scope: Scope) -> str:
        """Return a request's token or key if it was found good lately, else nothing."""
        authorization = header(scope, b"authorization")
        kind, _, credential = authorization.partition(" ")
        credential = credential.strip()
        if kind.casefold() == "basic":
            _, key = _user_and_password(credential)
            return credential if key and self._keys.is_remembered(key) else ""
        token = credential if authorization else _cookie(scope)
        return token if token and self._tokens.is_remembered(token) else ""

    @staticmethod
    def has_token(scope: Scope) -> bool:
        """Whether a request brings a token or a key, good or not."""
        return bool(header(scope, b"authorization") or _cookie(scope))

    def is_same_origin(self, connection: HTTPConnection) -> bool:
        """Whether a browser sends this from one of our own pages; other clients send no Origin."""
        text = connection.headers.get("origin")
        if text is None:
            return True
        scheme, _, authority = text.partition("://")
        ours = self._public_origin
        try:
            origin = _origin_of(scheme, authority)
            asked = _origin_of(scheme, connection.headers.get("host", ""))
        except ValueError:
            return False
        if ours is not None and origin[1] == ours[1]:
            return origin == ours or (origin == asked and scheme == ours[0])
        # a plain page that somebody on the way has forged is not the HTTPS page of its name
        is_downgraded = scheme == "http" and connection.scope["scheme"] in {"https", "wss"}
        return origin == asked and not is_downgraded

    def _require_same_origin(self, request: Request) -> None:
        if not self.is_same_origin(request):
            raise VisavisError(ErrorCode.OtherOrigin)

    async def signed_in(self, connection: HTTPConnection) -> Agent:
        """The agent of the token or the cookie; raises `Unauthorized`."""
        if header(connection.scope, b"authorization"):
            return await self.bearer(connection)
        return await self.of_page(connection)

    async def of_page(self, connection: HTTPConnection) -> Agent:
        """The agent of the cookie; raises `Unauthorized`."""
        token = connection.cookies.get(COOKIE)
        if not token:
            raise VisavisError(ErrorKind.Unauthorized)
        is_use = BACKGROUND not in connection.headers and not is_background(connection)
        return await self._tokens.authenticate(token, is_use=is_use)

    async def bearer(self, connection: HTTPConnection) -> Agent:
        """The agent of a bearer token (RFC 6750 §2.1); raises `Unauthorized`."""
        scheme, _, token = header(connection.scope, b"authorization").partition(" ")
        if scheme.casefold() != "bearer" or not token.strip():
            raise VisavisError(ErrorKind.Unauthorized)
        return await self._token_holder(connection, token.strip())

    async def _token_holder(self, connection: HTTPConnection, token: str) -> Agent:
        """The agent of a token that a program has sent; a wrong one is in the audit log."""
        try:
            return await self._tokens.authenticate(token)
        except VisavisError as error:
            if error.kind is ErrorKind.Unauthorized:
                await self._people.failures.add_token(token, source_of(connection.scope))
            raise

    async def _key_holder(self, connection: HTTPConnection, encoded: str) -> Agent:
        """The agent of an e-mail address and an API key (RFC 7617)."""
        email, key = _user_and_password(encoded)
        if not key:
            raise VisavisError(
                ErrorKind.Unauthorized,
                "Basic takes the Base64 of an agent's e-mail address, a colon and an API key.",
            )
        try:
            agent = await self._keys.authenticate(email, key)
        except VisavisError as error:
            if error.kind is ErrorKind.Unauthorized:
                await self._people.add_key_failure(email, source_of(connection.scope))
            raise
        if not _named_sites(connection):
            raise VisavisError(
                ErrorKind.Unauthorized, "An API key needs siteId, in the query or as a header."
            )
        return agent


def require_access(agent: Agent, access: Access) -> None:
    """Raise `PermissionDenied` unless a route admits the agent.

    Services rely on it: they take the agent as the author of a change, and as one of its site.
    """
    if agent.is_administrator:
        return  # has every permission
    for permission in access.needs:
        if permission not in agent.granted:
            raise VisavisError(ErrorCode.PermissionMissing, permission=permission.value)
    if access.needs_one_of and agent.granted.isdisjoint(access.needs_one_of):
        either = " or ".join(permission.value for permission in access.needs_one_of)
        raise VisavisError(ErrorCode.PermissionMissing, permission=either)
    if access.is_for_administrators:
        raise VisavisError(ErrorKind.PermissionDenied, "Only administrators may do this.")


def _named_sites(connection: HTTPConnection) -> list[str]:
    parameters = connection.query_params.multi_items()
    named = [value for name, value in parameters if name.casefold() == "siteid"]
    given = header(connection.scope, SITE_HEADER)
    return [*named, given] if given else named


def _require_own_site(connection: HTTPConnection, agent: Agent) -> None:
    if any(value != str(agent.site_id) for value in _named_sites(connection)):
        raise VisavisError(ErrorKind.PermissionDenied, "You belong to another site.")


def _origin_of(scheme: str, authority: str) -> tuple[str, str, int | None]:
    """Scheme, host and port, with the port that the scheme implies; raise `ValueError`."""
    url = urlsplit(f"{scheme}://{authority}")
    return scheme, url.hostname or "", url.port or DEFAULT_PORTS.get(scheme)


def in_background(connection: HTTPConnection) -> None:
    """From now on the connection goes on by itself: that is not a use of its session."""
    connection.scope.setdefault("state", {})[BACKGROUND] = True


def is_background(connection: HTTPConnection) -> bool:
    return BACKGROUND in connection.scope.get("state", {})


def client_credentials(scope: Scope, parameters: Mapping[str, str]) -> ClientCredentials:
    """Return the credentials that an OAuth client presents, in the header or the body.

    Those of the header count if both are there (RFC 6749 §2.3: a client sends one of them).
    """
    scheme, _, encoded = header(scope, b"authorization").partition(" ")
    if scheme.casefold() == "basic":
        client_id, secret = map(unquote, _user_and_password(encoded.strip()))
        has_own = client_id and (secret or "client_secret" not in parameters)
        if has_own and f"{client_id}{secret}".isprintable():
            method = "client_secret_basic" if secret else "none"
            return ClientCredentials(client_id, secret, method)
    client_id, secret = parameters.get("client_id", ""), parameters.get("client_secret", "")
    return ClientCredentials(client_id, secret, "client_secret_post" if secret else "none")


def _user_and_password(encoded: str) -> tuple[str, str]:
    """Read the credentials of HTTP Basic (RFC 7617); both are empty if they cannot be read."""
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return user, password


def _cookie(scope: Scope) -> str:
    """Return the token of a page's cookie, if there is one."""
    return HTTPConnection(scope).cookies.get(COOKIE, "") if header(scope, b"cookie") else ""
