"""Properties of the engine, for every sequence of events.

One agent has the call, it ends exactly once, nothing is sent to a page that has left, every timer
belongs to a state, no packet is relayed before it can be recorded, and a call that is restored from
its snapshot goes on as the original would have.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.domain.call.simulated_call import (
    SimulatedCall,
    connected_call,
    placed_call,
    transferred_call,
)
from visavis.domain.policy import Consent, Unrecordable

LENGTH: Final = 24
"""Events of one sequence."""

SEQUENCES: Final = 20
"""Sequences that hypothesis draws at once, since each draw costs more than a sequence."""

EXAMPLES: Final = 1_250
"""Draws of one test: four tests play 100,000 sequences."""


SIZE: Final = 1 + 2 * LENGTH
"""Bytes of a sequence: its flags, and two for each event."""

SEQUENCE: Final = st.binary(max_size=SIZE)
MANY: Final = st.binary(min_size=SEQUENCES * SIZE, max_size=SEQUENCES * SIZE)


def begun(flags: int, *, is_restored_each_time: bool = False) -> SimulatedCall:
    """A call that begins as the bits of `flags` say."""
    if flags & 16:
        begin = transferred_call if flags & 8 else connected_call
        return begin(is_recorded=bool(flags & 1), is_restored_each_time=is_restored_each_time)
    return placed_call(
        is_recorded=bool(flags & 1),
        unrecordable=Unrecordable.CONTINUE if flags & 2 else Unrecordable.REFUSE,
        required_consent=Consent.AGREEMENT if flags & 4 else Consent.NOTICE,
        is_joined_later=bool(flags & 8),
        has_relay=bool(flags & 32),
        is_restored_each_time=is_restored_each_time,
    )


def sequences(data: bytes) -> Iterator[tuple[int, list[int]]]:
    """The sequences of the data: a byte of flags each, then two bytes for each event."""
    for start in range(0, len(data), SIZE):
        sequence = data[start : start + SIZE]
        yield (
            sequence[0],
            [int.from_bytes(sequence[i : i + 2], "big") for i in range(1, len(sequence), 2)],
        )


@settings(max_examples=200, deadline=None)
@given(SEQUENCE)
def test_a_call_can_be_restored_at_every_point(data: bytes) -> None:
    for flags, numbers in sequences(data):
        begun(flags, is_restored_each_time=True).play(numbers)


@settings(max_examples=400, deadline=None)
@given(SEQUENCE)
def test_every_sequence_keeps_the_invariants(data: bytes) -> None:
    for flags, numbers in sequences(data):
        begun(flags).play(numbers)


@pytest.mark.many
@pytest.mark.parametrize("part", range(4))
def test_a_hundred_thousand_sequences_keep_the_invariants(part: int) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(MANY)
    def play_many(data: bytes) -> None:
        for flags, numbers in sequences(data):
            begun(flags).play(numbers)

    play_many()
