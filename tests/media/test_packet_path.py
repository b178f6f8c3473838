"""Behaviour of the packet path: the same tests for the Python path and the native path."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.legs import LEGS
from tests.media.packet_paths import packet_path
from tests.media.test_leg import rtp
from tests.media.test_relay import ADDRESSES, BRIDGE, FakeConnection, RelayHarness, connected
from visavis.domain.leg import AGENT_LEG, VISITOR_LEG
from visavis.media.leg import Leg
from visavis.media.srtp import REPLAY_WINDOW
from visavis.rtp.leg_stats import MAX_STREAMS
from visavis.spool.format import JournalRecord, RecordKind, encode_record, read_journal

__all__ = ["packet_path"]
pytestmark = pytest.mark.usefixtures("packet_path")

RECORD_BYTES = len(encode_record(0, RecordKind.RTP, 0, b""))

VISITOR, AGENT = VISITOR_LEG, AGENT_LEG


def protected(harness: RelayHarness, packet: bytes) -> bytes:
    return bytes(harness.browsers[VISITOR].srtp()[0].protect(packet))


def arrived(harness: RelayHarness, side: int = AGENT) -> list[bytes]:
    """Return the RTP packets sent to a browser since the last call."""
    session = harness.browsers[side].srtp()[1]  # A new session each time, which rejects no replay.
    datagrams = [datagram for datagram, to in harness.taken() if to == ADDRESSES[side]]
    return [bytes(session.unprotect(d)) for d in datagrams if not 192 <= d[1] <= 223]


def leg_of(harness: RelayHarness, side: int = VISITOR) -> Leg:
    return harness.relay.bridges[BRIDGE].legs[side]


def records(spool: Path) -> list[JournalRecord]:
    with (spool / "rec" / "0001.journal").open("rb") as file:
        return list(read_journal(file))


def test_a_replayed_or_forged_packet_goes_nowhere() -> None:
    harness = connected()
    datagram = protected(harness, rtp(1))
    for received in (datagram, datagram, datagram[:-1] + bytes((datagram[-1] ^ 1,)), b"\x80" * 12):
        harness.receive(received, ADDRESSES[VISITOR], 1.0, 1)
    assert arrived(harness) == [rtp(1)]
    assert leg_of(harness).report(1.0).packets_in == 1


def test_sequence_numbers_roll_over() -> None:
    harness = connected()
    sent = [rtp(number) for number in range(65_000, 66_100)]
    session = harness.browsers[VISITOR].srtp()[0]
    for packet in sent:
        harness.receive(session.protect(packet), ADDRESSES[VISITOR], 1.0, 1)
    assert arrived(harness) == sent
    assert leg_of(harness).report(1.0).loss_in == 0.0


def test_packets_may_come_as_late_as_the_replay_window_allows() -> None:
    harness = connected()
    late = [protected(harness, rtp(number)) for number in range(REPLAY_WINDOW + 100)]
    for datagram in reversed(late):
        harness.receive(datagram, ADDRESSES[VISITOR], 1.0, 1)
    assert len(harness.taken()) == REPLAY_WINDOW


def test_media_follow_a_browser_to_another_address() -> None:
    harness = connected()
    moved = ("198.51.100.9", 9)
    harness.check(leg_of(harness, AGENT), moved, 1.0)
    harness.taken()
    harness.say(VISITOR, rtp(1))
    assert [to for _, to in harness.taken()] == [moved]
    harness.receive(
        protected(harness, rtp(2)), moved, 1.0, 1
    )  # Not encrypted with the visitor's keys.
    assert harness.taken() == []


def test_a_browser_that_is_reached_by_tcp_sends_and_receives() -> None:
    harness = connected()
    connection = FakeConnection()
    harness.check(leg_of(harness), connection, 1.0)
    harness.taken()
    harness.say(AGENT, rtp(1))
    assert [to for _, to in harness.taken()] == [connection]
    harness.receive(protected(harness, rtp(2)), connection, 1.0, 1)
    assert arrived(harness) == [rtp(2)]
    harness.relay.lose(connection)
    harness.say(AGENT, rtp(3))
    assert harness.taken() == []


@pytest.mark.parametrize("length", [0, 1, 11, 12, 13, 27, 1500, 1501, 2000])
def test_datagrams_of_any_length_do_no_harm(length: int) -> None:
    harness = connected()
    for first in (0, 20, 64, 128, 191, 192, 255):
        for second in (96, 200):
            datagram = (bytes((first, second)) + bytes(2000))[:length]
            harness.receive(datagram, ADDRESSES[VISITOR], 1.0, 1)
    assert harness.taken() == []
    harness.say(VISITOR, rtp(1))
    assert arrived(harness) == [rtp(1)]


def test_the_longest_packet_passes() -> None:
    harness = connected()
    packet = rtp(1) + bytes(1300)
    harness.say(VISITOR, packet)
    assert arrived(harness) == [packet]


def test_a_leg_s_sources_are_bounded() -> None:
    harness = connected()
    for ssrc in range(1, 2 * MAX_STREAMS):
        harness.say(VISITOR, rtp(1, ssrc))
    assert len(arrived(harness)) == MAX_STREAMS
    harness.say(VISITOR, rtp(2, 1))
    assert len(arrived(harness)) == 1


def test_statistics_count_loss_jitter_and_bytes() -> None:
    """Audio packets are 20 ms apart; one in ten is lost, and every second one is 5 ms late."""
    harness = connected()
    leg = leg_of(harness)
    assert leg.remote
    assert leg.remote.audio_payload_types == (111,)
    session, received = harness.browsers[VISITOR].srtp()[0], 0
    for number in range(1, 101):
        packet = struct.pack("!BBHII", 0x80, 111, number, 960 * number, 5) + bytes(60)
        if number % 10 == 5:
            continue
        arrival_us = 20_000 * number + 5000 * (number % 2)
        harness.receive(session.protect(packet), ADDRESSES[VISITOR], 1.0, arrival_us)
        received += 1
    report = leg.report(1.0)
    assert (report.packets_in, report.bytes_in) == (received, 72 * received)
    assert report.loss_in == pytest.approx(0.1)
    assert 4.0 < report.jitter < 5.0
    outgoing = leg_of(harness, AGENT).report(1.0)
    assert (outgoing.packets_out, outgoing.bytes_out) == (received, 72 * received)


def test_round_trips_and_losses_of_a_browser_s_reports_are_counted() -> None:
    harness = connected()
    for number in range(1, 11):
        harness.say(VISITOR, rtp(number))
    sender_report = struct.pack("!BBHIQIII", 0x80, 200, 6, 7, 0x1234_5678 << 16, 0, 10, 700)
    harness.say(VISITOR, sender_report, is_rtcp=True)
    session = harness.browsers[AGENT].srtp()[0]
    for highest, lost in ((5, 0), (10, 2)):
        blocks = struct.pack("!IIIIII", 7, lost, highest, 0, 0x1234_5678, 0)
        report = struct.pack("!BBHI", 0x81, 201, 7, 8) + blocks
        harness.receive(session.protect_rtcp(report), ADDRESSES[AGENT], 1.25, 1)
    told = leg_of(harness, AGENT).report(2.0)
    assert told.round_trip == pytest.approx(250.0)
    assert told.loss_out == pytest.approx(2 / 5)


def test_a_tap_is_set_and_taken_away_while_packets_pass(tmp_path: Path) -> None:
    harness = connected()
    journal = harness.new_journal(tmp_path, lambda why: None)
    harness.say(VISITOR, rtp(1))
    harness.relay.record(BRIDGE, journal, 1.0)
    harness.say(VISITOR, rtp(2))
    harness.say(AGENT, rtp(3))
    harness.relay.pause(BRIDGE, 1.0, is_paused=True)
    harness.say(VISITOR, rtp(4))
    harness.relay.pause(BRIDGE, 1.0, is_paused=False)
    harness.say(VISITOR, rtp(5))
    journal.stop("that is enough")
    harness.say(VISITOR, rtp(6))
    harness.relay.remove(BRIDGE, 2.0)
    journal.close()
    found = records(tmp_path)
    assert [r.payload for r in found if r.kind is RecordKind.RTP] == [rtp(2), rtp(3), rtp(5)]
    assert found[0].arrival_us == 1 + journal.offset_us
    assert found[-1].kind is RecordKind.SEAL


def test_a_journal_that_nobody_writes_is_bounded_and_notes_the_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = connected()
    monkeypatch.setattr("visavis.spool.sync_thread.ROUND_SECONDS", 600.0)
    monkeypatch.setattr("visavis.spool.writer.WAKE_BYTES", 1 << 40)
    monkeypatch.setattr("visavis.media.native.journal.WAKE_BYTES", 1 << 40)
    monkeypatch.setattr("visavis.spool.writer.MAX_WAITING_BYTES", 20_000)
    monkeypatch.setattr("visavis.media.native.journal.MAX_WAITING_BYTES", 20_000)
    journal = harness.new_journal(tmp_path, lambda why: None)
    harness.relay.record(BRIDGE, journal, 1.0)
    for number in range(100):
        harness.say(VISITOR, rtp(number) + bytes(480))
    journal.write()
    harness.say(VISITOR, rtp(100))
    assert len(arrived(harness)) == 101  # All are relayed.
    harness.relay.remove(BRIDGE, 2.0)
    journal.close()
    found = records(tmp_path)
    kept = [r for r in found if r.kind is RecordKind.RTP]
    notes = [r.payload for r in found if r.kind is RecordKind.NOTE]
    assert 30 < len(kept) < 45
    assert notes == [b'{"type":"gap","records":%d}' % (101 - len(kept))]
    assert journal.gaps == 1


def test_a_full_journal_is_sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    harness = connected()
    limit = 40 * (RECORD_BYTES + len(rtp(0)) + 480)
    monkeypatch.setattr("visavis.spool.sync_thread.ROUND_SECONDS", 600.0)
    monkeypatch.setattr("visavis.spool.writer.MAX_WAITING_BYTES", limit)
    monkeypatch.setattr("visavis.media.native.journal.MAX_WAITING_BYTES", limit)
    journal = harness.new_journal(tmp_path, lambda why: None)
    harness.relay.record(BRIDGE, journal, 1.0)
    for number in range(50):
        harness.say(VISITOR, rtp(number) + bytes(480))
    harness.relay.remove(BRIDGE, 2.0)
    journal.close()
    found = records(tmp_path)
    assert [r.payload[:12] for r in found if r.kind is RecordKind.RTP] == [
        rtp(number)[:12] for number in range(40)
    ]
    assert found[-2].payload == b'{"type":"gap","records":10}'
    assert found[-1].kind is RecordKind.SEAL
    assert journal.gaps == 1


def test_a_source_that_comes_back_goes_on_where_it_was() -> None:
    """A softphone's hold music has another SSRC, after which the first one continues."""
    harness = connected()
    session = harness.browsers[VISITOR].srtp()[0]
    sent = [rtp(number, ssrc=7) for number in range(65_500, 65_600)]
    sent += [rtp(number, ssrc=8) for number in range(37_000, 37_050)]
    sent += [rtp(number, ssrc=7) for number in range(65_600, 65_700)]
    for packet in sent:
        harness.receive(session.protect(packet), ADDRESSES[VISITOR], 1.0, 1)
    assert arrived(harness) == sent


def test_a_browser_that_joins_after_a_roll_over_hears_the_other() -> None:
    """The roll-over counter is not sent, so it starts at 0 for each browser (RFC 3711 §3.3.1)."""
    harness = RelayHarness()
    harness.open()
    for side in LEGS:
        harness.connect(side)
    session = harness.browsers[VISITOR].srtp()[0]
    for number in range(1000, 75_000, 1000):
        harness.receive(session.protect(rtp(number)), ADDRESSES[VISITOR], 1.0, 1)
    harness.relay.join(BRIDGE)
    harness.taken()
    sent = [rtp(number) for number in range(75_000, 75_100)]
    for packet in sent:
        harness.receive(session.protect(packet), ADDRESSES[VISITOR], 1.0, 1)
    assert arrived(harness) == sent
