"""Statistics of a leg, from packets and from the browsers' reception reports."""

from __future__ import annotations

import struct

import pytest

from visavis.rtp.leg_stats import MAX_QUESTIONS, MAX_STREAMS, LegStats

AUDIO, VIDEO = 111, 96
FRAME = 960  # 20 ms of Opus


def rtp(number: int, *, ssrc: int = 7, payload_type: int = AUDIO) -> bytes:
    header = struct.pack("!BBHII", 0x80, payload_type, number & 0xFFFF, FRAME * number, ssrc)
    return header + bytes(160)


def sender_report(ntp: int, blocks: bytes = b"", ssrc: int = 7) -> bytes:
    count = len(blocks) // 24
    head = struct.pack("!BBHIQIII", 0x80 | count, 200, 6 + 6 * count, ssrc, ntp, 0, 0, 0)
    return head + blocks


def receiver_report(blocks: bytes, ssrc: int = 8) -> bytes:
    count = len(blocks) // 24
    return struct.pack("!BBHI", 0x80 | count, 201, 1 + 6 * count, ssrc) + blocks


def block(
    ssrc: int = 7, *, lost: int = 0, highest: int = 0, jitter: int = 0, last: int = 0, held: int = 0
) -> bytes:
    return struct.pack("!IIIIII", ssrc, lost & 0xFFFFFF, highest, jitter, last, held)


def pair() -> tuple[LegStats, LegStats]:
    both_stats = LegStats(), LegStats()
    for stats in both_stats:
        stats.set_audio((AUDIO,))
    return both_stats


def feed(stats: LegStats, numbers: range, *, without: frozenset[int] = frozenset()) -> None:
    for number in numbers:
        if number not in without:
            stats.receive_rtp(rtp(number), 20_000 * number)


def test_what_is_missing_of_the_numbers_was_lost_on_its_way_in() -> None:
    stats = LegStats()
    feed(stats, range(65_500, 65_600), without=frozenset(range(65_530, 65_540)))
    assert stats.report().loss_in == pytest.approx(0.1, abs=0.01)
    feed(stats, range(65_600, 65_700))
    assert stats.report().loss_in == 0
    assert stats.report().loss_in == 0  # Without new packets, the value does not change.


def test_what_comes_late_is_not_lost() -> None:
    stats = LegStats()
    for number in (1, 3, 2, 5, 4, 6):
        stats.receive_rtp(rtp(number), 0)
    assert stats.report().loss_in == 0


def test_loss_on_the_way_out_is_what_the_browser_misses_and_we_had() -> None:
    speaker, hearer = pair()
    feed(speaker, range(100))
    hearer.receive_rtcp(receiver_report(block(highest=99)), (speaker,), 0.0)
    feed(speaker, range(100, 200), without=frozenset(range(110, 120)))
    hearer.receive_rtcp(receiver_report(block(highest=199, lost=10)), (speaker,), 1.0)
    assert hearer.report().loss_out == 0
    feed(speaker, range(200, 300))
    hearer.receive_rtcp(receiver_report(block(highest=299, lost=30)), (speaker,), 2.0)
    assert hearer.report().loss_out == pytest.approx(0.2)
    assert speaker.report().loss_out == 0


def test_a_report_on_what_we_do_not_know_or_nobody_hears_is_left_aside() -> None:
    speaker, hearer = pair()
    for _ in range(2):
        hearer.receive_rtcp(receiver_report(block(ssrc=99, lost=5)), (speaker,), 0.0)
        hearer.receive_rtcp(sender_report(1 << 32, block(lost=5)), (), 0.0)
    assert hearer.report().loss_out == 0


def test_a_round_trip_is_ours_and_the_browser_s_alone() -> None:
    speaker, hearer = pair()
    middle = 0x0001_8000
    speaker.receive_rtcp(sender_report(middle << 16), (hearer,), 10.0)
    hearer.receive_rtcp(receiver_report(block(last=middle, held=32768)), (speaker,), 10.58)
    assert hearer.report().round_trip == pytest.approx(80)
    assert speaker.report().round_trip is None
    assert speaker.report().mos is None
    assert hearer.report().mos == pytest.approx(4.2, abs=0.2)


def test_an_extended_report_tells_it_too() -> None:
    speaker, hearer = pair()
    question = struct.pack("!BBHIBBHQ", 0x80, 207, 4, 7, 4, 0, 2, 5 << 32)
    answer = struct.pack("!BBHIBBHIII", 0x80, 207, 5, 8, 5, 0, 3, 7, 5 << 16, 65536)
    speaker.receive_rtcp(question, (hearer,), 1.0)
    hearer.receive_rtcp(answer, (speaker,), 2.1)
    assert hearer.report().round_trip == pytest.approx(100)


def test_only_so_many_questions_are_remembered() -> None:
    stats = LegStats()
    for middle in range(1, 3 * MAX_QUESTIONS):
        stats.record_question(middle, 0.0)
    stats.receive_rtcp(receiver_report(block(last=1)), (), 1.0)
    assert stats.report().round_trip is None


def test_jitter_is_of_the_audio_that_is_coming_in() -> None:
    stats = LegStats()
    for number in range(400):
        stats.receive_rtp(rtp(number), 20_000 * number + (number % 2) * 10_000)
        stats.receive_rtp(rtp(number, ssrc=8, payload_type=VIDEO), 0)
    assert stats.report().jitter == 0
    stats.set_audio((AUDIO,))
    for number in range(400, 800):
        stats.receive_rtp(rtp(number), 20_000 * number + (number % 2) * 10_000)
    assert stats.report().jitter == pytest.approx(10, abs=0.5)
    assert stats.report().jitter == 0


def test_jitter_on_the_way_out_is_what_it_adds() -> None:
    speaker, hearer = pair()
    feed(speaker, range(10))
    hearer.receive_rtcp(receiver_report(block(jitter=480)), (speaker,), 0.0)
    assert hearer.report().jitter == 10
    assert speaker.report().jitter == 0


def test_silence_is_not_called_good() -> None:
    speaker, hearer = pair()
    speaker.receive_rtcp(sender_report(1 << 32), (hearer,), 0.0)
    hearer.receive_rtcp(receiver_report(block(last=1 << 16)), (speaker,), 0.05)
    report = hearer.report(is_silent=True)
    assert report.loss_in == 1
    assert report.mos is not None
    assert report.mos < 1.5


def test_packets_and_bytes() -> None:
    stats = LegStats()
    feed(stats, range(3))
    stats.receive_rtcp(receiver_report(b""), (), 0.0)
    report = stats.report()
    assert (report.packets_in, report.bytes_in) == (4, 3 * 172 + 8)


def test_sources_of_a_kind_in_their_order_and_no_more_than_we_can_keep() -> None:
    stats = LegStats()
    for ssrc in (9, 5, 7):
        stats.receive_rtp(rtp(1, ssrc=ssrc, payload_type=VIDEO), 0)
    stats.receive_rtp(rtp(1, ssrc=1), 0)
    assert stats.sources((VIDEO,)) == [9, 5, 7]
    for ssrc in range(100, 100 + MAX_STREAMS):
        source = ssrc.to_bytes(4)
        if stats.admits(source):
            stats.receive_rtcp(receiver_report(b"", ssrc), (), 0.0)
    assert not stats.admits(b"new!")
    assert stats.admits((9).to_bytes(4))
    assert stats.admits((100).to_bytes(4))
