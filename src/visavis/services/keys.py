"""API keys: an agent's long-lived secrets for HTTP Basic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from visavis.domain.audit import ActionType, AuditEntry
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.oauth import ApiKey
from visavis.domain.people import Agent, operator
from visavis.services.audit import Auditor
from visavis.services.ports import Clock, Store, Transaction
from visavis.services.secrets import digest

PREFIX: Final = "vvk_"
MAX_REMEMBERED: Final = 10_000


class Keys:
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
        self._remembered: dict[bytes, Agent] = {}

    async def add(self, agent: Agent, name: str) -> tuple[ApiKey, str]:
        """A new key and its secret, which is to be shown once."""
        secret = PREFIX + self._new_secret()
        key = ApiKey(self._new_id(), agent.site_id, agent.id, name, digest(secret), self._clock())

        def work(rows: Transaction) -> None:
            rows.keys.add(key)
            summary = f"Added the API key {name} for {agent.email}"
            rows.audit.add(self._entry(key, ActionType.API_KEY_CREATED, summary))

        await self._store.write(work)
        return key, secret

    async def of_site(self, site_id: int) -> Sequence[ApiKey]:
        return await self._store.read(lambda rows: rows.keys.of_site(site_id))

    async def delete(self, site_id: int, key_id: str) -> None:
        """Raises `EntityNotFound`."""

        def work(rows: Transaction) -> None:
            known = (key for key in rows.keys.of_site(site_id) if key.id == key_id)
            key = next(known, None)
            if key is None or not rows.keys.delete(site_id, key_id):
                raise VisavisError(ErrorKind.EntityNotFound, f"There is no key {key_id}.")
            summary = f"Deleted the API key {key.name}"
            rows.audit.add(self._entry(key, ActionType.API_KEY_DELETED, summary))

        await self._store.write(work)
        self.forget()

    def _entry(self, key: ApiKey, action: ActionType, summary: str) -> AuditEntry:
        author, name = operator(key.site_id), f"API key {key.name}"
        return self._auditor.entry(author, key.site_id, action, name, summary)

    async def authenticate(self, email: str, secret: str) -> Agent:
        """The agent whose e-mail address and key these are; raises `Unauthorized`."""
        key, remembered = digest(secret), self._remembered
        agent = remembered.get(key) or await self._store.read(lambda rows: _find(rows, key))
        if agent is None or agent.email != email.casefold():
            raise VisavisError(ErrorKind.Unauthorized, "The e-mail address or the key is wrong.")
        if len(remembered) >= MAX_REMEMBERED:
            remembered.clear()
        remembered[key] = agent  # into a forgotten one, if it was deleted while we asked
        return agent

    def is_remembered(self, secret: str) -> bool:
        """Whether a key was found good lately, without asking the store."""
        return digest(secret) in self._remembered

    def forget(self) -> None:
        """Ask the store again about every key."""
        self._remembered = {}


def _find(rows: Transaction, key_digest: bytes) -> Agent | None:
    key = rows.keys.find(key_digest)
    agent = rows.agents.get(key.site_id, key.agent_id) if key else None
    return None if agent is None or agent.is_disabled else agent
