"""Packets of one stream become frames, regardless of the order of packets and retransmissions."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest

from visavis.recorder.mux.depacketize import (
    HOLD_SECONDS,
    MAX_GATHERED_PACKETS,
    StreamDepacketiser,
)
from visavis.recorder.mux.streams import Packet, PlacedFrame
from visavis.rtp.packet import RtpPacket
from visavis.rtp.sequence import HeldBytes

KEY = b"\x10\x00\x00\x00\x9d\x01\x2a\x10\x00\x10\x00"
FIRST, REST = b"\x10\x11\x00\x00", b"\x00rest"
FRAMES = 40
LATER = HOLD_SECONDS + 2

Sent = tuple[int, int, bool, bytes]
"""Sequence number, timestamp, marker and payload of a packet."""


def begun() -> tuple[StreamDepacketiser, list[PlacedFrame]]:
    """Return a stream after its key frame, when it no longer waits for earlier packets."""
    stream: Any = SimpleNamespace(is_audio=False, first_timestamp=0)
    one = StreamDepacketiser(stream, HeldBytes())
    return one, give(one, packets()[0], 0) + one.due(HOLD_SECONDS + 1)


def packets() -> list[Sent]:
    """Return a key frame of one packet, then pictures of 1 to 5 packets."""
    found: list[Sent] = []
    for frame in range(FRAMES):
        count = frame % 5 + 1
        for index in range(count):
            payload = REST if index else (KEY if frame == 0 else FIRST)
            found.append((len(found) + 1, frame * 3000, index == count - 1, payload))
    return found


def give(
    one: StreamDepacketiser,
    packet: Sent,
    now: float,
    *,
    is_repair: bool = False,
    gathers: int = 1,
) -> list[PlacedFrame]:
    number, timestamp, marker, payload = packet
    if not is_repair and number > 1:
        one.gathered_codec = "VP8"
        one.gathered.append((number, timestamp, now, 0x80 * marker | 96, payload))
        return one.take_gathered() if number % gathers == 0 else []
    stream: Any = None
    rtp = RtpPacket(96, marker, number, timestamp, 1, payload)
    return one.push(Packet(stream, rtp, "VP8", is_repair=is_repair), now)


def timestamps(frames: list[PlacedFrame]) -> list[int]:
    """Return the timestamps as they were sent, before unwrapping."""
    return [placed.frame.timestamp % 2**32 for placed in frames]


def test_a_repair_ahead_of_its_packet_costs_no_picture() -> None:
    """The original packet arrives afterwards, as the next in order."""
    (one, frames), sent = begun(), packets()
    # After the key frame: a picture of two packets, then one of three whose second is late.
    for packet in sent[1:4]:
        frames += give(one, packet, LATER)
    frames += give(one, sent[5], LATER, is_repair=True)
    frames += give(one, sent[4], LATER)
    frames += give(one, sent[5], LATER)  # A duplicate.
    for packet in sent[6:10]:
        frames += give(one, packet, LATER)
    frames += one.flush()
    assert timestamps(frames) == [0, 3000, 6000, 9000]


@pytest.mark.parametrize("gathers", [1, 7, 1000])
@pytest.mark.parametrize("seed", range(60))
def test_lost_packets_and_their_repairs_cost_no_picture(seed: int, gathers: int) -> None:
    chance = random.Random(seed)
    (one, frames), sent = begun(), packets()
    arrivals: list[tuple[float, bool, Sent]] = []
    for index, packet in enumerate(sent[1:], start=1):
        is_repaired = chance.random() < 0.3
        if is_repaired:  # A retransmission before, after or instead of the original.
            arrivals.append((index * 0.01 + chance.uniform(0, 0.1), True, packet))
        if not is_repaired or chance.random() < 0.6:
            late = chance.choice([0, 0, 0, chance.uniform(0, 0.1)])
            arrivals.append((index * 0.01 + late, False, packet))
    for after, is_repair, packet in sorted(arrivals, key=lambda arrival: arrival[0]):
        frames += give(one, packet, LATER + after, is_repair=is_repair, gathers=gathers)
    frames += one.flush()
    assert timestamps(frames) == [number * 3000 for number in range(FRAMES)]


@pytest.mark.parametrize("without_markers", [600, 20])
def test_a_picture_whose_end_never_comes_is_not_gathered_for_ever(without_markers: int) -> None:
    (one, frames), number = begun(), 2
    for _ in range(without_markers):
        frames += give(one, (number, 3000, False, REST), LATER)
        number += 1
    assert len(one.gathered) <= MAX_GATHERED_PACKETS
    frames += give(one, (number, 6000, True, FIRST), LATER)  # Overlaps the previous one.
    frames += give(one, (number + 1, 9000, True, KEY), LATER)
    assert timestamps(frames) == [0, 9000]
    assert not one.gathered
