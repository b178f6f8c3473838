"""VP9 (RFC 9628): packets to pictures that a decoder can use."""

from __future__ import annotations

from typing import Final

from visavis.rtp.codecs.bits import BitReader
from visavis.rtp.codecs.frame import FrameAssembler, Piece

MAX_LAYERS: Final = 8

_SYNC_CODE: Final = 0x498342
_RGB: Final = 7


class Vp9Depacketiser(FrameAssembler):
    """RFC 9628 §4. The spatial layers of a picture come out as one superframe."""

    def _piece(self, payload: bytes) -> Piece | None:
        size = _descriptor_size(payload)
        if size is None or size >= len(payload):
            return None
        return Piece(bool(payload[0] & 0x08), payload[size:])

    def _assemble(self, pieces: list[Piece]) -> tuple[bool, bytes] | None:
        layers: list[bytes] = []
        for piece in pieces:
            if piece.begins:
                layers.append(piece.data)
            else:
                layers[-1] += piece.data
        if len(layers) > MAX_LAYERS:
            return None
        data = layers[0] if len(layers) == 1 else _superframe(layers)
        return key_frame_size(data) is not None, data


def begins_key_frame(payload: bytes) -> bool:
    """Whether a payload is the first of a picture that refers to no other (RFC 9628 §4.2)."""
    flags = payload[0]
    if flags & 0x48 != 0x08:
        return False
    if not flags & 0x20:
        return True
    position = 1
    if flags & 0x80:  # picture id
        position += 2 if len(payload) > 1 and payload[1] & 0x80 else 1
    return len(payload) > position and payload[position] >> 1 & 7 == 0


def key_frame_size(data: bytes) -> tuple[int, int] | None:
    """Width and height that a key frame's uncompressed header tells (VP9 specification §6.2)."""
    bits = BitReader(data[:16])
    if bits.take(2) != 2:
        return None
    profile = bits.take(1) | bits.take(1) << 1
    if profile == 3:
        bits.take(1)
    shows_existing, is_inter = bits.take(1), bits.take(1)
    bits.take(2)
    if shows_existing or is_inter or bits.take(24) != _SYNC_CODE:
        return None
    _skip_colour(bits, profile)
    width, height = bits.take(16) + 1, bits.take(16) + 1
    return None if bits.is_exhausted else (width, height)


def _skip_colour(bits: BitReader, profile: int) -> None:
    if profile >= 2:
        bits.take(1)  # 10 or 12 bits
    is_rgb = bits.take(3) == _RGB
    if not is_rgb:
        bits.take(1)  # range
    if profile & 1:
        bits.take(1 if is_rgb else 3)


def _superframe(layers: list[bytes]) -> bytes:
    """VP9 specification, annex B: an index of the frames' sizes after the last."""
    marker = bytes([0b110_11_000 | len(layers) - 1])
    sizes = b"".join(len(layer).to_bytes(4, "little") for layer in layers)
    return b"".join([*layers, marker, sizes, marker])


def _descriptor_size(payload: bytes) -> int | None:
    """RFC 9628 §4.2; `None` where the payload ends too early."""
    flags, position = payload[0], 1
    is_flexible = bool(flags & 0x10)
    try:
        if flags & 0x80:  # picture id
            position += 2 if payload[position] & 0x80 else 1
        if flags & 0x20:  # layer indices
            position += 1 if is_flexible else 2
        if is_flexible and flags & 0x40:  # reference indices, three at most
            for _ in range(3):
                position += 1
                if not payload[position - 1] & 1:
                    break
        return _after_structure(payload, position) if flags & 0x02 else position
    except IndexError:
        return None


def _after_structure(payload: bytes, position: int) -> int:
    """Skip the scalability structure (RFC 9628 §4.2.1)."""
    head = payload[position]
    position += 1
    if head & 0x10:
        position += 4 * ((head >> 5) + 1)
    if head & 0x08:
        pictures = payload[position]
        position += 1
        for _ in range(pictures):
            position += 1 + (payload[position] >> 2 & 3)
    return position
