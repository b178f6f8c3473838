from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from visavis.rtp.sequence import MAX_HELD, START, Reorder, Unwrapper


@given(
    bits=st.sampled_from([16, 32]),
    start=st.integers(0, 2**32 - 1),
    steps=st.lists(st.integers(-(2**14), 2**14), max_size=200),
)
def test_unwrapped_counters_keep_their_steps(bits: int, start: int, steps: list[int]) -> None:
    size, true = 1 << bits, start % (1 << bits)
    unwrapper = Unwrapper(bits)
    base = unwrapper.unwrap(true) - true
    for step in steps:
        true += step
        assert unwrapper.unwrap(true % size) == base + true


def test_after_a_leap_everything_is_later() -> None:
    unwrapper = Unwrapper(16)
    unwrapper.leap()
    before = unwrapper.unwrap(40_000)
    unwrapper.leap()
    assert unwrapper.unwrap(10) > before + 1


def test_the_first_packets_may_come_late_too() -> None:
    reorder: Reorder[str] = Reorder(1.0)
    assert not reorder.push(101, "b", 0.0)
    assert not reorder.push(100, "a", 0.1)
    assert reorder.push(102, "c", 1.2) == [(100, "a"), (101, "b"), (102, "c")]
    assert reorder.push(103, "d", 1.2) == [(103, "d")]


def test_what_is_next_may_pass_by() -> None:
    reorder: Reorder[int] = Reorder(1.0)
    assert not reorder.passes(7)
    reorder.push(7, 7, 0.0)
    assert not reorder.passes(8)
    reorder.flush()
    assert reorder.passes(8)
    assert not reorder.passes(8)
    assert reorder.push(9, 9, 0.1) == [(9, 9)]


def test_what_is_missing_is_waited_for_and_then_given_up() -> None:
    reorder: Reorder[int] = Reorder(1.0)
    reorder.push(START, START, 0.0)
    reorder.flush()
    assert [n for n, _ in reorder.push(START + 2, 2, 0.1)] == []
    assert [n for n, _ in reorder.push(START + 1, 1, 0.5)] == [START + 1, START + 2]
    assert [n for n, _ in reorder.push(START + 5, 5, 1.0)] == []
    assert [n for n, _ in reorder.push(START + 6, 6, 2.1)] == [START + 5, START + 6]
    assert [n for n, _ in reorder.push(START + 4, 4, 2.2)] == []
    assert reorder.flush() == []


def test_it_holds_only_so_much() -> None:
    reorder: Reorder[int] = Reorder(1.0)
    due = [item for n in range(10, 10 + 2 * MAX_HELD, 2) for item in reorder.push(n, n, 0.0)]
    assert not due
    assert reorder.push(10 + 2 * MAX_HELD, 0, 0.0)


@given(seed=st.integers(0, 2**32), count=st.integers(1, 300))
def test_any_order_within_the_hold_is_put_right(seed: int, count: int) -> None:
    chance = random.Random(seed)
    sent = sorted((n * 0.02 + chance.random() * 0.5, n) for n in range(count))
    sent += [(at, n) for at, n in sent if chance.random() < 0.1]
    reorder: Reorder[int] = Reorder(1.0)
    due = [item for at, n in sorted(sent) for item in reorder.push(n + 1000, n, at)]
    due += reorder.flush()
    assert [n for _, n in due] == list(range(count))
