from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from visavis.rtp.packet import HEADER, RtpPacket, parse_rtp, payload_start


def test_extension_sources_and_padding_are_not_payload() -> None:
    header = struct.pack("!BBHII", 0x80 | 0x20 | 0x10 | 1, 0x80 | 96, 7, 8, 9)
    data = header + b"CSRC" + struct.pack("!HH", 0xBEDE, 1) + b"exte" + b"payload" + b"\0\0\3"
    assert parse_rtp(data) == RtpPacket(96, True, 7, 8, 9, b"payload")


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    packet = parse_rtp(data)
    assert packet is None or len(packet.payload) <= len(data) - 12


@given(st.sampled_from((0x80, 0x90, 0xB0, 0x91)), st.binary(max_size=60))
def test_a_payload_by_its_first_byte_is_that_of_the_whole_packet(first: int, rest: bytes) -> None:
    data = bytes([first]) + rest
    packet = parse_rtp(data)
    if len(data) >= HEADER.size:
        end = 6 + len(data)
        start = payload_start(b"before" + data + b"after", first, 6, end)
        if start < end:
            assert packet is not None
            assert packet.payload == data[start - 6 :]
        elif first in {0x80, 0x90}:
            assert packet is None or not packet.payload
