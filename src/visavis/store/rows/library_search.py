"""Search of the archive's library, whose cost does not grow with the number of recordings.

If few rows match the filters, a search reads these and sorts them. Otherwise matches are frequent,
and the list is read in its order until the page is full. There are few different names of agents,
so those that contain the sought text are looked up first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Select,
    Subquery,
    and_,
    bindparam,
    case,
    false,
    func,
    literal_column,
    select,
    table,
    text,
    true,
)
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from visavis.domain.library import Entry, FoundEntries, LibrarySearch
from visavis.store import tables as t
from visavis.store.rows.base import Rows

COUNTED: Final = 10_000
"""Maximum number of recordings that are read to count the matches."""
CANDIDATES: Final = 5_000
"""Maximum number of matches of a filter that are read one by one."""
INTERSECTED: Final = 30_000
"""Maximum number of matches of a filter that are intersected with those of another one."""
FEW: Final = 200
"""Number of candidates below which no further filter is applied to reduce them."""
AGENTS: Final = 10_000
"""Maximum number of agents' names that are compared with the sought text."""
NAMED: Final = 500
"""Maximum number of matching names of agents whose recordings are looked up."""
MERGED: Final = 20
"""Maximum number of matching names of agents whose lists are merged."""
TRIGRAM: Final = 3
"""Length of the shortest text that the index of trigrams finds."""

Columns: TypeAlias = ReadOnlyColumnCollection[str, Any]
Filters: TypeAlias = Callable[[Any, LibrarySearch], list[ColumnElement[bool]]]
Numbers: TypeAlias = Select[int]

_C: Final = t.library_entries.c
_A: Final = t.library_agents.c
_ORDERS: Final[Mapping[str, str]] = {
    "startedAt": "started_at",
    "duration": "duration",
    "visitor": "visitor_sort",
    "agent": "agent_text",
    "size": "size",
}
_ROWID: Final = literal_column("rowid", Integer)
FIELDS: Final = tuple(name for name in Entry.__struct_fields__)


class SqlLibrarySearch(Rows):
    def search(self, archive: str, site_id: int, search: LibrarySearch) -> FoundEntries:
        found, total, is_exact = self._find(archive, site_id, search)
        return FoundEntries(self._entries(archive, site_id, found), total, is_exact)

    def _find(
        self, archive: str, site_id: int, search: LibrarySearch
    ) -> tuple[Sequence[int], int, bool]:
        """Return the numbers of the page's recordings, the total, and whether it is exact."""
        agents = self._agents(archive, site_id, search.agent) if search.agent else None
        if agents is not None and not agents:
            return [], 0, True
        is_merged = agents and len(agents) <= MERGED and search.order == "startedAt"
        if not (is_merged and _is_for_agent_alone(search)):
            candidates = self._candidates(archive, site_id, search, agents or ())
            if candidates is not None:
                found = self._sorted(candidates, archive, site_id, search)
                return found[search.offset :][: search.limit], len(found), True
        if agents and is_merged:
            found = self._merged(archive, site_id, search, agents)
        else:
            found = self._listed(archive, site_id, search, agents or ())
        known = search.offset + min(len(found), search.limit)
        if len(found) <= search.limit and (found or not search.offset):
            return found, known, True
        total, is_exact = self._counted(archive, site_id, search, agents or ())
        return found[: search.limit], total if is_exact else max(total, known), is_exact

    def _agents(self, archive: str, site_id: int, part: str) -> Sequence[str] | None:
        """Return the names that contain a text; None if there are too many to compare.

        Each step of the recursion seeks the next name in the index, and so skips the recordings of
        each agent.
        """
        first = select(func.min(_A.agent).label("agent")).where(*_of(_A, archive, site_id))
        names = first.cte("names", recursive=True)
        following = select(func.min(_A.agent)).where(
            *_of(_A, archive, site_id), _A.agent > names.c.agent
        )
        names = names.union_all(
            select(following.scalar_subquery()).where(names.c.agent.is_not(None))
        )
        found = self._run(select(names.c.agent).limit(AGENTS + 1)).scalars().all()
        if len(found) > AGENTS:
            return None
        sought = part.casefold()
        return [name for name in found if name and sought in name]

    def _candidates(
        self, archive: str, site_id: int, search: LibrarySearch, agents: Sequence[str]
    ) -> set[int] | None:
        """Return the recordings that may be found; None if they are too many to read each."""
        if not _filters(_C, search) and search.order == "startedAt":
            return None
        probes = tuple(self._probes(archive, site_id, search, agents))
        in_time, has_times = self._in_time(archive, site_id, search), bool(_times(_C, search))
        most = INTERSECTED if len(probes) + has_times > 1 else CANDIDATES
        queries = [(in_time, most if has_times else CANDIDATES), *((one, most) for one in probes)]
        candidates = self._intersected(queries)
        return candidates if candidates is None or len(candidates) <= CANDIDATES else None

    def _intersected(self, queries: Iterable[tuple[Numbers, int]]) -> set[int] | None:
        """Return the common results of the queries, without those that exceed their limit."""
        common: set[int] | None = None
        for query, most in queries:
            found = self._aggregated(query.limit(most + 1))
            if len(found) <= most:
                common = set(found) if common is None else common & set(found)
                if len(common) <= FEW:
                    break
        return common

    def _aggregated(self, query: Numbers) -> Sequence[int]:
        """Return the numbers, which the database returns as one value: rows would take longer."""
        (number,) = query.subquery().c
        if self._is_postgresql:
            return self._run(select(func.array_agg(number))).scalar_one() or ()
        found: list[int] = json.loads(self._run(select(func.json_group_array(number))).scalar_one())
        return found

    def _in_time(self, archive: str, site_id: int, search: LibrarySearch) -> Numbers:
        of = (*_of(_C, archive, site_id), *_times(_C, search))
        return select(_C.number).where(*of).order_by(_C.started_at)

    def _probes(
        self, archive: str, site_id: int, search: LibrarySearch, agents: Sequence[str]
    ) -> Iterator[Numbers]:
        """Yield, for each filter, the query for the recordings that its index finds."""
        numbers = select(_C.number).where(*_of(_C, archive, site_id))
        if search.is_held:
            yield numbers.where(*_held(_C, search)).order_by(_C.started_at)
        if search.media:
            media = (*_media(_C, search), *_times(_C, search))
            yield numbers.where(*media).order_by(_C.started_at)
        if durations := _durations(_C, search):
            yield numbers.where(*durations).order_by(_C.duration)
        if agents and len(agents) <= NAMED:
            yield _named(archive, site_id, search, agents)
        if len(search.visitor) >= TRIGRAM:
            yield self._by_trigrams(numbers, search)

    def _by_trigrams(self, numbers: Numbers, search: LibrarySearch) -> Numbers:
        part = search.visitor.casefold()
        if self._is_postgresql:
            return numbers.where(*_visitor(_C, search))
        phrase = '"{}"'.format(part.replace('"', '""'))
        matches = text("library_text MATCH :phrase").bindparams(phrase=phrase)
        return select(_ROWID).select_from(table("library_text")).where(matches)

    def _sorted(
        self, candidates: Iterable[int], archive: str, site_id: int, search: LibrarySearch
    ) -> Sequence[int]:
        """Return the candidates that match, in the order of the list.

        Candidates may be of other sites, because the index of trigrams is of all sites.
        """
        filters = (*_times(_C, search), *_filters(_C, search))
        of = _computed_of(archive, site_id)
        query = select(_C.number).where(self._is_one_of(candidates), *of, *filters)
        return self._aggregated(query.order_by(*_order(_C, search)))

    def _listed(
        self, archive: str, site_id: int, search: LibrarySearch, agents: Sequence[str]
    ) -> Sequence[int]:
        """Return the page and the recording after it, read along the index of the order.

        The filters are compared as expressions without an index, so that no planner uses another
        index and sorts all rows that match a filter. An agent's recordings are recognized by their
        numbers, which are in SQLite's index of the order, so no rows are read.
        """
        filters: Sequence[ColumnElement[bool]] = _filters(_COMPUTED, search)
        if agents and len(agents) <= NAMED and _is_for_agent_alone(search):
            numbers = self._aggregated(_named(archive, site_id, search, agents, INTERSECTED + 1))
            if len(numbers) <= INTERSECTED:
                filters = [self._is_one_of(numbers, _C.number + 0)]
        query = select(_C.number).where(*_of(_C, archive, site_id), *_times(_C, search), *filters)
        query = query.order_by(*_order(_C, search)).limit(search.limit + 1).offset(search.offset)
        return self._run(query).scalars().all()

    def _merged(
        self, archive: str, site_id: int, search: LibrarySearch, agents: Iterable[str]
    ) -> Sequence[int]:
        """Return the page and the recording after it, merged from the lists of these agents.

        Reading all recordings would take long if those of the agents are old.
        """
        end = search.offset + search.limit + 1
        order = (_A.started_at, _A.number)
        query = select(*order).where(*_of(_A, archive, site_id), *_times(_A, search))
        if filters := _filters(_C, search):
            query = query.join(t.library_entries, _C.number == _A.number).where(*filters)
        query = query.where(_A.agent == bindparam("name")).limit(end)
        query = query.order_by(*(one.desc() if search.is_descending else one for one in order))
        found = {
            (row.started_at, row.number)
            for name in agents
            for row in self._run(query, {"name": name})
        }
        ordered = sorted(found, reverse=search.is_descending)
        return [number for _, number in ordered[search.offset : end]]

    def _counted(
        self, archive: str, site_id: int, search: LibrarySearch, agents: Sequence[str]
    ) -> tuple[int, bool]:
        """Return the number of matches and true, or a number that they exceed and false."""
        if agents and len(agents) <= NAMED and _is_for_agent_alone(search):
            some = _named(archive, site_id, search, agents, COUNTED + 1).subquery()
            return self._count(some, func.count(some.c.number.distinct()))
        looked_at = (*_of(_C, archive, site_id), *_times(_C, search), *_media(_C, search))
        compared = [name for name, filters in _FILTERS.items() if filters(_C, search)]
        rows = select(*(_C[name] for name in compared or ("number",))).where(*looked_at)
        some = rows.order_by(_C.started_at.desc()).limit(COUNTED + 1).subquery()
        matches = [one for name in compared for one in _FILTERS[name](some.c, search)]
        return self._count(some, func.count(case((and_(true(), *matches), 1))))

    def _count(self, some: Subquery, found: ColumnElement[int]) -> tuple[int, bool]:
        seen, total = self._run(select(func.count(), found).select_from(some)).one()
        is_exact = seen <= COUNTED
        return (total, True) if is_exact else (max(total - 1, 0), False)

    def _entries(self, archive: str, site_id: int, numbers: Sequence[int]) -> list[Entry]:
        if not numbers:
            return []
        query = select(_C.number, *(_C[name] for name in FIELDS))
        query = query.where(self._is_one_of(numbers), *_computed_of(archive, site_id))
        rows = {row.number: row for row in self._run(query)}
        # PostgreSQL's statements see different states: one may have been deleted in between
        return [entry_of(rows[number]._mapping) for number in numbers if number in rows]

    def _is_one_of(
        self, numbers: Iterable[int], number: ColumnElement[int] = _C.number
    ) -> ColumnElement[bool]:
        """Return the condition that a recording has one of these numbers, as one parameter."""
        if self._is_postgresql:
            return number == func.any(bindparam("numbers", list(numbers), ARRAY(Integer)))
        values = func.json_each(json.dumps(list(numbers))).table_valued("value")
        return number.in_(select(values.c.value))


class _Computed:
    """The columns that filters compare, as expressions without an index.

    The kind of media stays a column, because its index also has the order of the list.
    """

    duration = _C.duration + 0.0
    media = _C.media
    is_held = _C.is_held
    visitor_text = _C.visitor_text.concat("")
    agent_text = _C.agent_text.concat("")


_COMPUTED: Final = _Computed()


def _of(c: Columns, archive: str, site_id: int) -> tuple[ColumnElement[bool], ...]:
    return c.archive == archive, c.site_id == site_id


def _computed_of(archive: str, site_id: int) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of `_of` as expressions without an index: numbers find the rows.

    A planner without statistics would read all rows of the site in the order of the list.
    """
    return _C.archive.concat("") == archive, _C.site_id + 0 == site_id


def _named(
    archive: str,
    site_id: int,
    search: LibrarySearch,
    agents: Sequence[str],
    limit: int | None = None,
) -> Numbers:
    """Return the query of the recordings that these agents have in the time."""
    names = (*_of(_A, archive, site_id), _A.agent.in_(agents), *_times(_A, search))
    return select(_A.number).where(*names).limit(limit)


def _order(c: Columns, search: LibrarySearch) -> tuple[ColumnElement[Any], ...]:
    column = c[_ORDERS[search.order]]
    return (column.desc(), c.id.desc()) if search.is_descending else (column, c.id)


def _is_for_agent_alone(search: LibrarySearch) -> bool:
    others = (_held, _media, _durations, _visitor)
    return not any(filters(_C, search) for filters in others)


def _times(c: Any, search: LibrarySearch) -> list[ColumnElement[bool]]:
    since = [c.started_at >= search.since] if search.since else []
    return since + ([c.started_at < search.until] if search.until else [])


def _filters(c: Any, search: LibrarySearch) -> list[ColumnElement[bool]]:
    """Return the conditions of all filters but the time."""
    others = [condition for filters in _FILTERS.values() for condition in filters(c, search)]
    return _media(c, search) + others


def _held(c: Any, search: LibrarySearch) -> list[ColumnElement[bool]]:
    if search.is_held is None:
        return []
    # not IS, which does not match the condition of the partial index
    return [c.is_held == true() if search.is_held else c.is_held == false()]


def _media(c: Any, search: LibrarySearch) -> list[ColumnElement[bool]]:
    return [c.media == search.media] if search.media else []


def _durations(c: Any, search: LibrarySearch) -> list[ColumnElement[bool]]:
    least = [c.duration >= search.shortest] if search.shortest is not None else []
    return least + ([c.duration <= search.longest] if search.longest is not None else [])


def _visitor(c: Any, search: LibrarySearch) -> list[ColumnElement[bool]]:
    return [_contains(c.visitor_text, search.visitor)] if search.visitor else []


def _agent(c: Any, search: LibrarySearch) -> list[ColumnElement[bool]]:
    return [_contains(c.agent_text, search.agent)] if search.agent else []


_FILTERS: Final[Mapping[str, Filters]] = {
    "is_held": _held,
    "duration": _durations,
    "visitor_text": _visitor,
    "agent_text": _agent,
}
"""Filters by the column that they compare; the kind of media has an index by time."""


def _contains(column: ColumnElement[str], part: str) -> ColumnElement[bool]:
    return column.contains(part.casefold(), autoescape=True)


def entry_of(row: Mapping[Any, Any]) -> Entry:
    """Return a row of the table as an entry."""
    values = {name: row[name] for name in FIELDS}
    lists = {"agent_names": tuple(row["agent_names"]), "missing": tuple(row["missing"])}
    return Entry(**{**values, **lists})
