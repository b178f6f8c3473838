"""OAuth 2 clients, grants and credentials (RFC 6749), as the database stores them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Grant(StrEnum):
    """Grant by which a client gets a token; the value is the `grant_type` of RFC 6749."""

    PASSWORD = "password"  # noqa: S105  the grant's name
    AUTHORIZATION_CODE = "authorization_code"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105  the grant's name
    CLIENT_CREDENTIALS = "client_credentials"


@dataclass(frozen=True, slots=True)
class Client:
    """A program that requests tokens. A client without a secret is public (RFC 6749 §2.1).

    With the grant `client_credentials` it acts as the agent `agent_id`. After the secret was
    replaced, the old one remains valid until `old_secret_expires_at`.
    """

    id: str
    site_id: int
    name: str
    secret_digest: bytes | None
    redirect_uris: tuple[str, ...]
    grants: frozenset[Grant]
    agent_id: int | None = None
    is_disabled: bool = False
    old_secret_digest: bytes | None = None
    old_secret_expires_at: datetime | None = None

    @property
    def is_public(self) -> bool:
        return self.secret_digest is None

    def secrets_at(self, now: datetime) -> tuple[bytes, ...]:
        """Return the digests of the valid secrets; during an overlap these are two."""
        is_overlap = self.old_secret_expires_at is not None and now < self.old_secret_expires_at
        old = self.old_secret_digest if is_overlap else None
        return tuple(one for one in (self.secret_digest, old) if one is not None)


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """The credentials that a client presents (RFC 6749 §2.3).

    `method` is the name of RFC 7591 §2 for the way in which they were sent; that of a client
    without a secret is "none".
    """

    client_id: str
    secret: str
    method: str


class CredentialKind(StrEnum):
    BEARER = "bearer"
    SESSION = "session"  # a bearer token in the cookie of a page
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True)
class Credential:
    """A stored token: its SHA-256 digest, never the token itself.

    All tokens that come from one sign-in have the same `family_id`, also after they were refreshed.
    `used_at` is set once a refresh token was exchanged. `device` (the browser's User-Agent),
    `address` (the network) and `last_used_at` are those of a session.
    """

    digest: bytes
    site_id: int
    agent_id: int
    kind: CredentialKind
    created_at: datetime
    expires_at: datetime
    client_id: str | None = None
    family_id: str | None = None
    scope: str = ""
    used_at: datetime | None = None
    device: str = ""
    address: str = ""
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """A stored authorization code (RFC 6749 §4.1.2) with its PKCE challenge (RFC 7636).

    A code can be used once and is valid for a short time.
    """

    digest: bytes
    site_id: int
    agent_id: int
    client_id: str
    family_id: str
    redirect_uri: str
    scope: str
    code_challenge: str
    expires_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A long-lived secret of an agent for HTTP Basic, stored as its SHA-256 digest.

    `expires_at` is set once another key has replaced it.
    """

    id: str
    site_id: int
    agent_id: int
    name: str
    digest: bytes
    created_at: datetime
    expires_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        return self.expires_at is None or now < self.expires_at
