"""Opaque tokens: who bears one is the agent it was issued for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.people import Agent
from visavis.services.ports import Clock, Credential, Store, Transaction

PREFIX: Final = "vv_"
BEARER, SESSION = "bearer", "session"
BEARER_LIFETIME: Final = timedelta(hours=12)
SESSION_LIFETIME: Final = timedelta(days=7)
MAX_REMEMBERED: Final = 10_000


class Tokens:
    """Issues and checks tokens. Only their SHA-256 is kept, here and in the store."""

    def __init__(self, store: Store, clock: Clock, new_secret: Callable[[], str]) -> None:
        self._store = store
        self._clock = clock
        self._new_secret = new_secret
        self._remembered: dict[bytes, tuple[Agent, datetime]] = {}

    async def issue(self, agent: Agent, kind: str, lifetime: timedelta) -> str:
        token = PREFIX + self._new_secret()
        now = self._clock()
        credential = Credential(_digest(token), agent.site_id, agent.id, kind, now, now + lifetime)
        await self._store.write(lambda rows: rows.credentials.add(credential))
        return token

    async def authenticate(self, token: str) -> Agent:
        """Whose token this is; raises `Unauthorized`. Asks the store once per token."""
        digest = _digest(token)
        known = self._remembered.get(digest)
        if known is None:
            known = await self._store.read(lambda rows: _find(rows, digest))
            if known is None:
                raise VisavisError(ErrorKind.Unauthorized, "The access token is not known.")
            if len(self._remembered) >= MAX_REMEMBERED:
                self.forget()
            self._remembered[digest] = known
        agent, expires_at = known
        if self._clock() >= expires_at:
            raise VisavisError(ErrorKind.Unauthorized, "The access token has expired.")
        return agent

    async def revoke(self, token: str) -> None:
        digest = _digest(token)
        self._remembered.pop(digest, None)
        await self._store.write(lambda rows: rows.credentials.delete(digest))

    def forget(self) -> None:
        """Ask the store again about every token: another process may have changed it."""
        self._remembered.clear()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _find(rows: Transaction, digest: bytes) -> tuple[Agent, datetime] | None:
    credential = rows.credentials.find(digest)
    if credential is None:
        return None
    agent = rows.agents.get(credential.site_id, credential.agent_id)
    return (agent, credential.expires_at) if agent else None
