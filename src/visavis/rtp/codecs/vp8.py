"""VP8 depacketiser (RFC 7741)."""

from __future__ import annotations

from typing import Final

from visavis.rtp.codecs.frame import FrameAssembler, Piece


class Vp8Depacketiser(FrameAssembler):
    """Depacketiser of VP8 (RFC 7741 §4)."""

    def _piece(self, payload: bytes) -> Piece | None:
        size = _descriptor_size(payload)
        if size is None or size >= len(payload):
            return None
        return payload[0] & 0x17 == 0x10, payload[size:], ()

    def _assemble(self, pieces: list[Piece]) -> tuple[bool, bytes] | None:
        data = b"".join([data for _, data, _ in pieces])
        return key_frame_size(data) is not None, data


def begins_key_frame(payload: bytes) -> bool:
    """Whether a payload is the first of a key frame (RFC 7741 §4.3)."""
    size = _descriptor_size(payload)
    is_first = bool(payload[0] & 0x10) and payload[0] & 0x07 == 0
    return is_first and size is not None and size < len(payload) and not payload[size] & 1


def key_frame_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height from the header of a key frame (RFC 6386 §9.1).

    Returns `None` if `data` is not a key frame, or if width or height is 0.
    """
    if len(data) < 10 or data[0] & 1 or data[3:6] != b"\x9d\x01\x2a":
        return None
    width, height = data[6] | data[7] << 8, data[8] | data[9] << 8
    size = width & 0x3FFF, height & 0x3FFF
    return size if all(size) else None


def _descriptor_size(payload: bytes) -> int | None:
    if payload[0] < 0x80:
        return 1
    if len(payload) < 3:
        return None
    size = _SIZES[payload[1]]
    return size + 1 if payload[1] & payload[2] & 0x80 else size


_SIZES: Final = tuple(
    2 + bool(flags & 0x80) + bool(flags & 0x40) + bool(flags & 0x30) for flags in range(256)
)
"""Length of a payload descriptor by its second byte; a 15-bit picture ID adds one byte."""
