"""Analysis of a recording: when pictures flash, and when audio beeps."""

from __future__ import annotations

import array
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import av

BRIGHT = 200
DARK = 25
LOUD = 3000
FAINT = bytes((*range(0x3D), *range(0x80, 0xBD)))
"""The highest byte of each float whose absolute value is less than 1/32, a third of `LOUD`."""


def stream_of(container: Any, title: str) -> Any:
    return next(s for s in container.streams if s.metadata.get("title") == title)


@dataclass(frozen=True)
class _Track:
    """A track of a file, which equals each other one that has the same times and bytes.

    Most of hundreds of files have some track in common, and decoding takes longer than the rest of
    a test: what a decoder makes of the same bytes at the same times is the same.
    """

    digest: bytes
    path: Path = field(compare=False)
    title: str = field(compare=False)


def _track_of(path: Path, title: str) -> _Track:
    return _Track(_digests(path, path.stat().st_mtime_ns)[title], path, title)


@lru_cache(maxsize=8)
def _digests(path: Path, _changed_at: int) -> dict[str, bytes]:
    """Return a digest of the description and of all packets of each track, by its title."""
    with av.open(str(path)) as container:
        streams = [*container.streams.audio, *container.streams.video]
        digests = {stream.index: hashlib.sha256(_description(stream)) for stream in streams}
        for packet in container.demux(streams):
            if packet.size:
                digest = digests[packet.stream_index]
                digest.update(repr((packet.pts, packet.duration, packet.size)).encode())
                digest.update(packet)
        return {
            stream.metadata.get("title", ""): digests[stream.index].digest() for stream in streams
        }


def _description(stream: Any) -> bytes:
    context = stream.codec_context
    return repr((context.name, context.extradata, stream.time_base)).encode()


def brightness(path: Path, title: str) -> list[tuple[float, float]]:
    """Time of each picture and the brightness of its middle line, 16 to 235."""
    return list(_brightness(_track_of(path, title)))


@lru_cache(maxsize=64)
def _brightness(track: _Track) -> list[tuple[float, float]]:
    """Decode a track once: it is asked for several times."""
    seen = []
    with av.open(str(track.path)) as container:
        for frame in container.decode(stream_of(container, track.title)):
            assert not frame.is_corrupt
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
    return not bytes(frame.planes[0])[3 : frame.samples * 4 : 4].translate(None, FAINT)


def beeps(path: Path, title: str) -> list[float]:
    """Return the times of beeps after at least half a second without one."""
    return list(_beeps(_track_of(path, title)))


@lru_cache(maxsize=64)
def _beeps(track: _Track) -> list[float]:
    """Decode a track once: it is asked for several times."""
    found: list[float] = []
    last = -1.0
    with av.open(str(track.path)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=48_000)
        for frame in container.decode(stream_of(container, track.title)):
            for time, peak in () if _is_quiet(frame) else _peaks(frame, resampler):
                if peak > LOUD:
                    if time - last > 0.5:
                        found.append(time)
                    last = time
    return found
