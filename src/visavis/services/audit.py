"""The audit log: create entries, read, export, verify and trim it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from visavis.domain.audit import (
    ANONYMOUS,
    EVERY_ENTRY,
    ActionType,
    AuditChain,
    AuditEntry,
    AuditSearch,
    FieldChange,
    SealedEntry,
    author_of,
    new_entry,
    why_broken,
)
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.people import Agent
from visavis.services.ports import Clock, Store, Transaction

BATCH: Final = 1000
"""Number of entries per query where the whole log is read."""


@dataclass(frozen=True, slots=True)
class AuditPage:
    """One page of a site's entries, newest first, and the number of all entries.

    `agents` maps ids to the site's agents.
    """

    total: int
    entries: Sequence[AuditEntry]
    agents: Mapping[int, Agent]

    def agent_of(self, entry: AuditEntry) -> Agent | None:
        """Return the agent who caused the entry; `None` for the command line and the system."""
        return self.agents.get(entry.agent_id) if entry.agent_id else None


class AuditReader:
    """Reads, exports and verifies the audit log of a site."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def list_page(
        self, agent: Agent, page_index: int, page_size: int, search: AuditSearch = EVERY_ENTRY
    ) -> AuditPage:
        """Return the page `page_index`, counted from 1."""
        site_id, offset = agent.site_id, (page_index - 1) * page_size

        def work(rows: Transaction) -> AuditPage:
            entries = rows.audit.list_page(site_id, page_size, offset, search)
            agents = {known.id: known for known in rows.agents.list_by_site(site_id)}
            return AuditPage(rows.audit.count(site_id, search), entries, agents)

        return await self._store.read(work)

    async def get(self, agent: Agent, entry_id: str) -> tuple[AuditEntry, Agent | None]:
        """Return an entry and its agent; raises `EntityNotFound`."""

        def work(rows: Transaction) -> tuple[AuditEntry, Agent | None]:
            entry = rows.audit.get(agent.site_id, entry_id)
            if entry is None:
                raise VisavisError(ErrorKind.EntityNotFound, "There is no such audit log entry.")
            author = rows.agents.get(agent.site_id, entry.agent_id) if entry.agent_id else None
            return entry, author

        return await self._store.read(work)

    async def batches(
        self, site_id: int, search: AuditSearch = EVERY_ENTRY
    ) -> AsyncIterator[Sequence[SealedEntry]]:
        """Yield the log in batches, from its oldest entry on."""
        after = 0
        while batch := await self._batch(site_id, after, search):
            yield batch
            after = batch[-1].sequence

    async def _batch(
        self, site_id: int, after: int, search: AuditSearch = EVERY_ENTRY
    ) -> Sequence[SealedEntry]:
        return await self._store.read(lambda rows: rows.audit.sealed(site_id, after, BATCH, search))

    async def verify(
        self,
        site_id: int,
        on_progress: Callable[[int], None] = lambda _: None,
        anchor: Anchor | None = None,
    ) -> Verification:
        """Check the whole chain of a site, and that it still contains `anchor`.

        `on_progress` receives the number of entries checked so far. Meanwhile, entries may be
        added, and old ones removed by retention.
        """
        chain = await self._chain(site_id)
        walk = _Walk(chain.removed_sequence, chain.removed_hash, anchor)
        while batch := await self._batch(site_id, walk.sequence):
            start = walk.sequence
            if broken := walk.follow(batch):
                removed = await self._chain(site_id)
                if removed.removed_sequence <= start:
                    return walk.verification(site_id, broken)
                walk.sequence, walk.hash = removed.removed_sequence, removed.removed_hash
            on_progress(walk.checked)
        return walk.verification(site_id, walk.why_cut_off(chain))

    async def _chain(self, site_id: int) -> AuditChain:
        return await self._store.read(lambda rows: rows.audit.chain(site_id))


@dataclass(frozen=True, slots=True)
class Anchor:
    """Position and hash in a chain that were recorded elsewhere, such as in an auditor's file."""

    sequence: int
    hash: str


@dataclass(frozen=True, slots=True)
class Break:
    """First entry that does not continue the chain; `entry_id` is empty if the entry is missing."""

    sequence: int
    entry_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Verification:
    """Result of checking a chain: its last position and hash, and where it is broken, if at all."""

    site_id: int
    checked: int
    sequence: int
    hash: str
    broken: Break | None


class _Walk:
    """One pass over a chain; `sequence` and `hash` are those of the last checked entry."""

    def __init__(self, sequence: int, entry_hash: str, anchor: Anchor | None) -> None:
        self.sequence = sequence
        self.hash = entry_hash
        self.checked = 0
        self._anchor = anchor

    def follow(self, batch: Sequence[SealedEntry]) -> Break | None:
        """Check the entries of a batch; return the first break in it."""
        for sealed in batch:
            reason = why_broken(sealed, self.sequence, self.hash)
            if not reason and self._anchor and sealed.sequence == self._anchor.sequence:
                is_anchored = sealed.hash == self._anchor.hash
                reason = "" if is_anchored else "its hash is not the one that was noted elsewhere"
            if reason:
                return Break(sealed.sequence, sealed.entry.id, reason)
            self.sequence, self.hash = sealed.sequence, sealed.hash
            self.checked += 1
        return None

    def why_cut_off(self, chain: AuditChain) -> Break | None:
        """Return a break if entries are missing at the end of the chain."""
        last = max(chain.sequence, self._anchor.sequence if self._anchor else 0)
        if self.sequence < last:
            return Break(
                self.sequence + 1, "", f"the entries from {self.sequence + 1} to {last} are missing"
            )
        if self.sequence == chain.sequence and self.hash != chain.hash:
            return Break(self.sequence, "", "its hash is not the last one of the chain")
        return None

    def verification(self, site_id: int, broken: Break | None) -> Verification:
        return Verification(site_id, self.checked, self.sequence, self.hash, broken)


class Auditor:
    """Creates entries of the audit log."""

    def __init__(self, clock: Clock, new_id: Callable[[], str]) -> None:
        self._clock = clock
        self._new_id = new_id

    def entry(
        self,
        author: Agent | None,
        site_id: int,
        action: ActionType,
        object_name: str,
        summary: str,
        *changes: FieldChange,
    ) -> AuditEntry:
        """Return the entry of an action of an agent, the command line or (`None`) the system."""
        return new_entry(
            self._new_id(), self._clock(), author, site_id, action, object_name, summary, *changes
        )

    def anonymous(
        self,
        site_id: int,
        action: ActionType,
        object_name: str,
        summary: str,
        *changes: FieldChange,
    ) -> AuditEntry:
        """Return the entry of an action of somebody who has not been authenticated."""
        return AuditEntry(
            self._new_id(),
            site_id,
            None,
            self._clock(),
            action.value,
            summary,
            changes,
            ANONYMOUS,
            object_name,
        )


def from_address(address: str) -> FieldChange:
    """Return a detail of an entry: the network that a request came from."""
    return FieldChange("address", "", address or "this machine")


class AuditTrail:
    """Records actions that change nothing in the database, such as playing a recording."""

    def __init__(self, store: Store, clock: Clock, new_id: Callable[[], str]) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id

    async def record_act(
        self,
        site_id: int,
        agent_id: int | None,
        action_type: str,
        summary: str,
        changes: tuple[FieldChange, ...],
        is_new: Callable[[Transaction], bool] = lambda _: True,
    ) -> None:
        """Add an entry; it is durable when this returns. `agent_id` `None` is the system itself.

        `is_new` is called in the transaction of the entry, which is added only if it returns true.
        """
        entry_id, now = self._new_id(), self._clock()
        recordings = [c.new_value or c.old_value for c in changes if c.field_name == "recording"]
        object_name = " ".join(["recording", *recordings]) if recordings else ""

        def work(rows: Transaction) -> None:
            if not is_new(rows):
                return
            agent = rows.agents.get(site_id, agent_id) if agent_id else None
            rows.audit.add(
                AuditEntry(
                    *(entry_id, site_id, agent_id, now, action_type, summary, changes),
                    *(author_of(agent), object_name),
                )
            )

        await self._store.write(work)

    async def record(self, entry: AuditEntry) -> None:
        """Add an entry; it is durable when this returns."""
        await self._store.write(lambda rows: rows.audit.add(entry))


class AuditRetention:
    """Removes entries of the audit log that are older than the operator's limit."""

    def __init__(self, store: Store, auditor: Auditor, clock: Clock, days: int) -> None:
        """`days` is the maximum age of an entry; 0 keeps all entries."""
        self._store = store
        self._auditor = auditor
        self._clock = clock
        self._days = days

    async def trim(self) -> int:
        """Remove the entries that are too old in every site and record it; return their number."""
        if not self._days:
            return 0
        oldest = self._clock() - timedelta(days=self._days)
        sites = await self._store.read(lambda rows: rows.sites.all())
        removed = 0
        for site in sites:
            site_id = site.id

            def work(rows: Transaction, site_id: int = site_id) -> int:
                count = rows.audit.remove_before(site_id, oldest)
                if count:
                    rows.audit.add(self._entry(site_id, count))
                return count

            removed += await self._store.write(work)
        return removed

    def _entry(self, site_id: int, count: int) -> AuditEntry:
        summary = f"Removed {count} entries older than {self._days} days"
        return self._auditor.entry(None, site_id, ActionType.LOG_TRIMMED, "audit log", summary)
