from __future__ import annotations

import pytest

from tests.rtp.codecs.streams import SIZE, decoded, packet
from tests.synthetic import media
from tests.synthetic.packetise import av1, obus
from visavis.rtp.codecs.av1 import Av1Depacketiser


def test_av1_units_with_their_sizes_and_what_is_not_wanted() -> None:
    key = media.video("AV1", 0.1, SIZE)[0][1]
    (payload,) = av1(key, 0)
    unit = Av1Depacketiser().push(0, 0, *packet(payload, marker=True))
    assert unit
    delimiter_and_sizes = (
        b"\x08"
        + bytes([2])
        + b"\x12\0"
        + b"".join(bytes([len(obu)]) + obu for obu in _sized_units(unit.data))
    )
    again = Av1Depacketiser().push(0, 0, *packet(delimiter_and_sizes, marker=True))
    assert again == unit


def _sized_units(data: bytes) -> list[bytes]:
    units, position = [], 0
    while position < len(data):
        size = data[position + 1]
        units.append(data[position : position + 2 + size])
        position += 2 + size
    return units


@pytest.mark.parametrize(
    "payload",
    [
        "08",
        "88aa",  # A new sequence that is also a continuation.
        "0805aa",  # An element longer than the packet.
        "08ffffffffffff",  # A length that does not end.
        "0800",  # An empty element.
        "2802aabb",  # Two elements announced, one present.
        "480130",  # To be continued, but with the marker bit.
        "180a",  # The forbidden bit follows.
        "18b0",
        "1812",  # Only a temporal delimiter, with a size that is cut off.
        "180e",
    ],
)
def test_av1_payloads_that_are_malformed(payload: str) -> None:
    assert Av1Depacketiser().push(0, 0, *packet(bytes.fromhex(payload), marker=True)) is None


def test_av1_with_extension_headers() -> None:
    sequence = next(u for k, u in _obus("AV1") if k == 1)
    frame = next(u for k, u in _obus("AV1") if k == 6)
    extended = bytes([frame[0] | 4, 0]) + frame[1:]
    payload = b"\x28" + bytes([len(sequence)]) + sequence + extended
    unit = Av1Depacketiser().push(0, 0, *packet(payload, marker=True))
    assert unit
    assert unit.is_key
    assert decoded("AV1", [unit]) == [SIZE]


def _obus(codec: str) -> list[tuple[int, bytes]]:
    return list(obus(media.video(codec, 0.1, SIZE)[0][1]))
