"""Opaque tokens: who bears one is the agent it was issued for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from visavis.domain.audit import AuditEntry
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.oauth import Credential, CredentialKind
from visavis.domain.people import EVERY_PERMISSION, Agent
from visavis.services.ports import Clock, Store, Transaction
from visavis.services.secrets import digest

PREFIX: Final = "vv_"
BEARER_LIFETIME: Final = timedelta(hours=12)
SESSION_LIFETIME: Final = timedelta(days=7)
MAX_REMEMBERED: Final = 10_000
EVERY_SCOPE: Final = " ".join(sorted(permission.scope for permission in EVERY_PERMISSION))


class Tokens:
    """Issues and checks tokens. The store keeps only their SHA-256.

    What was asked once is remembered by the token itself: it is in this process's memory with every
    request that bears it, and its digest would be the dearest step of a hot read.
    """

    def __init__(self, store: Store, clock: Clock, new_secret: Callable[[], str]) -> None:
        self._store = store
        self._clock = clock
        self._new_secret = new_secret
        self._remembered: dict[str, tuple[Agent, datetime]] = {}
        self.on_forget: list[Callable[[], None]] = []
        """Called whenever a right may have ended: open sockets are checked again."""

    async def issue(
        self,
        agent: Agent,
        kind: CredentialKind,
        lifetime: timedelta,
        entry: AuditEntry | None = None,
    ) -> str:
        """Return a new token, with `entry` added to the audit log in the same transaction."""
        token = PREFIX + self._new_secret()
        now = self._clock()
        credential = Credential(
            digest(token), agent.site_id, agent.id, kind, now, now + lifetime, scope=EVERY_SCOPE
        )

        def work(rows: Transaction) -> None:
            rows.credentials.add(credential)
            if entry:
                rows.audit.add(entry)

        await self._store.write(work)
        return token

    async def authenticate(self, token: str) -> Agent:
        """Whose token this is; raises `Unauthorized`. Asks the store once per token."""
        agent, expires_at = self._remembered.get(token) or await self._remember(token)
        if self._clock() >= expires_at:
            raise VisavisError(ErrorKind.Unauthorized, "The access token has expired.")
        return agent

    async def _remember(self, token: str) -> tuple[Agent, datetime]:
        key, remembered = digest(token), self._remembered
        known = await self._store.read(lambda rows: find_bearer(rows, key))
        if known is None:
            raise VisavisError(ErrorKind.Unauthorized, "The access token is not known.")
        if len(remembered) >= MAX_REMEMBERED:
            remembered.clear()
        remembered[token] = known  # into a forgotten one, if it was revoked while we asked
        return known

    async def revoke(
        self, token: str, entry_of: Callable[[Agent], AuditEntry] | None = None
    ) -> bool:
        """Revoke a token; return whether it was known.

        `entry_of` makes the entry of the audit log from the agent whose token it was.
        """
        key = digest(token)

        def work(rows: Transaction) -> bool:
            known = rows.credentials.find(key)
            agent = rows.agents.get(known.site_id, known.agent_id) if known else None
            was_known = rows.credentials.delete(key)
            if agent and entry_of:
                rows.audit.add(entry_of(agent))
            return was_known

        was_known = await self._store.write(work)
        self.forget()
        return was_known

    def forget(self) -> None:
        """Ask the store again about every token: something was revoked, here or elsewhere."""
        self._remembered = {}
        for listener in self.on_forget:
            listener()


def find_bearer(rows: Transaction, key: bytes) -> tuple[Agent, datetime] | None:
    """The agent of an access token, limited to the token's scope, and when the token expires."""
    credential = rows.credentials.find(key)
    if credential is None or credential.kind is CredentialKind.REFRESH:
        return None
    agent = rows.agents.get(credential.site_id, credential.agent_id)
    if agent is None or agent.is_disabled:
        return None
    return agent.limited_to(frozenset(credential.scope.split())), credential.expires_at
