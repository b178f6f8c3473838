"""OAuth 2 grants: codes, families of tokens, rotation and revocation.

A family is all tokens that come from one sign-in. Each method is a step of one unit of work. If a
code or refresh token is used a second time, its family is revoked (RFC 6749 §4.1.2, RFC 9700
§4.14); for a refresh token, only after the reuse interval. The revocation must be committed
although the response is an error.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from visavis.domain.audit import ActionType, AuditSearch, FieldChange
from visavis.domain.ids import plain_id
from visavis.domain.oauth import (
    AuthorizationCode,
    Client,
    ClientCredentials,
    Credential,
    CredentialKind,
    Grant,
)
from visavis.domain.people import Agent
from visavis.services.audit import Auditor
from visavis.services.ports import Clock, Transaction
from visavis.services.secrets import digest
from visavis.services.tokens import PREFIX

REFRESH_PREFIX: Final = "vvr_"
CODE_PREFIX: Final = "vvc_"
CODE_LIFETIME: Final = timedelta(seconds=60)
REFRESH_LIFETIME: Final = timedelta(days=30)
AUDIT_PAUSE: Final = timedelta(hours=1)
"""Minimum time between two audit entries for tokens that a client requests for one agent."""


@dataclass(frozen=True, slots=True)
class Issued:
    """New tokens, to be shown once."""

    access_token: str
    refresh_token: str | None
    lifetime: timedelta
    scope: str


class Grants:
    def __init__(
        self,
        clock: Clock,
        new_secret: Callable[[], str],
        new_id: Callable[[], str],
        access_lifetime: timedelta,
        reuse_interval: timedelta,
    ) -> None:
        self._clock = clock
        self._new_secret = new_secret
        self._new_id = new_id
        self._access_lifetime = access_lifetime
        self._reuse_interval = reuse_interval
        self._auditor = Auditor(clock, new_id)

    def issue(
        self,
        rows: Transaction,
        client: Client,
        agent: Agent,
        scope: str,
        *,
        family_id: str | None = None,
        refresh_scope: str | None = None,
        is_refreshable: bool,
        grant_type: str = Grant.REFRESH_TOKEN,
    ) -> Issued:
        """Return an access token for the agent, and a refresh token if the client may use one.

        The refresh token has the scope `refresh_scope`, by default that of the access token. A
        refresh adds no audit entry, because it continues a sign-in that has one.
        """
        now = self._clock()
        rows.credentials.delete_expired(now)
        rows.codes.delete_expired(now)
        access_token = PREFIX + self._new_secret()
        bearer = Credential(
            digest=digest(access_token),
            site_id=agent.site_id,
            agent_id=agent.id,
            kind=CredentialKind.BEARER,
            created_at=now,
            expires_at=now + self._access_lifetime,
            client_id=client.id,
            family_id=family_id or self._new_id(),
            scope=scope,
        )
        rows.credentials.add(bearer)
        refresh_token = None
        if is_refreshable and Grant.REFRESH_TOKEN in client.grants:
            refresh_token = REFRESH_PREFIX + self._new_secret()
            rows.credentials.add(
                replace(
                    bearer,
                    digest=digest(refresh_token),
                    kind=CredentialKind.REFRESH,
                    expires_at=now + REFRESH_LIFETIME,
                    scope=refresh_scope or scope,
                )
            )
        if grant_type != Grant.REFRESH_TOKEN:
            self._audit(rows, client, agent, grant_type)
        return Issued(access_token, refresh_token, self._access_lifetime, scope)

    def _audit(self, rows: Transaction, client: Client, agent: Agent, grant_type: str) -> None:
        name = f"OAuth client {client.name}"
        same = AuditSearch(
            agent_id=agent.id,
            actions=(ActionType.TOKEN_ISSUED,),
            object_name=name,
            since=self._clock() - AUDIT_PAUSE,
        )
        if rows.audit.list_page(agent.site_id, 1, search=same):
            return
        entry = self._auditor.entry(
            agent,
            agent.site_id,
            ActionType.TOKEN_ISSUED,
            name,
            f"Gave the {name} a token of {agent.email}",
            FieldChange("grant", "", grant_type),
        )
        rows.audit.add(entry)

    def find_client(self, rows: Transaction, client_id: str) -> Client | None:
        """Return a client, unless it or its site is disabled."""
        client = rows.clients.find(plain_id(client_id))
        site = rows.sites.get(client.site_id) if client and not client.is_disabled else None
        return client if site and not site.is_disabled else None

    def is_authentic(self, client: Client, presented: ClientCredentials) -> bool:
        """Whether the credentials prove that it is this client; a public one has no secret."""
        if client.is_public:
            return not presented.secret
        return self.is_secret(client, presented.secret)

    def is_secret(self, client: Client, secret: str) -> bool:
        """Whether this is the client's secret, or a replaced one that is still valid."""
        given = digest(secret)
        return any(hmac.compare_digest(known, given) for known in client.secrets_at(self._clock()))

    def issue_code(
        self,
        rows: Transaction,
        client: Client,
        agent: Agent,
        *,
        redirect_uri: str,
        scope: str,
        code_challenge: str,
    ) -> str:
        """Return a code for one exchange within a minute; `redirect_uri` is that of the request."""
        code = CODE_PREFIX + self._new_secret()
        rows.codes.add(
            AuthorizationCode(
                digest(code),
                agent.site_id,
                agent.id,
                client.id,
                self._new_id(),
                redirect_uri,
                scope,
                code_challenge,
                self._clock() + CODE_LIFETIME,
            )
        )
        return code

    def find_code(self, rows: Transaction, code: str, client: Client) -> AuthorizationCode | None:
        """Return the client's code if it can still be used; a second use revokes its family."""
        found = rows.codes.find(digest(code))
        if found is None or found.client_id != client.id or found.expires_at <= self._clock():
            return None
        if found.used_at:
            rows.credentials.delete_family(found.site_id, found.family_id)
            return None
        return found

    def use_code(self, rows: Transaction, code: AuthorizationCode) -> Agent | None:
        """Mark a code as used; return its agent, or `None` if another request was first."""
        if not rows.codes.use(code.digest, self._clock()):
            rows.credentials.delete_family(code.site_id, code.family_id)
            return None
        return active_agent(rows, code.site_id, code.agent_id)

    def find_refresh(self, rows: Transaction, token: str, client: Client) -> Credential | None:
        """Return the client's refresh token if it can still be used; reuse revokes its family.

        Within the reuse interval it can be used again and yields further tokens, because the first
        response may have been lost, or two tabs may have asked at the same time.
        """
        found = rows.credentials.find(digest(token))
        if found is None or found.kind is not CredentialKind.REFRESH:
            return None
        if found.client_id != client.id or found.expires_at <= self._clock():
            return None
        if found.used_at and found.used_at + self._reuse_interval <= self._clock():
            self._kill(rows, found)
            rows.audit.add(
                self._auditor.anonymous(
                    found.site_id,
                    ActionType.TOKEN_REUSED,
                    f"OAuth client {client.name}",
                    "Revoked the tokens of a sign-in: an old refresh token was used again",
                )
            )
            return None
        return found

    def use_refresh(self, rows: Transaction, token: Credential) -> Agent | None:
        """Mark a refresh token as used; return its agent, or `None` if disabled or revoked.

        A token that a concurrent request has used is still stored; a revoked one is not.
        """
        is_first = rows.credentials.use(token.digest, self._clock())
        if not is_first and rows.credentials.find(token.digest) is None:
            return None
        return active_agent(rows, token.site_id, token.agent_id)

    def find_token(self, rows: Transaction, token: str) -> Credential | None:
        """Return an access or refresh token that a client was given, not a session of our pages."""
        found = rows.credentials.find(digest(token))
        return found if found and found.client_id else None

    def revoke(self, rows: Transaction, token: Credential) -> None:
        """Revoke a token (RFC 7009 §2.1).

        Revoking a refresh token revokes all tokens of its sign-in.
        """
        if token.kind is CredentialKind.REFRESH:
            self._kill(rows, token)
        else:
            rows.credentials.delete(token.digest)
        agent = rows.agents.get(token.site_id, token.agent_id)
        client = rows.clients.find(token.client_id or "")
        name = f"OAuth client {client.name}" if client else "OAuth client"
        summary = f"The {name} revoked its token"
        action = ActionType.TOKEN_REVOKED
        rows.audit.add(self._auditor.entry(agent, token.site_id, action, name, summary))

    def is_active(self, rows: Transaction, token: Credential) -> bool:
        if token.used_at or token.expires_at <= self._clock():
            return False
        return active_agent(rows, token.site_id, token.agent_id) is not None

    def _kill(self, rows: Transaction, token: Credential) -> None:
        if token.family_id:
            rows.credentials.delete_family(token.site_id, token.family_id)


def active_agent(rows: Transaction, site_id: int, agent_id: int) -> Agent | None:
    agent = rows.agents.get(site_id, agent_id)
    return None if agent is None or agent.is_disabled else agent


def seconds(moment: datetime) -> int:
    """Return a time in seconds since 1970 (NumericDate, RFC 7519 §2)."""
    return int(moment.timestamp())
