"""VP9 pictures with spatial layers, as Chromium's encoder made them, and their RTP packets.

Each of `data/*.frames` holds the layers' frames in order: RTP timestamp (u32), spatial layer (u8),
temporal layer (u8), whether it refers to earlier pictures (u8), size (u32), all big-endian, and the
encoded frame. They were taken from a page by `RTCRtpSender.createEncodedStreams`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple

from tests.synthetic.packetise import MTU, leb128, obus
from visavis.rtp.codecs.av1 import SEQUENCE_HEADER, TEMPORAL_DELIMITER

DATA: Final = Path(__file__).parent / "data"
MODES: Final = ("L2T1", "L3T3", "L3T3_KEY")
_HEAD: Final = struct.Struct("!IBBBI")


class Layer(NamedTuple):
    """A frame of one spatial layer."""

    timestamp: int
    spatial: int
    temporal: int
    refers: bool
    data: bytes


class Payload(NamedTuple):
    """An RTP payload of a layer; `is_last` in its picture."""

    layer: int
    is_last: bool
    data: bytes


def pictures(mode: str) -> list[list[Layer]]:
    """The layers of each picture."""
    return [list(layers) for _, layers in groupby(_layers(mode), key=lambda one: one.timestamp)]


def _layers(mode: str) -> Iterator[Layer]:
    data, position = (DATA / f"vp9-{mode}.frames").read_bytes(), 0
    while position < len(data):
        *head, size = _HEAD.unpack_from(data, position)
        position += _HEAD.size
        timestamp, spatial, temporal, refers = head
        body = data[position : position + size]
        yield Layer(timestamp, spatial, temporal, bool(refers), body)
        position += size


def payloads(layers: list[Layer], number: int, mtu: int = MTU) -> list[Payload]:
    """The packets of picture `number`, not flexible, with layer indices (RFC 9628 §4.2)."""
    found = []
    for layer in layers:
        for start in range(0, len(layer.data), mtu):
            piece = layer.data[start : start + mtu]
            is_end = start + len(piece) == len(layer.data)
            flags = 0xA0 | 0x40 * layer.refers | 0x08 * (start == 0) | 0x04 * is_end
            head = bytes([flags]) + (0x8000 | number & 0x7FFF).to_bytes(2)
            indices = bytes([layer.temporal << 5 | layer.spatial << 1 | (layer.spatial > 0), 0])
            is_last = is_end and layer is layers[-1]
            found.append(Payload(layer.spatial, is_last, head + indices + piece))
    return found


def av1_units(frames: list[bytes]) -> list[list[bytes]]:
    """Temporal units of two spatial layers: every second frame becomes the upper layer.

    SVT-AV1 with low delay refers from no frame of an even number to one of an odd number.
    """
    return [
        [_in_layer(lower, 0), _in_layer(upper, 1)]
        for lower, upper in zip(frames[::2], frames[1::2], strict=True)
    ]


def _in_layer(frame: bytes, layer: int) -> bytes:
    """The frame's OBUs with an extension; its sequence header declares two spatial layers."""
    sized = b""
    for kind, unit in obus(frame):
        if kind == SEQUENCE_HEADER:  # operating_point_idc[0] = 0x301
            unit = bytes([unit[0], unit[1], unit[2] | 0x03, unit[3] | 0x01]) + unit[4:]
            sized += bytes([unit[0] | 2]) + leb128(len(unit) - 1) + unit[1:]
        elif kind != TEMPORAL_DELIMITER:
            sized += bytes([unit[0] | 6, layer << 3]) + leb128(len(unit) - 1) + unit[1:]
    return sized


def av1_payloads(unit: list[bytes], size: int = 20) -> list[Payload]:
    """The packets of a temporal unit, each with a part of one OBU (AV1 RTP §4.4)."""
    found = []
    for layer, frame in enumerate(unit):
        for kind, whole in obus(frame):
            for start in range(0, len(whole), size):
                piece = whole[start : start + size]
                goes_on = start + size < len(whole)
                head = 0x10 | 0x80 * (start > 0) | 0x40 * goes_on
                head |= 0x08 * (kind == SEQUENCE_HEADER and start == 0)
                found.append(Payload(layer, False, bytes([head]) + piece))
    return [*found[:-1], found[-1]._replace(is_last=True)]
