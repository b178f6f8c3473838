"""The archive's library: an index of the recordings in its storage."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Select, delete, func, insert, select, update

from visavis.domain.library import Entry, FoundEntries, LibrarySearch
from visavis.store import tables as t
from visavis.store.rows.base import Rows
from visavis.store.rows.library_search import FIELDS, SqlLibrarySearch, entry_of

DELETING: Final = -1
"""Stamp of a recording that the retention is deleting; no file on disk has it."""

_C: Final = t.library_entries.c


class SqlLibraryRows(Rows):
    def save(self, archive: str, entries: Iterable[tuple[Entry, int]]) -> None:
        rows = [values_of(archive, entry, stamp) for entry, stamp in entries]
        statement = self._upsert(t.library_entries)
        replaced = {name: statement.excluded[name] for name in rows[0]}
        keys = ["archive", "site_id", "id"]
        self._run(statement.on_conflict_do_update(index_elements=keys, set_=replaced), rows)
        by_site = itemgetter("site_id")
        for site_id, some in groupby(sorted(rows, key=by_site), by_site):
            self._save_agents(archive, site_id, [row["id"] for row in some])

    def _save_agents(self, archive: str, site_id: int, ids: Sequence[str]) -> None:
        query = select(_C.number, _C.archive, _C.site_id, _C.started_at, _C.agent_text)
        query = query.where(_C.archive == archive, _C.site_id == site_id, _C.id.in_(ids))
        saved = [dict(row._mapping) for row in self._run(query)]
        numbers = [row["number"] for row in saved]
        self._run(delete(t.library_agents).where(t.library_agents.c.number.in_(numbers)))
        agents = [
            {**row, "agent": agent}
            for row in saved
            for agent in dict.fromkeys(row.pop("agent_text").split("\n"))
            if agent
        ]
        if agents:
            self._run(insert(t.library_agents), agents)

    def find(self, archive: str, site_id: int, recording_id: str) -> Entry | None:
        row = self._run(_of(archive, site_id).where(_C.id == recording_id)).first()
        return entry_of(row._mapping) if row else None

    def stamps(self, archive: str) -> Mapping[tuple[int, str], int]:
        query = select(_C.site_id, _C.id, _C.stamp).where(_C.archive == archive)
        return {(row.site_id, row.id): row.stamp for row in self._run(query)}

    def site_ids(self, archive: str) -> Sequence[int]:
        query = select(_C.site_id).where(_C.archive == archive).distinct().order_by(_C.site_id)
        return [row.site_id for row in self._run(query)]

    def stored_bytes(self, archive: str, site_id: int) -> int:
        query = select(func.sum(_C.size)).where(_C.archive == archive, _C.site_id == site_id)
        return int(self._run(query).scalar_one() or 0)

    def list_due(self, archive: str, site_id: int, before: str, limit: int) -> Sequence[Entry]:
        query = _of(archive, site_id).where(_C.started_at < before, _C.is_held.is_(False))
        query = query.order_by(_C.started_at, _C.id).limit(limit)
        return [entry_of(row._mapping) for row in self._run(query)]

    def hold(self, archive: str, entry: Entry, stamp: int) -> bool:
        result = self._run(
            update(t.library_entries)
            .where(_C.archive == archive, _C.site_id == entry.site_id, _C.id == entry.id)
            .values(is_held=entry.is_held, stamp=stamp)
        )
        return bool(result.rowcount)

    def begin_deletion(self, archive: str, site_id: int, recording_id: str) -> bool:
        result = self._run(
            update(t.library_entries)
            .where(_C.archive == archive, _C.site_id == site_id, _C.id == recording_id)
            .where(_C.stamp != DELETING)
            .values(stamp=DELETING)
        )
        return bool(result.rowcount)

    def delete(self, archive: str, keys: Collection[tuple[int, str]]) -> None:
        for site_id, recording_id in keys:
            self._run(
                delete(t.library_entries).where(
                    _C.archive == archive, _C.site_id == site_id, _C.id == recording_id
                )
            )

    def delete_unless_held(self, archive: str, site_id: int, recording_id: str) -> bool:
        result = self._run(
            delete(t.library_entries)
            .where(_C.archive == archive, _C.site_id == site_id, _C.id == recording_id)
            .where(_C.is_held.is_(False))
        )
        return bool(result.rowcount)

    def search(self, archive: str, site_id: int, search: LibrarySearch) -> FoundEntries:
        rows = SqlLibrarySearch(self._run, self._is_postgresql, self._changed)
        return rows.search(archive, site_id, search)


def _of(archive: str, site_id: int) -> Select[*tuple[Any, ...]]:
    columns = [_C[name] for name in FIELDS]
    return select(*columns).where(_C.archive == archive, _C.site_id == site_id)


def values_of(archive: str, entry: Entry, stamp: int) -> dict[str, Any]:
    """Return an entry as a row of the table."""
    return {
        **{name: getattr(entry, name) for name in FIELDS},
        "agent_names": list(entry.agent_names),
        "missing": list(entry.missing),
        "visitor_text": entry.visitor_text,
        "agent_text": entry.agent_text,
        "visitor_sort": entry.visitor_name.casefold(),
        "archive": archive,
        "stamp": stamp,
    }
