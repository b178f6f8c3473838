"""Authlib's authorization server on one unit of work: its protocol, our rules.

Authlib reads requests by the RFCs; what a grant gives and takes is in `services.grants`, and the
answers are bodies of the protocol. A server lives for one request, inside one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    InvalidClientError,
    InvalidGrantError,
    InvalidRequestError,
    OAuth2Request,
)
from authlib.oauth2.rfc6749.grants import (
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    RefreshTokenGrant,
    ResourceOwnerPasswordCredentialsGrant,
)
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from msgspec import UNSET

from visavis.domain.oauth import ClientCredentials, Credential
from visavis.domain.people import Agent
from visavis.protocol.oauth import (
    AUTH_METHODS,
    SCOPES,
    SECRET_METHODS,
    Introspection,
    OAuthAnswer,
    OAuthError,
    Revoked,
    Token,
)
from visavis.services.grants import Grants, active_agent, seconds
from visavis.services.ports import Transaction
from visavis.web.oauth.models import ClientModel, CodeModel, TokenModel

OPENID_SCOPES: Final = frozenset(
    {"openid", "offline_access", "profile", "email", "address", "phone"}
)
"""OpenID Connect Core §5.4 and §11."""

# whether a connection is secure is the proxy's to say and not seen here
_ADDRESS: Final = "https://visavis/oauth"


NOBODY: Final = ClientCredentials("", "", "none")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, read: its parameters, its client's credentials, and who has signed in."""

    method: str
    parameters: Mapping[str, str]
    credentials: ClientCredentials = NOBODY
    agent: Agent | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    body: OAuthAnswer
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Redirected:
    """The answer of the authorization endpoint: back to the client, with a code or an error."""

    location: str


class _Request(OAuth2Request):  # type: ignore[misc]  # Authlib has no types
    def __init__(self, asked: Asked) -> None:
        super().__init__(asked.method, _ADDRESS)
        parameters = dict(asked.parameters)
        # RFC 7009 §2.1 lets us ignore it; Authlib answers an unknown one with 401
        parameters.pop("token_type_hint", None)
        _leave_unknown_scopes_out(parameters)
        self.payload = BasicOAuth2Payload(parameters)
        self.asked = asked

    @property
    def args(self) -> dict[str, str]:
        return dict(self.payload.data)

    @property
    def form(self) -> dict[str, str]:
        return dict(self.payload.data)


def _leave_unknown_scopes_out(parameters: dict[str, str]) -> None:
    """Keep the scopes that are ours; RFC 6749 §3.3 lets us, as the answer names what was granted.

    OpenID Connect's scopes alone ask for nothing in particular, as public clients do that know no
    scope of ours. Any other unknown scope alone is refused: a typing error must not grant all.
    """
    wanted = set(parameters.get("scope", "").split())
    if ours := wanted.intersection(SCOPES):
        parameters["scope"] = " ".join(sorted(ours))
    elif wanted <= OPENID_SCOPES:
        parameters.pop("scope", None)


class OAuthServer(AuthorizationServer):  # type: ignore[misc]  # Authlib has no types
    """`rows` is the transaction that everything happens in."""

    def __init__(self, rows: Transaction, grants: Grants) -> None:
        super().__init__(scopes_supported=SCOPES)
        self.rows = rows
        self.grants = grants
        self.register_grant(_CodeGrant, [_Pkce(required=True)])
        self.register_grant(_PasswordGrant)
        self.register_grant(_RefreshGrant)
        self.register_grant(_ClientGrant)
        self.register_endpoint(_Revocation)
        self.register_endpoint(_Introspection)

    def answer_token(self, asked: Asked) -> Answered:
        """RFC 6749 §3.2."""
        answered: Answered = self.create_token_response(asked)
        return answered

    def answer_endpoint(self, name: str, asked: Asked) -> Answered:
        """RFC 7009 §2, RFC 7662 §2."""
        answered: Answered = self.create_endpoint_response(name, asked)
        return answered

    def query_client(self, client_id: str) -> ClientModel | None:
        client = self.grants.find_client(self.rows, client_id)
        return ClientModel(client) if client else None

    def authenticate_client(
        self, request: _Request, methods: Sequence[str], endpoint: str = "token"
    ) -> ClientModel:
        """Return the client whose credentials the request presents by one of these methods."""
        presented: ClientCredentials = request.asked.credentials
        if presented.client_id and presented.method in methods:
            client = self.query_client(presented.client_id)
            if client is None:
                is_basic = presented.method == "client_secret_basic"
                status = 401 if is_basic else 400
                raise InvalidClientError("The client does not exist on this server.", None, status)
            if self.grants.is_authentic(client.row, presented):
                request.auth_method = presented.method
                return client
        sentence = f"The client cannot authenticate with methods: {methods}"
        raise InvalidClientError(sentence, None, 401)

    def generate_token(
        self,
        grant_type: str,
        client: ClientModel,
        user: Agent | None = None,
        scope: str | None = None,
        expires_in: int | None = None,
        include_refresh_token: bool = True,
        family_id: str | None = None,
        refresh_scope: str | None = None,
    ) -> Token:
        """RFC 6749 §5.1."""
        if user is None or user.site_id != client.row.site_id:
            raise InvalidGrantError("The agent is not active at the client's site.")
        issued = self.grants.issue(
            self.rows,
            client.row,
            user,
            client.get_allowed_scope(scope),
            family_id=family_id,
            refresh_scope=refresh_scope,
            is_refreshable=include_refresh_token,
            grant_type=grant_type,
        )
        return Token(
            access_token=issued.access_token,
            token_type="bearer",  # noqa: S106  the type's name
            expires_in=int(issued.lifetime.total_seconds()),
            scope=issued.scope,
            refresh_token=issued.refresh_token or UNSET,
        )

    def save_token(self, token: Token, request: _Request) -> None:
        """Saved where it was made."""

    def create_oauth2_request(self, request: Asked | OAuth2Request) -> OAuth2Request:
        return _Request(request) if isinstance(request, Asked) else request

    def handle_response(
        self, status: int, body: OAuthAnswer | Literal[""], headers: list[tuple[str, str]]
    ) -> Answered | Redirected:
        """Authlib gives a redirect an empty body."""
        named = dict(headers)
        return Answered(status, body, named) if body else Redirected(named["Location"])

    def handle_error_response(self, request: _Request, error: OAuth2Error) -> Answered | Redirected:
        """RFC 6749 §5.2, or a redirect to the client with the error (§4.1.2.1)."""
        status, body, headers = error()
        described = OAuthError(error.error, error.get_error_description() or UNSET)
        return self.handle_response(status, described if body else "", headers)

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""


class _Pkce(CodeChallenge):  # type: ignore[misc]  # Authlib has no types
    """RFC 7636 without `plain` (RFC 9700 §2.1.1), demanded of public clients from the start."""

    SUPPORTED_CODE_CHALLENGE_METHOD: Final = ["S256"]

    def validate_code_challenge(self, grant: _CodeGrant, redirect_uri: str) -> None:
        super().validate_code_challenge(grant, redirect_uri)
        data = grant.request.payload.data
        challenge = data.get("code_challenge")
        if not challenge and grant.request.client.row.is_public:
            raise InvalidRequestError("This client must send a 'code_challenge'.")
        if challenge and data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("The 'code_challenge_method' must be S256.")


class _CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]  # Authlib has no types
    TOKEN_ENDPOINT_AUTH_METHODS: Final = AUTH_METHODS
    _family_id: str | None = None

    def generate_authorization_code(self) -> str:
        request = self.request
        code: str = self.server.grants.issue_code(
            self.server.rows,
            request.client.row,
            request.user,
            redirect_uri=request.payload.redirect_uri or "",
            scope=request.scope,
            code_challenge=request.payload.data.get("code_challenge", ""),
        )
        return code

    def save_authorization_code(self, code: str, request: _Request) -> None:
        """Saved where it was made."""

    def query_authorization_code(self, code: str, client: ClientModel) -> CodeModel | None:
        found = self.server.grants.find_code(self.server.rows, code, client.row)
        return CodeModel(found) if found else None

    def authenticate_user(self, authorization_code: CodeModel) -> Agent | None:
        self._family_id = authorization_code.row.family_id
        agent: Agent | None = self.server.grants.use_code(self.server.rows, authorization_code.row)
        return agent

    def delete_authorization_code(self, authorization_code: CodeModel) -> None:
        """Kept, as used, until it expires: or a second use would not be noticed."""

    def generate_token(self, **options: Any) -> Token:
        return _of_family(self, self._family_id, options)


class _RefreshGrant(RefreshTokenGrant):  # type: ignore[misc]  # Authlib has no types
    TOKEN_ENDPOINT_AUTH_METHODS: Final = AUTH_METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True
    _old: Credential

    def authenticate_refresh_token(self, refresh_token: str) -> TokenModel | None:
        client = self.request.client.row
        found = self.server.grants.find_refresh(self.server.rows, refresh_token, client)
        return TokenModel(found) if found else None

    def authenticate_user(self, refresh_token: TokenModel) -> Agent:
        self._old = refresh_token.row
        agent: Agent | None = self.server.grants.use_refresh(self.server.rows, refresh_token.row)
        if agent is None:
            raise InvalidGrantError
        return agent

    def revoke_old_credential(self, refresh_token: TokenModel) -> None:
        """Marked as used when it was spent."""

    def generate_token(self, **options: Any) -> Token:
        """RFC 6749 §6: a narrower scope is the access token's alone."""
        return _of_family(self, self._old.family_id, {**options, "refresh_scope": self._old.scope})


def _of_family(
    grant: _CodeGrant | _RefreshGrant, family_id: str | None, options: dict[str, Any]
) -> Token:
    token: Token = grant.server.generate_token(
        grant.GRANT_TYPE, grant.request.client, family_id=family_id, **options
    )
    return token


class _PasswordGrant(ResourceOwnerPasswordCredentialsGrant):  # type: ignore[misc]  # no types
    TOKEN_ENDPOINT_AUTH_METHODS: Final = AUTH_METHODS

    def authenticate_user(self, username: str, password: str) -> Agent:
        # who it is was found out before: a password's hash takes too long for a transaction
        agent: Agent | None = self.request.asked.agent
        if agent is None:
            raise InvalidGrantError("The e-mail address or the password is wrong.")
        return agent


class _ClientGrant(ClientCredentialsGrant):  # type: ignore[misc]  # Authlib has no types
    TOKEN_ENDPOINT_AUTH_METHODS: Final = SECRET_METHODS

    def generate_token(self, **options: Any) -> Token:
        client = self.request.client
        agent_id = client.row.agent_id
        agent = active_agent(self.server.rows, client.row.site_id, agent_id) if agent_id else None
        token: Token = self.server.generate_token(self.GRANT_TYPE, client, user=agent, **options)
        return token


class _Revocation(RevocationEndpoint):  # type: ignore[misc]  # Authlib has no types
    CLIENT_AUTH_METHODS: Final = AUTH_METHODS

    def query_token(self, token_string: str, token_type_hint: str | None) -> TokenModel | None:
        found = self.server.grants.find_token(self.server.rows, token_string)
        return TokenModel(found) if found else None

    def create_endpoint_response(
        self, request: _Request
    ) -> tuple[int, Revoked, list[tuple[str, str]]]:
        status, _, headers = super().create_endpoint_response(request)
        return status, Revoked(), headers

    def revoke_token(self, token: TokenModel, request: _Request) -> None:
        self.server.grants.revoke(self.server.rows, token.row)


class _Introspection(IntrospectionEndpoint):  # type: ignore[misc]  # Authlib has no types
    CLIENT_AUTH_METHODS: Final = SECRET_METHODS

    def query_token(self, token_string: str, token_type_hint: str | None) -> TokenModel | None:
        rows, grants = self.server.rows, self.server.grants
        found = grants.find_token(rows, token_string)
        return TokenModel(found, is_active=grants.is_active(rows, found)) if found else None

    def check_permission(self, token: TokenModel, client: ClientModel, request: _Request) -> bool:
        """A client sees the tokens of its own site."""
        return token.row.site_id == client.row.site_id

    def create_introspection_payload(self, token: TokenModel | None) -> Introspection:
        if token is None or token.is_expired():
            return Introspection(active=False)
        row = token.row
        return Introspection(
            active=True,
            client_id=row.client_id or UNSET,
            token_type="bearer",  # noqa: S106  the type's name
            scope=row.scope,
            sub=str(row.agent_id),
            site_id=row.site_id,
            iat=seconds(row.created_at),
            exp=seconds(row.expires_at),
        )
