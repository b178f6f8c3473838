"""Descriptions of OAuth 2 and of signing in on the pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from visavis.domain.errors import ErrorKind
from visavis.protocol.oauth import AUTH_METHODS, SECRET_METHODS, AuthorizationRequest, OAuthError
from visavis.protocol.openapi import (
    HTML,
    STRING,
    DocumentedAnswer,
    Operation,
    Schema,
    described_by_name,
    json_answer,
)
from visavis.protocol.parameters import path_parameter

OAUTH: Final = "OAuth"
SESSION: Final = "Session"
TAGS: Final = {
    OAUTH: "Access tokens for programs (RFC 6749, 6750, 7009, 7636, 7662, 8414, 9207).",
    SESSION: "Signing in and out on the pages, by a cookie.",
}
FORM: Final = "application/x-www-form-urlencoded"

_ALSO_JSON: Final = "The same object is taken as JSON."
_BODY_ERRORS: Final = (
    ErrorKind.RequestTimeout,
    ErrorKind.PayloadTooLarge,
    ErrorKind.UnsupportedMediaType,
)
_STORED: Final = (ErrorKind.StoreUnavailable,)
_BAD_REQUEST: Final = json_answer(OAuthError, "The request is refused (RFC 6749 §5.2)")
_BAD_CLIENT: Final = json_answer(
    OAuthError,
    "The client could not be authenticated",
    {"WWW-Authenticate": "RFC 6749 §5.2, if the client used HTTP Basic"},
)
_NOT_HERE: Final = DocumentedAnswer("A page that says what is wrong", {HTML: STRING})
_COOKIES: Final = {"Set-Cookie": "The session"}
_SIGNED_IN: Final = DocumentedAnswer("The agent", headers=_COOKIES)
_SIGNED_OUT: Final = DocumentedAnswer("Signed out", headers=_COOKIES)


def _query_parameters(form: type) -> Iterator[Schema]:
    """Describe the fields of a form that is sent as a query."""
    _, components = msgspec.json.schema_components([form])
    schema = components[form.__name__]
    for name, described in schema["properties"].items():
        field = dict(described)
        yield {
            "name": name,
            "in": "query",
            "description": field.pop("description"),
            "required": name in schema["required"],
            "schema": {"type": "string", **field},
        }


_AUTHORIZATION: Final = tuple(_query_parameters(AuthorizationRequest))
_REDIRECT: Final = DocumentedAnswer(
    "To the client, with a code or an error; to the page for signing in if nobody is",
    headers={"Location": "RFC 6749 §4.1.2, RFC 9207 §2"},
)


DESCRIPTIONS: Final = described_by_name(
    Operation(
        name="issueToken",
        tag=OAUTH,
        summary="Get an access token",
        description="RFC 6749 §3.2. Clients authenticate with "
        f"{', '.join(AUTH_METHODS)}. A refresh token is exchanged for the next. {_ALSO_JSON}",
        answers={
            200: DocumentedAnswer("The token", headers={"Cache-Control": "no-store"}),
            400: _BAD_REQUEST,
            401: _BAD_CLIENT,
            429: json_answer(OAuthError, "Too many attempts to sign in, or too many requests"),
        },
        errors=(*_BODY_ERRORS, *_STORED),
    ),
    Operation(
        name="authorize",
        tag=OAUTH,
        summary="Ask the agent in a browser whether a client may act for them",
        description="RFC 6749 §3.1, with PKCE (RFC 7636). For browsers, not for programs.",
        answers={
            200: DocumentedAnswer("The consent page"),
            302: _REDIRECT,
            400: _NOT_HERE,
            403: _NOT_HERE,
        },
        parameters=_AUTHORIZATION,
        errors=_STORED,
    ),
    Operation(
        name="decideAuthorization",
        tag=OAUTH,
        summary="Send the agent's answer from the consent page",
        description="Only the consent page can send it: `proof` belongs to the session.",
        answers={302: _REDIRECT, 400: _NOT_HERE, 403: _NOT_HERE},
        parameters=_AUTHORIZATION,
        errors=(ErrorKind.Unauthorized, *_BODY_ERRORS, *_STORED),
    ),
    *(
        Operation(
            name=name,
            tag=OAUTH,
            summary=f"Read the agent of the token, by {method}",
            description="OpenID Connect Core §5.3, without an ID token.",
            answers={200: DocumentedAnswer("The agent")},
            errors=(ErrorKind.Unauthorized, *_STORED),
        )
        for method, name in (("GET", "getUserInfo"), ("POST", "postUserInfo"))
    ),
    Operation(
        name="revokeToken",
        tag=OAUTH,
        summary="Revoke a token",
        description=f"RFC 7009 §2. Revoking an unknown token succeeds, too. {_ALSO_JSON}",
        answers={
            200: DocumentedAnswer("The token is revoked"),
            400: _BAD_REQUEST,
            401: _BAD_CLIENT,
        },
        errors=(*_BODY_ERRORS, *_STORED),
    ),
    Operation(
        name="introspectToken",
        tag=OAUTH,
        summary="Ask whether a token is active",
        description="RFC 7662 §2. Clients with a secret see the tokens of their site; they "
        f"authenticate with {' or '.join(SECRET_METHODS)}. {_ALSO_JSON}",
        answers={
            200: DocumentedAnswer("The properties of the token"),
            400: _BAD_REQUEST,
            401: _BAD_CLIENT,
        },
        errors=(*_BODY_ERRORS, *_STORED),
    ),
    Operation(
        name="getServerMetadata",
        tag=OAUTH,
        summary="Read what this authorization server offers",
        description="RFC 8414 §3.",
        answers={200: DocumentedAnswer("The metadata")},
    ),
    Operation(
        name="getSession",
        tag=SESSION,
        summary="Read the agent who is signed in",
        description="With a bearer token, its agent.",
        answers={200: DocumentedAnswer("The agent")},
        errors=(ErrorKind.Unauthorized, *_STORED),
    ),
    Operation(
        name="signIn",
        tag=SESSION,
        summary="Sign in with e-mail address and password",
        description="For our own pages; programs use OAuth. Attempts are limited.",
        answers={200: _SIGNED_IN},
        errors=(
            ErrorKind.ParameterInvalid,
            ErrorKind.Unauthorized,
            ErrorKind.PermissionDenied,
            *_BODY_ERRORS,
            *_STORED,
        ),
    ),
    Operation(
        name="signOut",
        tag=SESSION,
        summary="Sign out",
        description="Succeeds if nobody is signed in.",
        answers={204: _SIGNED_OUT},
        errors=(ErrorKind.PermissionDenied, *_STORED),
    ),
    Operation(
        name="changePassword",
        tag=SESSION,
        summary="Change one's own password",
        description="Ends the agent's other sessions and API keys, and begins a new session.",
        answers={200: _SIGNED_IN},
        errors=(
            ErrorKind.ParameterInvalid,
            ErrorKind.Unauthorized,
            ErrorKind.PermissionDenied,
            *_BODY_ERRORS,
            *_STORED,
        ),
    ),
    Operation(
        name="listSessions",
        tag=SESSION,
        summary="List one's own sessions",
        description="With browser, network and last use, the one last used first.",
        answers={200: DocumentedAnswer("The sessions")},
        errors=(ErrorKind.Unauthorized, *_STORED),
    ),
    Operation(
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
    ),
    Operation(
        name="signOutEverywhere",
        tag=SESSION,
        summary="End all of one's own sessions",
        description="On every browser, this one included.",
        answers={204: _SIGNED_OUT},
        errors=(ErrorKind.Unauthorized, ErrorKind.PermissionDenied, *_STORED),
    ),
)
