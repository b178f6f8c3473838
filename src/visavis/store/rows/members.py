"""Members: the nodes that share the database, each with a beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, Select, delete, func, select, update

from visavis.domain.membership import Member, MemberLoad, MemberState
from visavis.store import tables as t
from visavis.store.rows.base import Rows


class SqlMemberRows(Rows):
    def beat(self, me: Member) -> Sequence[Member]:
        c = t.members.c
        values = {**_values(me), "beat": c.beat + 1, "beaten_at": self._database_time()}
        moved = update(t.members).where(c.node_id == me.node_id).values(values)
        query = _members()
        if self._is_postgresql:
            # one round trip, and no wait for a standby, since a beat may be lost
            is_quick = func.set_config("synchronous_commit", "off", True)
            query = query.add_columns(is_quick).add_cte(moved.cte("moved"))
        else:
            self._run(moved)
        found = [_member(row) for row in self._run(query)]
        if any(member.node_id == me.node_id for member in found):
            return found
        self._add(me)
        return [*found, me]

    def _add(self, me: Member) -> None:
        values = {**_values(me), "beat": 0, "beaten_at": self._database_time()}
        statement = self._upsert(t.members).values(node_id=me.node_id, **values)
        self._run(statement.on_conflict_do_update(index_elements=["node_id"], set_=values))

    def all(self) -> Sequence[Member]:
        return [_member(row) for row in self._run(_members())]

    def stop(self, node_id: str, boot: str) -> None:
        c = t.members.c
        mine = update(t.members).where(c.node_id == node_id, c.boot == boot)
        self._run(mine.values(state=MemberState.STOPPED))

    def delete_silent(self, seconds: float) -> int:
        before = self._database_time() - seconds
        return int(self._run(delete(t.members).where(t.members.c.beaten_at < before)).rowcount)


def _members() -> Select[Any]:
    return select(t.members).order_by(t.members.c.node_id)


def _values(member: Member) -> dict[str, Any]:
    return {
        "boot": member.boot,
        "started_at": member.started_at,
        "version": member.version,
        "machine": member.machine,
        "url": member.url,
        "roles": list(member.roles),
        "state": member.state,
        "load": asdict(member.load),
        "counts": dict(member.counts),
    }


def _member(row: Row[Any]) -> Member:
    known = MemberLoad.__dataclass_fields__
    return Member(
        node_id=row.node_id,
        boot=row.boot,
        started_at=row.started_at,
        version=row.version,
        machine=row.machine,
        url=row.url,
        roles=tuple(row.roles),
        state=MemberState(row.state),
        # a newer version may report more
        load=MemberLoad(**{name: value for name, value in row.load.items() if name in known}),
        beat=row.beat,
        counts=row.counts,
    )
