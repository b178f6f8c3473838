"""Owners of the sites in each cluster, with their terms."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import bindparam, func, literal, select, true, update

from visavis.domain.ownership import NOBODY, SiteOwner
from visavis.store import tables as t
from visavis.store.rows.base import Rows

_KEY = ("cluster", "site_id")
_HELD = t.site_owners.c
_HOLD = (  # built once, because every batch of call events begins with it
    select(t.site_owners)
    .where(_HELD.cluster == bindparam("cluster"))
    .where(_HELD.site_id.in_(bindparam("site_ids", expanding=True)))
    .order_by(_HELD.site_id)
    .with_for_update(read=True)
)


class SqlSiteOwnerRows(Rows):
    def take(self, cluster: str, owner: SiteOwner, seen_term: int) -> bool:
        values = {
            "node_id": owner.node_id,
            "boot": owner.boot,
            "term": owner.term,
            "since": self._database_time(),
        }
        statement = self._upsert(t.site_owners)
        statement = statement.values(cluster=cluster, site_id=owner.site_id, **values)
        is_seen = t.site_owners.c.term == seen_term
        statement = statement.on_conflict_do_update(index_elements=_KEY, set_=values, where=is_seen)
        taken = self._run(statement.returning(t.site_owners.c.term))
        return taken.first() is not None

    def take_all(self, cluster: str, node_id: str, boot: str) -> Mapping[int, int]:
        c = t.site_owners.c
        owner = {"node_id": node_id, "boot": boot, "since": self._database_time()}
        sites = (
            select(
                literal(cluster),
                t.sites.c.id,
                literal(node_id),
                literal(boot),
                literal(1),
                self._database_time(),
            )
            .where(true())  # otherwise SQLite parses ON CONFLICT as the join's condition
            .order_by(t.sites.c.id)  # rows are locked in the order of `hold`
        )
        statement = self._upsert(t.site_owners).from_select(
            ["cluster", "site_id", "node_id", "boot", "term", "since"], sites
        )
        statement = statement.on_conflict_do_update(
            index_elements=_KEY, set_={**owner, "term": c.term + 1}
        )
        rows = self._run(statement.returning(c.site_id, c.term))
        return {row.site_id: row.term for row in rows}

    def take_own(self, cluster: str, node_id: str, boot: str) -> Mapping[int, int]:
        c, owner = t.site_owners.c, {"boot": boot, "since": self._database_time()}
        is_own = (c.cluster == cluster, c.node_id == node_id)
        # rows are locked in the order of `hold`
        own = select(c.site_id).where(*is_own).order_by(c.site_id).with_for_update()
        sites = list(self._run(own).scalars())
        again = update(t.site_owners).where(*is_own, c.site_id.in_(sites))
        taken = self._run(again.values(**owner, term=c.term + 1).returning(c.site_id, c.term))
        terms = {row.site_id: row.term for row in taken}
        live = t.live_calls.c
        owned = select(c.site_id).where(c.cluster == cluster)
        rest = select(live.site_id).where(live.node_id == node_id, live.site_id.not_in(owned))
        for site_id in list(self._run(rest.distinct().order_by(live.site_id)).scalars()):
            if self.take(cluster, SiteOwner(site_id, node_id, boot, 1), NOBODY):
                terms[site_id] = 1
        return terms

    def get(self, cluster: str, site_id: int) -> SiteOwner | None:
        c = t.site_owners.c
        query = select(t.site_owners).where(c.cluster == cluster, c.site_id == site_id)
        row = self._run(query).first()
        return SiteOwner(row.site_id, row.node_id, row.boot, row.term) if row else None

    def hold(self, cluster: str, site_ids: Collection[int]) -> Mapping[int, SiteOwner]:
        found = self._run(_HOLD, {"cluster": cluster, "site_ids": sorted(site_ids)})
        return {
            row.site_id: SiteOwner(row.site_id, row.node_id, row.boot, row.term) for row in found
        }

    def count_by_node(self) -> Mapping[str, int]:
        c = t.site_owners.c
        query = select(c.node_id, func.count(c.site_id)).group_by(c.node_id)
        return {row[0]: row[1] for row in self._run(query)}
