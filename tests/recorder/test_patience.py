"""Back-off, in simulated time."""

from __future__ import annotations

import pytest

from visavis.recorder.patience import Patience


def test_from_a_second_to_an_hour() -> None:
    patience = Patience(lambda: 0.5)
    assert patience.is_due(0.0)
    waits = [patience.failed(100.0) for _ in range(14)]
    assert waits[:5] == [1, 2, 4, 8, 16]
    assert waits[-2:] == [3600, 3600]
    assert not patience.is_due(3699.9)
    assert patience.is_due(3700.0)
    assert patience.is_failing


def test_a_success_begins_anew() -> None:
    patience = Patience(lambda: 0.5)
    patience.failed(0.0)
    patience.failed(1.0)
    patience.reset()
    assert patience.is_due(0.0)
    assert not patience.is_failing
    assert patience.failed(0.0) == 1


@pytest.mark.parametrize(("chance", "wait"), [(0.0, 0.8), (0.5, 1.0), (1.0, 1.2)])
def test_never_all_at_the_same_moment(chance: float, wait: float) -> None:
    assert Patience(lambda: chance).failed(0.0) == pytest.approx(wait)


def test_what_the_server_asks_for_is_honoured_up_to_an_hour() -> None:
    patience = Patience(lambda: 0.5)
    assert patience.failed(0.0, 30.0) == 30
    assert patience.failed(0.0, 1.0) == 2
    assert patience.failed(0.0, 1e9) == 3600
