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


def _peaks(frame: Any, resampler: av.AudioResampler) -> Iterator[tuple[float, int]]:
    """Time and peak of each millisecond of a frame."""
    for part in resampler.resample(frame):
        samples = array.array("h", bytes(part.planes[0])[: part.samples * 2])
        for start in range(0, len(samples), 48):
            millisecond = samples[start : start + 48]
            yield float(frame.time) + start / 48_000, max(max(millisecond), -min(millisecond))


def loudness(path: Path, title: str) -> list[tuple[float, int]]:
    """Time and peak of each millisecond."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=48_000)
        frames = container.decode(stream_of(container, title))
        return [peak for frame in frames for peak in _peaks(frame, resampler)]


def _is_quiet(frame: Any) -> bool:
    """Whether the first channel holds no beep: most frames need no further look."""
    if frame.format.name != "fltp":
        return False
    samples = array.array("f", bytes(frame.planes[0])[: frame.samples * 4])
    return max(max(samples), -min(samples)) < LOUD / 2**16


def beeps(path: Path, title: str) -> list[float]:
    """Return the times of beeps after at least half a second without one."""
    found: list[float] = []
    last = -1.0
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=48_000)
        for frame in container.decode(stream_of(container, title)):
            for time, peak in () if _is_quiet(frame) else _peaks(frame, resampler):
                if peak > LOUD:
                    if time - last > 0.5:
                        found.append(time)
                    last = time
    return found
