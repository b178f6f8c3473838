"""Datagrams over a TCP stream (RFC 4571): a u16 length in bytes, then so many bytes."""

from __future__ import annotations

from typing import Final

MAX_FRAME_BYTES: Final = 2048
_LENGTH_BYTES: Final = 2


class FramingError(ValueError):
    """The stream holds a frame that no browser sends."""


class Deframer:
    """Cuts one stream into datagrams; holds back less than one frame."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The datagrams that are whole now; raises `FramingError` when one is too long."""
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
            if length:  # an empty frame keeps a connection alive
                found.append(stream[position + _LENGTH_BYTES : end])
            position = end
        self._rest = stream[position:]
        return found


def frame(datagram: bytes) -> bytes:
    return len(datagram).to_bytes(_LENGTH_BYTES) + datagram
