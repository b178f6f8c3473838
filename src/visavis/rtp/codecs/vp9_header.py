"""Uncompressed headers of VP9 frames (VP9 specification §6.2): reading them, and hiding a frame.

In a superframe of spatial layers, each frame has `show_frame` set. The decoders of browsers show
only the last frame; others, such as FFmpeg's, show each. Therefore `show_frame` is cleared in all
frames but the last. This inserts the bit `intra_only` into frames that are not key frames.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from visavis.rtp.codecs.bits import BitReader

SYNC_CODE: Final = 0x498342
MAX_HEADER_BYTES: Final = 256
"""Upper bound of a header's length, even with all segmentation features."""

REFERENCES: Final = 8
_RGB: Final = 7
_SEGMENTS: Final = 8
_FEATURES: Final = ((8, 1), (6, 1), (2, 0), (0, 0))
"""Number of bits of the value and of the sign of each segmentation feature."""

Size = tuple[int, int]


class Header(NamedTuple):
    """Uncompressed header of a frame. `size` is width and height, `bits` the header's length.

    `shown_at` is the position of the bit `show_frame`, `flags_end` that after
    `error_resilient_mode`.
    """

    size: Size
    is_key: bool
    is_shown: bool
    shown_at: int
    flags_end: int
    bits: int


class _Flags(NamedTuple):
    profile: int
    is_key: bool
    is_shown: bool
    is_resilient: bool
    shown_at: int


class HeaderReader:
    """Reads the headers of one stream in order, as frames may inherit sizes from references."""

    def __init__(self) -> None:
        self._sizes: list[Size | None] = [None] * REFERENCES

    def read(self, data: bytes) -> Header | None:
        """Return the header of the next frame.

        Returns `None` if it is malformed, or if it only shows an earlier frame again.
        """
        bits = _Bits(data[:MAX_HEADER_BYTES])
        flags = _read_flags(bits)
        if flags is None:
            return None
        flags_end = bits.taken
        refreshed, size = self._read_references(bits, flags)
        if size is None:
            return None
        _skip_rest(bits, size, is_resilient=flags.is_resilient)
        if bits.is_exhausted:
            return None
        for slot in range(REFERENCES):
            if refreshed >> slot & 1:
                self._sizes[slot] = size
        return Header(size, flags.is_key, flags.is_shown, flags.shown_at, flags_end, bits.taken)

    def _read_references(self, bits: _Bits, flags: _Flags) -> tuple[int, Size | None]:
        """Return the mask of the reference slots that the frame refreshes, and its size."""
        if flags.is_key:
            return 0xFF, _intra_size(bits, flags.profile)
        is_intra = not flags.is_shown and bool(bits.take(1))
        if not flags.is_resilient:
            bits.take(2)
        return self._intra_only(bits, flags.profile) if is_intra else self._inter(bits)

    @staticmethod
    def _intra_only(bits: _Bits, profile: int) -> tuple[int, Size | None]:
        if bits.take(24) != SYNC_CODE:
            return 0, None
        if profile:
            skip_colour(bits, profile)
        refreshed = bits.take(8)
        return refreshed, _sized(bits)

    def _inter(self, bits: _Bits) -> tuple[int, Size | None]:
        refreshed = bits.take(8)
        references = [bits.take(4) >> 1 for _ in range(3)]
        size: Size | None = None
        for slot in references:
            if bits.take(1):
                size = self._sizes[slot]
                _skip_render_size(bits)
                break
        else:
            size = _sized(bits)
        bits.take(1)  # high precision of motion vectors
        if not bits.take(1):
            bits.take(2)  # the interpolation filter
        return refreshed, size


def hide(data: bytes, header: Header) -> bytes:
    """Return the frame with `show_frame` cleared."""
    size = -(-header.bits // 8)
    bits = f"{int.from_bytes(data[:size]):0{8 * size}b}"[: header.bits]
    flags = f"{bits[: header.shown_at]}0{bits[header.shown_at + 1 : header.flags_end]}"
    intra_only = "" if header.is_key else "0"
    hidden = flags + intra_only + bits[header.flags_end :]
    hidden += "0" * (-len(hidden) % 8)
    return int(hidden, 2).to_bytes(len(hidden) // 8) + data[size:]


class _Bits(BitReader):
    """Bit reader that also counts the bits that were taken."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.taken = 0

    def take(self, count: int) -> int:
        self.taken += count
        return super().take(count)


def _read_flags(bits: _Bits) -> _Flags | None:
    if bits.take(2) != 2:
        return None
    profile = bits.take(1) | bits.take(1) << 1
    if profile == 3:
        bits.take(1)
    if bits.take(1):  # show_existing_frame
        return None
    is_key, shown_at = not bits.take(1), bits.taken
    return _Flags(profile, is_key, bool(bits.take(1)), bool(bits.take(1)), shown_at)


def skip_colour(bits: BitReader, profile: int) -> None:
    """Skip the colour configuration (VP9 specification §6.2.2)."""
    if profile >= 2:
        bits.take(1)  # 10 or 12 bits
    is_rgb = bits.take(3) == _RGB
    if not is_rgb:
        bits.take(1)  # range
    if profile & 1:
        bits.take(1 if is_rgb else 3)


def _intra_size(bits: _Bits, profile: int) -> Size | None:
    if bits.take(24) != SYNC_CODE:
        return None
    skip_colour(bits, profile)
    return _sized(bits)


def _sized(bits: _Bits) -> Size:
    size = bits.take(16) + 1, bits.take(16) + 1
    _skip_render_size(bits)
    return size


def _skip_render_size(bits: _Bits) -> None:
    if bits.take(1):
        bits.take(32)


def _skip_rest(bits: _Bits, size: Size, *, is_resilient: bool) -> None:
    """Skip the fields after the sizes (§6.2), including the size of the compressed header."""
    if not is_resilient:
        bits.take(2)
    bits.take(2)
    _skip_loop_filter(bits)
    bits.take(8)  # the base quantizer index; its deltas follow
    for _ in range(3):
        if bits.take(1):
            bits.take(5)
    if bits.take(1):
        _skip_segmentation(bits)
    _skip_tiles(bits, size[0])
    bits.take(16)


def _skip_loop_filter(bits: _Bits) -> None:
    bits.take(9)
    if bits.take(1) and bits.take(1):
        for _ in range(6):
            if bits.take(1):
                bits.take(7)


def _skip_segmentation(bits: _Bits) -> None:
    if bits.take(1):  # the map
        for _ in range(7):
            _skip_probability(bits)
        if bits.take(1):
            for _ in range(3):
                _skip_probability(bits)
    if bits.take(1):  # the features
        bits.take(1)
        for _ in range(_SEGMENTS):
            for value, sign in _FEATURES:
                if bits.take(1):
                    bits.take(value + sign)


def _skip_probability(bits: _Bits) -> None:
    if bits.take(1):
        bits.take(8)


def _skip_tiles(bits: _Bits, width: int) -> None:
    columns = (width + 63) // 64
    least = most = 0
    while 64 << least < columns:
        least += 1
    while columns >> most + 1 >= 4:
        most += 1
    while least < most and bits.take(1):
        least += 1
    if bits.take(1):  # rows
        bits.take(1)
