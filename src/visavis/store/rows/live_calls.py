"""Snapshots of the calls in progress, and the sites that are staffed."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, Update, delete, select, update

from visavis.domain.call import CallState, EndReason
from visavis.services.ports import CallSnapshot
from visavis.store import tables as t
from visavis.store.rows.base import Rows

LEVEL: Final = 1
"""Deflated by the fastest level, the two session descriptions of a call take an eighth."""


class SqlLiveCallRows(Rows):
    def save(self, call: CallSnapshot, node_id: str, term: int) -> None:
        values = {
            "call_id": call.call_id,
            "site_id": call.site_id,
            "node_id": node_id,
            "term": term,
            "version": call.version,
            "state": zlib.compress(call.state, LEVEL),
        }
        self._save(t.live_calls, "call_id", values)

    def delete(self, site_id: int, call_id: str) -> None:
        c = t.live_calls.c
        self._run(delete(t.live_calls).where(c.site_id == site_id, c.call_id == call_id))

    def list_by_node(self, node_id: str) -> Sequence[CallSnapshot]:
        c = t.live_calls.c
        return self._list(select(t.live_calls).where(c.node_id == node_id))

    def list_by_site(self, site_id: int, node_id: str) -> Sequence[CallSnapshot]:
        c = t.live_calls.c
        return self._list(select(t.live_calls).where(c.site_id == site_id, c.node_id == node_id))

    def _list(self, query: Select[Any]) -> Sequence[CallSnapshot]:
        return [
            CallSnapshot(row.call_id, row.site_id, row.version, zlib.decompress(row.state))
            for row in self._run(query.order_by(t.live_calls.c.call_id))
        ]

    def move(self, site_id: int, former_id: str, node_id: str) -> None:
        for table in (t.live_calls, t.calls):
            c = table.c
            former = update(table).where(c.site_id == site_id, c.node_id == former_id)
            if table is t.calls:  # a call that has ended keeps its node
                former = former.where(c.state != CallState.ENDED)
            self._run(former.values(node_id=node_id))
        if site_id in self.staffed_sites(former_id):
            self.set_staffed(site_id, former_id, is_staffed=False)
            self.set_staffed(site_id, node_id, is_staffed=True)

    def end_others(self, node_id: str, now: datetime) -> int:
        live, c = t.live_calls.c, t.calls.c
        known = select(live.call_id).where(live.node_id == node_id)
        ended = _ended(now).where(c.node_id.in_((node_id, "")), c.id.not_in(known))
        return int(self._run(ended).rowcount)

    def end(self, site_id: int, call_id: str, now: datetime) -> bool:
        self.delete(site_id, call_id)
        c = t.calls.c
        return bool(self._run(_ended(now).where(c.site_id == site_id, c.id == call_id)).rowcount)

    def set_staffed(self, site_id: int, node_id: str, *, is_staffed: bool) -> None:
        values = {"site_id": site_id, "node_id": node_id}
        if is_staffed:
            self._run(self._upsert(t.staffed_sites).values(values).on_conflict_do_nothing())
            return
        c = t.staffed_sites.c
        self._run(delete(t.staffed_sites).where(c.site_id == site_id, c.node_id == node_id))

    def staffed_sites(self, node_id: str) -> Sequence[int]:
        c = t.staffed_sites.c
        query = select(c.site_id).where(c.node_id == node_id).order_by(c.site_id)
        return list(self._run(query).scalars())


def _ended(now: datetime) -> Update:
    """Return the statement that ends open calls as failed; the caller says which."""
    values = {"state": CallState.ENDED, "ended_at": now, "reason": EndReason.FAILED}
    return update(t.calls).where(t.calls.c.state != CallState.ENDED).values(values)
