"""Leases of the jobs that one process at a time does, by the database's clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import ColumnElement, and_, or_, select, update

from visavis.domain.jobs import JobLease
from visavis.store import tables as t
from visavis.store.rows.base import Rows

MAX_STEP_SECONDS: Final = 60.0
"""Seconds by which the database's clock may go back without an effect, as in a fail-over."""


class SqlJobRows(Rows):
    def get(self, name: str) -> JobLease | None:
        return next(iter(self._list(name)), None)

    def all(self) -> Sequence[JobLease]:
        return self._list(None)

    def _list(self, name: str | None) -> Sequence[JobLease]:
        c, now = t.job_leases.c, self._database_time()
        query = select(t.job_leases, _is_due(now).label("is_due")).order_by(c.name)
        if name is not None:
            query = query.where(c.name == name)
        return [
            JobLease(row.name, row.holder, row.term, bool(row.is_due), row.figures)
            for row in self._run(query)
        ]

    def take(self, name: str, holder: str, seconds: float) -> int | None:
        c, now = t.job_leases.c, self._database_time()
        lease = {"holder": holder, "until": now + seconds, "taken_at": now}
        statement = self._upsert(t.job_leases).values(name=name, term=1, due_at=0.0, **lease)
        statement = statement.on_conflict_do_update(
            index_elements=["name"],
            set_={**lease, "term": c.term + 1},
            where=_is_due(now),
        )
        term: int | None = self._run(statement.returning(c.term)).scalar()
        return term

    def renew(self, name: str, term: int, seconds: float) -> bool:
        c = t.job_leases.c
        mine = update(t.job_leases).where(c.name == name, c.term == term)
        return bool(self._run(mine.values(until=self._database_time() + seconds)).rowcount)

    def give_back(
        self, name: str, term: int, pause: float, figures: Mapping[str, float] | None
    ) -> None:
        c = t.job_leases.c
        mine = update(t.job_leases).where(c.name == name, c.term == term)
        due_at = c.taken_at + pause if pause else 0.0
        self._run(mine.values(until=0.0, due_at=due_at, figures=figures))


def _is_due(now: ColumnElement[float]) -> ColumnElement[bool]:
    """Return the condition that nobody does the job and its time has come.

    It also holds for a lease from the future: the database's clock has been set back since.
    """
    c = t.job_leases.c
    return or_(and_(c.until <= now, c.due_at <= now), c.taken_at > now + MAX_STEP_SECONDS)
