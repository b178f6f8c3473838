"""Bits from bytes, the most significant first."""

from __future__ import annotations


class BitReader:
    """Past the end it reads zeros, and says so."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data)
        self._left = 8 * len(data)

    @property
    def is_exhausted(self) -> bool:
        return self._left < 0

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            return 0
        return self._value >> self._left & (1 << count) - 1
