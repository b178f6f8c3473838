"""H.264 depacketiser (RFC 6184, packetization modes 0 and 1): access units in Annex B format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from visavis.rtp.codecs.frame import FrameAssembler, Piece

START_CODE: Final = b"\0\0\0\1"
IDR: Final = 5
SPS: Final = 7
PPS: Final = 8
DELIMITER: Final = 9
STAP_A: Final = 24
FU_A: Final = 28

MAX_PARAMETER_BYTES: Final = 4096
"""Longer parameter sets are not remembered; those of browsers have about thirty bytes."""


class H264Depacketiser(FrameAssembler):
    """Depacketiser of H.264.

    It remembers the parameter sets (SPS, PPS) and inserts them before key frames without them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._parameters: dict[int, bytes] = {}

    def _piece(self, payload: bytes) -> Piece | None:
        kind = payload[0] & 0x1F
        if 0 < kind < STAP_A:
            return self._whole([payload])
        if kind == STAP_A:
            units = list(_aggregated(payload))
            return self._whole(units) if units and all(units) else None
        if kind == FU_A and len(payload) > 2:
            return _fragment(payload)
        return None

    def _whole(self, units: list[bytes]) -> Piece:
        kinds = tuple(unit[0] & 0x1F for unit in units)
        for kind, unit in zip(kinds, units, strict=True):
            if kind in {SPS, PPS} and len(unit) <= MAX_PARAMETER_BYTES:
                self._parameters[kind] = unit
        data = b"".join([START_CODE + unit for unit in units])
        return _begins(kinds[0]), data, kinds

    def _assemble(self, pieces: list[Piece]) -> tuple[bool, bytes] | None:
        kinds = {kind for _, _, within in pieces for kind in within}
        data = b"".join([data for _, data, _ in pieces])
        if IDR not in kinds:
            return False, data
        missing = {SPS, PPS} - kinds
        if missing - set(self._parameters):
            return None
        before = b"".join(START_CODE + self._parameters[kind] for kind in sorted(missing))
        return True, before + data


def begins_key_frame(payload: bytes) -> bool:
    """Whether a payload contains an SPS or the beginning of an IDR picture."""
    kind = payload[0] & 0x1F
    if kind == STAP_A:
        return any(unit and unit[0] & 0x1F in {IDR, SPS} for unit in _aggregated(payload))
    if kind == FU_A:
        return len(payload) > 2 and bool(payload[1] & 0x80) and payload[1] & 0x1F == IDR
    return kind in {IDR, SPS}


def _fragment(payload: bytes) -> Piece:
    """Return the piece of an FU-A (RFC 6184 §5.8); the first restores the NAL unit's header."""
    if not payload[1] & 0x80:
        return False, payload[2:], ()
    kind = payload[1] & 0x1F
    header = bytes([payload[0] & 0xE0 | kind])
    return _begins(kind), START_CODE + header + payload[2:], (kind,)


def _begins(kind: int) -> bool | None:
    """Whether a NAL unit of this type begins an access unit; `None` if it may or may not.

    RTP does not mark the beginning of an access unit, but an SPS or a delimiter does.
    """
    return True if kind in {SPS, DELIMITER} else None


def _aggregated(payload: bytes) -> Iterator[bytes]:
    """Yield the NAL units of a STAP-A (RFC 6184 §5.7.1); an empty one where it is malformed."""
    position = 1
    while position < len(payload):
        size = int.from_bytes(payload[position : position + 2])
        unit = payload[position + 2 : position + 2 + size]
        yield unit if len(unit) == size else b""
        position += 2 + size
