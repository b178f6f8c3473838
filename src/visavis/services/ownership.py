"""Sites that this process owns, with the terms that fence processes which owned them before.

Every batch of the call log begins with the fence: it locks the rows of its sites' owners until the
commit, so that no other process takes them meanwhile. Records of a site that another process owns
are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import structlog

from visavis.domain.ownership import NOBODY, SiteOwner, SiteTerm
from visavis.services.ports import Transaction

log = structlog.get_logger(__name__)


class Ownership:
    """Sites of one process in its cluster, the nodes whose pages can be in a call with one another.

    Without a `cluster`, a node is one of its own, named by its id. Its process takes every site
    when it starts, and a site that is added later with its first call. In a cluster of several
    nodes, it takes those of the node's former process, and others when it is asked about them.
    `on_lost` is called with each site that another process has taken.
    """

    def __init__(
        self, node_id: str, boot: str, on_lost: Callable[[int], None], cluster: str = ""
    ) -> None:
        self.cluster = cluster or node_id
        self.node_id = node_id
        self._boot = boot
        self._on_lost = on_lost
        self._terms: dict[int, int] = {}
        self.lost: set[int] = set()
        """Sites that another process has taken since the start."""

    @property
    def owned_count(self) -> int:
        """Number of sites that this process owns."""
        return len(self._terms)

    @property
    def sites(self) -> Collection[int]:
        """Sites that this process owns as far as it knows."""
        return list(self._terms)

    def term_of(self, site_id: int) -> SiteTerm | None:
        """Return the term of a site of this process."""
        term = self._terms.get(site_id)
        return SiteTerm(site_id, term) if term else None

    def owns(self, site_id: int) -> bool:
        return site_id in self._terms

    def take_all(self, rows: Transaction) -> Mapping[int, int]:
        """Take the sites of this node's former process, and every site if the node is alone.

        `begin` follows with the result when that is committed.
        """
        owners = rows.site_owners
        take = owners.take_all if self.cluster == self.node_id else owners.take_own
        return take(self.cluster, self.node_id, self._boot)

    def take(self, rows: Transaction, site_id: int, seen: SiteOwner | None) -> int:
        """Take a site from the owner that was seen last; return the new term.

        Return `NOBODY` if another process was faster. `begin` follows when that is committed.
        """
        seen_term = seen.term if seen else NOBODY
        term = max(seen_term, self._terms.get(site_id, NOBODY)) + 1
        me = SiteOwner(site_id, self.node_id, self._boot, term)
        return term if rows.site_owners.take(self.cluster, me, seen_term) else NOBODY

    def begin(self, terms: Mapping[int, int]) -> None:
        self._terms.update(terms)
        self.lost -= terms.keys()

    def fence(self, rows: Transaction, site_ids: Collection[int]) -> Mapping[int, int]:
        """Return the terms of those of the sites that this process owns until the commit.

        `confirm` follows with the result when that is committed.
        """
        owners = rows.site_owners.hold(self.cluster, site_ids)
        terms: dict[int, int] = {}
        for site_id in sorted(site_ids):
            owner, mine = owners.get(site_id), self._terms.get(site_id, NOBODY)
            if owner and owner.boot == self._boot:
                terms[site_id] = owner.term
                continue
            # the site is new, or a fail-over of the database has lost our row
            is_free = owner is None or owner.term < mine
            if is_free and (term := self.take(rows, site_id, owner)):
                terms[site_id] = term
        return terms

    def confirm(self, site_ids: Collection[int], terms: Mapping[int, int]) -> None:
        """Save the terms of the sites that this process owns, and give up the others."""
        self._terms.update(terms)
        for site_id in set(site_ids) - terms.keys() - self.lost:
            log.error("site lost to another process", site_id=site_id, node_id=self.node_id)
            self.lost.add(site_id)
            self._terms.pop(site_id, None)
            self._on_lost(site_id)
