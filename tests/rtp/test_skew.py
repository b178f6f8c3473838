from __future__ import annotations

from random import Random

import pytest

from visavis.rtp.skew import Known, follow


def delays(levels: list[float], jitter: float) -> list[float]:
    random = Random(1)
    return [level + random.random() * jitter for level in levels]


def test_a_skew_that_does_not_change_is_that_of_the_reports() -> None:
    assert follow(delays([0.5] * 200, 0.02), 0.5, 0.5, []) == pytest.approx([0.5] * 200)


@pytest.mark.parametrize("step", [0.3, -0.3, 2.0])
def test_a_single_step_is_found_to_the_packet(step: float) -> None:
    levels = [0.0] * 100 + [step] * 100
    found = follow(delays(levels, 0.02), 0.0, step, [])
    assert found == pytest.approx(levels, abs=0.03)


def test_two_steps_are_told_apart() -> None:
    levels = [0.0] * 100 + [0.5] * 100 + [0.8] * 100
    assert follow(delays(levels, 0.02), 0.0, 0.8, []) == pytest.approx(levels, abs=0.03)


def test_a_skew_that_rises_all_along_is_followed() -> None:
    levels = [index * 0.004 for index in range(300)]
    found = follow(delays(levels, 0.02), 0.0, levels[-1], [])
    assert found == sorted(found)
    assert found == pytest.approx(levels, abs=0.05)


def test_what_reports_tell_in_between_bounds_the_skew() -> None:
    levels = [0.0] * 100 + [0.5] * 100
    late = [*levels[:100], *(level + 0.4 for level in levels[100:120]), *levels[120:]]
    found = follow(late, 0.0, 0.5, [Known(0.5, 110, 112)])
    assert found[:100] == pytest.approx([0.0] * 100, abs=0.05)
    assert found[120:] == pytest.approx([0.5] * 80, abs=0.05)


def test_one_packet_is_enough() -> None:
    assert len(follow([0.2], 0.0, 0.2, [])) == 1
