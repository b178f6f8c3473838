"""Media info of a recording comes from its attachment, whatever its tracks are called."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tests.archive.recording_files import TrackSpec, make_recording
from visavis.archive.media_info import ListedParticipant, MediaInfo, Track
from visavis.archive.media_reader import read_media_info
from visavis.archive.rendition_plan import PartInfo, plan
from visavis.domain.call_events import CallReport
from visavis.protocol.attachment import RecordedParticipant


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


AUDIO = tuple(
    TrackSpec(f"{name} audio", ends=0.5, side=side, content="audio")
    for name, side in (("Visitor", "visitor"), ("Agent", "agent"), ("Agent 2", "agent"))
)


def test_the_attachment_says_who_is_on_a_track(tmp_path: Path) -> None:
    listed = (
        RecordedParticipant(1, "visitor", "Zoe", ("Visitor audio",)),
        RecordedParticipant(2, "agent", "Al", ("Agent audio",)),
        RecordedParticipant(3, "agent", "Bea", ("Agent 2 audio",)),
        RecordedParticipant(4, "agent", "Cy", ("Agent audio",)),
        RecordedParticipant(5, "agent", "Di"),
    )
    info = read_media_info(make_recording(tmp_path / "call.mkv", AUDIO, participants=listed))
    assert info.participants == tuple(
        ListedParticipant(one.id, one.role, one.name) for one in listed
    )
    assert [(track.number, track.participants) for track in info.tracks] == [
        (1, (1,)),
        (1, (2, 4)),
        (1, (3,)),
    ]
    assert [(part.name, part.participants) for part in plan(info.tracks)] == [
        ("visitor", (1,)),
        ("agent", (2, 4)),
        ("agent2", (3,)),
    ]


def test_an_attachment_of_the_first_version_has_the_participants_of_its_sides(
    tmp_path: Path,
) -> None:
    report = CallReport(
        call_id="call", site_id=1, media="audio", visitor_name="Zoe", agent_names=("Al", "Cy")
    )
    info = read_media_info(make_recording(tmp_path / "call.mkv", AUDIO[:2], report=report))
    assert info.participants == (
        ListedParticipant(1, "visitor", "Zoe"),
        ListedParticipant(2, "agent", "Al, Cy"),
    )
    assert [track.participants for track in info.tracks] == [(1,), (2,)]
    assert [part.name for part in plan(info.tracks)] == ["visitor", "agent"]
    alone = read_media_info(make_recording(tmp_path / "agent.mkv", AUDIO[1:2]))
    assert [one.role for one in alone.participants] == ["agent"]


def test_what_an_earlier_version_kept_of_a_recording_is_read() -> None:
    track = b'{"index":0,"side":"visitor","kind":"audio","number":1,"codec":"opus"}'
    info = msgspec.json.decode(b'{"duration":1.0,"tracks":[' + track + b"]}", type=MediaInfo)
    assert info.participants == ()
    assert info.tracks == (Track(0, "visitor", "audio", 1, "opus"),)
    part = (
        b'{"name":"visitor","side":"visitor","kind":"audio","fileName":"visitor.webm",'
        b'"mediaType":"audio/webm","begins":0.0,"ends":1.0,"pictures":[]}'
    )
    assert msgspec.json.decode(part, type=PartInfo).participants == ()
