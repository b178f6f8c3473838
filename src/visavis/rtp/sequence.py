"""Unwrapping of sequence numbers and timestamps (RFC 3550 §5.1), and reordering of packets."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Final, Generic, TypeVar

T = TypeVar("T")

MAX_HELD: Final = 16_384
MAX_HELD_BYTES: Final = 48 * 1024 * 1024
START: Final = 512
"""The first packet to arrive may be preceded by up to this many that arrive later.

Those were lost at first and are retransmitted.
"""

RESTART_STEP: Final = 3000
RESTART_STEP_AFTER_SILENCE: Final = 100
"""A sequence number that is lower by more than this means that the sender restarted its numbering.

Reordering in the network is smaller than that (RFC 3550 A.1).
"""

SILENT_SECONDS: Final = 2.0


class Unwrapper:
    """Extends a counter of `bits` bits to one that never wraps.

    Each value is taken to be the one nearest to the previous value.
    """

    def __init__(self, bits: int) -> None:
        self._size = 1 << bits
        self._last: int | None = None
        self._value = -1  # Last wrapped value; -1 after a leap.

    def unwrap(self, value: int) -> int:
        """Return the unwrapped value."""
        last = self._last
        if value == self._value and last is not None:
            return last  # Most packets of a picture have the same timestamp as the one before.
        if last is None:
            last = value + self._size  # Leaves room for earlier values that arrive later.
        step = (value - last) % self._size
        if step >= self._size // 2:
            step -= self._size
        self._last = last = last + step
        self._value = value
        return last

    def unwrap_all(self, values: Sequence[int]) -> list[int]:
        """Unwrap consecutive values, of which there is at least one."""
        last, half = self._last, self._size // 2
        if last is not None and self._value >= 0:
            wrapped = last % self._size
            if max(wrapped, *values) - min(wrapped, *values) < half:  # No step can be a wrap.
                offset = last - wrapped
                self._value = values[-1]
                self._last = values[-1] + offset
                return [value + offset for value in values]
        return [self.unwrap(value) for value in values]

    def nearest(self, value: int) -> int:
        """Return the unwrapped value nearest to the last one, without changing the state."""
        last, before = self._last, self._value
        value = self.unwrap(value)
        self._last, self._value = last, before
        return value

    def leap(self) -> None:
        """Start again after a discontinuity: the next value is higher than all previous ones."""
        if self._last is not None:
            self._last += 2 * self._size
            self._value = -1


class SequenceNumbers:
    """Unwraps a stream's sequence numbers, also if the sender restarts from another number.

    Silence alone is not a restart: a camera may send nothing for minutes and go on with the next
    number. A restart is a large step back that the next packet confirms (RFC 3550 A.1).
    `following` is the sequence number after the highest, or -1 while a restart is not confirmed.
    """

    def __init__(self) -> None:
        self.has_restarted = False
        self.following = -1
        self._highest = -1
        self._last_arrival = 0.0
        self._doubtful = -1

    def unwrap(self, sequence_number: int, arrival: float) -> int | None:
        """Return a packet's unwrapped number, or `None` if it may be the first after a restart.

        If the next packet confirms the restart, `has_restarted` is true after the next call, and
        the number of the unconfirmed packet is one less than that call's result. Otherwise the
        unconfirmed packet was a very old one.
        """
        if sequence_number != self.following:
            return self._unwrap(sequence_number, arrival)
        self.following = (sequence_number + 1) & 0xFFFF
        self._last_arrival = arrival
        self._highest += 1
        return self._highest

    def are_following(self, sequence_numbers: Sequence[int]) -> bool:
        """Whether these numbers begin with `following` and continue in order and without a gap."""
        first = self.following
        expected = range(first, first + len(sequence_numbers))
        if expected.stop <= 0x10000:
            return list(sequence_numbers) == list(expected)
        return list(sequence_numbers) == [number & 0xFFFF for number in expected]

    @property
    def next_number(self) -> int:
        """Unwrapped number of the packet whose sequence number is `following`."""
        return self._highest + 1

    def follow(self, count: int, arrival: float) -> int:
        """Account for `count` packets from `following` on, the last of which came at `arrival`.

        Returns the unwrapped number of the first.
        """
        first = self._highest + 1
        self.following = (self.following + count) & 0xFFFF
        self._last_arrival = arrival
        self._highest += count
        return first

    def nearest(self, sequence_number: int) -> int:
        """Return the unwrapped number of a retransmitted packet.

        The state does not change, as a retransmission says nothing about a restart.
        """
        if self._highest < 0:
            return sequence_number + 0x10000  # Leaves room for earlier packets that arrive later.
        step = (sequence_number - self._highest) & 0xFFFF
        return self._highest + (step if step < 0x8000 else step - 0x10000)

    def _unwrap(self, sequence_number: int, arrival: float) -> int | None:
        silence = arrival - self._last_arrival
        doubtful, self._doubtful = self._doubtful, -1
        self._last_arrival = arrival
        self.following = -1
        self.has_restarted = doubtful >= 0 and sequence_number == (doubtful + 1) & 0xFFFF
        number = self.nearest(sequence_number)
        if self.has_restarted:
            number += 2 << 16
        elif self._highest >= 0:
            step = RESTART_STEP_AFTER_SILENCE if silence > SILENT_SECONDS else RESTART_STEP
            if number < self._highest - step:
                self._doubtful = sequence_number
                return None
        if number > self._highest:
            self._highest = number
        if not self.has_restarted:
            self.following = (self._highest + 1) & 0xFFFF
        return number


@dataclass(slots=True)
class HeldBytes:
    """Limit of the bytes that several `Reorder` buffers hold together."""

    limit: int = MAX_HELD_BYTES
    used: int = 0


class Reorder(Generic[T]):
    """Reordering buffer: holds packets until all earlier ones came, but at most `hold` seconds.

    Each packet costs O(log n), regardless of how many are missing.
    """

    def __init__(self, hold: float, held_bytes: HeldBytes | None = None) -> None:
        self._hold = hold
        self._bytes = held_bytes or HeldBytes()
        self._next: int | None = None
        self._held: dict[int, tuple[T, int]] = {}
        self._numbers: list[int] = []
        self._arrivals: deque[tuple[float, int]] = deque()

    def expects(self, number: int) -> bool:
        """Whether the packet is the next one in order and no packet is held.

        It is not the next one if its retransmission arrived first and was already released.
        """
        return number == self._next and not self._held

    def passes(self, number: int, count: int = 1) -> bool:
        """Whether the packet is the next one in order and no packet is held.

        If so, this packet and the ones after it, `count` in all, count as released: the caller
        passes them on without `push`.
        """
        if not self.expects(number):
            return False
        self._next = number + count
        return True

    def push(self, number: int, item: T, now: float, size: int = 0) -> list[tuple[int, T]]:
        """Add a packet and return the packets that are due, in order. Duplicates are dropped.

        `now` is in seconds; `size` is the packet's share of the common limit, in bytes.
        """
        if self._next is None:
            self._next = number - START
        if number >= self._next and number not in self._held:
            self._held[number] = (item, size)
            self._bytes.used += size
            heappush(self._numbers, number)
            self._arrivals.append((now, number))
        return self.due(now)

    def due(self, now: float) -> list[tuple[int, T]]:
        """Release packets that are next in order, were held too long, or exceed the limits."""
        due: list[tuple[int, T]] = []
        if self._held:
            self._take_following(due)
            while self._held and self._is_over(now):
                self._next = self._numbers[0]
                self._take_following(due)
        return due

    def flush(self) -> list[tuple[int, T]]:
        """Release all held packets, in order."""
        due: list[tuple[int, T]] = []
        while self._held:
            self._next = self._numbers[0]
            self._take_following(due)
        return due

    def _take_following(self, due: list[tuple[int, T]]) -> None:
        while self._numbers and self._numbers[0] == self._next:
            number = heappop(self._numbers)
            item, size = self._held.pop(number)
            self._bytes.used -= size
            due.append((number, item))
            self._next = number + 1
        if not self._held:
            self._arrivals.clear()

    def _is_over(self, now: float) -> bool:
        if len(self._held) > MAX_HELD or self._bytes.used > self._bytes.limit:
            return True
        while self._arrivals[0][1] not in self._held:
            self._arrivals.popleft()
        return now - self._arrivals[0][0] > self._hold
