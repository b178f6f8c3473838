"""Analysis of a recording: when pictures flash, and when audio beeps."""

from __future__ import annotations

import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av

BRIGHT = 200
DARK = 25
LOUD = 3000


def stream_of(container: Any, title: str) -> Any:
    return next(s for s in container.streams if s.metadata.get("title") == title)


def brightness(path: Path, title: str) -> list[tuple[float, float]]:
    """Time of each picture and the brightness of its middle line, 16 to 235."""
    seen = []
    with av.open(str(path)) as container:
        for frame in container.decode(stream_of(container, title)):
            luma = frame.planes[0]
            middle = luma.line_size * (frame.height // 2)
            line = bytes(luma)[middle : middle + frame.width]
            seen.append((float(frame.time), sum(line) / len(line)))
    return seen


def flashes(path: Path, title: str) -> list[float]:
    """Return the times at which the picture turns white."""
    seen = brightness(path, title)
    return [
        time
        for (time, light), (_, before) in zip(seen[1:], seen, strict=False)
        if light > BRIGHT >= before
    ]


def _audio(path: Path, title: str) -> Iterator[tuple[float, array.array[int]]]:
    """Time and samples of each frame."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=48_000)
        for frame in container.decode(stream_of(container, title)):
            for part in resampler.resample(frame):
                yield float(frame.time), array.array("h", bytes(part.planes[0])[: part.samples * 2])


def _peaks(at: float, samples: array.array[int]) -> Iterator[tuple[float, int]]:
    """Time and peak of each millisecond of a frame."""
    for start in range(0, len(samples), 48):
        millisecond = samples[start : start + 48]
        yield at + start / 48_000, max(max(millisecond), -min(millisecond))


def loudness(path: Path, title: str) -> list[tuple[float, int]]:
    """Time and peak of each millisecond."""
    return [peak for at, samples in _audio(path, title) for peak in _peaks(at, samples)]


def beeps(path: Path, title: str) -> list[float]:
    """Return the times of beeps after at least half a second without one."""
    found: list[float] = []
    last = -1.0
    for at, samples in _audio(path, title):
        if samples and max(max(samples), -min(samples)) <= LOUD:
            continue
        for time, peak in _peaks(at, samples):
            if peak > LOUD:
                if time - last > 0.5:
                    found.append(time)
                last = time
    return found
