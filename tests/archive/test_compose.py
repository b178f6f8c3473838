"""The composed film: both sides, one sound, in step."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import pytest

from tests.archive.recording_files import AUDIO_CALL, VIDEO_CALL, TrackSpec, make_recording
from tests.archive.test_remux import beep_times
from tests.running import decoding_errors, ffprobe
from visavis.archive.compose import compose
from visavis.protocol.attachment import CALL_JSON, RecordedParticipant


def composed(tmp_path: Path, tracks: tuple[TrackSpec, ...]) -> Path:
    source, target = make_recording(tmp_path / "call.mkv", tracks), tmp_path / "film.mp4"
    told: list[float] = []
    compose(source, target, told.append)
    assert told == sorted(told)
    assert 0.9 < told[-1] <= 1
    assert decoding_errors(target) == ""
    return target


def brightness(path: Path, x: int, y: int) -> list[bool]:
    """Of each frame, whether it is bright there."""
    with av.open(str(path)) as container:
        frames = container.decode(video=0)
        return [bytes(f.planes[0])[y * f.planes[0].line_size + x] > 150 for f in frames]


def test_both_sides_flash_and_beep_at_once(tmp_path: Path) -> None:
    path = composed(tmp_path, VIDEO_CALL)
    video, sound = sorted(ffprobe(path)["streams"], key=lambda s: s["codec_type"], reverse=True)
    assert (video["codec_name"], video["width"], video["height"]) == ("h264", 1280, 360)
    assert sound["codec_name"] == "aac"
    left, right = brightness(path, 320, 180), brightness(path, 960, 180)
    assert [n for n, is_bright in enumerate(left) if is_bright and not left[n - 1]] == [25, 50, 75]
    assert left == right
    beeps = beep_times(path)
    assert len(beeps) == 4
    assert all(abs(beep - round(beep)) < 0.06 for beep in beeps)


def test_a_shared_screen_stands_below(tmp_path: Path) -> None:
    screen = TrackSpec("Agent screen", "vp9", begins=1.5, ends=3, size=(640, 360))
    path = composed(tmp_path, (*VIDEO_CALL, screen))
    video = next(s for s in ffprobe(path)["streams"] if s["codec_type"] == "video")
    assert (video["width"], video["height"]) == (1280, 1080)
    seen = brightness(path, 640, 720)
    assert not any(seen[:37])
    assert all(seen[50:53])


def test_one_side_only_keeps_the_other_one_s_place(tmp_path: Path) -> None:
    path = composed(tmp_path, (*AUDIO_CALL, TrackSpec("Agent video", "vp8")))
    assert not any(brightness(path, 320, 180))
    assert any(brightness(path, 960, 180))


def test_three_participants_have_a_tile_each(tmp_path: Path) -> None:
    tracks = (
        TrackSpec("Visitor video", "vp8", ends=2.0),
        TrackSpec("Agent video", "vp8", ends=2.0),
        TrackSpec("Agent 2 video", "vp8", ends=2.0, side="agent", content="video"),
    )
    participants = tuple(
        RecordedParticipant(number, track.title.split()[0].lower(), "", (track.title,))
        for number, track in enumerate(tracks, start=1)
    )
    source = make_recording(tmp_path / "call.mkv", tracks, participants=participants)
    compose(source, tmp_path / "film.mp4", lambda _: None)
    (stream,) = ffprobe(tmp_path / "film.mp4")["streams"]
    assert (stream["width"], stream["height"]) == (1920, 360)
    assert all(any(brightness(tmp_path / "film.mp4", x, 180)) for x in (320, 960, 1600))


def test_a_picture_that_changes_its_size_and_ends(tmp_path: Path) -> None:
    tracks = (
        TrackSpec("Visitor audio", ends=14),
        TrackSpec("Visitor video", "vp8", ends=1),
        TrackSpec("Visitor video 2", "vp9", begins=1, ends=2, size=(180, 320)),
    )
    seen = brightness(composed(tmp_path, tracks), 320, 180)
    assert seen[25]
    assert len(seen) == pytest.approx(14 * 25, abs=3)


def test_sound_alone(tmp_path: Path) -> None:
    (stream,) = ffprobe(composed(tmp_path, AUDIO_CALL))["streams"]
    assert stream["codec_name"] == "aac"


def test_pictures_alone(tmp_path: Path) -> None:
    (stream,) = ffprobe(composed(tmp_path, (TrackSpec("", "h264", size=(200, 100)),)))["streams"]
    assert (stream["width"], stream["height"]) == (640, 360)


def test_nothing(tmp_path: Path) -> None:
    path = tmp_path / "subtitles.srt"
    path.write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n")
    with pytest.raises(av.InvalidDataError):
        compose(path, tmp_path / "film.mp4", lambda _: None)
    subtitles = tmp_path / "subtitles.mkv"
    subprocess.run(["ffmpeg", "-v", "error", "-i", path, subtitles], check=True)
    with pytest.raises(ValueError, match="nothing to be heard"):
        compose(subtitles, tmp_path / "film.mp4", lambda _: None)


def test_frames_that_cannot_be_decoded_cost_only_themselves(tmp_path: Path) -> None:
    whole, spoilt = make_recording(tmp_path / "whole.mkv"), tmp_path / "call.mkv"
    with av.open(str(whole)) as source, av.open(str(spoilt), "w", format="matroska") as out:
        streams: dict[int, Any] = {}
        (report,) = source.streams.attachments
        out.add_attachment(CALL_JSON, "application/json", report.data)
        for stream in (*source.streams.audio, *source.streams.video):
            streams[stream.index] = out.add_stream_from_template(stream, opaque=True)
            streams[stream.index].metadata["title"] = stream.metadata["title"]
        for number, packet in enumerate(source.demux()):
            if packet.pts is None:
                continue
            copy: Any = av.Packet(b"\xff" * 40 if number % 50 == 30 else bytes(packet))
            copy.stream, copy.time_base = streams[packet.stream_index], packet.time_base
            copy.pts = copy.dts = packet.pts
            copy.is_keyframe = packet.is_keyframe
            out.mux(copy)
    compose(spoilt, tmp_path / "film.mp4", lambda _: None)
    assert decoding_errors(tmp_path / "film.mp4") == ""
    assert len(brightness(tmp_path / "film.mp4", 320, 180)) >= 99


def test_the_program_tells_how_far_it_is(tmp_path: Path) -> None:
    source = make_recording(tmp_path / "call.mkv", AUDIO_CALL)
    command = [
        sys.executable,
        "-m",
        "visavis.archive.compose",
        str(source),
        str(tmp_path / "film.mp4"),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert [float(line) for line in result.stdout.split()][-1] > 0.9
