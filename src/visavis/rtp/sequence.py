"""Counters that wrap (RFC 3550 §5.1), unwrapped; packets out of order, put back in order."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

T = TypeVar("T")

MAX_HELD: Final = 4096
START: Final = 32
"""So many packets before the first that came may still come: they were lost, and are repaired."""


class Unwrapper:
    """Turns a counter of `bits` bits into one that never wraps, following its nearest course."""

    def __init__(self, bits: int) -> None:
        self._size = 1 << bits
        self._last: int | None = None

    def unwrap(self, value: int) -> int:
        if self._last is None:
            self._last = value + self._size  # room for what came before the first
        step = (value - self._last) % self._size
        if step >= self._size // 2:
            step -= self._size
        self._last += step
        return self._last

    def leap(self) -> None:
        """The counter's course is lost: the next value comes after all those before."""
        if self._last is not None:
            self._last += 2 * self._size


class Reorder(Generic[T]):
    """Holds packets back until those before them have come, or `hold` seconds have passed."""

    def __init__(self, hold: float) -> None:
        self._hold = hold
        self._next: int | None = None
        self._held: dict[int, tuple[float, T]] = {}

    def passes(self, number: int) -> bool:
        """Whether it is the very next and nothing is held: then it counts as taken and given."""
        if number != self._next or self._held:
            return False
        self._next = number + 1
        return True

    def push(self, number: int, item: T, now: float) -> list[tuple[int, T]]:
        """Take one in; what is due, in order. Repeats are dropped."""
        if self._next is None:
            self._next = number - START
        if number >= self._next and number not in self._held:
            self._held[number] = (now, item)
        return self._due(now)

    def flush(self) -> list[tuple[int, T]]:
        due = [(number, self._held[number][1]) for number in sorted(self._held)]
        self._held.clear()
        if due:
            self._next = due[-1][0] + 1
        return due

    def _due(self, now: float) -> list[tuple[int, T]]:
        due: list[tuple[int, T]] = []
        while self._held and self._next is not None:
            if self._next not in self._held:
                first = min(self._held)
                if now - self._held[first][0] <= self._hold and len(self._held) <= MAX_HELD:
                    break
                self._next = first
            due.append((self._next, self._held.pop(self._next)[1]))
            self._next += 1
        return due
