"""Silence where there is none: voices without gaps."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import pytest

from visavis.archive.gapless_opus import MAX_DRIFT_MS, SILENCE, GaplessOpus, opus_milliseconds

SPEECH = b"\x78speech"  # a 20 ms CELT frame


def packet(milliseconds: float) -> Any:
    made = av.Packet(SPEECH)
    made.time_base, made.pts = Fraction(1, 1000), round(milliseconds)
    return made


def laid(times: list[float], until: float = 0) -> list[tuple[int, bool]]:
    """Return the new times of packets, and which of them are silence."""
    voice = GaplessOpus()
    packets = [one for time in times for one in voice.push(packet(time))]
    packets += voice.advance_to(until)
    return [(one.pts, bytes(one) == SILENCE) for one in packets]


def test_a_voice_that_begins_late_and_ends_early() -> None:
    assert laid([40, 60], until=120) == [
        (0, True),
        (20, True),
        (40, False),
        (60, False),
        (80, True),
        (100, True),
    ]


def test_a_lost_packet() -> None:
    assert laid([0, 20, 60]) == [(0, False), (20, False), (40, True), (60, False)]


def test_a_little_jitter_is_left_alone() -> None:
    assert [is_silent for _, is_silent in laid([0, 26, 35, 61])] == [False] * 4


@pytest.mark.parametrize("drift", [1.002, 0.998])
def test_a_clock_that_differs(drift: float) -> None:
    voice = GaplessOpus()
    for number in range(10_000):
        time = number * 20 * drift
        for one in voice.push(packet(time)):
            if bytes(one) != SILENCE:
                assert abs(one.pts - time) <= MAX_DRIFT_MS + 1


def test_a_packet_too_many_is_left_out() -> None:
    assert laid([0, 20, 20, 40]) == [(0, False), (20, False), (40, False)]


@pytest.mark.parametrize(
    ("first", "milliseconds"),
    [
        (b"\x00", 10),
        (b"\x08", 20),
        (b"\x18", 60),
        (b"\x60", 10),
        (b"\x68", 20),
        (b"\x80", 2.5),
        (b"\xf8", 20),
        (b"\xf9", 40),
        (b"\xfb\x03", 60),
        (b"\xfb", 20),
        (b"\xfb\x3f", 20),
        (b"", 20),
    ],
)
def test_how_long_a_packet_sounds(first: bytes, milliseconds: float) -> None:
    assert opus_milliseconds(first) == milliseconds
