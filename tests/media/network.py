"""Faulty network in simulated time: loss, duplication, delay and reordering depend on a seed."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

Deliver = Callable[[bytes], None]


@dataclass
class Network:
    """Faulty network. Shares are from 0 to 1, times in seconds; a share `late` is `late_by` later.

    With `bytes_per_second`, datagrams queue for at most `backlog`; those that would wait longer are
    lost. Losses come in bursts of `burst` datagrams on average (Gilbert model).
    """

    seed: int
    loss: float = 0.0
    doubled: float = 0.0
    delay: float = 0.02
    jitter: float = 0.0
    late: float = 0.0
    late_by: float = 0.5
    bytes_per_second: float = 0.0
    backlog: float = 0.3
    burst: float = 1.0
    now: float = 0.0
    lost: int = 0
    _due: list[tuple[float, int, bytes, Deliver]] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _random: Random = field(init=False)
    _free_at: float = 0.0
    _is_in_burst: bool = False

    def __post_init__(self) -> None:
        self._random = Random(self.seed)

    def send(self, datagram: bytes, deliver: Deliver) -> None:
        through = self._through(len(datagram))
        if self._loses() or through - self.now > self.backlog:
            self.lost += 1
            return
        self._free_at = through
        chance = self._random.random
        for _ in range(2 if chance() < self.doubled else 1):
            at = through + self.delay + chance() * self.jitter
            if chance() < self.late:
                at += self.late_by
            heapq.heappush(self._due, (at, next(self._numbers), datagram, deliver))

    def _loses(self) -> bool:
        if self.burst <= 1:
            return self._random.random() < self.loss
        ends, begins = 1 / self.burst, self.loss / (self.burst * (1 - self.loss))
        self._is_in_burst = self._random.random() < (1 - ends if self._is_in_burst else begins)
        return self._is_in_burst

    def _through(self, size: int) -> float:
        """Return when the last byte of the datagram has passed the bottleneck."""
        if not self.bytes_per_second:
            return self.now
        return max(self.now, self._free_at) + size / self.bytes_per_second

    def run_until(self, now: float) -> None:
        """Deliver the datagrams that are due, each at its time."""
        due = self._due
        while due and due[0][0] <= now:
            self.now, _, datagram, deliver = heapq.heappop(due)
            deliver(datagram)
        self.now = now

    @contextmanager
    def mended(self) -> Iterator[None]:
        """Suspend all faults."""
        faults = (self.loss, self.doubled, self.jitter, self.late)
        self.loss = self.doubled = self.jitter = self.late = 0.0
        yield
        self.loss, self.doubled, self.jitter, self.late = faults
