"""The audit log: entries are added and, because of their age, removed; never changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Row,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from visavis.domain.audit import (
    EVERY_ENTRY,
    AuditChain,
    AuditEntry,
    AuditSearch,
    FieldChange,
    SealedEntry,
    hash_of,
    time_text,
)
from visavis.store import tables as t
from visavis.store.rows.base import Rows


class SqlAuditRows(Rows):
    def add(self, entry: AuditEntry) -> None:
        """Append an entry to the chain of its site.

        The chain stays locked until the transaction ends, so this comes last in a unit of work.
        """
        chain = self.lock(entry.site_id)
        sequence = chain.sequence + 1
        entry_hash = hash_of(entry, sequence, chain.hash)
        self._run(
            insert(t.audit).values(
                id=entry.id,
                site_id=entry.site_id,
                agent_id=entry.agent_id,
                created_at=time_text(entry.created_at),
                action_type=entry.action_type,
                summary=entry.summary,
                changes=msgspec.json.encode(entry.changes).decode(),
                author=entry.author,
                object_name=entry.object_name,
                sequence=sequence,
                previous_hash=chain.hash,
                hash=entry_hash,
            )
        )
        self._set_chain(entry.site_id, sequence=sequence, hash=entry_hash)

    def lock(self, site_id: int) -> AuditChain:
        """As `chain`, and nobody else appends to it until this transaction ends."""
        query = select(t.audit_chains).where(t.audit_chains.c.site_id == site_id)
        return _chain(self._run(query.with_for_update()).one())

    def chain(self, site_id: int) -> AuditChain:
        query = select(t.audit_chains).where(t.audit_chains.c.site_id == site_id)
        row = self._run(query).first()
        return _chain(row) if row else AuditChain()

    def count(self, site_id: int, search: AuditSearch = EVERY_ENTRY) -> int:
        query = select(func.count()).where(t.audit.c.site_id == site_id, *_wanted(site_id, search))
        return int(self._run(query).scalar_one())

    def list_page(
        self, site_id: int, limit: int, offset: int = 0, search: AuditSearch = EVERY_ENTRY
    ) -> Sequence[AuditEntry]:
        c = t.audit.c
        query = select(t.audit).where(c.site_id == site_id, *_wanted(site_id, search))
        query = query.order_by(c.sequence.desc()).limit(limit).offset(offset)
        return [_entry(row) for row in self._run(query)]

    def get(self, site_id: int, entry_id: str) -> AuditEntry | None:
        c = t.audit.c
        query = select(t.audit).where(c.site_id == site_id, c.id == entry_id)
        row = self._run(query).first()
        return _entry(row) if row else None

    def sealed(
        self, site_id: int, after: int, limit: int, search: AuditSearch = EVERY_ENTRY
    ) -> Sequence[SealedEntry]:
        c = t.audit.c
        query = select(t.audit).where(
            c.site_id == site_id, c.sequence > after, *_wanted(site_id, search)
        )
        rows = self._run(query.order_by(c.sequence).limit(limit))
        return [SealedEntry(_entry(r), r.sequence, r.previous_hash, r.hash) for r in rows]

    def remove_before(self, site_id: int, moment: datetime) -> int:
        """Remove the entries that precede every entry of `moment` or later; return how many.

        The newest entry stays in any case.
        """
        c = t.audit.c
        chain = self.lock(site_id)
        of_site = c.site_id == site_id
        kept = select(func.min(c.sequence)).where(of_site, c.created_at >= time_text(moment))
        through = (self._run(kept).scalar() or chain.sequence) - 1
        if through <= chain.removed_sequence:
            return 0
        last = self._run(select(c.hash).where(of_site, c.sequence == through)).scalar_one()
        removed = self._run(delete(t.audit).where(of_site, c.sequence <= through)).rowcount
        self._set_chain(site_id, removed_sequence=through, removed_hash=last)
        return removed

    def _set_chain(self, site_id: int, **values: Any) -> None:
        of_site = t.audit_chains.c.site_id == site_id
        self._run(update(t.audit_chains).where(of_site).values(values))


def _wanted(site_id: int, search: AuditSearch) -> Iterator[ColumnElement[bool]]:
    c = t.audit.c
    if search.agent_id is not None:
        yield c.agent_id == search.agent_id
    if search.actions:
        yield c.action_type.in_(search.actions)
    if search.since:
        yield c.created_at >= time_text(search.since)
    if search.until:
        yield c.created_at < time_text(search.until)
    if search.author:
        agents = t.agents.c
        named = select(agents.id).where(
            agents.site_id == site_id, agents.name.icontains(search.author, autoescape=True)
        )
        yield or_(c.author.icontains(search.author, autoescape=True), c.agent_id.in_(named))
    if search.object_name:
        parts = (c.object_name, c.summary)
        yield or_(*(part.icontains(search.object_name, autoescape=True) for part in parts))


def _chain(row: Row[Any]) -> AuditChain:
    return AuditChain(row.sequence, row.hash, row.removed_sequence, row.removed_hash)


def _entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(
        row.id,
        row.site_id,
        row.agent_id,
        _moment(row.created_at),
        row.action_type,
        row.summary,
        _changes(row.changes),
        row.author,
        row.object_name,
    )


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:  # an entry that was corrupted must be readable too
        return datetime.min.replace(tzinfo=UTC)


def _changes(text: str) -> tuple[FieldChange, ...]:
    try:
        return msgspec.json.decode(text, type=tuple[FieldChange, ...])
    except msgspec.MsgspecError:
        return (FieldChange("unreadable", "", text),)
