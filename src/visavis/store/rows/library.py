"""The archive's library: its recordings, found by people, time, length and kind.

A page is read along the index of its order, so its cost does not depend on the number of
recordings. Rare names are found by an index of trigrams: SQLite's FTS5, PostgreSQL's pg_trgm.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, delete, false, func, select, text, true, update

from visavis.domain.library import Entry, FoundEntries, LibrarySearch
from visavis.store import tables as t
from visavis.store.rows.base import Rows

COUNTED: Final = 10_000
"""Recordings that are counted exactly if a search has no filter but the time."""
COUNTED_FILTERED: Final = 1_000
"""Recordings that are counted exactly if a search has other filters, which read the rows."""
CANDIDATES: Final = 5_000
"""Recordings with a name up to which SQLite reads each of them; more are found in their order."""
TRIGRAM: Final = 3
"""Length of the shortest text that the index of trigrams finds."""

_C: Final = t.library_entries.c
_ORDERS: Final[Mapping[str, ColumnElement[Any]]] = {
    "startedAt": _C.started_at,
    "duration": _C.duration,
    "visitor": _C.visitor_sort,
    "agent": _C.agent_text,
    "size": _C.size,
}
_FIELDS: Final = tuple(name for name in Entry.__struct_fields__)


class SqlLibraryRows(Rows):
    def save(self, archive: str, entries: Iterable[tuple[Entry, int]]) -> None:
        rows = [_values(archive, entry, stamp) for entry, stamp in entries]
        statement = self._upsert(t.library_entries)
        replaced = {name: statement.excluded[name] for name in rows[0]}
        keys = ["archive", "site_id", "id"]
        self._run(statement.on_conflict_do_update(index_elements=keys, set_=replaced), rows)

    def find(self, archive: str, site_id: int, recording_id: str) -> Entry | None:
        row = self._run(_of(archive, site_id).where(_C.id == recording_id)).first()
        return _entry(row) if row else None

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
        return [_entry(row) for row in self._run(query)]

    def hold(self, archive: str, entry: Entry, stamp: int) -> bool:
        result = self._run(
            update(t.library_entries)
            .where(_C.archive == archive, _C.site_id == entry.site_id, _C.id == entry.id)
            .values(is_held=entry.is_held, stamp=stamp)
        )
        return bool(result.rowcount)

    def delete(self, archive: str, keys: Collection[tuple[int, str]]) -> None:
        for site_id, recording_id in keys:
            self._run(
                delete(t.library_entries).where(
                    _C.archive == archive, _C.site_id == site_id, _C.id == recording_id
                )
            )

    def search(self, archive: str, site_id: int, search: LibrarySearch) -> FoundEntries:
        candidates = self._candidates(search)
        of = _of_candidates if candidates else _of
        query = of(archive, site_id).where(*_times(search))
        filters = [*_filters(search), *_people(search), *candidates]
        order = _ORDERS[search.order]
        ordered = [order.desc(), _C.id.desc()] if search.is_descending else [order, _C.id]
        page = query.where(*filters).order_by(*ordered)
        rows = self._run(page.limit(search.limit).offset(search.offset)).all()
        most = COUNTED_FILTERED if filters else COUNTED
        counted = query.where(*filters).with_only_columns(_C.id).limit(most + 1).subquery()
        total = int(self._run(select(func.count()).select_from(counted)).scalar_one())
        is_exact = total <= most
        known = search.offset + len(rows)
        return FoundEntries(
            [_entry(row) for row in rows], max(total - (not is_exact), known), is_exact
        )

    def _candidates(self, search: LibrarySearch) -> list[ColumnElement[bool]]:
        """Return the conditions by which SQLite reads only the rows with a rare name."""
        if self._is_postgresql:
            return []
        sought = (("visitor_text", search.visitor), ("agent_text", search.agent))
        parts = [(name, part.casefold()) for name, part in sought]
        return [
            condition
            for name, part in parts
            if len(part) >= TRIGRAM
            for condition in self._by_trigrams(name, part)
        ]

    def _by_trigrams(self, column: str, part: str) -> list[ColumnElement[bool]]:
        """Return the condition by which SQLite reads only candidates, if they are few."""
        phrase = f'{column}: "{part.replace(chr(34), chr(34) * 2)}"'
        found = "SELECT rowid FROM library_text WHERE library_text MATCH :phrase"
        counted = text(f"SELECT count(*) FROM ({found} LIMIT {CANDIDATES + 1})")  # noqa: S608
        if int(self._run(counted, {"phrase": phrase}).scalar_one()) > CANDIDATES:
            return []
        candidates = text(f"library_entries.number IN ({found})").bindparams(phrase=phrase)
        return [candidates]  # type: ignore[list-item]


def _of(archive: str, site_id: int) -> Select[*tuple[Any, ...]]:
    columns = [_C[name] for name in _FIELDS]
    return select(*columns).where(_C.archive == archive, _C.site_id == site_id)


def _of_candidates(archive: str, site_id: int) -> Select[*tuple[Any, ...]]:
    """As `_of`, for SQLite, by row numbers alone.

    SQLite has no statistics of a new table and would otherwise read all rows of the site in the
    order of the page. A unary plus keeps it from using an index (sqlite.org/optoverview.html).
    """
    names = text(
        "+library_entries.archive = :archive AND +library_entries.site_id = :site_id"
    ).bindparams(archive=archive, site_id=site_id)
    return select(*(_C[name] for name in _FIELDS)).where(names)


def _people(search: LibrarySearch) -> list[ColumnElement[bool]]:
    sought = ((_C.visitor_text, search.visitor), (_C.agent_text, search.agent))
    return [column.contains(part.casefold(), autoescape=True) for column, part in sought if part]


def _times(search: LibrarySearch) -> list[ColumnElement[bool]]:
    since = [_C.started_at >= search.since] if search.since else []
    return since + ([_C.started_at < search.until] if search.until else [])


def _filters(search: LibrarySearch) -> list[ColumnElement[bool]]:
    filters = list[ColumnElement[bool]]()
    if search.shortest is not None:
        filters.append(_C.duration >= search.shortest)
    if search.longest is not None:
        filters.append(_C.duration <= search.longest)
    if search.media:
        filters.append(_C.media == search.media)
    if search.is_held is not None:
        # not IS, which does not match the condition of the partial index
        filters.append(_C.is_held == true() if search.is_held else _C.is_held == false())
    return filters


def _values(archive: str, entry: Entry, stamp: int) -> dict[str, Any]:
    return {
        **{name: getattr(entry, name) for name in _FIELDS},
        "agent_names": list(entry.agent_names),
        "missing": list(entry.missing),
        "visitor_text": entry.visitor_text,
        "agent_text": entry.agent_text,
        "visitor_sort": entry.visitor_name.casefold(),
        "archive": archive,
        "stamp": stamp,
    }


def _entry(row: Row[Any]) -> Entry:
    lists = {"agent_names": tuple(row.agent_names), "missing": tuple(row.missing)}
    return Entry(**{**row._mapping, **lists})
