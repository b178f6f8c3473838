"""Descriptions of OAuth 2 and of signing in on the pages."""

# the names are the wire's
# ruff: noqa: N815

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from visavis.domain.errors import ErrorKind
from visavis.domain.oauth import Grant
from visavis.domain.people import Permission
from visavis.protocol.openapi import (
    HTML,
    STRING,
    Body,
    DocumentedAnswer,
    Operation,
    Operations,
    Schema,
    json_answer,
    json_body,
)
from visavis.protocol.parameters import ANY_TOKEN, Ways, path_parameter
from visavis.web.api.shapes import Time
from visavis.web.authentication import PasswordChange, SignIn
from visavis.web.description.security import PAGE
from visavis.web.oauth.server import AUTH_METHODS, SCOPES, SECRET_METHODS

OAUTH: Final = "OAuth"
SESSION: Final = "Session"
TAGS: Final = {
    OAUTH: "Access tokens for programs (RFC 6749, 6750, 7009, 7636, 7662, 8414, 9207).",
    SESSION: "Signing in and out on the pages, by a cookie.",
}
FORM: Final = "application/x-www-form-urlencoded"

Scopes = Annotated[str, Meta(description=f"Of {', '.join(SCOPES)}; a space between them.")]
GrantName = Annotated[str, Meta(extra_json_schema={"enum": [str(grant) for grant in Grant]})]


class TokenRequest(Struct):
    """RFC 6749 §4. Parameters that the grant does not use, or that are unknown, are ignored."""

    grant_type: GrantName
    client_id: str | UnsetType = UNSET
    client_secret: str | UnsetType = UNSET
    code: str | UnsetType = UNSET
    code_verifier: str | UnsetType = UNSET
    redirect_uri: str | UnsetType = UNSET
    refresh_token: str | UnsetType = UNSET
    username: str | UnsetType = UNSET
    email: Annotated[str, Meta(description="The same as username.")] | UnsetType = UNSET
    password: str | UnsetType = UNSET
    scope: Scopes | UnsetType = UNSET


class Token(Struct):
    """RFC 6749 §5.1. scope says what was granted."""

    access_token: str
    token_type: Literal["bearer"]
    expires_in: int
    scope: str
    refresh_token: str | UnsetType = UNSET


class TokenReference(Struct):
    """A token, and the client's credentials if they are not in a header."""

    token: str
    token_type_hint: str | UnsetType = UNSET
    client_id: str | UnsetType = UNSET
    client_secret: str | UnsetType = UNSET


class Revoked(Struct):
    """An empty object."""


class Introspection(Struct):
    """RFC 7662 §2.2. Only `active` is present for a token that is not active."""

    active: bool
    client_id: str | UnsetType | None = UNSET
    token_type: Literal["bearer"] | UnsetType = UNSET
    scope: str | UnsetType = UNSET
    sub: str | UnsetType = UNSET
    siteId: int | UnsetType = UNSET
    iat: int | UnsetType = UNSET
    exp: int | UnsetType = UNSET


class OAuthError(Struct):
    """RFC 6749 §5.2."""

    error: Literal[
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_grant_type",
        "unsupported_token_type",
    ]
    error_description: str | UnsetType = UNSET


class UserInfo(Struct):
    """The agent of a token, in the words of existing clients and of OpenID Connect."""

    sub: str
    agentId: int
    siteId: int
    email: str
    name: str


class ServerMetadata(Struct):
    """RFC 8414 §2."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    revocation_endpoint: str
    introspection_endpoint: str
    scopes_supported: list[str]
    response_types_supported: list[str]
    response_modes_supported: list[str]
    grant_types_supported: list[GrantName]
    token_endpoint_auth_methods_supported: list[str]
    revocation_endpoint_auth_methods_supported: list[str]
    introspection_endpoint_auth_methods_supported: list[str]
    code_challenge_methods_supported: list[str]
    authorization_response_iss_parameter_supported: bool


class SignedIn(Struct):
    """The agent who is signed in on this browser.

    unlistedProxies tells administrators which peers send X-Forwarded-For although the setting
    trusted_proxies does not list them.
    """

    agentName: str
    email: str
    siteId: int
    isAdministrator: bool
    permissions: list[Permission]
    unlistedProxies: list[str]


class SessionEntry(Struct):
    """A session of the caller on one browser; device is its User-Agent."""

    id: str
    device: str
    address: str
    createTime: Time
    lastUseTime: Time
    isCurrent: bool


class SessionList(Struct):
    """The caller's sessions, the one last used first."""

    sessions: list[SessionEntry]


class ConsentDecision(Struct):
    """The form of the consent page; only that page can send it."""

    proof: str
    decision: Literal["allow", "refuse"]


_ALSO_JSON: Final = "The same object is taken as JSON."
_BODY_ERRORS: Final = (
    ErrorKind.RequestTimeout,
    ErrorKind.PayloadTooLarge,
    ErrorKind.UnsupportedMediaType,
)
_STORED: Final = (ErrorKind.StoreUnavailable,)
_CLIENTS: Final[Ways] = ({"client": ()}, {})
_BAD_REQUEST: Final = json_answer(OAuthError, "The request is refused (RFC 6749 §5.2)")
_BAD_CLIENT: Final = json_answer(
    OAuthError,
    "The client could not be authenticated",
    {"WWW-Authenticate": "RFC 6749 §5.2, if the client used HTTP Basic"},
)
_NOT_HERE: Final = DocumentedAnswer("A page that says what is wrong", {HTML: STRING})
_COOKIES: Final = {"Set-Cookie": "The session"}
_SIGNED_IN: Final = json_answer(SignedIn, "The agent", _COOKIES)
_SIGNED_OUT: Final = DocumentedAnswer("Signed out", headers=_COOKIES)


def _parameter(name: str, description: str, *, is_required: bool, **schema: object) -> Schema:
    return {
        "name": name,
        "in": "query",
        "description": description,
        "required": is_required,
        "schema": {"type": "string", **schema},
    }


_AUTHORIZATION: Final = (
    _parameter("response_type", "RFC 6749 §4.1.1", is_required=True, enum=["code"]),
    _parameter("client_id", "The client.", is_required=True),
    _parameter("redirect_uri", "One of the client's; the only one if absent.", is_required=False),
    _parameter("scope", "Scopes; all if absent.", is_required=False),
    _parameter("state", "Given back to the client.", is_required=False),
    _parameter(
        "code_challenge", "RFC 7636 §4.3; a public client has to send it.", is_required=False
    ),
    _parameter("code_challenge_method", "RFC 7636 §4.3", is_required=False, enum=["S256"]),
)
_REDIRECT: Final = DocumentedAnswer(
    "To the client, with a code or an error; to the page for signing in if nobody is",
    headers={"Location": "RFC 6749 §4.1.2, RFC 9207 §2"},
)


def _form(kind: type) -> Body:
    return Body({FORM: kind})


OPERATIONS: Final[Operations] = {
    ("/oauth/token", "POST"): Operation(
        name="issueToken",
        tag=OAUTH,
        summary="Get an access token",
        description="RFC 6749 §3.2. Clients authenticate with "
        f"{', '.join(AUTH_METHODS)}. A refresh token is exchanged for the next. {_ALSO_JSON}",
        answers={
            200: json_answer(Token, "The token", {"Cache-Control": "no-store"}),
            400: _BAD_REQUEST,
            401: _BAD_CLIENT,
            429: json_answer(OAuthError, "Too many attempts to sign in, or too many requests"),
        },
        body=_form(TokenRequest),
        errors=(*_BODY_ERRORS, *_STORED),
        security=_CLIENTS,
    ),
    ("/oauth/authorize", "GET"): Operation(
        name="authorize",
        tag=OAUTH,
        summary="Ask the agent in a browser whether a client may act for them",
        description="RFC 6749 §3.1, with PKCE (RFC 7636). For browsers, not for programs.",
        answers={
            200: DocumentedAnswer("The consent page", {HTML: STRING}),
            302: _REDIRECT,
            400: _NOT_HERE,
            403: _NOT_HERE,
        },
        parameters=_AUTHORIZATION,
        errors=_STORED,
        security=(*PAGE, {}),
    ),
    ("/oauth/authorize", "POST"): Operation(
        name="decideAuthorization",
        tag=OAUTH,
        summary="Send the agent's answer from the consent page",
        description="Only the consent page can send it: `proof` belongs to the session.",
        answers={302: _REDIRECT, 400: _NOT_HERE, 403: _NOT_HERE},
        parameters=_AUTHORIZATION,
        body=Body({FORM: ConsentDecision}),
        errors=(ErrorKind.Unauthorized, *_BODY_ERRORS, *_STORED),
        security=PAGE,
    ),
    **{
        ("/oauth/userinfo", method): Operation(
            name=name,
            tag=OAUTH,
            summary=f"Read the agent of the token, by {method}",
            description="OpenID Connect Core §5.3, without an ID token.",
            answers={200: json_answer(UserInfo, "The agent")},
            errors=(ErrorKind.Unauthorized, *_STORED),
            security=(*ANY_TOKEN, {"bearer": ()}),
        )
        for method, name in (("GET", "getUserInfo"), ("POST", "postUserInfo"))
    },
    ("/oauth/revoke", "POST"): Operation(
        name="revokeToken",
        tag=OAUTH,
        summary="Revoke a token",
        description=f"RFC 7009 §2. Revoking an unknown token succeeds, too. {_ALSO_JSON}",
        answers={
            200: json_answer(Revoked, "The token is revoked"),
            400: _BAD_REQUEST,
            401: _BAD_CLIENT,
        },
        body=_form(TokenReference),
        errors=(*_BODY_ERRORS, *_STORED),
        security=_CLIENTS,
    ),
    ("/oauth/introspect", "POST"): Operation(
        name="introspectToken",
        tag=OAUTH,
        summary="Ask whether a token is active",
        description="RFC 7662 §2. Clients with a secret see the tokens of their site; they "
        f"authenticate with {' or '.join(SECRET_METHODS)}. {_ALSO_JSON}",
        answers={
            200: json_answer(Introspection, "The properties of the token"),
            400: _BAD_REQUEST,
            401: _BAD_CLIENT,
        },
        body=_form(TokenReference),
        errors=(*_BODY_ERRORS, *_STORED),
        security=_CLIENTS,
    ),
    ("/.well-known/oauth-authorization-server", "GET"): Operation(
        name="getServerMetadata",
        tag=OAUTH,
        summary="Read what this authorization server offers",
        description="RFC 8414 §3.",
        answers={200: json_answer(ServerMetadata, "The metadata")},
    ),
    ("/session", "GET"): Operation(
        name="getSession",
        tag=SESSION,
        summary="Read the agent who is signed in",
        description="With a bearer token, its agent.",
        answers={200: json_answer(SignedIn, "The agent")},
        errors=(ErrorKind.Unauthorized, *_STORED),
        security=({"bearer": ()}, *PAGE),
    ),
    ("/session", "POST"): Operation(
        name="signIn",
        tag=SESSION,
        summary="Sign in with e-mail address and password",
        description="For our own pages; programs use OAuth. Attempts are limited.",
        answers={200: _SIGNED_IN},
        body=json_body(SignIn),
        errors=(
            ErrorKind.ParameterInvalid,
            ErrorKind.Unauthorized,
            ErrorKind.PermissionDenied,
            *_BODY_ERRORS,
            *_STORED,
        ),
    ),
    ("/session", "DELETE"): Operation(
        name="signOut",
        tag=SESSION,
        summary="Sign out",
        description="Succeeds if nobody is signed in.",
        answers={204: _SIGNED_OUT},
        errors=(ErrorKind.PermissionDenied, *_STORED),
        security=(*PAGE, {}),
    ),
    ("/session/password", "POST"): Operation(
        name="changePassword",
        tag=SESSION,
        summary="Change one's own password",
        description="Ends the agent's other sessions and API keys, and begins a new session.",
        answers={200: _SIGNED_IN},
        body=json_body(PasswordChange),
        errors=(
            ErrorKind.ParameterInvalid,
            ErrorKind.Unauthorized,
            ErrorKind.PermissionDenied,
            *_BODY_ERRORS,
            *_STORED,
        ),
        security=PAGE,
    ),
    ("/session/all", "GET"): Operation(
        name="listSessions",
        tag=SESSION,
        summary="List one's own sessions",
        description="With browser, network and last use, the one last used first.",
        answers={200: json_answer(SessionList, "The sessions")},
        errors=(ErrorKind.Unauthorized, *_STORED),
        security=PAGE,
    ),
    ("/session/{session_id}", "DELETE"): Operation(
        name="endSession",
        tag=SESSION,
        summary="End one of one's own sessions",
        description="Its open pages are signed out at once.",
        answers={204: DocumentedAnswer("Ended")},
        parameters=(path_parameter("session_id", "As the list gives it."),),
        errors=(
            ErrorKind.Unauthorized,
            ErrorKind.PermissionDenied,
            ErrorKind.EntityNotFound,
            *_STORED,
        ),
        security=PAGE,
    ),
    ("/session/all", "DELETE"): Operation(
        name="signOutEverywhere",
        tag=SESSION,
        summary="End all of one's own sessions",
        description="On every browser, this one included.",
        answers={204: _SIGNED_OUT},
        errors=(ErrorKind.Unauthorized, ErrorKind.PermissionDenied, *_STORED),
        security=PAGE,
    ),
}
