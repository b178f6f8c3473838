"""Framing of datagrams in a TCP stream (RFC 4571): a u16 length, then that many bytes."""

from __future__ import annotations

from typing import Final

MAX_FRAME_BYTES: Final = 2048
_LENGTH_BYTES: Final = 2


class FramingError(ValueError):
    """The stream has a frame that is longer than any that a browser sends."""


class Deframer:
    """Splits a stream into datagrams. It buffers less than one frame."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Return the datagrams that are complete now; raises `FramingError` if one is too long."""
        stream = self._rest + data
        found: list[bytes] = []
        position = 0
        while len(stream) - position >= _LENGTH_BYTES:
            length = int.from_bytes(stream[position : position + _LENGTH_BYTES])
            if length > MAX_FRAME_BYTES:
                raise FramingError(f"a frame of {length} bytes")
            end = position + _LENGTH_BYTES + length
            if end > len(stream):
                break
            if length:  # Empty frames only keep the connection alive.
                found.append(stream[position + _LENGTH_BYTES : end])
            position = end
        self._rest = stream[position:]
        return found


def frame(datagram: bytes) -> bytes:
    """Return a datagram with its length before it."""
    return len(datagram).to_bytes(_LENGTH_BYTES) + datagram
