"""Log of what the pages of a call sent, heard and saw, as `reception.js` keeps it in each page."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

BIN_SECONDS: Final = 0.01
AUDIBLE: Final = 0.02
"""Root mean square from which 10 ms count as sound; full scale is 1."""

QUIET_SECONDS: Final = 0.3
"""Silence before a sound that counts as its beginning."""

CERTAIN_SECONDS: Final = 0.05
COVERED: Final = 0.9
"""Share of a span whose levels a log must have; a busy page's buffers overflow for seconds."""

CLOCK_ROWS: Final = 10
"""Polls over which the clock of the audio thread is tied to the wall clock."""

VIDEO_RATE: Final = 90_000
WRAP: Final = 2**32


class Level(NamedTuple):
    """Wall-clock time of 10 ms of sound, and their root mean square.

    `earliest` is less than `at` if the audio thread was starved and lost time since the last poll:
    nobody can tell if that was before these 10 ms or after them.
    """

    at: float
    rms: float
    earliest: float


Levels = list[Level]


class Sound(NamedTuple):
    """Beginning of a sound: not before `earliest` and not after `at`."""

    at: float
    earliest: float

    def distance(self, other: float) -> float:
        """Return by how many seconds another moment is outside of this one."""
        return max(0.0, self.earliest - other, other - self.at)

    @property
    def is_certain(self) -> bool:
        return self.at - self.earliest < CERTAIN_SECONDS


Stream = list[tuple[float, float]]
"""Wall-clock time of each picture of one stream, and its capture time on the RTP clock."""


@dataclass(frozen=True)
class Reception:
    """Log of one or more pages that take the same side of a call, one after the other."""

    heard: Levels
    sent: Levels
    streams: list[Stream]
    decoded: list[tuple[float, float, int]]
    """Of each poll the time of the one before, its own, and the pictures decoded in between."""

    delays: list[tuple[float, float]]
    """Time, and how long the jitter buffer held the sound that was heard then."""

    errors: list[str]

    def delay(self, at: float) -> float:
        """Return for how long the jitter buffer held the sound of a moment."""
        if not self.delays:
            return 0.0
        index = bisect_left(self.delays, (at, 0.0))
        near = self.delays[max(0, index - 1) : index + 1] or self.delays[-1:]
        return min(near, key=lambda one: abs(one[0] - at))[1]


def reception(logs: Iterable[Mapping[str, Any]]) -> Reception:
    heard: Levels = []
    sent: Levels = []
    decoded: list[tuple[float, float, int]] = []
    delays: list[tuple[float, float]] = []
    streams: list[Stream] = []
    errors: list[str] = []
    for log in sorted(logs, key=lambda log: float(log["opened"])):
        heard += _levels(log["heard"])
        sent += _levels(log["sent"])
        decoded += _decoded(log["polls"])
        delays += _delays(log["polls"])
        by_stream: dict[int, list[tuple[float, int]]] = defaultdict(list)
        for at, timestamp, stream in log["frames"]:
            by_stream[stream].append((at / 1000, timestamp))
        streams += map(_unwrapped, by_stream.values())
        errors += log["errors"]
    return Reception(sorted(heard), sorted(sent), streams, decoded, sorted(delays), errors)


def onsets(levels: Levels) -> list[Sound]:
    """When a sound begins after some silence."""
    found: list[Sound] = []
    last = levels[0].at if levels else 0.0
    for at, rms, earliest in levels:
        if rms > AUDIBLE:
            if at - last > QUIET_SECONDS:
                found.append(Sound(at, earliest))
            last = at
    return found


def covers(levels: Levels, start: float, end: float) -> bool:
    """Whether a log has the level of nearly every moment between two."""
    first = bisect_left(levels, (start,))
    count = bisect_left(levels, (end,)) - first
    return count >= COVERED * (end - start) / BIN_SECONDS


def audible_times(levels: Levels) -> list[float]:
    return [level.at for level in levels if level.rms > AUDIBLE]


def count_between(times: list[float], start: float, end: float) -> int:
    """Return how many of the sorted `times` lie between `start` and `end`."""
    return bisect_right(times, end) - bisect_left(times, start)


def _levels(rows: list[tuple[float, float, int, list[int]]]) -> Levels:
    """Place levels by the audio thread's clock.

    A poll sees that clock late by up to one buffer, or by as long as the page was busy; a starved
    audio thread loses time for good. So the smallest offset of this and the next polls is right.
    """
    measured = [at / 1000 - clock for at, clock, *_ in rows]
    offsets = [min(measured[index : index + CLOCK_ROWS]) for index in range(len(rows))]
    placed: Levels = []
    for (_, _, first, levels), offset, before in zip(
        rows, offsets, [*offsets[:1], *offsets], strict=False
    ):
        for number, level in enumerate(levels, first):
            at = number * BIN_SECONDS
            placed.append(Level(at + offset, level / 1000, at + min(before, offset)))
    return placed


def _decoded(polls: list[list[list[Any]]]) -> list[tuple[float, float, int]]:
    """Count the pictures between polls; Firefox counts from 0 again with every new decoder."""
    before: dict[str, tuple[float, int]] = {}
    found: list[tuple[float, float, int]] = []
    for poll in polls:
        for kind, stream, at, frames, *_ in poll:
            if kind == "video":
                last_at, last = before.get(stream, (at, 0))
                found.append(
                    (last_at / 1000, at / 1000, frames - last if frames >= last else frames)
                )
                before[stream] = (at, frames)
    return found


def _delays(polls: list[list[list[Any]]]) -> list[tuple[float, float]]:
    before: dict[str, tuple[float, int]] = {}
    found: list[tuple[float, float]] = []
    for poll in polls:
        for kind, stream, at, _, delay, emitted in poll:
            last, count = before.get(stream, (0.0, 0))
            if emitted < count:
                last, count = 0.0, 0  # as the pictures
            if kind == "audio" and emitted > count:
                found.append((at / 1000, (delay - last) / (emitted - count)))
                before[stream] = (delay, emitted)
    return found


def _unwrapped(rows: list[tuple[float, int]]) -> Stream:
    found: Stream = []
    seconds, last = 0.0, rows[0][1]
    for at, timestamp in rows:
        step = (timestamp - last) % WRAP
        seconds += (step if step < WRAP / 2 else step - WRAP) / VIDEO_RATE
        found.append((at, seconds))
        last = timestamp
    return found
