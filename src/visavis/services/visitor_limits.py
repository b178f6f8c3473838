"""Limits for anonymous visitors: how often a page and a network may call, test, browse and write.

Visitors have no account, so each use is counted twice: by page (socket) and by source, the network
from which the page connects. So an attack from few networks leaves most places to everybody else.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from math import ceil
from typing import Final

from visavis.domain.errors import ErrorCode, VisavisError
from visavis.domain.people import Visitor
from visavis.domain.shared_counts import busiest, shared_key

MAX_WATCHED: Final = 50_000
"""Maximum number of keys in a counter; the least recently used key is removed first."""

MAX_LOOKED_AT: Final = 1_000
"""Number of newest keys that are searched for the highest counts, once a second."""

MINUTE: Final = 60.0


class Use(StrEnum):
    """Limited action of a visitor."""

    CALL = "call"
    CHECK = "check"
    PAGE = "page"
    MESSAGE = "message"
    JOIN = "join"


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitorLimits:
    """Limits set by the operator. Rates are per minute and source; 0 switches a limit off.

    `calls`, `checks` (connectivity tests), `pages`, `messages` and `joins` are rates.
    `waiting_calls` is the maximum number of waiting calls of one source, `queue_length` that of a
    site.
    """

    calls: int = 10
    checks: int = 20
    pages: int = 120
    messages: int = 10
    joins: int = 30
    waiting_calls: int = 5
    queue_length: int = 200
    call_pause_seconds: float = 3.0

    def per_minute(self, use: Use) -> int:
        return {
            Use.CALL: self.calls,
            Use.CHECK: self.checks,
            Use.PAGE: self.pages,
            Use.MESSAGE: self.messages,
            Use.JOIN: self.joins,
        }[use]


class TokenBuckets:
    """Token buckets by key: `per_minute` uses at once, refilled evenly over a minute."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._buckets: OrderedDict[tuple[str, str], tuple[float, datetime]] = OrderedDict()
        self.elsewhere: Mapping[str, float] = {}
        """Uses on other nodes, by `shared_key`."""

    def newest(self, count: int) -> Iterator[tuple[str, str]]:
        """Yield the most recently used keys, the newest first."""
        yield from islice(reversed(self._buckets), count)

    def __len__(self) -> int:
        return len(self._buckets)

    def used(self, key: tuple[str, str], per_minute: int) -> float:
        """Return the number of uses, on all nodes, that have not been refilled yet."""
        others = self.elsewhere.get(shared_key(*key), 0.0) if self.elsewhere else 0.0
        return self.used_here(key, per_minute) + others

    def used_here(self, key: tuple[str, str], per_minute: int) -> float:
        """Return the number of uses on this node that have not been refilled yet."""
        known = self._buckets.get(key)
        if known is None:
            return 0.0
        elapsed = max(0.0, (self._clock() - known[1]).total_seconds())
        return max(0.0, known[0] - elapsed * per_minute / MINUTE)

    def seconds_to_wait(self, key: tuple[str, str], per_minute: int) -> float:
        """Return the seconds until another use is allowed, 0 if it is allowed now."""
        return max(0.0, (self.used(key, per_minute) + 1 - per_minute) * MINUTE / per_minute)

    def add(self, key: tuple[str, str], per_minute: int) -> None:
        """Count a use."""
        self._buckets[key] = self.used_here(key, per_minute) + 1, self._clock()
        self._buckets.move_to_end(key)
        if len(self._buckets) > MAX_WATCHED:
            self._buckets.popitem(last=False)


class VisitorGuard:
    """Counts the actions of visitors and refuses those that exceed the limits.

    `refused` is the number of refusals by limit since the start.
    """

    def __init__(self, limits: VisitorLimits, clock: Callable[[], datetime]) -> None:
        self.limits = limits
        self.refused: Counter[str] = Counter()
        self._clock = clock
        self._buckets = TokenBuckets(clock)
        self._abandoned: OrderedDict[str, datetime] = OrderedDict()

    @property
    def elsewhere(self) -> Mapping[str, float]:
        """Uses on other nodes, by the keys of `busiest`."""
        return self._buckets.elsewhere

    @elsewhere.setter
    def elsewhere(self, counts: Mapping[str, float]) -> None:
        self._buckets.elsewhere = counts

    def busiest(self) -> Mapping[str, float]:
        """Return the highest counts of networks, to report to the other nodes."""
        limits = {f"{use} by source": self.limits.per_minute(use) for use in Use}
        limits[Use.JOIN] = self.limits.joins
        keys = [key for key in self._buckets.newest(MAX_LOOKED_AT) if limits.get(key[0])]
        return busiest(
            (key, self._buckets.used_here(key, limits[key[0]]), limits[key[0]]) for key in keys
        )

    def require(self, use: Use, visitor: Visitor) -> None:
        """Count a use by this visitor; raises `TooManyRequests` if it exceeds a limit.

        A single page may use half of its network's limit.
        """
        per_minute = self.limits.per_minute(use)
        if not per_minute:
            return
        counted = [((f"{use} by page", visitor.id), max(1, per_minute // 2))]
        if visitor.source:
            counted.append(((f"{use} by source", visitor.source), per_minute))
        wait = max(self._buckets.seconds_to_wait(*each) for each in counted)
        if wait > 0:
            raise self.refusal(use, VisavisError(ErrorCode.TooOften, seconds=ceil(wait)))
        for each in counted:
            self._buckets.add(*each)

    def require_join(self, source: str) -> None:
        """Raise `TooManyRequests` if a network has tried too many unknown join links."""
        per_minute = self.limits.joins
        if source and per_minute:
            wait = self._buckets.seconds_to_wait((Use.JOIN, source), per_minute)
            if wait > 0:
                raise self.refusal(Use.JOIN, VisavisError(ErrorCode.TooOften, seconds=ceil(wait)))

    def count_unknown_join(self, source: str) -> None:
        """Count the use of an unknown join link, which may be an attempt to guess one."""
        if source and self.limits.joins:
            self._buckets.add((Use.JOIN, source), self.limits.joins)

    def require_call(self, visitor: Visitor, waiting: int, waiting_of_source: int) -> None:
        """Count a call; raises `TooManyRequests`.

        `waiting` is the number of the site's calls that wait for an agent, `waiting_of_source` the
        number of these that come from the visitor's network.
        """
        limits = self.limits
        abandoned_at = self._abandoned.get(visitor.id)
        if abandoned_at:
            pause = limits.call_pause_seconds - (self._clock() - abandoned_at).total_seconds()
            if pause > 0:
                raise self.refusal("pause", VisavisError(ErrorCode.CallPause, seconds=ceil(pause)))
        if visitor.source and 0 < limits.waiting_calls <= waiting_of_source:
            raise self.refusal("waiting", VisavisError(ErrorCode.NetworkQueueFull))
        if 0 < limits.queue_length <= waiting:
            raise self.refusal("queue", VisavisError(ErrorCode.QueueFull))
        self.require(Use.CALL, visitor)

    def record_abandoned(self, visitor_id: str) -> None:
        """Start the pause that follows a call given up by its visitor before an agent accepted."""
        self._abandoned[visitor_id] = self._clock()
        self._abandoned.move_to_end(visitor_id)
        if len(self._abandoned) > MAX_WATCHED:
            self._abandoned.popitem(last=False)

    def rank(self, visitor: Visitor, waiting_of_source: int) -> int:
        """Return the rank of a call: the number of calls its network has recently placed before it.

        Calls of a lower rank are served first, so the first call of one network never waits behind
        the tenth call of another.
        """
        if not visitor.source or not self.limits.calls:
            return 0
        used = self._buckets.used((f"{Use.CALL} by source", visitor.source), self.limits.calls)
        return max(waiting_of_source, ceil(used) - 1)

    def refusal(self, limit: str, error: VisavisError) -> VisavisError:
        """Count a refusal by a limit; return the error."""
        self.refused[limit] += 1
        return error
