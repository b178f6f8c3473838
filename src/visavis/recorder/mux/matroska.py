"""Muxing of a recording into one Matroska file: unchanged frames of all legs on one timeline."""

from __future__ import annotations

import gc
import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av

from visavis.domain.call_events import CallReport
from visavis.domain.recording import MATROSKA, Manifest
from visavis.durable import sync_directory
from visavis.protocol.attachment import CALL_JSON
from visavis.protocol.wire import encode
from visavis.recorder.mux import chapters
from visavis.recorder.mux.accounting import PacketAccount, WrittenTally
from visavis.recorder.mux.container import ContainerTrack, ContainerWriter
from visavis.recorder.mux.demux import frames
from visavis.recorder.mux.depacketize import TimedFrame, TrackKey
from visavis.recorder.mux.gap_filler import GapFiller
from visavis.recorder.mux.scan import OutputTrack, Scan, scan_journals
from visavis.recorder.mux.video_tracks import add_video_stream, black_frame
from visavis.rtp.codecs.opus import RATE, samples
from visavis.spool.reader import journals

_MILLISECOND: Final = Fraction(1, 1000)

MIN_BYTES_PER_SECOND: Final = 1000
"""Journals of a call grow faster than this, unless nothing is sent."""


@dataclass(frozen=True, slots=True)
class Muxed:
    """Result of muxing a recording.

    `duration` is in seconds, from the first frame of any track to the end of the last. `missing`
    has sentences about received media that is not in the file. `packets` is the result of
    `accounting.PacketAccount.totals`.
    """

    path: Path
    duration: float
    tracks: int
    missing: tuple[str, ...] = ()
    packets: dict[str, dict[str, int]] = field(default_factory=dict)


def mux(directory: Path, manifest: Manifest, report: CallReport | None = None) -> Muxed | None:
    """Mux a recording of the spool into `recording.mkv`, which is on disk when this returns.

    Returns `None` if no media was received, because the call ended before its legs were joined.
    Raises `OSError`, `ValueError` or `av.FFmpegError`.
    """
    with _without_collection():
        return _mux(directory, manifest, report)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Disable garbage collection, because muxing creates millions of objects but no cycles."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _mux(directory: Path, manifest: Manifest, report: CallReport | None) -> Muxed | None:
    files = journals(directory)
    scan = scan_journals(files)
    report = report or chapters.report_of(manifest, scan.events)
    report = chapters.on_recording_clock(report, scan)
    head = _head(manifest, report, scan)
    if not scan.tracks:
        return None
    gap_filler = GapFiller(scan, lambda key, like: black_frame(key.codec, like))
    account = PacketAccount(scan.leg_names())
    account.lost_records = scan.lost_records
    account.stops = scan.stops
    filled = gap_filler.fill(frames(scan, files, account))
    draft = directory / f"{MATROSKA}.part"
    with draft.open("wb") as file:
        container = ContainerWriter(file, head, _expected_seconds(scan, files))
        duration = _write(container, scan, filled, account)
        file.flush()
        os.fsync(file.fileno())
    path = draft.replace(directory / MATROSKA)
    sync_directory(directory)
    missing = account.missing(scan.start)
    return Muxed(path, duration, len(scan.tracks), missing, account.totals())


def _head(manifest: Manifest, report: CallReport, scan: Scan) -> bytes:
    """Return a Matroska file without frames.

    Tracks that FFmpeg cannot describe are removed from the scan.
    """
    output = io.BytesIO()
    with av.open(output, "w", format="matroska") as container:
        _add_streams(container, scan)
        if not scan.tracks:
            return b""
        container.metadata.update(chapters.tags(manifest, report, scan))
        container.set_chapters(_chapters(report, scan))
        attached = chapters.recorded_report(manifest, report, scan)
        container.add_attachment(CALL_JSON, "application/json", encode(attached))
        container.start_encoding()
    return output.getvalue()


def _expected_seconds(scan: Scan, files: list[Path]) -> float:
    """Return the call's duration, but not more than the size of the journals makes plausible.

    If a clock was set, the times in the journals may be far apart.
    """
    size = sum(file.stat().st_size for file in files)
    return min(max(0.0, scan.end - scan.start), size / MIN_BYTES_PER_SECOND)


def _add_streams(container: Any, scan: Scan) -> None:
    """Add a stream for each track; remove tracks whose frames FFmpeg cannot parse from the scan."""
    for track in scan.tracks.copy():
        try:
            stream = _add_stream(container, track)
        except (av.FFmpegError, IndexError):
            scan.tracks.remove(track)
            continue
        stream.time_base = _MILLISECOND
        stream.metadata["title"] = track.name


def _add_stream(container: Any, track: OutputTrack) -> Any:
    if track.key.content != "audio":
        return add_video_stream(container, track.key.codec, track.first.data, track.size)
    # The encoder is never used, but opening it creates the OpusHead (RFC 7845 §5.1).
    return container.add_stream("libopus", rate=RATE, layout="stereo")


def _chapters(report: CallReport, scan: Scan) -> list[Any]:
    return [
        {
            "id": number,
            "start": round(chapter.start * 1000),
            "end": round(chapter.end * 1000),
            "time_base": _MILLISECOND,
            "metadata": {"title": chapter.title},
        }
        for number, chapter in enumerate(chapters.chapters(report, scan), start=1)
    ]


def _write(
    container: ContainerWriter, scan: Scan, ordered: Iterable[TimedFrame], account: PacketAccount
) -> float:
    """Write all frames; return the duration in seconds."""
    start = scan.start
    tracks = {
        track.key: _Track(one, track.key, account.written(track.key))
        for track, one in zip(scan.tracks, container.tracks, strict=True)
    }
    write = container.write
    for frame in ordered:
        time, key, _, is_key, data, packets, arrival = frame
        track = tracks.get(key)
        if track is None:
            account.refuse(frame)
            continue
        # Two frames of a track must not have the same timestamp, which is in milliseconds.
        at = round((time - start) * 1000)
        if at <= track.last:
            at = track.last + 1
        duration = samples(data) * 1000 // RATE if track.is_audio else 0
        track.last = at
        track.end = at + duration
        write(track.output, at, duration, data, is_key)
        track.tally.write(packets, arrival)
    container.finish()
    return max(track.end for track in tracks.values()) / 1000


class _Track:
    """Track of the file. Its last frame lasts from `last` to `end`, in milliseconds."""

    __slots__ = ("end", "is_audio", "last", "output", "tally")

    def __init__(self, output: ContainerTrack, key: TrackKey, tally: WrittenTally) -> None:
        self.output = output
        self.tally = tally
        self.is_audio = key.content == "audio"
        self.last = -1
        self.end = 0
