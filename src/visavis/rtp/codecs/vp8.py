"""VP8 (RFC 7741): packets to whole frames that a decoder can use."""

from __future__ import annotations

from dataclasses import dataclass

from visavis.rtp.packet import RtpPacket


@dataclass(frozen=True, slots=True)
class Frame:
    timestamp: int
    is_key: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class Fragment:
    """A packet's piece of a frame."""

    starts_frame: bool
    data: bytes


def parse_fragment(payload: bytes) -> Fragment | None:
    """Read the payload descriptor (RFC 7741 §4.2); `None` if it is malformed or empty."""
    size = _descriptor_size(payload)
    if size is None or size >= len(payload):
        return None
    return Fragment(bool(payload[0] & 0x10) and payload[0] & 0x07 == 0, payload[size:])


def key_frame_size(data: bytes) -> tuple[int, int] | None:
    """Width and height that a key frame's beginning tells (RFC 6386 §9.1)."""
    if len(data) < 10 or data[0] & 1 or data[3:6] != b"\x9d\x01\x2a":
        return None
    width, height = data[6] | data[7] << 8, data[8] | data[9] << 8
    return width & 0x3FFF, height & 0x3FFF


class Depacketiser:
    """Whole frames only, and none that refers to a lost one: after a loss, from a key frame on."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._timestamp: int | None = None
        self._expected: int | None = None
        self._is_broken = True

    def push(self, number: int, timestamp: int, packet: RtpPacket) -> Frame | None:
        """Take packets in order of their unwrapped number; a frame when one is whole."""
        if number != self._expected:
            self._is_broken |= self._expected is not None
            self._pieces = []
        self._expected = number + 1
        if not packet.payload:
            return None  # a probe for bandwidth
        fragment = parse_fragment(packet.payload)
        if fragment is None or not self._collect(fragment, timestamp):
            self._is_broken = True
            self._pieces = []
            return None
        return self._finish(timestamp) if packet.marker else None

    def _collect(self, fragment: Fragment, timestamp: int) -> bool:
        if fragment.starts_frame:
            self._pieces = [fragment.data]
            self._timestamp = timestamp
            return True
        if self._pieces and timestamp == self._timestamp:
            self._pieces.append(fragment.data)
            return True
        return False

    def _finish(self, timestamp: int) -> Frame | None:
        data = b"".join(self._pieces)
        self._pieces = []
        is_key = key_frame_size(data) is not None
        if is_key:
            self._is_broken = False
        return None if self._is_broken else Frame(timestamp, is_key, data)


def _descriptor_size(payload: bytes) -> int | None:
    if not payload:
        return None
    size = 1
    if payload[0] & 0x80:
        if len(payload) < 2:
            return None
        flags, size = payload[1], 2
        if flags & 0x80:
            if len(payload) < 3:
                return None
            size += 2 if payload[2] & 0x80 else 1
        size += bool(flags & 0x40) + bool(flags & 0x30)
    return size
