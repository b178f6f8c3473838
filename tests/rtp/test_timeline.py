from __future__ import annotations

import random

import pytest

from visavis.rtp.timeline import Floor, SenderTimeline, StreamClock, ntp_seconds


def test_ntp() -> None:
    assert ntp_seconds((2_208_988_800 + 5) << 32 | 1 << 31) == 5.5


@pytest.mark.parametrize("drift", [-1e-4, 0.0, 1e-4])
@pytest.mark.parametrize("offset", [-3600.0, 0.0, 7.7])
def test_two_clocks_that_drift_for_two_hours_stay_together(drift: float, offset: float) -> None:
    chance = random.Random(4)
    timeline, clocks = SenderTimeline(), {48_000: StreamClock(48_000), 90_000: StreamClock(90_000)}
    for second in range(7200):
        sender = offset + second * (1 + drift)
        for rate, clock in clocks.items():
            arrival = second + 0.03 + chance.random() * 0.1
            clock.see_packet(second, 1000 + round(sender * rate), arrival)
            clock.see_report(1000 + round(sender * rate), sender, arrival)
    timeline.settle(clocks.values())
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
        clock.see_packet(number, number * 960, number * 0.02 + 0.03 + chance.random() * 0.1)
    timeline.settle([clock])
    for number in (0, 1, 1500, 2999):
        time = timeline.time(clock, number, number * 960)
        assert time == clock.arrival_time(number, number * 960)
        assert time == pytest.approx(number * 0.02 + 0.03, abs=0.0075)


def test_a_stream_without_packets_has_no_time() -> None:
    timeline, clock = SenderTimeline(), StreamClock(90_000)
    timeline.settle([clock])
    assert timeline.time(clock, 0, 0) is None
    assert clock.arrival_time(0, 0) is None


def test_reports_that_cannot_be_are_not_believed() -> None:
    timeline, clock = SenderTimeline(), StreamClock(90_000)
    for second in range(20):
        clock.see_packet(second, second * 90_000, second + 0.5)
        clock.see_report(second * 90_000, second + 7.0, second + 0.5)
        if second % 5 == 2:
            clock.see_report(second * 90_000, second + 7.0, second + 0.6)  # twice
            clock.see_report(second * 90_000 + 100, 1e9, second + 0.7)
            clock.see_report(0, 9.0, second + 0.8)
    clock.see_report(19 * 90_000 + 100, -1e9, 19.9)  # nothing confirms the last one
    timeline.settle([clock])
    for second in (0, 10, 19, 25):
        assert timeline.time(clock, second, second * 90_000) == pytest.approx(
            second + 0.5, abs=0.01
        )


def test_a_clock_that_stands_still_and_leaps_back_is_followed_by_sequence_number() -> None:
    """Two stalls between two reports, and a leap back by which timestamps repeat."""
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
        clock.see_packet(number, round((now - skew) * 48_000), now + 0.04)
        number += 1
        if index % 250 == 240:
            clock.see_report(round((now - skew) * 48_000), now - 99.0, now + 0.04)
    timeline.settle([clock])
    for number, (now, media) in times.items():
        time = timeline.time(clock, number, round(media * 48_000))
        assert time == pytest.approx(now + 0.04, abs=0.03), (number, now)


def test_a_microphone_that_loses_a_little_time_all_along_is_followed() -> None:
    """A busy machine drops 30 ms twice a second; no single step is to be seen."""
    timeline, clock = SenderTimeline(), StreamClock(48_000)
    for index in range(6000):
        now = index * 0.02
        skew = 0.03 * (index // 25)
        clock.see_packet(index, round((now - skew) * 48_000), now + 0.04)
        if index % 250 == 0:
            clock.see_report(round((now - skew) * 48_000), now, now + 0.04)
    timeline.settle([clock])
    for index in range(0, 5750, 70):
        now, skew = index * 0.02, 0.03 * (index // 25)
        time = timeline.time(clock, index, round((now - skew) * 48_000))
        assert time == pytest.approx(now + 0.04, abs=0.05)


def test_a_floor_keeps_the_least_of_each_second_and_rises_slowly() -> None:
    floor = Floor()
    assert not floor
    floor.see(0.0, 0.5)
    floor.see(0.2, 0.1)
    floor.see(0.1, 0.3)
    floor.see(-5.0, -9.0)  # a clock that goes back says nothing
    assert floor.delay(-4.0) == pytest.approx(0.101)
    floor.see(1000.0, 0.9)
    assert floor.delay(1000.0) == pytest.approx(0.35)
    assert floor.delay(500.0) == pytest.approx(0.225)
    assert floor.delay(1004.0) == pytest.approx(0.351)


def stalled(
    stalls: list[tuple[float, float]],
    *,
    every: float,
    jitter: float,
    seed: int = 7,
    seconds: int = 45,
) -> float:
    """Seconds of a voice that are misplaced, with a report `every` so many seconds or none.

    RTP time stands still in each stall, of which beginning and length are given; the reports go on
    by extrapolation, as libwebrtc's do.
    """
    chance, clock = random.Random(seed), StreamClock(48_000)
    sent = []
    for at in (number / 50 for number in range(seconds * 50)):
        if not any(start <= at < start + length for start, length in stalls):
            behind = sum(length - 0.02 for start, length in stalls if at >= start + length)
            sent.append((at, round((at - behind) * 48_000) + 2**32))
    events: list[tuple[float, float, int, int]] = [
        (at + chance.random() * jitter, at, number, stamp)
        for number, (at, stamp) in enumerate(sent)
    ]
    for at in (1.0 + every * count for count in range(int((seconds - 1) / every) if every else 0)):
        last_at, stamp = [one for one in sent if one[0] <= at][-1]
        events.append((at, at, -1, stamp + round((at - last_at) * 48_000)))
    for arrival, at, number, stamp in sorted(events):
        if number < 0:
            clock.see_report(stamp, at + 5.0, arrival)
        else:
            clock.see_packet(number, stamp, arrival)
    timeline = SenderTimeline()
    timeline.settle([clock])
    times = [timeline.time(clock, number, stamp) or 0.0 for number, (_, stamp) in enumerate(sent)]
    late = 0.1 if every else 0.1 + jitter
    return sum(not -0.1 < time - at < late for time, (at, _) in zip(times, sent, strict=True)) / 50


@pytest.mark.parametrize("jitter", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("every", [1.0, 5.0, 12.0, 0.0])
def test_stalls_misplace_nothing(every: float, jitter: float) -> None:
    """Also where a second stall begins before a report has told of the first."""
    for seed in range(7, 10):
        for length in (0.5, 1.0, 2.5, 6.0, 20.0):
            for start in (10.3, 14.96, 17.5):
                stalls = [(start, length)]
                if length < 3:
                    stalls.append((start + length + 7, length))
                misplaced = stalled(stalls, every=every, jitter=jitter, seed=seed)
                # the packets next to a break cannot be told from delayed ones
                assert misplaced <= jitter, (seed, stalls)


@pytest.mark.parametrize("every", [5.0, 0.0])
def test_a_stall_of_minutes_misplaces_nothing(every: float) -> None:
    """As after a phone call that was taken on the same device."""
    assert stalled([(30.3, 244.0)], every=every, jitter=0.1, seconds=330) == 0
