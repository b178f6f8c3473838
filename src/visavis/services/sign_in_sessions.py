"""Sign-in sessions of agents on our pages: begin, list, end, and expire when unused."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from visavis.domain.audit import ActionType, AuditEntry
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.oauth import Credential, CredentialKind
from visavis.domain.people import Agent
from visavis.services.audit import Auditor, from_address
from visavis.services.ports import Clock, Store, Transaction
from visavis.services.secrets import digest
from visavis.services.tokens import SESSION_LIFETIME, Tokens

MAX_DEVICE_LENGTH: Final = 300
GRACE: Final = timedelta(minutes=3)
"""Maximum delay with which other processes write the times of last use."""


@dataclass(frozen=True, slots=True)
class SignInSession:
    """A session of an agent in one browser, as the agent sees it."""

    id: str
    device: str
    address: str
    created_at: datetime
    last_used_at: datetime
    is_current: bool


class SignInSessions:
    """Begins, lists and ends sessions; each change is in the audit log."""

    def __init__(self, store: Store, tokens: Tokens, auditor: Auditor, clock: Clock) -> None:
        self._store = store
        self._tokens = tokens
        self._auditor = auditor
        self._clock = clock

    async def begin(
        self, agent: Agent, device: str, address: str, entry: AuditEntry | None = None
    ) -> str:
        """Return the token of a new session; `device` is the browser's User-Agent."""
        readable = "".join(filter(str.isprintable, device))[:MAX_DEVICE_LENGTH]
        kind = CredentialKind.SESSION
        return await self._tokens.issue(
            agent, kind, SESSION_LIFETIME, entry, device=readable, address=address
        )

    async def list_by_agent(self, agent: Agent, current: str) -> Sequence[SignInSession]:
        """Return the agent's sessions, last used first; `current` is the caller's token."""
        await self._tokens.save_uses()
        known = await self._store.read(lambda rows: self._of_agent(rows, agent))
        sessions = [_session(one, digest(current)) for one in known]
        return sorted(sessions, key=lambda one: one.last_used_at, reverse=True)

    async def end(self, agent: Agent, session_id: str, address: str) -> None:
        """End one session of the agent; raises `EntityNotFound`."""

        def work(rows: Transaction) -> None:
            sessions = self._of_agent(rows, agent)
            result = next((one for one in sessions if _id_of(one) == session_id), None)
            if result is None:
                raise VisavisError(ErrorKind.EntityNotFound, "There is no such session.")
            rows.credentials.delete(result.digest)
            done = f"{agent.email} ended a session"
            rows.audit.add(self._entry(agent, agent.site_id, agent.email, done, address))

        await self._store.write(work)

    async def end_idle(self) -> int:
        """Save the times of last use, then end sessions unused for too long; return how many."""
        await self._tokens.save_uses()
        if self._tokens.idle_time is None:
            return 0
        before = self._clock() - self._tokens.idle_time - GRACE

        def work(rows: Transaction) -> int:
            idle = rows.credentials.unused_sessions(before)
            # another process may be ending the same sessions
            ended = [session for session in idle if rows.credentials.delete(session.digest)]
            for session in ended:
                agent = rows.agents.get(session.site_id, session.agent_id)
                email = agent.email if agent else f"agent {session.agent_id}"
                done = f"{email} was signed out because of inactivity"
                rows.audit.add(self._entry(None, session.site_id, email, done, session.address))
            return len(ended)

        return await self._store.write(work)

    def _of_agent(self, rows: Transaction, agent: Agent) -> list[Credential]:
        now = self._clock()
        sessions = rows.credentials.sessions_of_agent(agent.site_id, agent.id)
        return [one for one in sessions if one.expires_at > now]

    def _entry(
        self, author: Agent | None, site_id: int, email: str, done: str, address: str
    ) -> AuditEntry:
        action, name, details = ActionType.SESSION_ENDED, f"agent {email}", from_address(address)
        return self._auditor.entry(author, site_id, action, name, done, details)


def _id_of(session: Credential) -> str:
    """Return a public id of the session, from which neither token nor digest can be derived."""
    return hashlib.sha256(b"session" + session.digest).hexdigest()[:32]


def _session(session: Credential, current: bytes) -> SignInSession:
    return SignInSession(
        _id_of(session),
        session.device,
        session.address,
        session.created_at,
        session.last_used_at or session.created_at,
        session.digest == current,
    )
