"""Ownership of sites: which member owns a site, who may take it, and the terms that fence others.

Each site has one owner, a member that applies the events of its calls. The term of each owner is
higher than that of the previous one. A member that knows a higher term ignores the owner of a lower
one.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from visavis.domain.membership import Member, MemberState

NOBODY: Final = 0
"""Term of a site that never had an owner."""


@dataclass(frozen=True, slots=True)
class SiteOwner:
    """Owner of a site: the start `boot` of a node's process, with its term."""

    site_id: int
    node_id: str
    boot: str
    term: int


@dataclass(frozen=True, slots=True)
class SiteTerm:
    """Term of the owner of a site, in a command to a media worker."""

    site_id: int
    term: int


@dataclass(frozen=True, slots=True)
class MemberView:
    """View that one member has of the others.

    `alive` are the nodes whose beats in the database rise, `heard` those whose messages arrive.
    Both contain the member itself, unless its own messages do not come back.
    """

    node_id: str
    alive: frozenset[str]
    heard: frozenset[str]

    @property
    def is_cut_off(self) -> bool:
        """Whether this member is in the smaller part of a partition between message servers.

        It then takes no site. In the larger part, a member hears more than half of those that are
        alive. Of two equal parts, the one with the lowest id counts as larger.
        """
        heard = self.heard & self.alive
        if self.node_id not in heard:
            return True
        others = len(self.alive) - len(heard)
        if len(heard) != others:
            return len(heard) < others
        return min(self.alive) not in heard

    def may_take(self, owner: SiteOwner | None) -> bool:
        """Whether this member may take a site of this owner, if it is a candidate.

        An owner that is heard keeps its site. One that is not heard loses it only to a member in
        the larger part of a partition, so that a site changes its owner once.
        """
        if owner is None:
            return not self.is_cut_off
        return owner.node_id not in self.heard and not self.is_cut_off


def candidates(site_id: int, members: Iterable[Member]) -> list[str]:
    """Return the nodes that should own a site, the best first (weighted rendezvous hashing).

    A member that joins or leaves changes the order for few sites. The more calls a member has, the
    fewer sites prefer it.
    """
    ready = [member for member in members if member.state is MemberState.READY]
    return [
        member.node_id
        for member in sorted(ready, key=lambda one: (-_score(site_id, one), one.node_id))
    ]


def _score(site_id: int, member: Member) -> float:
    digest = hashlib.sha256(f"{site_id}/{member.node_id}".encode()).digest()
    # strictly between 0 and 1
    position = (int.from_bytes(digest[:7]) + 0.5) / 2**56
    weight = 1 / (1 + math.log2(1 + member.load.calls))
    return weight / -math.log(position)
