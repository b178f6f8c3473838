"""OAuth 2 (RFC 6749, 7009, 7662, 8414): the requests and responses of its endpoints."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from visavis.domain.oauth import Grant
from visavis.domain.people import EVERY_PERMISSION, Agent
from visavis.protocol.wire import JsonBody

SCOPES: Final = sorted(permission.scope for permission in EVERY_PERMISSION)
AUTH_METHODS: Final = ["client_secret_basic", "client_secret_post", "none"]
SECRET_METHODS: Final = ["client_secret_basic", "client_secret_post"]

Scopes = Annotated[str, Meta(description=f"Of {', '.join(SCOPES)}; a space between them.")]
GrantName = Annotated[str, Meta(extra_json_schema={"enum": [str(grant) for grant in Grant]})]


class AuthorizationRequest(Struct):
    """Authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3): query of the consent page."""

    response_type: Annotated[Literal["code"], Meta(description="RFC 6749 §4.1.1")]
    client_id: Annotated[str, Meta(description="The client.")]
    redirect_uri: (
        Annotated[str, Meta(description="One of the client's; the only one if absent.")] | UnsetType
    ) = UNSET
    scope: Annotated[str, Meta(description="Scopes; all if absent.")] | UnsetType = UNSET
    state: Annotated[str, Meta(description="Given back to the client.")] | UnsetType = UNSET
    code_challenge: (
        Annotated[str, Meta(description="RFC 7636 §4.3; a public client has to send it.")]
        | UnsetType
    ) = UNSET
    code_challenge_method: (
        Annotated[Literal["S256"], Meta(description="RFC 7636 §4.3")] | UnsetType
    ) = UNSET


class TokenRequest(Struct):
    """Token request (RFC 6749 §4). Parameters that the grant does not need are ignored."""

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
    """Token response (RFC 6749 §5.1). scope lists the scopes that were granted."""

    access_token: str
    token_type: Literal["bearer"]
    expires_in: int
    scope: str
    refresh_token: str | UnsetType = UNSET


class TokenReference(Struct):
    """A token to revoke or introspect, and the client's credentials unless a header has them."""

    token: str
    token_type_hint: str | UnsetType = UNSET
    client_id: str | UnsetType = UNSET
    client_secret: str | UnsetType = UNSET


class Revoked(Struct):
    """Revocation response (RFC 7009 §2.2): an empty object."""


class Introspection(Struct, rename={"site_id": "siteId"}):
    """Introspection response (RFC 7662 §2.2). An inactive token has only the field `active`."""

    active: bool
    client_id: str | UnsetType = UNSET
    token_type: Literal["bearer"] | UnsetType = UNSET
    scope: str | UnsetType = UNSET
    sub: str | UnsetType = UNSET
    site_id: int | UnsetType = UNSET
    iat: int | UnsetType = UNSET
    exp: int | UnsetType = UNSET


OAuthErrorName = Literal[
    "invalid_client",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "temporarily_unavailable",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_token_type",
]


class OAuthError(Struct):
    """Error response (RFC 6749 §5.2)."""

    error: OAuthErrorName
    error_description: str | UnsetType = UNSET


OAuthAnswer = Token | Introspection | Revoked | OAuthError


class UserInfo(JsonBody):
    """The agent of a token, with the field names of existing clients and of OpenID Connect."""

    sub: str
    agent_id: int
    site_id: int
    email: str
    name: str


class ServerMetadata(Struct):
    """Authorization server metadata (RFC 8414 §2)."""

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


class ConsentDecision(Struct):
    """Form of the consent page; `proof` shows that this page has sent it."""

    proof: str
    decision: Literal["allow", "refuse"]


PARAMETERS: Final = frozenset(
    name
    for form in (AuthorizationRequest, TokenRequest, TokenReference, ConsentDecision)
    for name in form.__struct_fields__
)
"""Parameters that some endpoint reads. All others are ignored (RFC 6749 §3.1 and §3.2)."""


def user_info(agent: Agent) -> UserInfo:
    return UserInfo(str(agent.id), agent.id, agent.site_id, agent.email, agent.name)


def server_metadata(issuer: str) -> ServerMetadata:
    at = f"{issuer}/oauth"
    return ServerMetadata(
        issuer=issuer,
        authorization_endpoint=f"{at}/authorize",
        token_endpoint=f"{at}/token",
        userinfo_endpoint=f"{at}/userinfo",
        revocation_endpoint=f"{at}/revoke",
        introspection_endpoint=f"{at}/introspect",
        scopes_supported=SCOPES,
        response_types_supported=["code"],
        response_modes_supported=["query"],
        grant_types_supported=[grant.value for grant in Grant],
        token_endpoint_auth_methods_supported=AUTH_METHODS,
        revocation_endpoint_auth_methods_supported=AUTH_METHODS,
        introspection_endpoint_auth_methods_supported=SECRET_METHODS,
        code_challenge_methods_supported=["S256"],
        authorization_response_iss_parameter_supported=True,
    )
