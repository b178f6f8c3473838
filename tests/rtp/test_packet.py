from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from visavis.rtp.packet import HEADER, RtpPacket, parse_rtp, payload_of
from visavis.rtp.rtcp import SenderReport, picture_loss_indication, sender_reports


def test_extension_sources_and_padding_are_not_payload() -> None:
    header = struct.pack("!BBHII", 0x80 | 0x20 | 0x10 | 1, 0x80 | 96, 7, 8, 9)
    data = header + b"CSRC" + struct.pack("!HH", 0xBEDE, 1) + b"exte" + b"payload" + b"\0\0\3"
    assert parse_rtp(data) == RtpPacket(96, True, 7, 8, 9, b"payload")


def test_sender_reports_of_a_compound_packet() -> None:
    report = struct.pack("!BBHIQIII", 0x80, 200, 6, 1, 2 << 32, 3, 4, 5)
    receiver = struct.pack("!BBHI", 0x80, 201, 1, 1)
    assert sender_reports(receiver + report) == [SenderReport(1, 2 << 32, 3)]


def test_picture_loss_indication_as_rfc_4585_writes_it() -> None:
    assert picture_loss_indication(1, 2).hex() == "81ce00020000000100000002"


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    packet = parse_rtp(data)
    assert packet is None or len(packet.payload) <= len(data) - 12
    sender_reports(data)


@given(st.sampled_from((0x80, 0x90, 0xB0, 0x91)), st.binary(max_size=60))
def test_a_payload_by_its_first_byte_is_that_of_the_whole_packet(first: int, rest: bytes) -> None:
    data = bytes([first]) + rest
    packet = parse_rtp(data)
    if len(data) >= HEADER.size:
        assert payload_of(b"before" + data + b"after", first, 6, 6 + len(data)) == (
            packet.payload if packet else None
        )
