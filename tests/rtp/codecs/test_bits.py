from __future__ import annotations

from visavis.rtp.codecs.bits import BitReader


def test_bits_are_read_from_the_most_significant_on() -> None:
    reader = BitReader(bytes([0b1010_0001, 0xFF]))
    assert [reader.take(count) for count in (1, 3, 4, 8)] == [1, 2, 1, 255]
    assert not reader.is_exhausted


def test_past_the_end_there_are_zeros() -> None:
    reader = BitReader(b"\xff")
    assert reader.take(9) == 0
    assert reader.is_exhausted
    assert BitReader(b"").take(1) == 0
