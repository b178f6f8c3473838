"""Who changed what: reading the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from visavis.domain.audit import AuditEntry
from visavis.domain.people import Agent, Permission
from visavis.services.ports import Store, Transaction


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Some entries of a site, newest first, and how many there are in all."""

    total: int
    entries: Sequence[AuditEntry]


class AuditLog:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def newest(self, agent: Agent, page_index: int, page_size: int) -> AuditPage:
        """The page `page_index`, counted from 1; raises `PermissionDenied`."""
        agent.demand(Permission.VIEW_AUDIT_LOG)
        offset = (page_index - 1) * page_size

        def work(rows: Transaction) -> AuditPage:
            entries = rows.audit.newest(agent.site_id, page_size, offset)
            return AuditPage(rows.audit.count(agent.site_id), entries)

        return await self._store.read(work)
