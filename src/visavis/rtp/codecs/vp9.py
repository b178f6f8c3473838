"""VP9 depacketiser (RFC 9628)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final, NamedTuple

from visavis.rtp.codecs.bits import BitReader
from visavis.rtp.codecs.frame import (
    MAX_FRAME_BYTES,
    Frame,
    FrameAssembler,
    Piece,
    push_each,
)
from visavis.rtp.codecs.vp9_header import SYNC_CODE, HeaderReader, hide, skip_colour

MAX_LAYERS: Final = 8


class Vp9Depacketiser(FrameAssembler):
    """Depacketiser of VP9 (RFC 9628 §4). A picture's spatial layers become one superframe."""

    def __init__(self) -> None:
        super().__init__()
        self._layered: _LayeredPictures | None = None

    def push(self, number: int, timestamp: int, marker: bool, payload: bytes) -> Frame | None:
        is_layered = bool(payload[0] & 0x20) if payload else self._layered is not None
        if not is_layered:
            self._layered = None
            return super().push(number, timestamp, marker, payload)
        if self._layered is None:
            self._break()
            self._layered = _LayeredPictures()
        return self._layered.push(number, timestamp, marker, payload)

    def push_run(self, number: int, timestamp: int, payloads: list[bytes]) -> list[Frame]:
        if self._layered or any(payload[:1] and payload[0] & 0x20 for payload in payloads):
            return push_each(self, number, timestamp, payloads)
        return super().push_run(number, timestamp, payloads)

    def _piece(self, payload: bytes) -> Piece | None:
        size = _descriptor_size(payload)
        if size is None or size >= len(payload):
            return None
        return bool(payload[0] & 0x08), payload[size:], ()

    def _assemble(self, pieces: list[Piece]) -> tuple[bool, bytes] | None:
        if any(begins for begins, _, _ in pieces[1:]):
            return None
        data = b"".join([data for _, data, _ in pieces])
        return key_frame_size(data) is not None, data


class _Descriptor(NamedTuple):
    """Payload descriptor (RFC 9628 §4.2).

    `size` is its own length in bytes. `picture` is the picture ID, or -1 without one. `refers` is
    the P bit (inter-picture prediction), `begins` the B bit and `ends` the E bit.
    """

    size: int
    picture: int
    layer: int
    refers: bool
    begins: bool
    ends: bool


@dataclass(slots=True)
class _Layer:
    """Spatial layer of one picture, received without a gap. `refers` is its P bit."""

    number: int
    refers: bool
    pieces: list[bytes] = field(default_factory=list)
    is_complete: bool = False


class _LayeredPictures:
    """Assembles pictures with spatial layers, up to the highest layer that a decoder can show.

    A layer depends on the layers below it in the same picture and on itself in earlier pictures,
    never on a layer above. After a loss, the layers below `_intact` remain usable; the others need
    a picture that does not refer to earlier ones.
    """

    def __init__(self) -> None:
        self._headers = HeaderReader()
        self._expected: int | None = None
        self._timestamp = -1
        self._picture = -1
        self._layers: list[_Layer] = []
        self._bytes = 0
        self._intact = 0
        self._is_open = False
        self._is_damaged = False
        self._ready: deque[Frame] = deque()

    def push(self, number: int, timestamp: int, marker: bool, payload: bytes) -> Frame | None:
        is_gap, self._expected = number != self._expected, number + 1
        if payload:
            self._take(timestamp, payload, is_gap=is_gap, is_last=marker)
        else:  # Browsers send empty packets to probe the bandwidth.
            self._is_damaged |= is_gap
        return self._ready.popleft() if self._ready else None

    def _take(self, timestamp: int, payload: bytes, *, is_gap: bool, is_last: bool) -> None:
        descriptor = _read_descriptor(payload)
        if timestamp != self._timestamp or not self._is_open:
            if self._is_open:
                self._is_damaged |= is_gap
                self._finish()
            self._begin(timestamp, descriptor, is_gap=is_gap)
        self._is_damaged |= is_gap
        if descriptor is None or not self._add(descriptor, payload, is_gap=is_gap):
            self._is_damaged = True
        if is_last:
            self._finish()

    def _begin(self, timestamp: int, descriptor: _Descriptor | None, *, is_gap: bool) -> None:
        picture = descriptor.picture if descriptor else -1
        follows = picture >= 0 and (picture - self._picture) & 0x7F == 1
        if is_gap and not follows:
            self._intact = 0  # Whole pictures may be missing.
        self._timestamp, self._picture, self._is_open = timestamp, picture, True

    def _add(self, descriptor: _Descriptor, payload: bytes, *, is_gap: bool) -> bool:
        """Add a packet to its layer; return whether it fits there."""
        last = self._layers[-1] if self._layers else None
        if descriptor.begins:
            if last and (descriptor.layer <= last.number or not last.is_complete):
                return False
            last = _Layer(descriptor.layer, descriptor.refers)
            self._layers.append(last)
        elif last is None or is_gap or last.is_complete or descriptor.layer != last.number:
            return False
        last.pieces.append(payload[descriptor.size :])
        last.is_complete = descriptor.ends
        self._bytes += len(payload)
        return len(self._layers) <= MAX_LAYERS and self._bytes <= MAX_FRAME_BYTES

    def _finish(self) -> None:
        """End the picture and make a frame of it."""
        layers, self._layers, self._bytes = self._layers, [], 0
        is_damaged, self._is_damaged = self._is_damaged, False
        self._is_open = False
        whole = list(takewhile(lambda layer: layer.is_complete, layers))
        if not whole or whole[0].number:
            self._intact = 0
            return
        is_key = not whole[0].refers
        if is_key:
            self._intact = MAX_LAYERS
        if is_damaged or len(whole) < len(layers):
            self._intact = min(self._intact, whole[-1].number + 1)
        # A layer that depends only on the layer below it does not need earlier pictures.
        shown = [*takewhile(lambda one: one.number < self._intact or not one.refers, whole)]
        frame = self._frame(shown, is_key=is_key) if shown else None
        if frame is None:
            self._intact = 0
            return
        self._intact = max(self._intact, shown[-1].number + 1)
        self._ready.append(frame)

    def _frame(self, layers: list[_Layer], *, is_key: bool) -> Frame | None:
        frames = [b"".join(layer.pieces) for layer in layers]
        if is_key and key_frame_size(frames[0]) is None:
            return None
        headers = [self._headers.read(data) for data in frames]
        top = headers[-1]
        hidden = [
            hide(data, header) if header and header.is_shown else data
            for data, header in zip(frames[:-1], headers, strict=False)
        ]
        return Frame(
            self._timestamp,
            is_key,
            _superframe([*hidden, frames[-1]]) if hidden else frames[0],
            sum(len(layer.pieces) for layer in layers),
            top.size if top else None,
        )


def begins_key_frame(payload: bytes) -> bool:
    """Whether a payload is the first of a picture without inter prediction (RFC 9628 §4.2)."""
    descriptor = _read_descriptor(payload)
    if descriptor is None or descriptor.layer:
        return False
    return descriptor.begins and not descriptor.refers


def key_frame_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height from the header of a key frame (VP9 specification §6.2).

    Returns `None` if `data` is not a key frame.
    """
    bits = BitReader(data[:16])
    if bits.take(2) != 2:
        return None
    profile = bits.take(1) | bits.take(1) << 1
    if profile == 3:
        bits.take(1)
    shows_existing, is_inter = bits.take(1), bits.take(1)
    bits.take(2)
    if shows_existing or is_inter or bits.take(24) != SYNC_CODE:
        return None
    skip_colour(bits, profile)
    width, height = bits.take(16) + 1, bits.take(16) + 1
    return None if bits.is_exhausted else (width, height)


def _superframe(layers: list[bytes]) -> bytes:
    """Join frames to a superframe, which ends with an index of their sizes (VP9 annex B)."""
    marker = bytes([0b110_11_000 | len(layers) - 1])
    sizes = b"".join(len(layer).to_bytes(4, "little") for layer in layers)
    return b"".join([*layers, marker, sizes, marker])


def _read_descriptor(payload: bytes) -> _Descriptor | None:
    size = _descriptor_size(payload)
    if size is None or size >= len(payload):
        return None
    flags, position, picture, layer = payload[0], 1, -1, 0
    if flags & 0x80:
        picture = payload[1] & 0x7F
        position = 2
        if payload[1] & 0x80:
            picture, position = picture << 8 | payload[2], 3
    if flags & 0x20:
        layer = payload[position] >> 1 & 7
    refers, begins, ends = (bool(flags & bit) for bit in (0x40, 0x08, 0x04))
    return _Descriptor(size, picture, layer, refers, begins, ends)


def _descriptor_size(payload: bytes) -> int | None:
    """Return the length of the descriptor (RFC 9628 §4.2); `None` if the payload is too short."""
    flags, position = payload[0], 1
    is_flexible = bool(flags & 0x10)
    try:
        if flags & 0x80:  # picture id
            position += 2 if payload[position] & 0x80 else 1
        if flags & 0x20:  # layer indices
            position += 1 if is_flexible else 2
        if is_flexible and flags & 0x40:  # at most three reference indices
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
