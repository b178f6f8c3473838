"""One leg: connectivity checks, credentials, renegotiation and timers."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest

from tests.media.browser import ADDRESS, Browser, shake_hands
from visavis.domain.errors import VisavisError
from visavis.domain.leg import VISITOR_LEG, BridgeId, RemoteTransport
from visavis.media.dtls import Identity
from visavis.media.leg import (
    CONSENT_SECONDS,
    MAX_CREDENTIALS,
    MAX_REMOTE_ADDRESSES,
    REPORT_SECONDS,
    SILENCE_SECONDS,
    Down,
    Leg,
    Up,
)
from visavis.rtp.leg_stats import MAX_STREAMS
from visavis.rtp.mos import LegReport

IDENTITY = Identity()


def rtp(number: int, ssrc: int = 7, payload_type: int = 96) -> bytes:
    header = struct.pack("!BBHII", 0x80, payload_type, number % 65536, number, ssrc)
    return header + b"payload"


def new_leg() -> Leg:
    return Leg(BridgeId("call", 1), VISITOR_LEG, "ours", "p" * 32, IDENTITY, 0.0)


def up() -> tuple[Leg, Browser]:
    leg, browser = new_leg(), Browser()
    leg.set_remote(browser.remote)
    assert browser.check(leg, 0.0)
    shake_hands(browser, leg)
    assert leg.events == [Up()]
    leg.events.clear()
    return leg, browser


def test_it_comes_up_and_carries_media_both_ways() -> None:
    leg, browser = up()
    sending, receiving = browser.srtp()
    for number in (65534, 65535, 65536):
        assert leg.unprotect(sending.protect(rtp(number)), is_rtcp=False) == rtp(number)
    outgoing = leg.protect(rtp(1), is_rtcp=False)
    assert outgoing
    assert outgoing[1] == ADDRESS
    assert receiving.unprotect(outgoing[0]) == rtp(1)


def test_a_replayed_or_forged_datagram_is_dropped() -> None:
    leg, browser = up()
    sending, _ = browser.srtp()
    datagram = sending.protect(rtp(1))
    assert leg.unprotect(datagram, is_rtcp=False)
    assert leg.unprotect(datagram, is_rtcp=False) is None
    assert leg.unprotect(datagram[:-1] + b"x", is_rtcp=False) is None
    assert leg.unprotect(b"\x80", is_rtcp=False) is None


def test_a_packet_that_is_too_long_is_dropped_either_way() -> None:
    leg, browser = up()
    sending, _ = browser.srtp()
    assert leg.unprotect(sending.protect(rtp(1)) + bytes(4000), is_rtcp=False) is None
    assert leg.protect(rtp(1) + bytes(2029), is_rtcp=False) is None


def test_one_packet_is_never_protected_twice() -> None:
    leg, _ = up()
    assert leg.protect(rtp(1), is_rtcp=False)
    assert leg.protect(rtp(1), is_rtcp=False) is None


def test_no_more_sources_than_there_is_memory_for() -> None:
    leg, browser = up()
    sending, _ = browser.srtp()
    for ssrc in range(1, MAX_STREAMS + 2):
        packet = leg.unprotect(sending.protect(rtp(1, ssrc)), is_rtcp=False)
        assert (packet is None) == (ssrc > MAX_STREAMS)
        if packet:
            leg.stats.receive_rtp(packet, 0)


def test_the_answer_may_come_after_the_handshake() -> None:
    leg, browser = new_leg(), Browser()
    browser.check(leg, 0.0)
    shake_hands(browser, leg)
    assert leg.events == []
    leg.set_remote(browser.remote)
    browser.answer_checks(leg, 0.0)
    assert leg.events == [Up()]


def test_another_certificate_than_the_description_s_ends_it() -> None:
    leg, browser = new_leg(), Browser()
    fingerprint = "sha-256 " + ":".join(["00"] * 32)
    leg.set_remote(RemoteTransport("theirs", "x" * 24, fingerprint))
    browser.check(leg, 0.0)
    shake_hands(browser, leg)
    assert [type(event) for event in leg.events] == [Down]
    assert leg.unprotect(b"\x80" * 60, is_rtcp=False) is None


def test_the_certificate_stays_when_it_renegotiates() -> None:
    leg, browser = up()
    leg.set_remote(replace(browser.remote, video_payload_types=(97,)))
    with pytest.raises(VisavisError, match="certificate"):
        leg.set_remote(replace(browser.remote, fingerprint="sha-256 00"))
    assert leg.is_up


def test_a_changed_address_is_followed_when_it_is_nominated() -> None:
    leg, browser = up()
    moved = ("198.51.100.1", 6000)
    browser.check(leg, 1.0, moved, nominate=False)
    assert leg.remote_address == ADDRESS
    browser.check(leg, 1.0, moved)
    outgoing = leg.protect(rtp(1), is_rtcp=False)
    assert outgoing
    assert outgoing[1] == moved


def test_so_many_routes_and_no_more() -> None:
    leg, browser = up()
    for port in range(1, 50):
        browser.check(leg, 1.0, ("198.51.100.1", port), nominate=False)
    assert len(leg.remote_addresses) == MAX_REMOTE_ADDRESSES
    assert ADDRESS in leg.remote_addresses


def test_a_lost_connection_is_not_sent_to() -> None:
    leg, browser = up()
    leg.lose(("198.51.100.9", 9))
    leg.lose(ADDRESS)
    assert leg.protect(rtp(1), is_rtcp=False) is None
    browser.check(leg, 1.0, ("198.51.100.1", 6000), nominate=False)
    assert leg.protect(rtp(2), is_rtcp=False)


def test_old_credentials_are_good_until_the_new_ones_nominate() -> None:
    leg, browser = up()
    restarted = replace(browser.remote, ufrag="again")
    assert leg.is_restarted_by(restarted)
    assert not leg.is_restarted_by(browser.remote)
    leg.add_credentials("new", "q" * 32)
    assert (leg.ufrag, leg.pwd) == ("new", "q" * 32)
    assert list(leg.credentials) == ["ours", "new"]
    assert browser.check(leg, 1.0, nominate=False)
    assert list(leg.credentials) == ["ours", "new"]
    assert browser.check(leg, 1.0)
    assert list(leg.credentials) == ["new"]


def test_so_many_credentials_and_no_more() -> None:
    leg, _ = up()
    for number in range(9):
        leg.add_credentials(f"n{number}", "q" * 32)
    assert len(leg.credentials) == MAX_CREDENTIALS


@pytest.mark.parametrize(("seconds", "is_down"), [(29.0, False), (31.0, True)])
def test_consent_expires(seconds: float, *, is_down: bool) -> None:
    leg, browser = new_leg(), Browser()
    browser.check(leg, 0.0)
    leg.tick(seconds)
    assert leg.is_down == is_down
    assert CONSENT_SECONDS == 30.0
    assert browser.check(leg, seconds) != is_down
    leg.receive_dtls(b"\x16" * 40, ADDRESS, seconds)
    leg.tick(seconds)


def test_a_leg_that_no_browser_knows_of_waits_for_one() -> None:
    leg, browser = new_leg(), Browser()
    leg.tick(2 * CONSENT_SECONDS)
    leg.set_remote(browser.remote)
    leg.tick(3 * CONSENT_SECONDS)
    assert not leg.is_down
    leg.tick(3.1 * CONSENT_SECONDS)
    assert leg.is_down


def test_it_reports_every_other_second_and_tells_silence() -> None:
    leg, browser = up()
    leg.tick(REPORT_SECONDS / 2)
    assert leg.events == []
    leg.tick(REPORT_SECONDS)
    browser.check(leg, REPORT_SECONDS)
    leg.tick(REPORT_SECONDS + SILENCE_SECONDS + 1)
    assert [e.loss_in for e in leg.events if isinstance(e, LegReport)] == [0.0, 1.0]


def test_a_lost_flight_is_sent_again() -> None:
    leg, browser = new_leg(), Browser()
    browser.check(leg, 0.0)
    for datagram in browser.datagrams():
        leg.receive_dtls(datagram, ADDRESS, 0.0)
    leg.outbox.clear()
    leg.tick(0.1)
    assert leg.outbox == []
    leg.tick(0.3)
    flight, leg.outbox = leg.outbox, []
    assert flight
    leg.tick(0.4)
    assert leg.outbox == []
    leg.tick(0.8)
    assert leg.outbox == flight


def test_junk_in_the_handshake_does_no_harm() -> None:
    leg, browser = new_leg(), Browser()
    leg.set_remote(browser.remote)
    browser.check(leg, 0.0)
    for junk in (b"\x16", b"\x16\xfe\xfd" + b"\0" * 8 + b"\xff\xffabc", b"\x3f" * 200):
        leg.receive_dtls(junk, ADDRESS, 0.0)
    leg.outbox.clear()
    shake_hands(browser, leg)
    assert leg.is_up


def test_application_data_does_not_pile_up() -> None:
    leg, browser = up()
    for _ in range(50):
        browser._connection.send(b"x" * 100)
    leg.receive_dtls(browser._connection.bio_read(65536), ADDRESS, 1.0)
    assert leg._dtls._connection.pending() == 0
    browser._connection.shutdown()
    leg.receive_dtls(browser._connection.bio_read(65536), ADDRESS, 1.0)
    assert [type(event) for event in leg.events] == [Down]
