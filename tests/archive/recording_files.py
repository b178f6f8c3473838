"""Recordings made up for tests: what the muxer writes, without a call."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Final

import av
import msgspec

from visavis.domain.call_events import CallReport
from visavis.protocol.attachment import (
    CALL_JSON,
    RecordedCallReport,
    RecordedEvent,
    RecordedParticipant,
    RecordedTrack,
)
from visavis.protocol.wire import encode
from visavis.recorder.mux.scheduling import preserved_scheduling

RATE: Final = 48_000
FRAME: Final = 960
ENCODERS: Final = {
    "vp8": ("libvpx", {"deadline": "realtime", "cpu-used": "8", "b:v": "400k"}),
    "vp9": ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "b:v": "400k"}),
    "av1": ("libsvtav1", {"preset": "11", "svtav1-params": "pred-struct=1:rc=0:lp=1"}),
    "h264": ("libx264", {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline"}),
    "opus": ("libopus", {"application": "voip", "b:a": "24k"}),
}


@dataclass(frozen=True)
class TrackSpec:
    """One track. `begins` and `ends` in seconds; `lost` are spans in which no packet came.

    A picture flashes white, and a voice beeps, for 100 ms at every whole second of the timeline.
    """

    title: str
    codec: str = "opus"
    begins: float = 0.0
    ends: float = 4.0
    size: tuple[int, int] = (320, 180)
    tone: float = 440.0
    lost: Sequence[tuple[float, float]] = field(default=())
    side: str = ""
    content: str = ""
    """Entry of the attachment; empty for those that the title says."""

    def is_lost(self, time: float) -> bool:
        return any(a <= time < b for a, b in self.lost)


VIDEO_CALL: Final = (
    TrackSpec("Visitor audio"),
    TrackSpec("Visitor video", "vp8", begins=0.3),
    TrackSpec("Agent audio", begins=0.5, tone=880.0),
    TrackSpec("Agent video", "vp8", begins=0.8),
)
AUDIO_CALL: Final = (TrackSpec("Visitor audio"), TrackSpec("Agent audio", begins=0.5, tone=880.0))


def _report(
    report: CallReport | None,
    tracks: Sequence[TrackSpec],
    participants: Sequence[RecordedParticipant],
) -> RecordedCallReport:
    """Return the attachment; a track with another title than the muxer's is not in it."""
    call = report or CallReport(call_id="", site_id=1, media="video", consent="")
    recorded = []
    for track in tracks:
        side, content, *_ = [*track.title.casefold().split(), "", ""]
        side, content = track.side or side, track.content or content
        if side in {"visitor", "agent"}:
            item = {"name": track.title, "side": side, "content": content, "codec": track.codec}
            recorded.append(item)
    return RecordedCallReport(
        **{name: getattr(call, name) for name in call.__struct_fields__ if name != "events"},
        events=tuple(RecordedEvent(e.at, e.name, e.by, e.data) for e in call.events),
        recording_id="rec",
        started_at=datetime(2026, 1, 1, 10, tzinfo=UTC),
        duration=max(track.ends for track in tracks),
        tracks=msgspec.convert(recorded, tuple[RecordedTrack, ...]),
        participants=tuple(participants),
        version=2 if participants else 1,
    )


def make_recording(
    path: Path,
    tracks: Sequence[TrackSpec] = VIDEO_CALL,
    *,
    report: CallReport | None = None,
    chapters: Sequence[tuple[float, str]] = (),
    participants: Sequence[RecordedParticipant] = (),
) -> Path:
    """Write a recording as the muxer does; without participants, as an earlier version did."""
    with av.open(str(path), "w", format="matroska", options={"cluster_time_limit": "1000"}) as out:
        attached = encode(_report(report, tracks, participants))
        out.add_attachment(CALL_JSON, "application/json", attached)
        if chapters:
            out.set_chapters([_chapter(n, *one) for n, one in enumerate(chapters, 1)])
        out.metadata["DATE_RECORDED"] = "2026-01-01T10:00:00+00:00"
        packets: list[tuple[float, Any]] = []
        for take in tracks:
            name, options = ENCODERS[take.codec]
            stream: Any = out.add_stream(name, rate=RATE if take.codec == "opus" else 25)
            stream.options = options
            stream.codec_context.thread_count = 1  # libvpx's threads wait by spinning
            stream.metadata["title"] = take.title
            make = _voice if take.codec == "opus" else _picture
            with preserved_scheduling():
                packets += [(float(p.pts * p.time_base), p) for p in make(stream, take)]
        for time, packet in sorted(packets, key=lambda pair: pair[0]):
            _ = time
            out.mux(packet)
    return path


def _voice(stream: Any, take: TrackSpec) -> Iterator[Any]:
    stream.layout = "stereo"
    for start in range(round(take.begins * RATE), round(take.ends * RATE), FRAME):
        frame = av.AudioFrame("s16", "stereo", FRAME)
        frame.planes[0].update(_sound(start % RATE, take.tone))
        frame.pts, frame.rate, frame.time_base = start, RATE, Fraction(1, RATE)
        yield from (p for p in stream.encode(frame) if not take.is_lost(start / RATE))
    yield from stream.encode(None)


@cache
def _sound(start: int, tone: float) -> bytes:
    """A frame of a second of sound, which is repeated."""
    samples = bytearray()
    for number in range(start, start + FRAME):
        loud = 0.5 if number % RATE < RATE // 10 else 0.0
        value = round(32_000 * loud * math.sin(2 * math.pi * tone * number / RATE))
        samples += value.to_bytes(2, "little", signed=True) * 2
    return bytes(samples)


def _picture(stream: Any, take: TrackSpec) -> Iterator[Any]:
    stream.width, stream.height, stream.pix_fmt = *take.size, "yuv420p"
    stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
    stream.codec_context.gop_size = 50
    for number in range(round(take.begins * 25), round(take.ends * 25)):
        frame = av.VideoFrame(*take.size, "yuv420p")
        is_flash = number % 25 < 3
        for plane, value in zip(frame.planes, (235 if is_flash else 60, 128, 128), strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        frame.pts, frame.time_base = number * 40, Fraction(1, 1000)
        yield from (p for p in stream.encode(frame) if not take.is_lost(number / 25))
    yield from stream.encode(None)


def _chapter(number: int, at: float, title: str) -> Any:
    start, time_base = round(at * 1000), Fraction(1, 1000)
    metadata = {"title": title}
    return {
        "id": number,
        "start": start,
        "end": start + 1,
        "time_base": time_base,
        "metadata": metadata,
    }
