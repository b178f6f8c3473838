"""One Matroska per recording: the browsers' own frames, unchanged, on one timeline."""

from __future__ import annotations

import heapq
import itertools
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av

from visavis import __version__
from visavis.domain.recording import MATROSKA, Manifest
from visavis.domain.story import Story
from visavis.recorder.demux import Demuxer, Survey, TimedFrame, TrackKey, survey
from visavis.recorder.spool import journals, sync_directory
from visavis.rtp.journal import JournalLeg

OPUS_RATE: Final = 48_000
SORT_SECONDS: Final = 3.0
"""Frames come in order of arrival; this far apart they are put into order of time."""

_NAMES: Final = {JournalLeg.VISITOR: "Visitor", JournalLeg.AGENT: "Agent"}
_MILLISECOND: Final = Fraction(1, 1000)


@dataclass(frozen=True, slots=True)
class Muxed:
    """`duration` in seconds, from the first frame of any track to the last."""

    path: Path
    duration: float
    tracks: int


def mux(directory: Path, manifest: Manifest, story: Story | None = None) -> Muxed | None:
    """Write `recording.mkv` of a spool directory; it is on disk when this returns.

    `None` when no media ever came: the call was given up before its legs were joined, and there is
    nothing to deliver. Raises `OSError`, `ValueError` or `av.FFmpegError`.
    """
    files = journals(directory)
    found = survey(files)
    if not found.tracks:
        return None
    draft = directory / f"{MATROSKA}.part"
    options = {"cluster_time_limit": "1000"}
    with av.open(str(draft), "w", format="matroska", options=options) as container:
        container.metadata.update(_tags(manifest))
        streams = {track: _add_stream(container, found, track) for track in found.tracks}
        duration = _write(container, streams, _in_order(Demuxer(found).frames(files)))
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    path = draft.replace(directory / MATROSKA)
    sync_directory(directory)
    return Muxed(path, duration, len(streams))


def _write(container: Any, streams: dict[TrackKey, Any], frames: Iterable[TimedFrame]) -> float:
    start: float | None = None
    last = dict.fromkeys(streams, -1)
    for frame in frames:
        start = frame.time if start is None else start
        # two frames of a track never share a millisecond
        pts = max(round((frame.time - start) * 1000), last[frame.track] + 1)
        last[frame.track] = pts
        packet = av.Packet(frame.data)
        packet.stream = streams[frame.track]
        packet.time_base = _MILLISECOND
        packet.pts = packet.dts = pts
        packet.is_keyframe = frame.is_key
        container.mux(packet)
    return max(0, *last.values()) / 1000


def _in_order(frames: Iterable[TimedFrame]) -> Iterator[TimedFrame]:
    """Sort by time within a window, in bounded memory."""
    heap: list[tuple[float, int, TimedFrame]] = []
    newest = 0.0
    for number, frame in zip(itertools.count(), frames, strict=False):
        heapq.heappush(heap, (frame.time, number, frame))
        newest = max(newest, frame.time)
        while heap and newest - heap[0][0] > SORT_SECONDS:
            yield heapq.heappop(heap)[2]
    while heap:
        yield heapq.heappop(heap)[2]


def _add_stream(container: Any, found: Survey, track: TrackKey) -> Any:
    leg, kind = track
    if kind == "audio":
        # never encodes: it is there for the OpusHead (RFC 7845 §5.1) that its encoder writes
        stream = container.add_stream("libopus", rate=OPUS_RATE, layout="stereo")
    else:
        width, height = found.sizes[leg]
        stream = container.add_mux_stream("vp8", width=width, height=height)
    stream.time_base = _MILLISECOND
    stream.metadata["title"] = f"{_NAMES[leg]} {kind}"
    return stream


def _tags(manifest: Manifest) -> dict[str, str]:
    return {
        "title": f"Call {manifest.call_id}",
        "SITE": str(manifest.site_id),
        "CALL": manifest.call_id,
        "RECORDING": manifest.recording_id,
        "VISITOR": manifest.visitor_name,
        "AGENT": manifest.agent_name,
        "DATE_RECORDED": manifest.started_at.isoformat(),
        "SOFTWARE": f"Visavis {__version__}",
    }
