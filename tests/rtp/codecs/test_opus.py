from __future__ import annotations

import io
from typing import Any

import av
import pytest

from tests.rtp.codecs.streams import packet, push_all
from tests.synthetic import media
from visavis.rtp.codecs import Frame, opus


def test_opus_packets_pass_and_malformed_ones_do_not() -> None:
    for _, data in media.audio(0.2):
        frames = push_all("OPUS", [(1, 960, packet(data))])
        assert frames == [Frame(960, True, data)]
    assert not push_all("OPUS", [(1, 0, packet(b""))])


@pytest.mark.parametrize(
    ("hexadecimal", "samples"),
    [
        ("f8fffe", 960),
        ("00", 480),
        ("18aa", 2880),
        ("60aa", 480),
        ("80aa", 120),
        ("f9aabb", 1920),
        ("f9aa", 0),
        ("fa01aabb", 1920),
        ("fa", 0),
        ("fa09aa", 0),
        ("fafc", 0),
        ("fafc01", 0),
        ("fb03aabbcc", 2880),
        ("fb07aabbcc", 0),
        ("fb", 0),
        ("fb00", 0),
    ],
)
def test_opus_durations(hexadecimal: str, samples: int) -> None:
    assert opus.samples(bytes.fromhex(hexadecimal)) == samples


def test_opus_frames_have_a_greatest_length() -> None:
    assert opus.samples(b"\xf8" + bytes(1275)) == 960
    assert opus.samples(b"\xf8" + bytes(1276)) == 0
    assert opus.samples(b"\xf9" + bytes(2552)) == 0


def test_silence_is_silent() -> None:
    context: Any = av.CodecContext.create("libopus", "r")
    context.sample_rate, context.layout = 48_000, "stereo"
    heard = io.BytesIO()
    for _ in range(5):
        for frame in context.decode(av.Packet(opus.SILENCE)):
            heard.write(bytes(frame.planes[0]))
    assert heard.getvalue()
    assert set(heard.getvalue()) == {0}
