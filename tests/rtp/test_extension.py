from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from tests.synthetic.call import rtp
from visavis.rtp.extension import element


def extended(profile: int, body: bytes, sources: int = 0) -> bytes:
    head = struct.pack("!BBHII", 0x90 | sources, 96, 1, 2, 3) + b"CSRC" * sources
    return head + struct.pack("!HH", profile, len(body) // 4) + body + b"payload"


def test_elements_with_short_heads() -> None:
    assert element(rtp(96, False, 1, 2, 3, b"x", "12"), 4) == b"12"
    body = bytes.fromhex("10aa 00 00 41 3132 00".replace(" ", ""))
    assert element(extended(0xBEDE, body), 4) == b"12"
    assert element(extended(0xBEDE, body, sources=2), 1) == b"\xaa"
    assert element(extended(0xBEDE, body), 5) is None
    assert element(extended(0xBEDE, bytes.fromhex("00000043")), 4) is None


def test_elements_with_long_heads() -> None:
    body = bytes.fromhex("0100 00 2a 02 3132 00".replace(" ", ""))
    for profile in (0x1000, 0x100F):
        assert element(extended(profile, body), 42) == b"12"
        assert element(extended(profile, body), 1) == b""
        assert element(extended(profile, body), 7) is None


def test_packets_without() -> None:
    assert element(rtp(96, False, 1, 2, 3, b"x"), 4) is None
    assert element(extended(0x1234, b"\x40ab\0"), 4) is None
    assert element(b"\x90" + bytes(11), 4) is None


@given(st.binary(min_size=12, max_size=80), st.integers(0, 255))
def test_any_bytes(data: bytes, number: int) -> None:
    element(data, number)
