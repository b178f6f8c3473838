"""Packet streams for the tests of depacketisers, and decoding of their results."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import av

from tests.synthetic import media
from tests.synthetic.packetise import PACKETISERS
from visavis.rtp.codecs import DEPACKETISERS, Frame

VIDEO = ("VP8", "VP9", "H264", "AV1")
SIZE = (640, 360)


class Sent(NamedTuple):
    """Marker and payload of a packet."""

    marker: bool
    payload: bytes


def packet(payload: bytes, *, marker: bool = False) -> Sent:
    return Sent(marker, payload)


@cache
def packets(codec: str, seconds: float = 1.0) -> tuple[tuple[int, Sent], ...]:
    """Return timestamps and packets of a short video."""
    return tuple(
        (number, packet(payload, marker=index == len(payloads) - 1))
        for number, (_, frame) in enumerate(media.video(codec, seconds, SIZE, 0.5))
        for payloads in [PACKETISERS[codec](frame, number)]
        for index, payload in enumerate(payloads)
    )


def push_all(codec: str, sent: list[tuple[int, int, Sent]]) -> list[Frame]:
    depacketiser = DEPACKETISERS[codec]()
    pushed = [depacketiser.push(number, stamp, *one) for number, stamp, one in sent]
    return [frame for frame in pushed if frame]


def numbered(sent: Sequence[tuple[int, Sent]]) -> list[tuple[int, int, Sent]]:
    return [(number, *item) for number, item in enumerate(sent)]


def decoded(codec: str, frames: list[Frame]) -> list[tuple[int, int]]:
    """Return the sizes of the decoded pictures."""
    name = {"VP8": "vp8", "VP9": "vp9", "H264": "h264", "AV1": "libdav1d"}[codec]
    context: Any = av.CodecContext.create(name, "r")
    context.thread_count = 1
    pictures = [p for frame in frames for p in context.decode(av.Packet(frame.data))]
    pictures += context.decode(None)
    return [(picture.width, picture.height) for picture in pictures]
