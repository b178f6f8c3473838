"""One Matroska per recording: the browsers' own frames, unchanged, on one timeline."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import msgspec

from visavis.domain.call_events import CALL_JSON, CallReport
from visavis.domain.recording import MATROSKA, Manifest
from visavis.recorder import chapters
from visavis.recorder.accounting import Account
from visavis.recorder.demux import frames
from visavis.recorder.filler import Filler
from visavis.recorder.pictures import add_video_stream, black_frame
from visavis.recorder.pipeline import TimedFrame, TrackKey
from visavis.recorder.spool import journals, sync_directory
from visavis.recorder.survey import Survey, Track, survey
from visavis.rtp.codecs.opus import RATE, samples

_MILLISECOND: Final = Fraction(1, 1000)
_OPTIONS: Final = {"cluster_time_limit": "1000", "cues_to_front": "1"}


@dataclass(frozen=True, slots=True)
class Muxed:
    """`duration` in seconds, from the first frame of any track to the end of the last.

    `missing` says in sentences which media were received and are not in the file; `packets` are the
    totals of `accounting.Account`.
    """

    path: Path
    duration: float
    tracks: int
    missing: tuple[str, ...] = ()
    packets: dict[str, dict[str, int]] = field(default_factory=dict)


def mux(directory: Path, manifest: Manifest, story: CallReport | None = None) -> Muxed | None:
    """Write `recording.mkv` of a spool directory; it is on disk when this returns.

    `None` when no media ever came: the call was given up before its legs were joined, and there is
    nothing to deliver. Raises `OSError`, `ValueError` or `av.FFmpegError`.
    """
    files = journals(directory)
    found = survey(files)
    story = story or chapters.report_of(manifest, found.events)
    draft = directory / f"{MATROSKA}.part"
    with av.open(str(draft), "w", format="matroska", options=_OPTIONS) as container:
        streams = _add_streams(container, found)
        if not streams:
            return None
        container.metadata.update(chapters.tags(manifest, story, found))
        container.set_chapters(_chapters(story, found))
        attached = chapters.recorded_story(manifest, story, found)
        container.add_attachment(CALL_JSON, "application/json", msgspec.json.encode(attached))
        container.start_encoding()
        filler = Filler(found, lambda key, like: black_frame(key.codec, like))
        account = Account()
        account.lost_records = found.lost_records
        account.stops = found.stops
        filled = filler.fill(frames(found, files, account))
        duration = _write(container, streams, found.start, filled, account)
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    path = draft.replace(directory / MATROSKA)
    sync_directory(directory)
    missing = account.missing(found.start)
    return Muxed(path, duration, len(streams), missing, account.totals())


def _add_streams(container: Any, found: Survey) -> dict[TrackKey, Any]:
    """One for each track; a track whose frames FFmpeg cannot make out is left out."""
    streams: dict[TrackKey, Any] = {}
    for track in found.tracks.copy():
        try:
            stream = _add_stream(container, track)
        except (av.FFmpegError, IndexError):
            found.tracks.remove(track)
            continue
        stream.time_base = _MILLISECOND
        stream.metadata["title"] = track.name
        streams[track.key] = stream
    return streams


def _add_stream(container: Any, track: Track) -> Any:
    if track.key.content != "audio":
        return add_video_stream(container, track.key.codec, track.first.data, track.size)
    # never encodes: it is there for the OpusHead (RFC 7845 §5.1) that its encoder writes
    return container.add_stream("libopus", rate=RATE, layout="stereo")


def _chapters(story: CallReport, found: Survey) -> list[Any]:
    return [
        {
            "id": number,
            "start": round(chapter.start * 1000),
            "end": round(chapter.end * 1000),
            "time_base": _MILLISECOND,
            "metadata": {"title": chapter.title},
        }
        for number, chapter in enumerate(chapters.chapters(story, found), start=1)
    ]


def _write(
    container: Any,
    streams: dict[TrackKey, Any],
    start: float,
    ordered: Iterable[TimedFrame],
    account: Account,
) -> float:
    """The duration of what was written, in seconds."""
    last = dict.fromkeys(streams, -1)
    end = 0
    mux, new = container.mux_one, av.Packet
    for frame in ordered:
        key, data = frame.track, frame.data
        stream = streams.get(key)
        if stream is None:
            account.refuse(frame)
            continue
        # two frames of a track never share a millisecond
        pts = last[key] = max(round((frame.time - start) * 1000), last[key] + 1)
        packet = new(data)
        packet.stream = stream  # the packet's time base is the stream's
        packet.pts = packet.dts = pts
        packet.is_keyframe = frame.is_key
        if key.content == "audio":
            duration = packet.duration = samples(data) * 1000 // RATE
            end = max(end, pts + duration)
        elif pts > end:
            end = pts
        try:
            mux(packet)
        except av.InvalidDataError:  # a hostile frame that FFmpeg cannot store
            account.refuse(frame)
        else:
            account.write(frame)
    return end / 1000
