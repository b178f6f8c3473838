"""The parts for browsers: nothing transcoded, everything at its time, in every codec."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import av
import pytest

from tests.archive.recording_files import AUDIO_CALL, VIDEO_CALL, TrackSpec, make_recording
from tests.running import decoding_errors
from visavis.archive.media_info import Track
from visavis.archive.remux import remux
from visavis.archive.rendition_plan import PartInfo, plan


def made(tmp_path: Path, tracks: Any) -> dict[str, PartInfo]:
    source = make_recording(tmp_path / "call.mkv", tracks)
    return {part.name: part for part in remux(source, tmp_path / "parts")}


def packets(path: Path, kind: str) -> list[tuple[float, bytes]]:
    with av.open(str(path)) as container:
        read: Any = container.demux(next(s for s in container.streams if s.type == kind))
        return [(float(p.pts * p.time_base), bytes(p)) for p in read if p.size]


@pytest.mark.parametrize(
    ("codec", "suffix"), [("vp8", "webm"), ("vp9", "webm"), ("av1", "webm"), ("h264", "mp4")]
)
def test_the_browser_s_own_frames_at_their_times(tmp_path: Path, codec: str, suffix: str) -> None:
    tracks = (
        TrackSpec("Visitor audio", begins=0.2),
        TrackSpec("Visitor video", codec, begins=0.52),
    )
    part = made(tmp_path, tracks)["visitor"]
    assert part.media_type == f"video/{suffix}"
    assert (part.begins, part.pictures) == (0, ((0.52, 3.96),))
    path = tmp_path / "parts" / part.file_name
    sent, kept = packets(tmp_path / "call.mkv", "video"), packets(path, "video")
    assert [data for _, data in kept] == [data for _, data in sent]
    assert max(abs(a - b) for (a, _), (b, _) in zip(sent, kept, strict=True)) < 0.002
    assert decoding_errors(path) == ""


def test_a_voice_has_no_gap_from_the_beginning_to_the_end(tmp_path: Path) -> None:
    tracks = (TrackSpec("Agent audio", begins=0.7, lost=[(2.0, 2.5)]), TrackSpec("Visitor audio"))
    part = made(tmp_path, tracks)["agent"]
    assert (part.kind, part.media_type, part.pictures) == ("audio", "audio/webm", ())
    times = [time for time, _ in packets(tmp_path / "parts" / part.file_name, "audio")]
    assert times[0] < 0.01
    assert abs(times[-1] - 3.98) < 0.05
    steps = [later - time for time, later in itertools.pairwise(times)]
    assert max(steps) < 0.0215


def test_a_voice_is_in_step_with_the_picture(tmp_path: Path) -> None:
    """Counting samples as browsers do, every beep is where its flash is."""
    tracks = (
        TrackSpec("Visitor audio", begins=0.3, ends=6, lost=[(1.2, 1.9), (3.5, 3.56)]),
        TrackSpec("Visitor video", "vp8", begins=0.6, ends=6),
    )
    part = made(tmp_path, tracks)["visitor"]
    path = tmp_path / "parts" / part.file_name
    flashes = [round(t, 2) for t in flash_times(path)]
    assert flashes == [1.0, 2.0, 3.0, 4.0, 5.0]
    beeps = beep_times(path)
    assert len(beeps) == len(flashes)
    for beep, flash in zip(beeps, flashes, strict=True):
        assert abs(beep - flash) <= 0.04


def flash_times(path: Path) -> list[float]:
    found, was_bright = [], False
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            is_bright = bytes(frame.planes[0])[0] > 150
            if is_bright and not was_bright and frame.time is not None:
                found.append(frame.time)
            was_bright = is_bright
    return found


def beep_times(path: Path) -> list[float]:
    found: list[float] = []
    count, quiet = 0, 1.0
    resampler = av.AudioResampler(format="s16", layout="mono", rate=48_000)
    with av.open(str(path)) as container:
        for decoded in container.decode(audio=0):
            for frame in resampler.resample(decoded):
                samples = memoryview(bytes(frame.planes[0])).cast("h")[: frame.samples]
                for start in range(0, len(samples), 240):
                    is_loud = max(map(abs, samples[start : start + 240])) > 3000
                    quiet = 0.0 if is_loud else quiet + 0.005
                    if is_loud and (not found or (count + start) / 48_000 - found[-1] > 0.5):
                        found.append((count + start) / 48_000)
                count += frame.samples
    return found


def test_screens_and_changed_codecs_are_parts_of_their_own(tmp_path: Path) -> None:
    parts = made(
        tmp_path,
        (
            *VIDEO_CALL,
            TrackSpec("Agent video 2", "h264", begins=2),
            TrackSpec("Agent screen", "vp9", begins=1, ends=2, size=(640, 360)),
            TrackSpec("Visitor screen", "vp8", begins=3, ends=3.5),
        ),
    )
    assert {name: (p.side, p.kind, p.begins) for name, p in parts.items()} == {
        "visitor": ("visitor", "video", 0),
        "visitor-screen": ("visitor", "screen", 3),
        "agent": ("agent", "video", 0),
        "agent-2": ("agent", "video", 2),
        "agent-screen": ("agent", "screen", 1),
    }
    assert all(part.ends == pytest.approx(3.98, abs=0.03) for part in parts.values())
    first = packets(tmp_path / "parts" / parts["agent-2"].file_name, "video")[0]
    assert first[0] == 0


def test_when_there_is_something_to_see(tmp_path: Path) -> None:
    tracks = (
        TrackSpec("Agent audio", ends=26),
        TrackSpec("Agent video", "vp8", ends=26, lost=[(2, 15)]),
    )
    part = made(tmp_path, tracks)["agent"]
    assert part.pictures == ((0.0, 1.96), (15.0, 25.96))


def test_a_picture_without_a_voice(tmp_path: Path) -> None:
    part = made(tmp_path, (TrackSpec("Agent video", "vp8", begins=1.0),))["agent"]
    assert part.begins == 1.0


def test_an_audio_call(tmp_path: Path) -> None:
    assert list(made(tmp_path, AUDIO_CALL)) == ["visitor", "agent"]


def test_a_file_that_is_not_ours(tmp_path: Path) -> None:
    parts = made(tmp_path, (TrackSpec("Some music"), TrackSpec("", "h264")))
    assert {name: (p.side, p.media_type) for name, p in parts.items()} == {
        "other": ("", "video/mp4")
    }


def test_what_no_browser_plays_is_left_out() -> None:
    tracks = (
        Track(0, "", "video", 1, "theora", 10, 10),
        Track(1, "agent", "audio", 1, "opus"),
        Track(2, "agent", "audio", 2, "opus"),
    )
    assert [part.file_name for part in plan(tracks)] == ["agent.webm", "agent-audio-2.webm"]
