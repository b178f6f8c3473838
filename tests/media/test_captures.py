"""Datagrams of real browsers are parsed completely, and ours have the same form."""

from __future__ import annotations

import pytest

from tests.media.captures import BROWSERS, DATA, datagrams, description
from visavis.domain.leg import Candidate, LocalTransport
from visavis.media.dtls import MTU, Dtls, Identity
from visavis.media.rfc4571 import frame
from visavis.media.stun import binding_success, parse_binding_request
from visavis.rtp.leg_stats import LegStats
from visavis.rtp.packet import parse_rtp
from visavis.rtp.rtcp import (
    ReceptionReport,
    TimeQuestion,
    picture_loss_indication,
    read_feedback,
    sender_reports,
)
from visavis.rtp.sdp import media_sections, read_transport, restrict_codecs, rewrite

IDENTITY = Identity()

pytestmark = pytest.mark.parametrize("browser", BROWSERS)


@pytest.mark.parametrize("kind", ["stun", "dtls", "rtp", "rtcp"])
def test_frames_are_written_as_they_were_read(browser: str, kind: str) -> None:
    found = datagrams(browser, kind)
    assert found
    assert b"".join(map(frame, found)) == (DATA / f"{browser}-{kind}.bin").read_bytes()


def test_every_check_is_read_and_answered_with_less(browser: str) -> None:
    checks = datagrams(browser, "stun")
    for check in checks:
        request = parse_binding_request(check)
        assert request
        assert len(request.ufrag) == 16
        for address in (("192.0.2.1", 1), ("2001:db8::1", 1)):
            assert len(binding_success(request.transaction_id, address, "p" * 32)) <= len(check)
    assert any((r := parse_binding_request(check)) and r.uses_candidate for check in checks)


def test_a_hello_is_answered_and_its_flights_are_whole_records(browser: str) -> None:
    for datagram in datagrams(browser, "dtls"):
        position = 0
        while position < len(datagram):
            position += 13 + int.from_bytes(datagram[position + 11 : position + 13])
        assert position == len(datagram)
    hello = [d for d in datagrams(browser, "dtls") if d[0] == 22 and d[13] == 1]
    message = hello[0][17:19]
    dtls = Dtls(IDENTITY)
    flight: list[bytes] = []
    # Post-quantum keys make it too long for one datagram; each of the two pages has sent one.
    for datagram in (d for d in hello if d[17:19] == message):
        flight = flight or dtls.receive(datagram, 0.0)
    assert flight
    assert all(len(datagram) <= MTU for datagram in flight)
    assert flight[0][13] == 2  # ServerHello


def test_every_media_packet_is_one_that_was_offered(browser: str) -> None:
    offered = {
        number
        for kind in ("offer", "answer")
        for section in media_sections(description(browser, kind))
        for number in section.codecs
    }
    stats = LegStats()
    for packet in datagrams(browser, "rtp"):
        parsed = parse_rtp(packet)
        assert parsed
        assert parsed.payload_type in offered
        assert packet.endswith(parsed.payload) or packet[0] & 0x20
        stats.receive_rtp(packet, 0)
    assert len(stats.streams) >= 4


def test_reports_are_found_in_what_browsers_say(browser: str) -> None:
    compounds = datagrams(browser, "rtcp")
    told = [item for compound in compounds for item in read_feedback(compound)]
    reports = [report for compound in compounds for report in sender_reports(compound)]
    assert sum(isinstance(item, TimeQuestion) for item in told) >= len(reports) > 0
    assert any(isinstance(item, ReceptionReport) and item.last_report for item in told)


def test_our_request_for_a_key_frame_is_written_as_theirs(browser: str) -> None:
    theirs = [c[at : at + 12] for c in datagrams(browser, "rtcp") for at in _pictures_lost(c)]
    for packet in theirs:
        sender, media = int.from_bytes(packet[4:8]), int.from_bytes(packet[8:12])
        assert picture_loss_indication(sender, media) == packet


def _pictures_lost(compound: bytes) -> list[int]:
    positions, at = [], 0
    while at + 4 <= len(compound):
        if compound[at : at + 2] == b"\x81\xce":
            positions.append(at)
        at += 4 * (int.from_bytes(compound[at + 2 : at + 4]) + 1)
    return positions


@pytest.mark.parametrize("kind", ["offer", "answer"])
def test_descriptions_carry_our_transport_and_their_media(browser: str, kind: str) -> None:
    sdp = description(browser, kind)
    ours = LocalTransport(
        "usr1", "p" * 24, "sha-256 " + ":".join(["AB"] * 32), (Candidate("192.0.2.1", 8081),)
    )
    rewritten = rewrite(restrict_codecs(sdp), ours, "passive")
    assert read_transport(rewritten).fingerprint == ours.fingerprint
    assert [s.mid for s in media_sections(rewritten)] == [s.mid for s in media_sections(sdp)]
    assert read_transport(sdp).ufrag not in rewritten
    assert rewrite(rewritten, ours, "passive") == rewritten
