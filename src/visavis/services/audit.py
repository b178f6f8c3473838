"""Reading the audit log, and adding entries that no change of a table brings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from visavis.domain.audit import AuditEntry, FieldChange
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.people import Agent, Permission
from visavis.services.ports import Clock, Store, Transaction


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Some entries of a site, newest first, and how many there are in all.

    `emails` has the e-mail addresses of the site's agents by their ids.
    """

    total: int
    entries: Sequence[AuditEntry]
    emails: Mapping[int, str]

    def email_of(self, entry: AuditEntry) -> str:
        """Whose act it was; empty for the command line."""
        return self.emails[entry.agent_id] if entry.agent_id else ""


class AuditLog:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def newest(self, agent: Agent, page_index: int, page_size: int) -> AuditPage:
        """The page `page_index`, counted from 1; raises `PermissionDenied`."""
        agent.demand(Permission.VIEW_AUDIT_LOG)
        offset = (page_index - 1) * page_size

        def work(rows: Transaction) -> AuditPage:
            entries = rows.audit.newest(agent.site_id, page_size, offset)
            emails = {known.id: known.email for known in rows.agents.of_site(agent.site_id)}
            return AuditPage(rows.audit.count(agent.site_id), entries, emails)

        return await self._store.read(work)

    async def get(self, agent: Agent, entry_id: str) -> tuple[AuditEntry, str]:
        """An entry and the e-mail address of its agent.

        Raises `PermissionDenied`, `EntityNotFound`.
        """
        agent.demand(Permission.VIEW_AUDIT_LOG)

        def work(rows: Transaction) -> tuple[AuditEntry, str]:
            entry = rows.audit.get(agent.site_id, entry_id)
            if entry is None:
                raise VisavisError(ErrorKind.EntityNotFound, "There is no such audit log entry.")
            author = rows.agents.get(agent.site_id, entry.agent_id) if entry.agent_id else None
            return entry, author.email if author else ""

        return await self._store.read(work)


class AuditTrail:
    """Notes acts that change nothing in the database, such as playing a recording."""

    def __init__(self, store: Store, clock: Clock, new_id: Callable[[], str]) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id

    async def note(
        self,
        site_id: int,
        agent_id: int | None,
        action_type: str,
        summary: str,
        changes: tuple[FieldChange, ...],
    ) -> None:
        """Durable when this returns. `agent_id` `None` is the system itself."""
        entry = AuditEntry(
            self._new_id(), site_id, agent_id, self._clock(), action_type, summary, changes
        )
        await self._store.write(lambda rows: rows.audit.add(entry))
