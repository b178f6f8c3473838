"""API keys: long-lived secrets of agents for HTTP Basic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from visavis.domain.audit import ActionType, AuditEntry
from visavis.domain.changes import ChangeSet
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.oauth import ApiKey
from visavis.domain.people import Agent, operator
from visavis.services.audit import Auditor
from visavis.services.ports import Clock, Store, Transaction
from visavis.services.secrets import digest

PREFIX: Final = "vvk_"
MAX_REMEMBERED: Final = 10_000


class ApiKeys:
    def __init__(
        self,
        store: Store,
        clock: Clock,
        new_secret: Callable[[], str],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._clock = clock
        self._new_secret = new_secret
        self._new_id = new_id
        self._auditor = Auditor(clock, new_id)
        self._remembered: dict[bytes, _Known] = {}
        store.on_rights_change.append(self._forget)

    async def add(self, agent: Agent, name: str) -> tuple[ApiKey, str]:
        """Add a key; return it and its secret, to be shown once."""
        secret = PREFIX + self._new_secret()
        key = ApiKey(self._new_id(), agent.site_id, agent.id, name, digest(secret), self._clock())

        def work(rows: Transaction) -> None:
            rows.keys.delete_expired(key.created_at)
            rows.keys.add(key)
            summary = f"Added the API key {name} for {agent.email}"
            rows.audit.add(self._entry(key, ActionType.API_KEY_CREATED, summary))

        await self._store.write(work)
        return key, secret

    async def rotate(self, site_id: int, key_id: str, overlap: timedelta) -> tuple[ApiKey, str]:
        """Replace a key by a new one of the same agent and name; return it and its secret.

        The old key stays valid for `overlap`. Raises `EntityNotFound`, and `ParameterInvalid` for a
        key that has been replaced already.
        """
        secret, new_id, now = PREFIX + self._new_secret(), self._new_id(), self._clock()

        def work(rows: Transaction) -> ApiKey:
            rows.keys.delete_expired(now)
            old = _require(rows, site_id, key_id)
            if old.expires_at is not None:
                raise VisavisError(
                    ErrorKind.ParameterInvalid, f"The key {key_id} has been replaced already."
                )
            new = replace(old, id=new_id, digest=digest(secret), created_at=now)
            if overlap:
                rows.keys.expire(site_id, key_id, now + overlap)
            else:
                rows.keys.delete(site_id, key_id)
            rows.keys.add(new)
            summary = f"Replaced the API key {old.name}"
            rows.audit.add(self._entry(new, ActionType.API_KEY_ROTATED, summary))
            return new

        return await self._store.write(work), secret

    async def list_by_site(self, site_id: int) -> Sequence[ApiKey]:
        return await self._store.read(lambda rows: rows.keys.list_by_site(site_id))

    async def delete(self, site_id: int, key_id: str) -> None:
        """Delete a key; raises `EntityNotFound`."""

        def work(rows: Transaction) -> None:
            key = _require(rows, site_id, key_id)
            rows.keys.delete(site_id, key_id)
            summary = f"Deleted the API key {key.name}"
            rows.audit.add(self._entry(key, ActionType.API_KEY_DELETED, summary))

        await self._store.write(work)

    def _entry(self, key: ApiKey, action: ActionType, summary: str) -> AuditEntry:
        author, name = operator(key.site_id), f"API key {key.name}"
        return self._auditor.entry(author, key.site_id, action, name, summary)

    async def authenticate(self, email: str, secret: str) -> Agent:
        """Return the agent with this e-mail address and key; raises `Unauthorized`."""
        key, remembered = digest(secret), self._remembered
        known = remembered.get(key) if self._store.is_current() else None
        known = known or await self._store.read(lambda rows: _find(rows, key))
        if known is None or not known.serves(email, self._clock()):
            raise VisavisError(ErrorKind.Unauthorized, "The e-mail address or the key is wrong.")
        if len(remembered) >= MAX_REMEMBERED:
            remembered.clear()
        # After a concurrent `_forget`, this changes only the discarded dictionary.
        remembered[key] = known
        return known.agent

    def is_remembered(self, secret: str) -> bool:
        """Whether the key is in the cache of valid keys, without a query."""
        return digest(secret) in self._remembered

    def _forget(self, changes: ChangeSet) -> None:
        """Remove the keys of the agents whose rights have changed from the cache."""
        # a new dictionary, because a query in progress may still add its old result
        self._remembered = {
            digest: known
            for digest, known in self._remembered.items()
            if not changes.concerns_agent(known.key.site_id, known.key.agent_id)
        }


@dataclass(frozen=True, slots=True)
class _Known:
    """A key and its agent, who is not disabled."""

    key: ApiKey
    agent: Agent

    def serves(self, email: str, now: datetime) -> bool:
        return self.agent.email == email.casefold() and self.key.is_valid(now)


def _require(rows: Transaction, site_id: int, key_id: str) -> ApiKey:
    key = next((key for key in rows.keys.list_by_site(site_id) if key.id == key_id), None)
    if key is None:
        raise VisavisError(ErrorKind.EntityNotFound, f"There is no key {key_id}.")
    return key


def _find(rows: Transaction, key_digest: bytes) -> _Known | None:
    key = rows.keys.find(key_digest)
    agent = rows.agents.get(key.site_id, key.agent_id) if key else None
    if key is None or agent is None or agent.is_disabled:
        return None
    return _Known(key, agent)
