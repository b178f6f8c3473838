"""VP9 and AV1 with spatial layers (SVC): the highest complete layer of each picture is shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import av
import pytest

from tests.recorder.test_mux import VISITOR, muxed, talk
from tests.synthetic import media
from tests.synthetic.call import Journal, rtp
from tests.synthetic.svc import (
    MODES,
    Layer,
    Payload,
    av1_payloads,
    av1_units,
    payloads,
    pictures,
)
from tests.synthetic.watch import stream_of
from visavis.recorder.mux.video_tracks import add_video_stream
from visavis.rtp.codecs.av1 import Av1Depacketiser
from visavis.spool.format import RecordKind

PIXEL_WIDTH = b"\xb0\x82"
"""PixelWidth element of the track, with two bytes. FFmpeg itself reports the first frame's size."""

Picture = tuple[int, int, str]
Keep = Callable[[int, Payload], bool]


def planes(frame: Any) -> Picture:
    """Return the size and a digest of the visible part of a picture."""
    visible = sha256()
    for plane in frame.planes:
        data = bytes(plane)
        for start in range(0, plane.height * plane.line_size, plane.line_size):
            visible.update(data[start : start + plane.width])
    return frame.width, frame.height, visible.hexdigest()


def superframe(layers: list[Layer]) -> bytes:
    """Return layers as a superframe, as an encoder emits it."""
    frames = [layer.data for layer in layers]
    if len(frames) == 1:
        return frames[0]
    marker = bytes([0xD8 | len(frames) - 1])
    sizes = b"".join(len(frame).to_bytes(4, "little") for frame in frames)
    return b"".join([*frames, marker, sizes, marker])


def as_browsers_show_it(shown: list[list[Layer]]) -> list[Picture]:
    """Decode with libvpx, which shows only the last layer of each picture, like browsers."""
    context: Any = av.CodecContext.create("libvpx-vp9", "r")
    packets = [av.Packet(superframe(layers)) for layers in shown]
    return [planes(frame) for packet in packets for frame in context.decode(packet)]


def record(directory: Path, mode: str, keep: Keep = lambda number, payload: True) -> Path:
    journal = Journal()
    journal.describe()
    sequence, first = 65_500, pictures(mode)[0][0].timestamp
    for number, layers in enumerate(pictures(mode)):
        at = (layers[0].timestamp - first) / 90_000
        for payload in payloads(layers, number):
            if keep(number, payload):
                head = (98, payload.is_last, sequence % 65536, layers[0].timestamp, 1010)
                data = rtp(*head, payload.data, "1")
                journal.records.append((at + 0.03, RecordKind.RTP, VISITOR, data))
            sequence += 1
    talk(journal, VISITOR, at + 1, "")
    journal.write(directory, 1)
    return muxed(directory)


def shown_by(path: Path) -> tuple[tuple[int, int], list[float], list[Picture]]:
    """Return the track's size, and the times and pictures from FFmpeg's own decoder."""
    data = path.read_bytes()
    at = data.index(PIXEL_WIDTH)
    size = int.from_bytes(data[at + 2 : at + 4]), int.from_bytes(data[at + 6 : at + 8])
    with av.open(str(path)) as container:
        stream = stream_of(container, "Visitor video")
        context: Any = av.CodecContext.create("vp9", "r")
        context.thread_count = 1
        splitter = av.bitstream.BitStreamFilterContext("vp9_superframe_split", stream)
        times, shown = [], []
        for packet in container.demux(stream):
            times += [float(packet.pts * stream.time_base)] if packet.size else []
            for part in splitter.filter(packet) if packet.size else ():
                shown += [planes(frame) for frame in context.decode(part)]
        shown += [planes(frame) for frame in context.decode(None)]
    return size, times, shown


@pytest.mark.parametrize("mode", MODES)
def test_each_picture_is_shown_once_in_its_highest_layer(tmp_path: Path, mode: str) -> None:
    """Chromium begins with the lowest layer, and adds others without a key frame."""
    sent = pictures(mode)
    size, times, shown = shown_by(record(tmp_path, mode))
    assert len(times) == len(set(times)) == len(sent)
    assert shown == as_browsers_show_it(sent)
    assert size == max({picture[:2] for picture in shown})
    assert len({picture[:2] for picture in shown}) > 1


@pytest.mark.parametrize("mode", MODES)
def test_after_a_loss_the_layers_below_go_on(tmp_path: Path, mode: str) -> None:
    """One packet of the highest layer of a picture is lost and not repaired."""
    sent = pictures(mode)
    top = max(layer.spatial for layers in sent for layer in layers)
    is_lost = Counter[int]()

    def keep(number: int, payload: Payload) -> bool:
        if number < 30 or payload.layer != top or is_lost:
            return True
        is_lost[number] += 1
        return False

    _, times, shown = shown_by(record(tmp_path, mode, keep))
    (lost,) = is_lost
    expected = sent[:lost] + [
        [layer for layer in layers if layer.spatial < top] for layers in sent[lost:]
    ]
    assert len(times) == len(sent)
    assert shown == as_browsers_show_it(expected)


@pytest.mark.parametrize("mode", MODES)
def test_without_the_lowest_layer_there_is_nothing_to_show(tmp_path: Path, mode: str) -> None:
    sent = pictures(mode)
    later_keys = [n for n, layers in enumerate(sent) if n > 30 and not layers[0].refers]
    _, _, shown = shown_by(record(tmp_path, mode, lambda n, one: n != 30 or one.layer > 0))
    expected = sent[:30] + (sent[later_keys[0] :] if later_keys else [])
    assert shown == as_browsers_show_it(expected)


AV1_SIZE = (320, 240)
UNITS_BETWEEN_KEYS = 8


@pytest.fixture
def av1_frames() -> list[bytes]:
    """Return the AV1 frames of two groups of pictures."""
    seconds = 4 * UNITS_BETWEEN_KEYS / media.FPS
    return [frame for _, frame in media.video("AV1", seconds, AV1_SIZE, seconds / 2)]


def by_dav1d(frames: list[bytes]) -> list[Picture]:
    """Decode like browsers: only the top layer of the operating point of each block is shown."""
    context: Any = av.CodecContext.create("libdav1d", "r")
    context.thread_count = 1
    shown = [planes(picture) for one in frames for picture in context.decode(av.Packet(one))]
    return shown + [planes(picture) for picture in context.decode(None)]


def test_a_lost_packet_of_an_upper_av1_layer_costs_that_layer_alone(
    av1_frames: list[bytes],
) -> None:
    """The test runs once for each packet of the first group, which is then lost."""
    whole = by_dav1d(av1_frames)
    sent = [
        (number, payload)
        for number, unit in enumerate(av1_units(av1_frames))
        for payload in av1_payloads(unit)
    ]
    assert len(sent) > 2 * len(av1_frames)
    for lost, (at, (layer, _, _)) in enumerate(sent):
        if at == UNITS_BETWEEN_KEYS:
            break
        depacketiser, frames = Av1Depacketiser(), []
        for index, (number, payload) in enumerate(sent):
            if index != lost:
                frame = depacketiser.push(index, number, payload.is_last, payload.data)
                frames += [frame] if frame else []
        is_hurt = [at <= number < UNITS_BETWEEN_KEYS for number in range(2 * UNITS_BETWEEN_KEYS)]
        kept = [n for n, hurt in enumerate(is_hurt) if layer or not hurt]
        assert [frame.timestamp for frame in frames] == kept
        expected = [whole[2 * number + (not is_hurt[number])] for number in kept]
        assert by_dav1d([frame.data for frame in frames]) == expected, (at, layer)
        assert {frame.size for frame in frames} == {AV1_SIZE}


def test_each_av1_unit_is_shown_once_in_its_highest_layer(
    tmp_path: Path, av1_frames: list[bytes]
) -> None:
    """The sender omits the upper layer in the second group."""
    journal = Journal()
    journal.describe()
    sequence = 65_500
    for number, unit in enumerate(av1_units(av1_frames)):
        layers = unit if number < UNITS_BETWEEN_KEYS else unit[:1]
        for payload in av1_payloads(layers):
            head = (45, payload.is_last, sequence % 65536, 1000 + number * 6000, 1010)
            data = rtp(*head, payload.data, "1")
            journal.records.append((number / 15 + 0.03, RecordKind.RTP, VISITOR, data))
            sequence += 1
    talk(journal, VISITOR, 3.0, "")
    journal.write(tmp_path, 1)
    whole = by_dav1d(av1_frames)
    with av.open(str(muxed(tmp_path))) as container:
        stream = stream_of(container, "Visitor video")
        packets = [bytes(packet) for packet in container.demux(stream) if packet.size]
    half = 2 * UNITS_BETWEEN_KEYS
    assert by_dav1d(packets) == whole[1:half:2] + whole[half::2]


def test_an_av1_track_has_the_size_of_its_highest_layer(tmp_path: Path) -> None:
    key_frame = media.video("AV1", 0.1, AV1_SIZE)[0][1].removeprefix(b"\x12\0")
    path = tmp_path / "one.mkv"
    with av.open(str(path), "w") as container:
        stream = add_video_stream(container, "AV1", key_frame, (640, 480))
        packet = av.Packet(key_frame)
        packet.stream, packet.pts, packet.dts = stream, 0, 0
        container.mux(packet)
    data = path.read_bytes()
    at = data.index(PIXEL_WIDTH)
    assert int.from_bytes(data[at + 2 : at + 4]) == 640
    assert int.from_bytes(data[at + 6 : at + 8]) == 480
