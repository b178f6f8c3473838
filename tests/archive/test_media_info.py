"""Media info of a recording comes from its attachment, whatever its tracks are called."""

from __future__ import annotations

from pathlib import Path

from tests.archive.recording_files import TrackSpec, make_recording
from visavis.archive.media_info import read_media_info


def test_the_attachment_says_whose_track_it_is(tmp_path: Path) -> None:
    tracks = (
        TrackSpec("Stimme", ends=1.0, side="visitor", content="audio"),
        TrackSpec("Bild", "vp8", ends=1.0, side="agent", content="screen"),
        TrackSpec("Bild 2", "vp9", ends=1.0, side="agent", content="screen"),
        TrackSpec("Something else", "vp8", ends=1.0),
    )
    info = read_media_info(make_recording(tmp_path / "call.mkv", tracks))
    assert [(track.side, track.kind, track.number, track.codec) for track in info.tracks] == [
        ("visitor", "audio", 1, "opus"),
        ("agent", "screen", 1, "vp8"),
        ("agent", "screen", 2, "vp9"),
        ("", "video", 1, "vp8"),
    ]
