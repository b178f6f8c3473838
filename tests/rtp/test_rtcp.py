from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from visavis.rtp.rtcp import (
    ReceptionReport,
    SenderReport,
    TimeAnswer,
    TimeQuestion,
    picture_loss_indication,
    read_feedback,
    sender_reports,
)

NTP = 0x1122_3344_5566_7788
MIDDLE = 0x3344_5566


def block(lost: int) -> bytes:
    return struct.pack("!4sIIIII", b"SSRC", lost & 0xFFFFFF, 70_000, 9, MIDDLE, 65_536)


def sender(blocks: bytes = b"", count: int = 0) -> bytes:
    words = 6 + len(blocks) // 4
    return struct.pack("!BBHIQIII", 0x80 | count, 200, words, 1, NTP, 3, 4, 5) + blocks


def receiver(blocks: bytes, count: int) -> bytes:
    return struct.pack("!BBHI", 0x80 | count, 201, 1 + len(blocks) // 4, 1) + blocks


def extended(content: bytes) -> bytes:
    return struct.pack("!BBHI", 0x80, 207, 1 + len(content) // 4, 1) + content


def test_sender_reports_of_a_compound_packet() -> None:
    empty = receiver(b"", 0)
    assert sender_reports(empty + sender()) == [SenderReport(1, NTP, 3)]


def test_malformed_rest_ends_the_reading() -> None:
    assert sender_reports(sender() + b"\0" * 8 + sender()) == [SenderReport(1, NTP, 3)]
    assert sender_reports(sender()[:-1]) == []


def test_picture_loss_indication_as_rfc_4585_writes_it() -> None:
    assert picture_loss_indication(1, 2).hex() == "81ce00020000000100000002"


def test_reception_reports_of_senders_and_receivers() -> None:
    told = ReceptionReport(b"SSRC", 5, 70_000, 9, MIDDLE, 65_536)
    assert list(read_feedback(receiver(block(5), 1))) == [told]
    assert list(read_feedback(sender(block(5), 1))) == [TimeQuestion(MIDDLE), told]


def test_repeats_make_the_loss_negative() -> None:
    [report] = read_feedback(receiver(block(-3), 1))
    assert isinstance(report, ReceptionReport)
    assert report.lost == -3


def test_more_blocks_promised_than_there_are() -> None:
    assert len(list(read_feedback(receiver(block(1), 31)))) == 1


def test_times_of_extended_reports() -> None:
    question = struct.pack("!BBHQ", 4, 0, 2, NTP)
    answers = struct.pack("!BBH", 5, 0, 6) + struct.pack("!III", 1, 2, 3) * 2
    unknown = struct.pack("!BBHI", 9, 0, 1, 0)
    found = list(read_feedback(extended(unknown + question + answers)))
    assert found == [TimeQuestion(MIDDLE), TimeAnswer(2, 3), TimeAnswer(2, 3)]


@given(st.binary(max_size=200))
def test_any_bytes_are_read(data: bytes) -> None:
    sender_reports(data)
    list(read_feedback(data))
