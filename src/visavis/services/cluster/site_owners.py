"""Owners of the sites of a cluster, as one of its nodes finds them or becomes one itself.

The table `site_owners` has the owner of each site. A node whose heartbeats arrive keeps its sites.
The sites of another one are taken over by the first of their `candidates`, when it is next asked
about them. Two nodes may both try: the compare-and-set in the table lets one of them succeed, and
the term that it gets fences off the former owner.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import structlog

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.membership import MemberState, node_of_member
from visavis.domain.ownership import MemberView, SiteOwner, candidates
from visavis.services.members import Members
from visavis.services.ownership import Ownership
from visavis.services.ports import Store, Transaction
from visavis.tasks import spawn

log = structlog.get_logger(__name__)

_NO_OWNER: Final = "No node can take over the calls of this site now."

TakeSite = Callable[[int, SiteOwner | None], Awaitable[int]]
"""Function that takes a site from the owner that was seen, with its calls (`Calls.take`)."""


class LocalOwners:
    """Implements `services.ports.SiteOwners` for a node that is alone: it owns every site."""

    def __init__(self, node_id: str) -> None:
        self._node_id = node_id

    async def owner_of(self, _: int) -> str:
        return self._node_id

    def owns(self, _: int) -> bool:
        return True

    def forget(self, site_id: int) -> None:
        pass


class ClusterOwners:
    """Implements `services.ports.SiteOwners` for the sites of a cluster.

    `heard` returns the nodes whose heartbeats arrive. `settled` waits until this process knows its
    sites, and raises `StoreUnavailable`.
    """

    def __init__(
        self,
        *,
        ownership: Ownership,
        store: Store,
        members: Members,
        heard: Callable[[], frozenset[str]],
        take: TakeSite,
        settled: Callable[[], Awaitable[None]],
    ) -> None:
        self._ownership = ownership
        self._store = store
        self._members = members
        self._heard = heard
        self._take_site = take
        self._settled = settled
        self._known: dict[int, SiteOwner] = {}
        self._doubted: set[int] = set()
        self._searches: dict[int, asyncio.Task[str]] = {}

    def owns(self, site_id: int) -> bool:
        return self._ownership.owns(site_id)

    def forget(self, site_id: int) -> None:
        self._doubted.add(site_id)

    async def owner_of(self, site_id: int) -> str:
        await self._settled()
        if self._ownership.owns(site_id):
            return self._ownership.node_id
        known = self._known.get(site_id)
        if known and site_id not in self._doubted and known.node_id in self._heard():
            return known.node_id
        search = self._searches.get(site_id)
        if search is None:
            search = spawn("search for an owner", self._search(site_id), expected=VisavisError)
            self._searches[site_id] = search
            search.add_done_callback(lambda _: self._searches.pop(site_id))
        return await asyncio.shield(search)

    async def check(self) -> None:
        """Give up the sites that another process has taken; raises `StoreUnavailable`."""
        sites = self._ownership.sites
        terms = await self._store.write(lambda rows: self._ownership.fence(rows, sites))
        self._ownership.confirm(sites, terms)

    def is_cut_off(self, heard: frozenset[str]) -> bool:
        """Whether a node that hears only these is in the smaller part of a partition."""
        return self._view(heard).is_cut_off

    @property
    def is_alone(self) -> bool:
        """Whether there are no other nodes, not even silent ones, that were not stopped."""
        return not any(map(self._is_elsewhere, self._members.known))

    def has_successors(self) -> bool:
        """Whether other nodes can take the sites of this one.

        The other app processes of this node cannot: they are stopped or drained together.
        """
        return any(map(self._is_elsewhere, self._ready.intersection(self._heard())))

    @property
    def heard_here(self) -> frozenset[str]:
        """The other app processes of this node whose heartbeats arrive."""
        others = self._heard() - {self._ownership.node_id}
        return frozenset(one for one in others if not self._is_elsewhere(one))

    def _is_elsewhere(self, member_id: str) -> bool:
        return node_of_member(member_id) != node_of_member(self._ownership.node_id)

    @property
    def _ready(self) -> frozenset[str]:
        """Nodes that may own sites: not those that are about to end."""
        ready = (one for one in self._members.alive if one.state is MemberState.READY)
        return frozenset(member.node_id for member in ready)

    def _view(self, heard: frozenset[str]) -> MemberView:
        everyone = self._ready
        return MemberView(self._ownership.node_id, everyone, heard)

    async def _search(self, site_id: int) -> str:
        """Return the owner in the table, or the candidate that has to take the site over."""
        try:
            owner = await self._store.read(partial(self._read, site_id=site_id))
            next_owner = self._successor(site_id, owner)
            if next_owner == self._ownership.node_id:
                return await self._take(site_id, owner)
        except VisavisError:
            if known := self._known.get(site_id):
                return known.node_id
            raise
        self._doubted.discard(site_id)
        if owner:
            self._known[site_id] = owner
        if next_owner:
            return next_owner
        if owner:
            return owner.node_id
        raise VisavisError(ErrorKind.StoreUnavailable, _NO_OWNER)

    def _read(self, rows: Transaction, site_id: int) -> SiteOwner | None:
        return rows.site_owners.get(self._ownership.cluster, site_id)

    def _successor(self, site_id: int, owner: SiteOwner | None) -> str:
        """Return the node that has to take a site over; empty if its owner keeps it."""
        me, heard = self._ownership.node_id, self._heard()
        if owner and owner.node_id == me:
            return me  # the former process of this node, or one that has lost it and got it back
        if not self._view(heard).may_take(owner):
            return ""
        alive = [member for member in self._members.alive if member.node_id in heard]
        return next(iter(candidates(site_id, alive)), "")

    async def _take(self, site_id: int, former: SiteOwner | None) -> str:
        """Take a site; return its owner, which is another node if that was faster."""
        term = await self._take_site(site_id, former)
        if not term:
            return await self._search(site_id)
        log.info("site taken", site_id=site_id, term=term, former=former and former.node_id)
        self._known.pop(site_id, None)
        self._doubted.discard(site_id)
        return self._ownership.node_id
