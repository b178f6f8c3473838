"""Back-off, in simulated time."""

from __future__ import annotations

import pytest

from visavis.outbound.backoff import Backoff


def test_from_a_second_to_an_hour() -> None:
    backoff = Backoff(lambda: 0.5)
    assert backoff.is_due(0.0)
    waits = [backoff.record_failure(100.0) for _ in range(14)]
    assert waits[:5] == [1, 2, 4, 8, 16]
    assert waits[-2:] == [3600, 3600]
    assert not backoff.is_due(3699.9)
    assert backoff.is_due(3700.0)
    assert backoff.is_failing


def test_a_success_begins_anew() -> None:
    backoff = Backoff(lambda: 0.5)
    backoff.record_failure(0.0)
    backoff.record_failure(1.0)
    backoff.reset()
    assert backoff.is_due(0.0)
    assert not backoff.is_failing
    assert backoff.record_failure(0.0) == 1


@pytest.mark.parametrize(("chance", "wait"), [(0.0, 0.8), (0.5, 1.0), (1.0, 1.2)])
def test_never_all_at_the_same_moment(chance: float, wait: float) -> None:
    assert Backoff(lambda: chance).record_failure(0.0) == pytest.approx(wait)


def test_what_the_server_asks_for_is_honoured_up_to_an_hour() -> None:
    backoff = Backoff(lambda: 0.5)
    assert backoff.record_failure(0.0, 30.0) == 30
    assert backoff.record_failure(0.0, 1.0) == 2
    assert backoff.record_failure(0.0, 1e9) == 3600
