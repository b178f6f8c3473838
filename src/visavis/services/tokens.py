"""Opaque bearer tokens and sessions of our pages: issue, check, rotate, revoke."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from visavis.domain.audit import AuditEntry
from visavis.domain.changes import ChangeSet
from visavis.domain.errors import ErrorCode, ErrorKind, VisavisError
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

    Checked tokens are cached under the token itself. Computing its digest would be the most
    expensive step of a frequent request, and each request has the token in memory anyway.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        new_secret: Callable[[], str],
        idle_time: timedelta | None = None,
    ) -> None:
        """`idle_time` is the time after which an unused session of our pages ends."""
        self._store = store
        self._clock = clock
        self._new_secret = new_secret
        self.idle_time = idle_time
        self._remembered: dict[str, _Remembered] = {}
        self._uses: dict[bytes, datetime] = {}
        """Times of the last use of sessions that are not written yet."""
        store.on_rights_change.append(self._forget)

    async def issue(
        self,
        agent: Agent,
        kind: CredentialKind,
        lifetime: timedelta,
        entry: AuditEntry | None = None,
        *,
        device: str = "",
        address: str = "",
    ) -> str:
        """Return a new token, with `entry` added to the audit log in the same transaction."""
        token = PREFIX + self._new_secret()
        now = self._clock()
        credential = Credential(
            digest(token),
            agent.site_id,
            agent.id,
            kind,
            now,
            now + lifetime,
            scope=EVERY_SCOPE,
            device=device,
            address=address,
        )

        def work(rows: Transaction) -> None:
            rows.credentials.add(credential)
            if entry:
                rows.audit.add(entry)

        await self._store.write(work)
        return token

    async def authenticate(self, token: str, *, is_use: bool = True) -> Agent:
        """Return the agent of a token; raises `Unauthorized`. Asks the store once per token.

        `is_use` is false for requests that a page sends by itself: they do not keep its session
        alive.
        """
        known = self._remembered.get(token) if self._store.is_current() else None
        known = known or await self._remember(token)
        now = self._clock()
        if now >= known.expires_at:
            raise VisavisError(ErrorKind.Unauthorized, "The access token has expired.")
        if known.session:
            await self._use(token, known.session, now, is_use=is_use)
        return known.agent

    async def _use(self, token: str, session: bytes, now: datetime, *, is_use: bool) -> None:
        """Record the use of a session; raises `Unauthorized` if it has not been used for long."""
        # another process may know of a later use
        if self._is_idle(self._remembered.get(token), session, now) and self._is_idle(
            await self._remember(token), session, now
        ):
            raise VisavisError(ErrorCode.SessionExpired)
        if is_use:
            self._uses[session] = now

    def _is_idle(self, known: _Remembered | None, session: bytes, now: datetime) -> bool:
        if self.idle_time is None or known is None:
            return False
        last = max(self._uses.get(session, known.last_used_at), known.last_used_at)
        return now - last >= self.idle_time

    async def save_uses(self) -> None:
        """Save the times at which sessions were last used."""
        uses, self._uses = self._uses, {}

        def work(rows: Transaction) -> None:
            for session, moment in uses.items():
                rows.credentials.touch(session, moment)

        if uses:
            try:
                await self._store.write(work)
            except VisavisError:
                self._uses = {**uses, **self._uses}
                raise

    async def delete_expired(self) -> None:
        """Delete the tokens, codes and API keys of all sites that have expired."""
        now = self._clock()

        def work(rows: Transaction) -> None:
            rows.credentials.delete_expired(now)
            rows.codes.delete_expired(now)
            rows.keys.delete_expired(now)

        await self._store.write(work)

    def is_remembered(self, token: str) -> bool:
        """Whether the token is in the cache and has not expired, without a query."""
        known = self._remembered.get(token)
        return known is not None and self._clock() < known.expires_at

    async def _remember(self, token: str) -> _Remembered:
        key, remembered = digest(token), self._remembered
        known = await self._store.read(lambda rows: _find(rows, key))
        if known is None:
            raise VisavisError(ErrorKind.Unauthorized, "The access token is not valid.")
        if len(remembered) >= MAX_REMEMBERED:
            remembered.clear()
        # After a concurrent `_forget`, this changes only the discarded dictionary.
        remembered[token] = known
        return known

    async def rotate(
        self, token: str, overlap: timedelta, entry_of: Callable[[Agent], AuditEntry]
    ) -> str:
        """Replace a token and return the new one; the old one stays valid for `overlap` at most.

        Raises `EntityNotFound` unless it is a valid token that the command line has issued.
        """
        new, key, now = PREFIX + self._new_secret(), digest(token), self._clock()

        def work(rows: Transaction) -> None:
            old = rows.credentials.find(key)
            agent = rows.agents.get(old.site_id, old.agent_id) if old else None
            is_own = old is not None and old.kind is CredentialKind.BEARER and not old.client_id
            if old is None or agent is None or not is_own or old.expires_at <= now:
                raise VisavisError(ErrorKind.EntityNotFound, "There is no such token.")
            expires_at = now + (old.expires_at - old.created_at)
            rows.credentials.add(
                replace(old, digest=digest(new), created_at=now, expires_at=expires_at)
            )
            rows.credentials.expire(key, now + overlap)
            rows.audit.add(entry_of(agent))

        await self._store.write(work)
        return new

    async def revoke(
        self, token: str, entry_of: Callable[[Agent], AuditEntry] | None = None
    ) -> bool:
        """Revoke a token; return whether it was known.

        `entry_of` returns the audit entry for the token's agent.
        """
        key = digest(token)

        def work(rows: Transaction) -> bool:
            known = rows.credentials.find(key)
            agent = rows.agents.get(known.site_id, known.agent_id) if known else None
            was_known = rows.credentials.delete(key)
            if agent and entry_of:
                rows.audit.add(entry_of(agent))
            return was_known

        return await self._store.write(work)

    def _forget(self, changes: ChangeSet) -> None:
        """Remove the tokens of the agents whose rights have changed from the cache."""
        # a new dictionary, because a query in progress may still add its old result
        self._remembered = {
            token: known
            for token, known in self._remembered.items()
            if not changes.concerns_agent(known.agent.site_id, known.agent.id)
        }


@dataclass(frozen=True, slots=True)
class _Remembered:
    """A cached access token; `session` is its digest if it is a session of our pages."""

    agent: Agent
    expires_at: datetime
    session: bytes | None
    last_used_at: datetime


def _find(rows: Transaction, key: bytes) -> _Remembered | None:
    """Return an access token with its agent, limited to the token's scope."""
    credential = rows.credentials.find(key)
    if credential is None or credential.kind is CredentialKind.REFRESH:
        return None
    agent = rows.agents.get(credential.site_id, credential.agent_id)
    if agent is None or agent.is_disabled:
        return None
    return _Remembered(
        agent.limited_to(frozenset(credential.scope.split())),
        credential.expires_at,
        key if credential.kind is CredentialKind.SESSION else None,
        credential.last_used_at or credential.created_at,
    )
