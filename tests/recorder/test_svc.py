"""VP9 with spatial layers (SVC): one picture at a time, of the highest layer that is whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import av
import pytest

from tests.recorder.test_mux import VISITOR, muxed, talk
from tests.synthetic.call import Journal, rtp
from tests.synthetic.svc import MODES, Layer, Payload, payloads, pictures
from tests.synthetic.watch import stream_of
from visavis.rtp.journal import RecordKind

PIXEL_WIDTH = b"\xb0\x82"
"""Two bytes in the track's header; the height follows. FFmpeg tells the first frame's size."""

Picture = tuple[int, int, str]
Keep = Callable[[int, Payload], bool]


def planes(frame: Any) -> Picture:
    """Size and digest of all that is visible of a picture."""
    visible = sha256()
    for plane in frame.planes:
        data = bytes(plane)
        for start in range(0, plane.height * plane.line_size, plane.line_size):
            visible.update(data[start : start + plane.width])
    return frame.width, frame.height, visible.hexdigest()


def superframe(layers: list[Layer]) -> bytes:
    """As a sender's encoder gives it."""
    frames = [layer.data for layer in layers]
    if len(frames) == 1:
        return frames[0]
    marker = bytes([0xD8 | len(frames) - 1])
    sizes = b"".join(len(frame).to_bytes(4, "little") for frame in frames)
    return b"".join([*frames, marker, sizes, marker])


def as_browsers_show_it(shown: list[list[Layer]]) -> list[Picture]:
    """By libvpx, which shows the last layer of each picture alone."""
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
    """The track's size, and the times and pictures that FFmpeg's own decoder makes of it."""
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
    """Of one picture, a packet of the highest layer is lost for good."""
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
