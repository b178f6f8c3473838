"""The file equals that of FFmpeg for the same frames, and its cues point to key frames."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import pytest

from tests.synthetic import media
from visavis.recorder.mux import container, ebml
from visavis.recorder.mux.container import ContainerWriter, with_lengths
from visavis.recorder.mux.video_tracks import add_video_stream

MS = Fraction(1, 1000)
SECONDS = 7.0
_MASTERS = {
    ebml.SEGMENT,
    ebml.SEEK_HEAD,
    ebml.SEEK,
    ebml.CUES,
    ebml.CUE_POINT,
    ebml.CUE_TRACK_POSITIONS,
    ebml.CLUSTER,
}


class Placed(NamedTuple):
    """Frame of a track, with times in milliseconds."""

    at: int
    track: int
    duration: int
    data: bytes
    is_key: bool


def placed_frames(codec: str) -> list[Placed]:
    """Return frames of two audio tracks and, unless `codec` is empty, two video tracks, by time."""
    found = [
        Placed(round(time * 1000) + 3 * track, track, 20, data, True)
        for track in (0, 1)
        for time, data in media.audio(SECONDS)
    ]
    for track in (2, 3) if codec else ():
        for number, (time, data) in enumerate(media.video(codec, SECONDS, key_every=2.0)):
            is_key = number % round(2 * media.FPS) == 0
            data = data.removeprefix(b"\x12\0")  # Depacketised AV1 has no temporal delimiter.
            found.append(Placed(round(time * 1000) + 5 * track, track, 0, data, is_key))
    return sorted(found)


def add_streams(output: Any, codec: str, first: bytes) -> list[Any]:
    streams = [output.add_stream("libopus", rate=48_000, layout="stereo") for _ in range(2)]
    if codec:
        streams += [add_video_stream(output, codec, first) for _ in range(2)]
    for number, stream in enumerate(streams):
        stream.time_base = MS
        stream.metadata["title"] = f"Track {number}"
    output.metadata.update({"title": "Call", "AGENT": "Bö", "CONSENT": ""})
    output.set_chapters(
        [{"id": 1, "start": 0, "end": 900, "time_base": MS, "metadata": {"title": "Begun"}}]
    )
    output.add_attachment("call.json", "application/json", b'{"a": 1}')
    output.start_encoding()
    return streams


def first_picture(frames: list[Placed]) -> bytes:
    return next((frame.data for frame in frames if frame.track >= 2), b"")


def written(
    path: Path, codec: str, frames: list[Placed], seconds: float = SECONDS
) -> ContainerWriter:
    head = io.BytesIO()
    with av.open(head, "w", format="matroska") as output:
        add_streams(output, codec, first_picture(frames))
    with path.open("wb") as file:
        writer = ContainerWriter(file, head.getvalue(), seconds)
        for at, track, duration, data, is_key in frames:
            writer.write(writer.tracks[track], at, duration, data, is_key)
        writer.finish()
    return writer


def written_by_ffmpeg(path: Path, codec: str, frames: list[Placed]) -> None:
    options = {"cluster_time_limit": "1000", "cues_to_front": "1"}
    with av.open(str(path), "w", format="matroska", options=options) as output:
        streams = add_streams(output, codec, first_picture(frames))
        for at, track, duration, data, is_key in frames:
            packet = av.Packet(data)
            packet.stream = streams[track]
            packet.pts = packet.dts = at
            packet.duration = duration
            packet.is_keyframe = is_key
            output.mux_one(packet)


def probed(path: Path) -> dict[str, Any]:
    """Return ffprobe's description of a file, without positions and sizes."""
    command = ["ffprobe", "-v", "error", "-show_packets", "-show_streams", "-show_format"]
    command += ["-show_chapters", "-show_data_hash", "md5", "-of", "json", str(path)]
    found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    for name in ("filename", "size", "bit_rate"):
        del found["format"][name]
    for packet in found["packets"]:
        packet.pop("pos", None)
    return dict(found)


class Part(NamedTuple):
    """Element with its position in the file; `begin` is the position of its content."""

    name: bytes
    at: int
    begin: int
    content: bytes


def walk(data: bytes, offset: int = 0) -> Iterator[Part]:
    at = 0
    for name, content in ebml.read(data):
        begin = at + len(name)
        begin += 9 - data[begin].bit_length()  # Skip the size, whose length its first byte gives.
        yield Part(name, offset + at, offset + begin, content)
        if name in _MASTERS:
            yield from walk(content, offset + begin)
        at = begin + len(content)


def cues_of(path: Path) -> list[tuple[int, int]]:
    """Return time and track of each cue; check the targets of the cues and seek entries."""
    data = path.read_bytes()
    parts = list(walk(data))
    named = {part.at: part for part in parts}
    start = next(part.begin for part in parts if part.name == ebml.SEGMENT)
    assert start + len(next(p.content for p in parts if p.name == ebml.SEGMENT)) == len(data)
    found: list[tuple[int, int]] = []
    wanted = b""
    numbers: dict[bytes, int] = {}
    for name, _, _, content in parts:
        numbers[name] = int.from_bytes(content[:8])
        if name == ebml.SEEK_ID:
            wanted = content
        elif name == ebml.SEEK_POSITION:
            assert named[start + numbers[name]].name == wanted
        elif name == ebml.CUE_RELATIVE_POSITION:
            cluster = named[start + numbers[ebml.CUE_CLUSTER_POSITION]]
            assert cluster.name == ebml.CLUSTER
            block = named[cluster.begin + numbers[name]]
            assert block.name == ebml.SIMPLE_BLOCK
            assert block.content[0] == 0x80 | numbers[ebml.CUE_TRACK]
            base = int.from_bytes(dict(ebml.read(cluster.content))[ebml.TIMESTAMP])
            time = base + int.from_bytes(block.content[1:3], signed=True)
            assert time == numbers[ebml.CUE_TIME]
            assert block.content[3] == 0x80
            found.append((time, numbers[ebml.CUE_TRACK]))
    return found


def places(path: Path, name: bytes) -> list[int]:
    return [part.at for part in walk(path.read_bytes()) if part.name == name]


@pytest.mark.parametrize("codec", ["", "VP8", "VP9", "H264", "AV1"])
def test_it_is_the_file_that_ffmpeg_writes(tmp_path: Path, codec: str) -> None:
    frames = placed_frames(codec)
    ours, theirs = tmp_path / "ours.mkv", tmp_path / "theirs.mkv"
    written(ours, codec, frames)
    written_by_ffmpeg(theirs, codec, frames)
    one, other = probed(ours), probed(theirs)
    if codec == "H264":  # FFmpeg guesses the duration of the last picture.
        lengths = [float(file["format"].pop("duration")) for file in (one, other)]
        assert 0 <= lengths[1] - lengths[0] < 0.1
        for stream in (*one["streams"], *other["streams"]):
            for name in ("duration", "duration_ts"):
                stream.pop(name, None)
            stream["tags"].pop("DURATION", None)
    assert one == other
    cues = cues_of(ours)
    if codec:
        assert sorted(cues) == sorted(cues_of(theirs))
        assert len(cues) == 8  # A key frame every two seconds, on two video tracks.
    else:
        assert len(cues) == 2 * len(places(ours, ebml.CLUSTER)) >= 2 * SECONDS - 2
    assert places(ours, ebml.CUES)[0] < places(ours, ebml.CLUSTER)[0]


def test_players_find_the_key_frame_before_a_moment(tmp_path: Path) -> None:
    path = tmp_path / "file.mkv"
    written(path, "VP8", placed_frames("VP8"))
    with av.open(str(path)) as file:
        picture = file.streams.video[0]
        file.seek(5000, stream=picture)
        packet = next(file.demux(picture))
        assert packet.is_keyframe
        assert packet.pts == 4010


def test_more_cues_than_expected_come_after_the_clusters(tmp_path: Path) -> None:
    """The recording lasts longer than was expected when its head was written."""
    path = tmp_path / "file.mkv"
    frames = [frame._replace(is_key=True) for frame in placed_frames("VP8")]
    written(path, "VP8", frames, seconds=0)
    assert len(cues_of(path)) == 2 * 7 * media.FPS
    assert places(path, ebml.CUES)[0] > places(path, ebml.CLUSTER)[-1]
    other = tmp_path / "other.mkv"
    written_by_ffmpeg(other, "VP8", frames)
    assert probed(path) == probed(other)


@pytest.mark.parametrize("left", [0, 1, 8, 9, 300])
def test_the_room_for_cues_is_filled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    frames = placed_frames("VP8")
    path = tmp_path / "file.mkv"
    written(path, "VP8", frames)
    cues = next(part for part in walk(path.read_bytes()) if part.name == ebml.CUES)
    room: Callable[..., int] = lambda *_: cues.begin - cues.at + len(cues.content) + left  # noqa: E731
    monkeypatch.setattr(container, "_cue_room", room)
    written(path, "VP8", frames)
    assert len(cues_of(path)) == 8
    is_ahead = places(path, ebml.CUES)[0] < places(path, ebml.CLUSTER)[0]
    assert is_ahead is (left == 0 or left >= ebml.MIN_VOID_BYTES)


def test_a_cluster_is_bounded_in_time_and_bytes(tmp_path: Path) -> None:
    path = tmp_path / "file.mkv"
    large = [Placed(at, 2, 0, bytes(3_000_000), at == 0) for at in range(5)]
    odd = [Placed(at, 0, 20, media.audio(0.1)[0][1], True) for at in (40_000, 50, 90_000, 90_500)]
    picture = first_picture(placed_frames("VP8"))
    written(path, "VP8", [Placed(0, 2, 0, picture, True), *large[1:], *odd])
    assert len(places(path, ebml.CLUSTER)) == 2 + 3
    with av.open(str(path)) as file:
        times = [packet.pts for packet in file.demux(audio=0) if packet.size]
    assert times == [40_000, 50, 90_000, 90_500]


def test_units_of_h264_get_their_lengths() -> None:
    data = b"\0\0\0\1\x67ab\0\0\1\x68c\0\0\0\1\x65de\0\0\3\0\0"
    lengths = b"\0\0\0\3\x67ab\0\0\0\2\x68c\0\0\0\x08\x65de\0\0\3\0\0"
    assert with_lengths(data) == lengths
    assert with_lengths(b"no start code") == b""
    assert with_lengths(b"\0\0\1\0\0\1\x65") == b"\0\0\0\1\x65"


@pytest.mark.parametrize("value", [0, 1, 126, 127, 128, 16_382, 16_383, 2**28, 2**40])
def test_sizes_are_read_as_they_were_written(value: int) -> None:
    for encoded in (ebml.size(value), ebml.wide_size(value)):
        length = 9 - encoded[0].bit_length()
        assert len(encoded) == length
        assert int.from_bytes(encoded) - (1 << 7 * length) == value
        assert value != (1 << 7 * length) - 1  # This value would mean an unknown size.
