"""Reading of bit fields, most significant bit first."""

from __future__ import annotations


class BitReader:
    """Reads bit fields from bytes. Past the end it returns zeros and `is_exhausted` is true."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data)
        self._left = 8 * len(data)

    @property
    def is_exhausted(self) -> bool:
        """Whether more bits were taken than there are."""
        return self._left < 0

    def take(self, count: int) -> int:
        """Return the next `count` bits as an unsigned integer."""
        self._left -= count
        if self._left < 0:
            return 0
        return self._value >> self._left & (1 << count) - 1
