"""Our clients, codes and tokens as Authlib wants to see them."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from authlib.oauth2.rfc6749 import ClientMixin

from visavis.domain.oauth import AuthorizationCode, Client, Credential, Grant
from visavis.services.tokens import EVERY_SCOPE

LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "[::1]", "::1", "localhost"})


class ClientModel(ClientMixin):  # type: ignore[misc]  # Authlib has no types
    """A registered client (RFC 6749 §2)."""

    def __init__(self, client: Client) -> None:
        self.row = client

    def get_client_id(self) -> str:
        return self.row.id

    def get_default_redirect_uri(self) -> str | None:
        uris = self.row.redirect_uris
        return uris[0] if len(uris) == 1 else None

    def get_allowed_scope(self, scope: str | None) -> str:
        return " ".join(sorted(set(scope.split()))) if scope else EVERY_SCOPE

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return any(is_same_redirect(known, redirect_uri) for known in self.row.redirect_uris)

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code" and self.check_grant_type(Grant.AUTHORIZATION_CODE)

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.row.grants


class CodeModel:
    """An authorization code (RFC 6749 §4.1.2)."""

    def __init__(self, code: AuthorizationCode) -> None:
        self.row = code
        self.code_challenge = code.code_challenge
        self.code_challenge_method = "S256"

    def get_redirect_uri(self) -> str:
        return self.row.redirect_uri

    def get_scope(self) -> str:
        return self.row.scope


class TokenModel:
    """An access or refresh token."""

    def __init__(self, credential: Credential, *, is_active: bool = True) -> None:
        self.row = credential
        self._is_active = is_active

    def check_client(self, client: ClientModel) -> bool:
        return self.row.client_id == client.row.id

    def get_scope(self) -> str:
        return self.row.scope

    def is_expired(self) -> bool:
        return not self._is_active


def is_same_redirect(known: str, given: str) -> bool:
    """Exact comparison (RFC 9700 §2.1), with more freedom on the user's own machine.

    There, any port will do (RFC 8252 §7.3), and any path if a URI without one was registered.
    """
    if known == given:
        return True
    try:
        ours, theirs = urlsplit(known), urlsplit(given)
        # the port alone may differ: anything else in the authority is somebody else
        is_loopback = ours.scheme == "http" and ours.hostname in LOOPBACK_HOSTS
        authority = f"{_bracketed(ours.hostname)}:{theirs.port}" if theirs.port else None
    except ValueError:
        return False
    path = ours.path or theirs.path
    return (
        is_loopback
        and theirs._replace(netloc=ours.netloc) == ours._replace(path=path)
        and theirs.netloc in {authority, ours.netloc}
        and "#" not in given
    )


def _bracketed(host: str | None) -> str:
    return f"[{host}]" if host and ":" in host else host or ""
