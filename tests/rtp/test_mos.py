"""The E-model, compared with values and curves of G.107."""

from __future__ import annotations

import pytest

from visavis.rtp.mos import estimate_mos


def test_a_perfect_leg() -> None:
    assert estimate_mos(0, 0, 0) == pytest.approx(4.4, abs=0.02)


def test_it_falls_with_each_of_loss_jitter_and_delay() -> None:
    perfect = estimate_mos(0, 0, 0)
    for worse in (estimate_mos(0.05, 0, 0), estimate_mos(0, 60, 0), estimate_mos(0, 0, 400)):
        assert 1 <= worse < perfect


@pytest.mark.parametrize(
    ("loss", "round_trip", "mos"), [(0.01, 40, 4.33), (0.05, 100, 3.86), (0.20, 100, 2.46)]
)
def test_some_points_of_the_curve(loss: float, round_trip: float, mos: float) -> None:
    assert estimate_mos(loss, 5, round_trip) == pytest.approx(mos, abs=0.1)


def test_it_stays_on_the_scale() -> None:
    assert estimate_mos(1, 1000, 10_000) == 1
    assert estimate_mos(0.99, 0, 0) >= 1
