from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from functools import cache

import pytest

from visavis.rtp.timeline import (
    DelayEnvelope,
    KeptPackets,
    SenderTimeline,
    StreamClock,
    ntp_seconds,
)


def test_ntp() -> None:
    assert ntp_seconds((2_208_988_800 + 5) << 32 | 1 << 31) == 5.5


@pytest.mark.no_cover
@pytest.mark.parametrize("drift", [-1e-4, 0.0, 1e-4])
@pytest.mark.parametrize("offset", [-3600.0, 0.0, 7.7])
def test_two_clocks_that_drift_for_two_hours_stay_together(drift: float, offset: float) -> None:
    chance = random.Random(4)
    timeline, clocks = SenderTimeline(), {48_000: StreamClock(48_000), 90_000: StreamClock(90_000)}
    for second in range(7200):
        sender = offset + second * (1 + drift)
        for rate, clock in clocks.items():
            arrival = second + 0.03 + chance.random() * 0.1
            clock.add_packet(second, 1000 + round(sender * rate), arrival)
            clock.add_report(1000 + round(sender * rate), sender, arrival)
    timeline.fit(clocks.values())
    for moment in (0.0, 1.5, 60.0, 3601.0, 7000.0, 7199.0, 7205.0):
        sender = offset + moment * (1 + drift)
        one, other = (
            timeline.time(clock, int(moment), 1000 + round(sender * rate))
            for rate, clock in clocks.items()
        )
        assert one == pytest.approx(other, abs=1e-4)
        assert one == pytest.approx(moment + 0.03, abs=0.012)


def test_without_reports_the_quickest_packets_tell() -> None:
    chance = random.Random(5)
    timeline, clock = SenderTimeline(), StreamClock(48_000)
    for number in range(3000):
        clock.add_packet(number, number * 960, number * 0.02 + 0.03 + chance.random() * 0.1)
    timeline.fit([clock])
    for number in (0, 1, 1500, 2999):
        time = timeline.time(clock, number, number * 960)
        assert time == clock.arrival_time(number, number * 960)
        assert time == pytest.approx(number * 0.02 + 0.03, abs=0.0075)


def test_a_stream_without_packets_has_no_time() -> None:
    timeline, clock = SenderTimeline(), StreamClock(90_000)
    timeline.fit([clock])
    assert timeline.time(clock, 0, 0) is None
    assert clock.arrival_time(0, 0) is None


def test_reports_that_cannot_be_are_not_believed() -> None:
    timeline, clock = SenderTimeline(), StreamClock(90_000)
    for second in range(20):
        clock.add_packet(second, second * 90_000, second + 0.5)
        clock.add_report(second * 90_000, second + 7.0, second + 0.5)
        if second % 5 == 2:
            clock.add_report(second * 90_000, second + 7.0, second + 0.6)  # A duplicate.
            clock.add_report(second * 90_000 + 100, 1e9, second + 0.7)
            clock.add_report(0, 9.0, second + 0.8)
    clock.add_report(19 * 90_000 + 100, -1e9, 19.9)  # No later report confirms this one.
    timeline.fit([clock])
    for second in (0, 10, 19, 25):
        assert timeline.time(clock, second, second * 90_000) == pytest.approx(
            second + 0.5, abs=0.01
        )


def test_a_clock_that_stands_still_and_leaps_back_is_followed_by_sequence_number() -> None:
    """Two stalls between two reports, and a jump back, after which timestamps repeat."""
    timeline, clock = SenderTimeline(), StreamClock(48_000)
    times: dict[int, tuple[float, float]] = {}
    number = 0
    for index in range(2000):
        now, skew = index * 0.02, 0.0
        if 10 <= now < 12 or 13 <= now < 14:
            continue
        skew = (2.0 if now >= 12 else 0.0) + (1.0 if now >= 14 else 0.0)
        skew += 8.0 if now >= 25 else 0.0
        times[number] = now, now - skew
        clock.add_packet(number, round((now - skew) * 48_000), now + 0.04)
        number += 1
        if index % 250 == 240:
            clock.add_report(round((now - skew) * 48_000), now - 99.0, now + 0.04)
    timeline.fit([clock])
    for number, (now, media) in times.items():
        time = timeline.time(clock, number, round(media * 48_000))
        assert time == pytest.approx(now + 0.04, abs=0.03), (number, now)


def test_a_microphone_that_loses_a_little_time_all_along_is_followed() -> None:
    """A busy machine drops 30 ms twice per second, without a single large step."""
    timeline, clock = SenderTimeline(), StreamClock(48_000)
    for index in range(6000):
        now = index * 0.02
        skew = 0.03 * (index // 25)
        clock.add_packet(index, round((now - skew) * 48_000), now + 0.04)
        if index % 250 == 0:
            clock.add_report(round((now - skew) * 48_000), now, now + 0.04)
    timeline.fit([clock])
    for index in range(0, 5750, 70):
        now, skew = index * 0.02, 0.03 * (index // 25)
        time = timeline.time(clock, index, round((now - skew) * 48_000))
        assert time == pytest.approx(now + 0.04, abs=0.05)


def test_a_floor_keeps_the_least_of_each_second_and_rises_slowly() -> None:
    floor = DelayEnvelope()
    assert not floor
    floor.see(0.0, 0.5)
    floor.see(0.2, 0.1)
    floor.see(0.1, 0.3)
    floor.see(-5.0, -9.0)  # A clock that goes back is ignored.
    assert floor.delay(-4.0) == pytest.approx(0.101)
    floor.see(1000.0, 0.9)
    assert floor.delay(1000.0) == pytest.approx(0.35)
    assert floor.delay(500.0) == pytest.approx(0.225)
    assert floor.delay(1004.0) == pytest.approx(0.351)


@cache
def sent_packets(
    stalls: tuple[tuple[float, float], ...], seconds: int, leap: float = 0.0
) -> list[tuple[float, int]]:
    """Return time and timestamp of each packet that a microphone sends.

    RTP time stands still in each stall, given by its beginning and length. It jumps back by `leap`
    seconds at the third stall.
    """
    sent = []
    for at in (number / 50 for number in range(seconds * 50)):
        over = [length for start, length in stalls if at >= start + length]
        if not any(start <= at < start + length for start, length in stalls):
            behind = sum(over) - 0.02 * len(over) + (leap if len(over) > 2 else 0.0)
            sent.append((at, round((at - behind) * 48_000) + 2**32))
    return sent


def stalled(
    stalls: list[tuple[float, float]],
    *,
    every: float,
    jitter: float,
    seed: int = 7,
    seconds: int = 45,
) -> float:
    """Return the seconds of misplaced audio, with a report `every` so many seconds, or without.

    The reports continue by extrapolation in a stall, like those of libwebrtc.
    """
    chance, clock = random.Random(seed), StreamClock(48_000)
    sent = sent_packets(tuple(stalls), seconds)
    events: list[tuple[float, float, int, int]] = [
        (at + chance.random() * jitter, at, number, stamp)
        for number, (at, stamp) in enumerate(sent)
    ]
    moments = [at for at, _ in sent]
    for at in (1.0 + every * count for count in range(int((seconds - 1) / every) if every else 0)):
        last_at, stamp = sent[bisect_right(moments, at) - 1]
        events.append((at, at, -1, stamp + round((at - last_at) * 48_000)))
    for arrival, at, number, stamp in sorted(events):
        if number < 0:
            clock.add_report(stamp, at + 5.0, arrival)
        else:
            clock.add_packet(number, stamp, arrival)
    timeline = SenderTimeline()
    timeline.fit([clock])
    times = [timeline.time(clock, number, stamp) or 0.0 for number, (_, stamp) in enumerate(sent)]
    late = 0.1 if every else 0.1 + jitter
    return sum(not -0.1 < time - at < late for time, (at, _) in zip(times, sent, strict=True)) / 50


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "jitter",
    [pytest.param(0.0, marks=pytest.mark.many), 0.1, pytest.param(0.3, marks=pytest.mark.many)],
)
@pytest.mark.parametrize("every", [1.0, 5.0, 12.0, 0.0])
def test_stalls_misplace_nothing(every: float, jitter: float) -> None:
    """A second stall may begin before a report shows the first."""
    for seed in range(7, 10):
        for length in (0.5, 1.0, 2.5, 6.0, 12.0, 20.0):
            for start in (10.3, 14.96, 17.5):
                stalls = [(start, length)]
                if length < 3:
                    stalls.append((start + length + 7, length))
                misplaced = stalled(stalls, every=every, jitter=jitter, seed=seed)
                # Packets next to a break cannot be distinguished from delayed ones.
                assert misplaced <= jitter, (seed, stalls)


@pytest.mark.no_cover
@pytest.mark.parametrize("every", [5.0, 0.0])
def test_a_stall_of_minutes_misplaces_nothing(every: float) -> None:
    """This happens after a phone call on the same device."""
    assert stalled([(30.3, 244.0)], every=every, jitter=0.1, seconds=330) == 0


def errors(
    stalls: list[tuple[float, float]],
    *,
    every: float,
    jitter: float,
    seed: int,
    network: str = "jitter",
    leap: float = 0.0,
) -> list[float]:
    """Return by how much each packet of 45 s of audio is placed too late, in seconds.

    Like `stalled`, but the reports are delayed like the packets. A network with "spikes" holds all
    packets for a moment about once per second and then delivers them in order.
    """
    chance = random.Random(seed)
    clock, camera = StreamClock(48_000, KeptPackets()), StreamClock(90_000)
    spikes = sorted((chance.random() * 45, chance.random() * jitter) for _ in range(45))
    last = 0.0

    def arrival(at: float) -> float:
        nonlocal last
        if network == "jitter":
            return at + chance.random() * jitter
        begun = spikes[bisect_left(spikes, (at - jitter,)) : bisect_right(spikes, (at, jitter))]
        held = max([at, *(start + hold for start, hold in begun)])
        last = max(last, held + chance.random() * 0.01)
        return last

    sent = sent_packets(tuple(stalls), 45, leap)
    moments = [at for at, _ in sent]
    events = [(arrival(at), number, stamp, 0.0) for number, (at, stamp) in enumerate(sent)]
    for at in (1.0 + every * count for count in range(int(43.5 / every) if every else 0)):
        known, stamp = sent[bisect_right(moments, at) - 1]
        delay = chance.random() * jitter if network == "jitter" else 0.0
        events.append((at + delay, -1, stamp + round((at - known) * 48_000), at))
    for second in range(45 if every else 0):
        at = second + 0.3
        events.append((at + chance.random() * jitter, -2, round(at * 90_000), at))
    for moment, number, stamp, at in sorted(events):
        if number >= 0:
            clock.add_packet(number, stamp, moment)
        elif number == -1:
            clock.add_report(stamp, at + 5.0, moment)
        else:
            camera.add_packet(int(at), stamp, moment)
            camera.add_report(stamp, at + 5.0, moment)
    timeline = SenderTimeline()
    timeline.fit([clock, camera])
    return [
        time - at
        for number, (at, stamp) in enumerate(sent)
        if (time := timeline.time(clock, number, stamp)) is not None
    ]


SMALL_STALLS = {
    "spread": [(10.3 + 0.25 * count, 0.05) for count in range(20)],
    "at the end of an interval": [(14.5 + 0.05 * count, 0.05) for count in range(20)],
    "at its beginning": [(11.1 + 0.07 * count, 0.05) for count in range(20)],
    "within a second": [(12.0 + 0.07 * count, 0.05) for count in range(20)],
    "as the call ends": [(43.0 + 0.07 * count, 0.05) for count in range(20)],
    "longer ones": [(12.0 + 0.15 * count, 0.12) for count in range(10)],
    "much longer ones": [(12.0 + 0.3 * count, 0.2) for count in range(5)],
    "all along": [(0.5 + 0.5 * count, 0.05) for count in range(88)],
    "one": [(10.3, 0.5)],
    "two": [(17.5, 0.5), (25.0, 0.5)],
    "long": [(10.3, 6.0)],
    "none": [],
}


@pytest.mark.no_cover
@pytest.mark.parametrize("stalls", SMALL_STALLS.values(), ids=SMALL_STALLS)
@pytest.mark.parametrize(
    "every",
    [
        pytest.param(1.0, marks=pytest.mark.many),
        5.0,
        pytest.param(12.0, marks=pytest.mark.many),
        0.0,
    ],
)
def test_many_small_stalls_misplace_nothing(
    every: float, stalls: list[tuple[float, float]]
) -> None:
    """Interpolation between two reports would place sounds up to 0.56 s early."""
    for jitter, network in ((0.0, "jitter"), (0.05, "jitter"), (0.1, "jitter"), (0.1, "spikes")):
        found = errors(stalls, every=every, jitter=jitter, seed=3, network=network)
        wrong = sum(abs(error) > 0.1 for error in found)
        # One or two packets next to a stall cannot be distinguished from delayed ones.
        assert wrong <= 2, (jitter, network)
        assert max(map(abs, found)) < 0.13, (jitter, network)


@pytest.mark.no_cover
@pytest.mark.parametrize("stalls", SMALL_STALLS.values(), ids=SMALL_STALLS)
def test_a_jitter_greater_than_the_stalls_leaves_half_of_it_in_doubt(
    stalls: list[tuple[float, float]],
) -> None:
    for seed in range(3):
        found = errors(stalls, every=5.0, jitter=0.3, seed=seed)
        assert max(map(abs, found)) < 0.3 / 2 + 0.05, seed
        assert sum(abs(error) > 0.1 for error in found) / 50 <= 0.15, seed


@pytest.mark.no_cover
@pytest.mark.parametrize("length", [0.5, 2.5, 20.0])
def test_a_stall_longer_than_the_jitter_misplaces_nothing(length: float) -> None:
    for seed in range(3):
        for start in (10.3, 14.96, 17.5):
            found = errors([(start, length)], every=5.0, jitter=0.3, seed=seed)
            assert sum(abs(error) > 0.1 for error in found) <= 1, (seed, start)


@pytest.mark.parametrize("leap", [-0.5, -3.0, 1.5])
def test_small_stalls_with_a_leap_among_them_misplace_nothing(leap: float) -> None:
    """The skew is followed in both directions."""
    stalls = [(9.0, 0.05), (9.5, 0.05), (12.0, 0.05)]
    found = errors(stalls, every=5.0, jitter=0.02, seed=1, leap=leap)
    assert max(map(abs, found)) < 0.1


def test_without_room_for_arrivals_voices_are_placed_by_reports() -> None:
    clock = StreamClock(48_000, KeptPackets(left=60))
    for number in range(500):
        clock.add_packet(number, number * 960, number / 50)
        if number % 50 == 0:
            clock.add_report(number * 960, number / 50, number / 50)
    assert clock.packets
    assert len(clock.packets.between(0.0, 60.0)) < 150
    timeline = SenderTimeline()
    timeline.fit([clock])
    assert timeline.time(clock, 400, 400 * 960) == pytest.approx(8.0, abs=0.01)
