"""AV1 (RTP Payload Format For AV1, v1.0.0): packets to temporal units of sized OBUs."""

from __future__ import annotations

from typing import Final

from visavis.rtp.codecs.frame import FrameAssembler, Piece

SEQUENCE_HEADER: Final = 1
TEMPORAL_DELIMITER: Final = 2
FRAME_HEADER: Final = 3
FRAME: Final = 6
_UNWANTED: Final = frozenset({TEMPORAL_DELIMITER, 8, 15})  # and tile lists, padding
"""What a temporal unit in a container does without (AV1 in Matroska, §4.4)."""

MAX_UNITS: Final = 1024


class Av1Depacketiser(FrameAssembler):
    """Puts fragmented OBUs together and gives each its size back."""

    def _piece(self, payload: bytes) -> Piece | None:
        """Aggregation header: Z Y W W N, the elements are kept for the whole unit (§4.4)."""
        head = payload[0]
        if len(payload) < 2 or head & 0x88 == 0x88:
            return None
        begins: bool | None = True if head & 0x08 else None
        return False if head & 0x80 else begins, payload, ()

    def _assemble(self, pieces: list[Piece]) -> tuple[bool, bytes] | None:
        units = _units([data for _, data, _ in pieces])
        sized = [_sized(unit) for unit in units or ()]
        if not sized or None in sized:
            return None
        kept = [unit for unit in sized if unit and (unit[0] >> 3 & 15) not in _UNWANTED]
        return _is_key(kept), b"".join(kept)


def begins_key_frame(payload: bytes) -> bool:
    """Whether a payload is the first of a coded video sequence (AV1 RTP §4.4)."""
    return payload[0] & 0x88 == 0x08


def sized_unit(header: bytes, body: bytes) -> bytes:
    """An OBU with its size (AV1 specification §5.3.1); `header` has one byte or two."""
    return bytes([header[0] | 2]) + header[1:] + _leb128(len(body)) + body


def _units(payloads: list[bytes]) -> list[bytes] | None:
    """The OBUs of a temporal unit; `None` where elements do not fit together."""
    units: list[bytes] = []
    goes_on = False
    for payload in payloads:
        elements = _elements(payload)
        if not elements or bool(payload[0] & 0x80) != goes_on:
            return None
        if goes_on:
            units[-1] += elements[0]
            elements = elements[1:]
        units += elements
        goes_on = bool(payload[0] & 0x40)
        if len(units) > MAX_UNITS:
            return None
    return None if goes_on else units


def _elements(payload: bytes) -> list[bytes] | None:
    """§4.3: each with its length before it, but the last where their number is told."""
    count, position = payload[0] >> 4 & 3, 1
    elements: list[bytes] = []
    while position < len(payload):
        if count and len(elements) == count - 1:
            return [*elements, payload[position:]]
        length = _read_leb128(payload, position)
        if length is None:
            return None
        size, position = length
        element = payload[position : position + size]
        if len(element) < size or not size:
            return None
        elements.append(element)
        position += size
    return None if count else elements


def _sized(unit: bytes) -> bytes | None:
    head = 2 if unit[0] & 4 else 1
    if len(unit) < head or unit[0] & 0x80:
        return None
    if not unit[0] & 2:
        return sized_unit(unit[:head], unit[head:])
    length = _read_leb128(unit, head)
    if length is None or length[0] > len(unit) - length[1]:
        return None
    return unit[: length[0] + length[1]]


def _is_key(units: list[bytes]) -> bool:
    """A sequence header, and after it a frame of its own whose type is KEY_FRAME (§5.9.2)."""
    kinds = [unit[0] >> 3 & 15 for unit in units]
    frames = [u for u, kind in zip(units, kinds, strict=True) if kind in {FRAME_HEADER, FRAME}]
    if SEQUENCE_HEADER not in kinds or not frames:
        return False
    first = frames[0]
    length = _read_leb128(first, 2 if first[0] & 4 else 1)
    body = first[length[1] :] if length else b""
    return bool(body) and body[0] >> 5 == 0


def _leb128(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _read_leb128(data: bytes, position: int) -> tuple[int, int] | None:
    """The value and the position after it; `None` unless it ends within five bytes."""
    value = 0
    for count, byte in enumerate(data[position : position + 5]):
        value |= (byte & 0x7F) << 7 * count
        if not byte & 0x80:
            return value, position + count + 1
    return None
