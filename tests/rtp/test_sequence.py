from __future__ import annotations

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from visavis.rtp.sequence import MAX_HELD, START, HeldBytes, Reorder, SequenceNumbers, Unwrapper


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


def test_no_packet_is_held_for_longer_because_others_come_late() -> None:
    reorder: Reorder[int] = Reorder(1.0)
    reorder.push(START, START, 0.0)
    reorder.flush()
    assert not reorder.push(START + 9, 9, 0.0)
    assert not reorder.push(START + 8, 8, 0.9)
    assert [n for n, _ in reorder.due(1.1)] == [START + 8, START + 9]


def test_it_holds_only_so_much() -> None:
    reorder: Reorder[int] = Reorder(1.0)
    due = [item for n in range(10, 10 + 2 * MAX_HELD, 2) for item in reorder.push(n, n, 0.0)]
    assert not due
    assert reorder.push(10 + 2 * MAX_HELD, 0, 0.0)


class CountedNumber(int):
    """Sequence number that counts comparisons between sequence numbers."""

    compared = 0

    def __lt__(self, other: int) -> bool:
        CountedNumber.compared += 1
        return int(self) < int(other)

    def __eq__(self, other: object) -> bool:
        CountedNumber.compared += 1
        return isinstance(other, int) and int(self) == int(other)

    __hash__ = int.__hash__


def comparisons(held: int) -> float:
    """Return comparisons per packet while `held` packets wait and every second one is missing."""
    reorder: Reorder[int] = Reorder(1000.0)
    count = 3 * held
    CountedNumber.compared = 0
    for number in range(count):
        reorder.push(CountedNumber(2 * number), number, number * 1000.0 / held)
    return CountedNumber.compared / count


def test_a_packet_costs_no_more_however_many_are_missing() -> None:
    assert comparisons(2000) < comparisons(100) + 20


def test_several_streams_hold_so_much_together() -> None:
    held_bytes = HeldBytes(limit=250)
    one: Reorder[int] = Reorder(1.0, held_bytes)
    other: Reorder[int] = Reorder(1.0, held_bytes)
    assert not one.push(1, 1, 0.0, 100)
    assert not other.push(1, 1, 0.0, 100)
    assert one.push(3, 3, 0.0, 100) == [(1, 1)]
    assert held_bytes.used == 200
    assert one.flush() == [(3, 3)]
    other.flush()
    assert held_bytes.used == 0


def test_silence_alone_is_no_restart_and_a_late_packet_none_either() -> None:
    numbers = SequenceNumbers()
    first = numbers.unwrap(65_535, 0.0)
    assert first is not None
    assert numbers.unwrap(0, 900.0) == first + 1
    assert numbers.unwrap(65_500, 950.0) == first - 35
    assert numbers.nearest(1) == first + 2
    assert not numbers.has_restarted


def test_a_step_far_back_is_a_restart_if_the_next_packet_says_so() -> None:
    numbers = SequenceNumbers()

    def unwrap(sequence_number: int, arrival: float) -> tuple[int | None, bool]:
        return numbers.unwrap(sequence_number, arrival), numbers.has_restarted

    first, _ = unwrap(10_000, 0.0)
    assert first is not None
    assert unwrap(5000, 0.1) == (None, False)
    assert unwrap(10_001, 0.2) == (first + 1, False)  # It was only a very old packet.
    assert unwrap(9000, 5.0) == (None, False)
    restarted, has_restarted = unwrap(9001, 5.1)
    assert has_restarted
    assert restarted is not None
    assert restarted - 1 > first + 1
    assert unwrap(9002, 5.2) == (restarted + 1, False)


@given(seed=st.integers(0, 2**32), count=st.integers(1, 300))
def test_any_order_within_the_hold_is_put_right(seed: int, count: int) -> None:
    chance = random.Random(seed)
    sent = sorted((n * 0.02 + chance.random() * 0.5, n) for n in range(count))
    sent += [(at, n) for at, n in sent if chance.random() < 0.1]
    reorder: Reorder[int] = Reorder(1.0)
    due = [item for at, n in sorted(sent) for item in reorder.push(n + 1000, n, at)]
    due += reorder.flush()
    assert [n for _, n in due] == list(range(count))


@example(2, [32_767, 32_767])
@given(st.integers(0, 2**16 - 1), st.lists(st.integers(-40_000, 40_000), min_size=1, max_size=20))
def test_values_are_unwrapped_together_as_one_by_one(first: int, steps: list[int]) -> None:
    values = [(first + sum(steps[:count])) % 2**16 for count in range(1, len(steps) + 1)]
    together, one_by_one = Unwrapper(16), Unwrapper(16)
    for unwrapper in (together, one_by_one):
        unwrapper.unwrap(first)
    assert together.unwrap_all(values) == [one_by_one.unwrap(value) for value in values]
    assert together.unwrap(first) == one_by_one.unwrap(first)


@pytest.mark.parametrize("first", [5, 65_533])
def test_packets_that_follow_each_other(first: int) -> None:
    numbers = SequenceNumbers()
    numbers.unwrap(first, 0.0)
    following = [(first + step) & 0xFFFF for step in range(1, 6)]
    assert numbers.are_following(following)
    assert not numbers.are_following(following[1:])
    assert not numbers.are_following([*following, following[-1]])
    numbers.unwrap((first - 5000) & 0xFFFF, 0.1)  # Possibly a restart.
    assert not numbers.are_following(following)
