"""The promises of a cluster hold in simulated time, with each failure.

`python -m benchmarks.cluster --parts simulation` does the same with 60 nodes.
"""

from __future__ import annotations

import random
from dataclasses import replace
from statistics import mean

import pytest

from tests.simulation.faults import ONE, TWO, Fault
from tests.simulation.simulation import Load, Result, Simulation

SMALL = Load(
    nodes=4, sites=6, calls=12, talk_seconds=30.0, lines=2, ramp_seconds=12.0, hold_seconds=15.0
)
SILENCES = {
    "app process killed": 5.0,
    "bus server killed": 1.0,
    "database fail-over": 1.0,
    "node cut off from the database": 1.0,
}
"""Longest time, in seconds, for which a page of a call may wait."""
MAX_SILENCE = 25.0


def run(fault: Fault | None, seed: int, load: Load = SMALL) -> Result:
    simulation = Simulation(load, seed)
    result = simulation.run(fault)
    assert simulation.loop.errors == []
    assert result.violations == []
    assert result.seen.calls_connected >= load.calls
    # a page resumes its call before it hangs up, on the same connection
    assert result.seen.refusals["HangUp NotYourCall"] == 0
    return result


@pytest.mark.no_cover
@pytest.mark.parametrize("name", ONE)
def test_a_failure_ends_no_call_and_leaves_nothing_stuck(name: str) -> None:
    result = run(ONE[name], seed=1)
    assert result.seen.lost == []
    assert result.stale_acts == []
    assert result.most_takes <= 1
    assert result.longest_silence < SILENCES.get(name, MAX_SILENCE)


@pytest.mark.no_cover
def test_two_failures_leave_nothing_stuck() -> None:
    run(TWO["node killed in a fail-over"], seed=1)


@pytest.mark.many
@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(10))
def test_any_failure_with_any_seed(seed: int) -> None:
    name = random.Random(seed).choice(list(ONE))
    result = run(ONE[name], seed, replace(SMALL, has_media_nodes=seed % 2 == 1))
    assert result.most_takes <= 1, name
    assert result.stale_acts == [], name


@pytest.mark.no_cover
def test_messages_and_transactions_of_a_call_do_not_depend_on_their_number() -> None:
    load = replace(SMALL, calls=15, sites=3)
    runs = [run(None, seed, load).per_call for seed in range(1, 7)]  # of a few calls each
    few = [mean(counts) for counts in zip(*runs, strict=True)]
    many = run(None, 1, replace(load, calls=150, sites=30)).per_call
    messages, deliveries, transactions = (
        after / before for before, after in zip(few, many, strict=True)
    )
    assert messages == pytest.approx(1.0, rel=0.15)
    assert deliveries == pytest.approx(1.0, rel=0.15)
    assert transactions < 1.15  # the calls of a busy node share the transactions of its call log


def test_the_same_seed_gives_the_same_history() -> None:
    tiny = replace(SMALL, calls=4, sites=2, hold_seconds=1.0)
    first, second = (run(ONE["node killed"], 3, tiny) for _ in range(2))
    assert first.messages == second.messages
    assert first.seen.silences == second.seen.silences
