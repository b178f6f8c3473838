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
            timeline.see_report(clock, 1000 + round(sender * rate), sender, arrival)
    for moment in (0.0, 1.5, 60.0, 3601.0, 7000.0, 7199.0, 7205.0):
        sender = offset + moment * (1 + drift)
        times = [timeline.time(c, 1000 + round(sender * r)) for r, c in clocks.items()]
        assert times[0] == pytest.approx(times[1], abs=1e-4)
        assert times[0] == pytest.approx(moment + 0.03, abs=0.012)


def test_without_reports_the_quickest_packets_tell() -> None:
    chance = random.Random(5)
    clock = StreamClock(48_000)
    for number in range(3000):
        clock.see_packet(number * 960, number * 0.02 + 0.03 + chance.random() * 0.1)
    for number in (0, 1, 1500, 2999):
        time = SenderTimeline().time(clock, number * 960)
        assert time == pytest.approx(number * 0.02 + 0.03, abs=0.0075)


def test_reports_that_cannot_be_are_not_believed() -> None:
    clock = StreamClock(90_000)
    assert clock.sender_time(0) is None
    assert clock.see_report(90_000, 10.0)
    assert not clock.see_report(90_000, 10.0)
    assert not clock.see_report(180_000, 1e9)
    assert not clock.see_report(0, 9.0)
    assert clock.see_report(270_000, 12.0)
    assert clock.sender_time(180_000) == pytest.approx(11.0)
    assert clock.sender_time(0) == pytest.approx(9.0)
    assert clock.sender_time(360_000) == pytest.approx(13.0)


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
