"""Two legs and two stand-in browsers in memory."""

from __future__ import annotations

import struct
from datetime import UTC, datetime

import pytest

from tests.media.browser import ADDRESS, Browser, shake_hands
from tests.media.test_stun import request
from visavis.domain.leg import Link, RemoteTransport, Side
from visavis.media.dtls import Identity
from visavis.media.leg import CONSENT_SECONDS, Down, Leg, Up
from visavis.media.relay import Relay
from visavis.media.route import Route

IDENTITY = Identity(datetime(2026, 1, 1, tzinfo=UTC))


def rtp(number: int, payload_type: int = 96) -> bytes:
    return struct.pack("!BBHII", 0x80, payload_type, number % 65536, number, 7) + b"payload"


def leg() -> Leg:
    return Leg(Link("call", 1), Side.VISITOR, "ours", "p" * 32, IDENTITY, 0.0)


def test_a_leg_comes_up_and_carries_media_both_ways() -> None:
    ours, browser = leg(), Browser()
    ours.set_remote(browser.remote)
    assert browser.check(ours, 0.0)
    shake_hands(browser, ours)
    assert ours.events == [Up()]

    sending, receiving = browser.srtp()
    for number in (65534, 65535, 65536):
        assert ours.unprotect(sending.protect(rtp(number)), is_rtcp=False) == rtp(number)
    datagram = ours.protect(rtp(1), is_rtcp=False)
    assert datagram
    assert datagram[1] == ADDRESS
    assert receiving.unprotect(datagram[0]) == rtp(1)


def test_a_replayed_or_forged_datagram_is_dropped() -> None:
    ours, browser = leg(), Browser()
    ours.set_remote(browser.remote)
    browser.check(ours, 0.0)
    shake_hands(browser, ours)
    sending, _ = browser.srtp()
    datagram = sending.protect(rtp(1))
    assert ours.unprotect(datagram, is_rtcp=False)
    assert ours.unprotect(datagram, is_rtcp=False) is None
    assert ours.unprotect(datagram[:-1] + b"x", is_rtcp=False) is None
    assert ours.unprotect(b"\x80", is_rtcp=False) is None


def test_the_answer_may_come_after_the_handshake() -> None:
    ours, browser = leg(), Browser()
    browser.check(ours, 0.0)
    shake_hands(browser, ours)
    assert ours.events == []
    ours.set_remote(browser.remote)
    assert ours.events == [Up()]


def test_another_certificate_than_the_description_s_ends_the_leg() -> None:
    ours, browser = leg(), Browser()
    fingerprint = "sha-256 " + ":".join(["00"] * 32)
    ours.set_remote(RemoteTransport("theirs", "x" * 24, fingerprint))
    browser.check(ours, 0.0)
    shake_hands(browser, ours)
    assert [type(event) for event in ours.events] == [Down]
    assert ours.unprotect(b"\x80" * 60, is_rtcp=False) is None


def test_a_changed_address_is_followed() -> None:
    ours, browser = leg(), Browser()
    ours.set_remote(browser.remote)
    browser.check(ours, 0.0)
    shake_hands(browser, ours)
    moved = ("198.51.100.1", 6000)
    ours.route = None  # the next check nominates
    browser.check(ours, 1.0, moved)
    datagram = ours.protect(rtp(1), is_rtcp=False)
    assert datagram
    assert datagram[1] == moved


@pytest.mark.parametrize(("seconds", "is_down"), [(29.0, False), (31.0, True)])
def test_consent_expires(seconds: float, *, is_down: bool) -> None:
    ours, browser = leg(), Browser()
    browser.check(ours, 0.0)
    ours.tick(seconds)
    assert ours.is_down == is_down
    assert CONSENT_SECONDS == 30.0


def test_strangers_get_no_answer() -> None:
    sent: list[tuple[bytes, Route]] = []
    relay = Relay(IDENTITY, lambda data, to: sent.append((data, to)), lambda *_: None)
    relay.open_leg(Link("call", 1), Side.VISITOR, 0.0)
    strange = [
        request(),
        b"",
        b"\x00",
        b"\x16" + b"x" * 60,
        b"\x80" + b"x" * 60,
        b"\xff" * 1500,
    ]
    for datagram in strange:
        relay.receive(datagram, ("203.0.113.1", 1), 0.0, 0)
    assert sent == []
