"""Authentication by bearer token, API key, or the cookie of an agent's session."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

import msgspec
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Scope

from visavis.domain.audit import ActionType, AuditEntry
from visavis.domain.errors import ErrorCode, ErrorKind, VisavisError
from visavis.domain.people import Agent
from visavis.protocol.routes import Access, Caller
from visavis.protocol.session import (
    PasswordChange,
    SessionEntry,
    SessionList,
    SignIn,
    signed_in,
)
from visavis.protocol.wire import format_time
from visavis.services.api_keys import ApiKeys
from visavis.services.people import People
from visavis.services.sign_in_sessions import SignInSessions
from visavis.services.tokens import SESSION_LIFETIME, Tokens
from visavis.web.errors import takes_basic
from visavis.web.request import header, json_response, read_body
from visavis.web.source import UNLISTED_PROXIES, source_of

COOKIE: Final = "visavis_session"
DEVICE_COOKIE: Final = "visavis_device"
DEVICE_SECONDS: Final = 365 * 24 * 3600
NO_STORE: Final = {"Cache-Control": "no-store"}
DEFAULT_PORTS: Final = {"http": 80, "https": 443}
SITE_HEADER: Final = b"siteid"
BACKGROUND: Final = "visavis-background"
"""Header of what a page asks by itself: it is not a use of the session."""
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

Gate = Callable[[Request, Access], Awaitable[Agent | None]]


class Authentication:
    """Signing in and out of the pages, and recognising who did."""

    def __init__(
        self,
        tokens: Tokens,
        keys: ApiKeys,
        people: People,
        public_url: str = "",
        sign_ins: SignInSessions | None = None,
    ) -> None:
        """`public_url` is the address of our pages, whatever `Host` a proxy sends."""
        self._sign_ins = sign_ins or people.sessions(tokens)
        scheme, _, authority = public_url.rstrip("/").partition("://")
        self._public_origin = _origin_of(scheme, authority) if public_url else None
        self._tokens = tokens
        self._keys = keys
        self._people = people

    def gates(self) -> dict[Caller, Gate]:
        """Return the checks of the callers who are agents, or whose browser shows our pages."""
        return {
            Caller.AGENT: self.admit,
            Caller.OWN_PAGE: self._admit_own_page,
            Caller.SIGNED_IN: self._admit_signed_in,
            Caller.PAGE: self._admit_session,
            Caller.BEARER: self._admit_bearer,
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
            _, key = _email_and_key(credential)
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
        email, key = _email_and_key(encoded)
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

    async def show(self, request: Request, agent: Agent) -> Response:
        """Describe the agent who is signed in."""
        source_of(request.scope)  # so that a proxy in front of the settings page is noticed
        return _signed_in(agent)

    async def sign_in(self, request: Request) -> Response:
        try:
            form = msgspec.json.decode(await read_body(request), type=SignIn)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            raise VisavisError(
                ErrorKind.ParameterInvalid, "Send a JSON object with email and password."
            ) from None
        address, device = source_of(request.scope), request.cookies.get(DEVICE_COOKIE, "")
        agent = await self._people.sign_in(form.email, form.password, address, device)
        entry = self._people.entry(agent, ActionType.SIGNED_IN, "signed in", address)
        return await self._new_session(request, agent, entry)

    async def change_password(self, request: Request, agent: Agent) -> Response:
        """Change the caller's own password, end their other sessions and begin a new one."""
        try:
            form = msgspec.json.decode(await read_body(request), type=PasswordChange)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            raise VisavisError(
                ErrorKind.ParameterInvalid,
                "Send a JSON object with currentPassword and newPassword.",
            ) from None
        address, device = source_of(request.scope), request.cookies.get(DEVICE_COOKIE, "")
        await self._people.change_password(
            agent, form.current_password, form.new_password, address, device
        )
        return await self._new_session(request, agent)

    async def list_sessions(self, request: Request, agent: Agent) -> Response:
        """The caller's own sessions, the one last used first."""
        result = await self._sign_ins.list_by_agent(agent, request.cookies[COOKIE])
        sessions = [
            SessionEntry(
                one.id,
                one.device,
                one.address,
                format_time(one.created_at),
                format_time(one.last_used_at),
                one.is_current,
            )
            for one in result
        ]
        return json_response(SessionList(sessions), headers=NO_STORE)

    async def end_session(self, request: Request, agent: Agent) -> Response:
        """End one of the caller's own sessions."""
        session_id = request.path_params["session_id"]
        await self._sign_ins.end(agent, session_id, source_of(request.scope))
        return Response(status_code=204, headers=NO_STORE)

    async def sign_out_everywhere(self, request: Request, agent: Agent) -> Response:
        await self._people.sign_out_everywhere(agent, source_of(request.scope))
        response = Response(status_code=204, headers=NO_STORE)
        response.delete_cookie(COOKIE)
        return response

    async def _new_session(
        self, request: Request, agent: Agent, entry: AuditEntry | None = None
    ) -> Response:
        device, address = request.headers.get("user-agent", ""), source_of(request.scope)
        token = await self._sign_ins.begin(agent, device, address, entry)
        response = _signed_in(agent)
        response.set_cookie(
            COOKIE,
            token,
            max_age=int(SESSION_LIFETIME.total_seconds()),
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        response.set_cookie(
            DEVICE_COOKIE,
            await self._people.device_token(agent),
            max_age=DEVICE_SECONDS,
            path="/session",
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return response

    async def sign_out(self, request: Request) -> Response:
        address = source_of(request.scope)

        def entry_of(agent: Agent) -> AuditEntry:
            return self._people.entry(agent, ActionType.SIGNED_OUT, "signed out", address)

        if token := request.cookies.get(COOKIE):
            await self._tokens.revoke(token, entry_of)
        response = Response(status_code=204)
        response.delete_cookie(COOKIE)
        return response


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


def _signed_in(agent: Agent) -> Response:
    return json_response(signed_in(agent, UNLISTED_PROXIES.addresses), headers=NO_STORE)


def in_background(connection: HTTPConnection) -> None:
    """From now on the connection goes on by itself: that is not a use of its session."""
    connection.scope.setdefault("state", {})[BACKGROUND] = True


def is_background(connection: HTTPConnection) -> bool:
    return BACKGROUND in connection.scope.get("state", {})


def _email_and_key(encoded: str) -> tuple[str, str]:
    """Read the credentials of HTTP Basic (RFC 7617); both are empty if they cannot be read."""
    try:
        email, _, key = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return email, key


def _cookie(scope: Scope) -> str:
    """Return the token of a page's cookie, if there is one."""
    return HTTPConnection(scope).cookies.get(COOKIE, "") if header(scope, b"cookie") else ""
