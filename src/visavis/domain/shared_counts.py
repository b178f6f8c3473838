"""Counts of limited uses that members report to one another, so that limits hold across nodes.

A member reports its highest counts once a second with its beat. Keys are digests, because they are
made of networks and tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from heapq import nlargest
from typing import Final

from visavis.domain.membership import Member

SHARED_PART: Final = 0.02
"""Fraction of its limit that a count has to reach before it is reported."""
MAX_SHARED: Final = 200
"""Maximum number of reported counts: those nearest to their limits."""


def shared_key(*parts: str) -> str:
    """Return the key of a count, from which neither network nor token can be read."""
    return blake2b("\0".join(parts).encode(), digest_size=9).hexdigest()


def busiest(counts: Iterable[tuple[tuple[str, ...], float, float]]) -> dict[str, float]:
    """Return the counts to report, by key; `counts` has parts of the key, count and limit."""
    busy = [one for one in counts if one[1] >= SHARED_PART * one[2]]
    nearest = nlargest(MAX_SHARED, busy, key=lambda one: one[1] / one[2])
    return {shared_key(*parts): round(count, 1) for parts, count, _ in nearest}


def counted_elsewhere(members: Iterable[Member], node_id: str) -> Mapping[str, float]:
    """Return the sums of the counts that the other members have reported."""
    total: dict[str, float] = {}
    for member in members:
        if member.node_id != node_id:
            for key, count in member.counts.items():
                total[key] = total.get(key, 0.0) + count
    return total
