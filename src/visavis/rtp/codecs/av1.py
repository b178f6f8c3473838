"""AV1 depacketiser (RTP Payload Format For AV1, v1.0.0): temporal units of OBUs with sizes."""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

from visavis.rtp.codecs.bits import BitReader
from visavis.rtp.codecs.frame import Frame, FrameAssembler, Piece, push_each

SEQUENCE_HEADER: Final = 1
TEMPORAL_DELIMITER: Final = 2
FRAME_HEADER: Final = 3
FRAME: Final = 6
_FRAME_PARTS: Final = frozenset({FRAME_HEADER, 4, FRAME, 7})  # 4: tile group, 7: repeated header
_UNWANTED: Final = frozenset({TEMPORAL_DELIMITER, 8, 15})  # 8: tile list, 15: padding
"""OBU types that are removed from a temporal unit in a container (AV1 in Matroska, §4.4)."""

MAX_UNITS: Final = 1024
MAX_LAYERS: Final = 4


class Av1Depacketiser(FrameAssembler):
    """Depacketiser of AV1: joins fragmented OBUs and restores the size field of each.

    A temporal unit may have a frame of each spatial layer. A layer depends on the layers below it
    and on itself in earlier units, never on a layer above. After a loss in a layer, the layers
    below it remain usable, while this layer and those above need a key frame.
    """

    def __init__(self) -> None:
        super().__init__()
        self._layering: Layering | None = None
        self._intact = MAX_LAYERS
        self._is_cut = False
        self._cut_timestamp: int | None = None
        self._ready: deque[Frame] = deque()

    def push(self, number: int, timestamp: int, marker: bool, payload: bytes) -> Frame | None:
        frame = None
        if timestamp == self._cut_timestamp:
            self._skip(number, marker)
        elif number != self._expected and self._pieces:
            frame = self._after_loss(number, timestamp, marker, payload)
        else:
            frame = super().push(number, timestamp, marker, payload)
        if not self._ready:
            return frame
        if frame:
            self._ready.append(frame)
        return self._ready.popleft()

    def push_run(self, number: int, timestamp: int, payloads: list[bytes]) -> list[Frame]:
        if self._ready or timestamp == self._cut_timestamp:
            return push_each(self, number, timestamp, payloads)
        return super().push_run(number, timestamp, payloads)

    def _after_loss(
        self, number: int, timestamp: int, marker: bool, payload: bytes
    ) -> Frame | None:
        """Add a packet after the loss of packets of an unfinished temporal unit."""
        is_rest = timestamp == self._timestamp
        if not is_rest and number - 1 != self._expected:  # Whole temporal units may be missing.
            return super().push(number, timestamp, marker, payload)
        if frame := self._cut():
            self._ready.append(frame)
        if is_rest:
            self._cut_timestamp = timestamp
            self._skip(number, marker)
            return None
        self._expected = number
        return super().push(number, timestamp, marker, payload)

    def _cut(self) -> Frame | None:
        """End a temporal unit at a lost packet, with the layers that are complete."""
        self._is_cut = True
        frame = self._finish()
        self._is_cut = False
        self._is_broken |= frame is None
        return frame

    def _skip(self, number: int, marker: bool) -> None:
        """Skip a packet that follows a lost one in the same temporal unit."""
        self._expected = number + 1
        self._is_fresh = marker
        if marker:
            self._cut_timestamp = None

    def _finish(self) -> Frame | None:
        frame = super()._finish()
        if frame and self._layering:
            return frame._replace(size=self._layering.size)
        return frame

    def _piece(self, payload: bytes) -> Piece | None:
        """Check the aggregation header (Z Y W W N, §4.4).

        The payload is kept as it is, because OBUs are parsed only once the temporal unit is
        complete.
        """
        head = payload[0]
        if len(payload) < 2 or head & 0x88 == 0x88:
            return None
        begins: bool | None = True if head & 0x08 else None
        return False if head & 0x80 else begins, payload, ()

    def _assemble(self, pieces: list[Piece]) -> tuple[bool, bytes] | None:
        found = _units([data for _, data, _ in pieces])
        if not found or not found[0] or (found[1] and not self._is_cut):
            return None
        units, goes_on = found
        whole = _whole_layers(units, goes_on=goes_on) if self._is_cut else MAX_LAYERS
        sized = [_sized(unit) for unit in (units[:-1] if goes_on else units)]
        if None in sized:
            return None
        kept = [unit for unit in sized if unit and (unit[0] >> 3 & 15) not in _UNWANTED]
        is_key = _is_key(kept)
        if is_key:
            self._layering = _read_layering(kept)
        if self._layering:
            kept = self._shown(kept, self._layering.top, whole, is_key=is_key)
        elif self._is_cut:
            return None
        return (is_key, b"".join(kept)) if kept else None

    def _shown(self, units: list[bytes], top: int, whole: int, *, is_key: bool) -> list[bytes]:
        """Return the OBUs of the layers that a decoder can show.

        The highest of these layers is marked as the top layer. Decoders show only the top layer of
        the operating point. If it were missing, they would wait for it, as no temporal delimiter in
        the file tells them that the next unit has begun.
        """
        self._intact = min(MAX_LAYERS if is_key else self._intact, whole)
        kept = [unit for unit in units if _layer(unit) < self._intact]
        layers = [_layer(unit) for unit in kept if _kind(unit) in {FRAME_HEADER, FRAME}]
        if not layers or layers[0]:
            return []
        highest = max(layers)
        if highest == top:
            return kept
        return [_moved(unit, top) if _layer(unit) == highest else unit for unit in kept]


class Layering(NamedTuple):
    """Highest spatial layer of a coded video sequence, and width and height of its frames."""

    top: int
    size: tuple[int, int]


def begins_key_frame(payload: bytes) -> bool:
    """Whether a payload is the first of a coded video sequence (N bit, AV1 RTP §4.4)."""
    return payload[0] & 0x88 == 0x08


def sized_unit(header: bytes, body: bytes) -> bytes:
    """Return an OBU with its size field (AV1 specification §5.3.1).

    `header` has one byte, or two with the extension.
    """
    return bytes([header[0] | 2]) + header[1:] + _leb128(len(body)) + body


def _units(payloads: list[bytes]) -> tuple[list[bytes], bool] | None:
    """Return the OBUs of a temporal unit, and whether the last of them is incomplete.

    Returns `None` if the fragments do not fit together.
    """
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
    return units, goes_on


def _kind(unit: bytes) -> int:
    return unit[0] >> 3 & 15


def _layer(unit: bytes) -> int:
    """Return the spatial layer of an OBU; an OBU without extension is counted as layer 0."""
    return unit[1] >> 3 & 3 if unit[0] & 4 and len(unit) > 1 else 0


def _moved(unit: bytes, layer: int) -> bytes:
    """Return the OBU with another spatial layer; unchanged if it is not a part of a frame."""
    if _kind(unit) not in _FRAME_PARTS:
        return unit
    if not unit[0] & 4:
        return bytes([unit[0] | 4, layer << 3]) + unit[1:]
    return bytes([unit[0], unit[1] & 0xE7 | layer << 3]) + unit[2:]


def _whole_layers(units: list[bytes], *, goes_on: bool) -> int:
    """Return how many layers are complete if a packet after these OBUs was lost.

    The last layer is complete if it ends with a frame OBU, as the encoders of browsers put all
    tiles into that.
    """
    last = units[-1]
    is_whole = not goes_on and _kind(last) == FRAME
    return _layer(last) + is_whole


def _read_layering(units: list[bytes]) -> Layering | None:
    """Read the spatial layers from a sequence header (AV1 specification §5.5).

    Returns `None` if there is only one layer.
    """
    header = next(unit for unit in units if _kind(unit) == SEQUENCE_HEADER)
    length = _read_leb128(header, 2 if header[0] & 4 else 1)
    bits = BitReader(header[length[1] :] if length else b"")
    bits.take(4)  # profile, still picture
    if bits.take(1):  # reduced
        return None
    delay_bits = _skip_timing(bits)
    has_display_delay, count = bits.take(1), bits.take(5) + 1
    layers = 0
    for point in range(count):
        spatial = bits.take(12) >> 8
        layers = layers if point else spatial
        if bits.take(5) > 7:
            bits.take(1)  # the tier
        if delay_bits and bits.take(1):
            bits.take(2 * delay_bits + 1)
        if has_display_delay and bits.take(1):
            bits.take(4)
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    size = bits.take(width_bits) + 1, bits.take(height_bits) + 1
    return Layering(layers.bit_length() - 1, size) if layers > 1 and not bits.is_exhausted else None


def _skip_timing(bits: BitReader) -> int:
    """Skip the timing info and the decoder model info.

    Returns the number of bits of a buffer delay, or 0 without a decoder model.
    """
    if not bits.take(1):
        return 0
    bits.take(64)
    if bits.take(1):  # Equal picture intervals: their length follows in Exp-Golomb code.
        zeros = 0
        while not bits.take(1) and not bits.is_exhausted:
            zeros += 1
        bits.take(zeros)
    if not bits.take(1):
        return 0
    delay_bits = bits.take(5) + 1
    bits.take(42)
    return delay_bits


def _elements(payload: bytes) -> list[bytes] | None:
    """Return the OBU elements of a payload; `None` if it is malformed (AV1 RTP §4.3).

    Each is preceded by its length, except the last one if W gives their number.
    """
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
    """Whether the OBUs have a sequence header and their first frame is a KEY_FRAME (§5.9.2)."""
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
    """Return a LEB128 value and the offset after it; `None` if it has more than five bytes."""
    value = 0
    for count, byte in enumerate(data[position : position + 5]):
        value |= (byte & 0x7F) << 7 * count
        if not byte & 0x80:
            return value, position + count + 1
    return None
