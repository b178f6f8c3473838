"""Limits of the rates of legs and strangers, and of the size and length of recordings."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

MEGABYTE: Final = 1024 * 1024
BURST_SECONDS: Final = 2.0
"""Burst that a token bucket allows, in seconds at its rate.

It covers key frames, and packets that the network delayed and then delivered at once.
"""

LEAST_COST_BYTES: Final = 400
"""Each packet counts as at least this size, as a small one takes as much CPU as a large one."""

EXCESSIVE_DROPS: Final = 100
EXCESSIVE_SECONDS: Final = 10.0
"""A leg with `EXCESSIVE_DROPS` dropped datagrams within a second is excessive for this long."""

MAX_NETWORKS: Final = 4096
"""Number of networks with a token bucket; the least recently seen one is forgotten first."""

STOP_STEPS: Final = 8
"""Number of recordings that are stopped one by one while the first half of the reserve fills up.

The second half is kept for the database.
"""


class Limit(StrEnum):
    """Limits whose violations are counted."""

    DISK = "disk"
    """A recording was stopped because the disk was nearly full."""
    SIZE = "size"
    """A recording was stopped at its maximum size or length."""
    RATE = "rate"
    """Packets of a leg were dropped because its browser sent too fast."""


class Recorded(Protocol):
    """Journal, as seen by the limits."""

    @property
    def size(self) -> int:
        """Size of the whole recording so far, in bytes."""

    @property
    def started_at(self) -> float:
        """Beginning of the recording, in seconds of the monotonic clock."""

    def stop(self, why: str) -> None:
        """Stop recording, for the reason `why`."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of recordings; 0 means no limit. Half of the reserve is kept for the database."""

    recording_bytes: int = 0
    recording_seconds: float = 0.0
    reserve_bytes: int = 512 * MEGABYTE


class RecordingGuard:
    """Stops recordings that reach a limit, and the fastest growing ones on a nearly full disk.

    `on_stop` is called for each recording that is stopped.
    """

    def __init__(self, limits: Limits, on_stop: Callable[[Limit], None] = lambda _: None) -> None:
        self._limits = limits
        self._on_stop = on_stop
        self._sizes: dict[Recorded, int] = {}
        self._stop_below = limits.reserve_bytes

    def check(self, journals: Collection[Recorded], now: float, free: int) -> None:
        """Check the journals that are being written. Call it about once per second.

        `now` is in seconds of the monotonic clock, and `free` the free space in bytes.
        """
        growth = {journal: journal.size - self._sizes.get(journal, 0) for journal in journals}
        self._sizes = {journal: journal.size for journal in journals}
        within = [journal for journal in journals if not self._is_over(journal, now)]
        self._protect_disk(sorted(within, key=growth.__getitem__, reverse=True), free)

    def _is_over(self, journal: Recorded, now: float) -> bool:
        limits = self._limits
        if limits.recording_bytes and journal.size >= limits.recording_bytes:
            self._stop(
                journal, Limit.SIZE, f"it has reached {limits.recording_bytes // MEGABYTE} MB"
            )
        elif limits.recording_seconds and now - journal.started_at >= limits.recording_seconds:
            hours = limits.recording_seconds / 3600
            self._stop(journal, Limit.SIZE, f"it has lasted {hours:g} hours")
        else:
            return False
        return True

    def _protect_disk(self, largest_first: list[Recorded], free: int) -> None:
        """Stop the fastest growing recording, the next ones if the disk fills further, then all."""
        reserve = self._limits.reserve_bytes
        if free >= reserve:
            self._stop_below = reserve
        elif free < reserve // 2:
            for journal in largest_first:
                self._stop(journal, Limit.DISK, "the disk is nearly full")
        elif free < self._stop_below and largest_first:
            self._stop_below = free - reserve // 2 // STOP_STEPS
            why = "the disk is nearly full and it grew the fastest"
            self._stop(largest_first[0], Limit.DISK, why)

    def _stop(self, journal: Recorded, limit: Limit, why: str) -> None:
        self._on_stop(limit)
        journal.stop(why)


class LegRateLimit:
    """Token bucket of one leg. Packets that exceed it are neither relayed nor recorded."""

    __slots__ = (
        "_allowance",
        "_at",
        "_burst",
        "_dropped_before",
        "_excessive_until",
        "_rate",
        "_watched_at",
        "dropped",
    )

    def __init__(self, bytes_per_second: float, now: float) -> None:
        self._rate = bytes_per_second
        self._burst = self._allowance = bytes_per_second * BURST_SECONDS
        self._at = self._watched_at = self._excessive_until = now
        self._dropped_before = 0
        self.dropped = 0

    def is_excessive(self, now: float) -> bool:
        """Whether the leg exceeds its rate by far. Call it several times per second."""
        if now - self._watched_at >= 1.0:
            if self.dropped - self._dropped_before >= EXCESSIVE_DROPS:
                self._excessive_until = now + EXCESSIVE_SECONDS
            self._watched_at, self._dropped_before = now, self.dropped
        return now < self._excessive_until

    def admits(self, size: int, now: float) -> bool:
        """Count a packet of `size` bytes; return whether it is within the rate."""
        if size < LEAST_COST_BYTES:
            size = LEAST_COST_BYTES
        allowance = self._allowance + (now - self._at) * self._rate
        self._at = now
        if allowance > self._burst:
            allowance = self._burst
        if allowance < size:
            self._allowance = allowance
            self.dropped += 1
            return False
        self._allowance = allowance - size
        return True


class StrangerLimit:
    """Token buckets for datagrams that belong to no leg, one for each source network.

    `per_second` is in datagrams; 0 means no limit. `refused` counts the dropped datagrams.
    """

    def __init__(self, per_second: float) -> None:
        self._rate = per_second
        self._burst = per_second * BURST_SECONDS
        self._buckets: OrderedDict[bytes, tuple[float, float]] = OrderedDict()
        self.refused = 0

    def __len__(self) -> int:
        return len(self._buckets)

    def admits(self, network: bytes, now: float) -> bool:
        """Count a datagram; return whether it is within the limit."""
        if not self._rate:
            return True
        allowance, at = self._buckets.pop(network, (self._burst, now))
        allowance = min(self._burst, allowance + (now - at) * self._rate)
        is_admitted = allowance >= 1
        self._buckets[network] = allowance - is_admitted, now
        if len(self._buckets) > MAX_NETWORKS:
            self._buckets.popitem(last=False)
        self.refused += not is_admitted
        return is_admitted
