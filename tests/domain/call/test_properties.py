"""Properties of the engine, for every sequence of events.

One agent has the call, it ends exactly once, nothing is sent to a page that has left, every timer
belongs to a state, no packet is relayed before it can be recorded, and a call that is restored from
its snapshot goes on as the original would have.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import strategies as st

from tests.domain.call.simulated_call import (
    SimulatedCall,
    connected_call,
    content_of,
    placed_call,
    transferred_call,
)
from visavis.domain.policy import Consent, Unrecordable

LENGTH: Final = 24
"""Number of events in a sequence."""

SEQUENCES: Final = 100
"""Sequences that hypothesis draws at once, since each draw costs more than many sequences."""

PARTS: Final = 10
EXAMPLES: Final = 101
"""Draws of one part: all parts together play 100,000 sequences, besides the first draw's zeros."""

SIZE: Final = 1 + 2 * LENGTH
"""Bytes of a sequence: its flags, and two for each event."""

SEQUENCE: Final = st.binary(max_size=SIZE)
MANY: Final = st.binary(min_size=SEQUENCES * SIZE, max_size=SEQUENCES * SIZE)
PLAYED: Final = settings(
    deadline=None,
    phases=(Phase.reuse, Phase.generate),
    verbosity=Verbosity.quiet,
    suppress_health_check=list(HealthCheck),
)
"""Hypothesis neither shrinks nor prints the bytes: `play` says which events fail."""


def begun(flags: int, *, is_restored_each_time: bool = False) -> SimulatedCall:
    """Return a new call in the situation that the bits of `flags` select."""
    original, snapshot = beginning(flags % 64, is_restored_each_time=is_restored_each_time)
    return original.copy(snapshot)


@cache
def beginning(flags: int, *, is_restored_each_time: bool) -> tuple[SimulatedCall, bytes]:
    """Play the way to a situation once, since it takes as long as a sequence."""
    original = begin(flags, is_restored_each_time=is_restored_each_time)
    return original, original.call.snapshot()


def begin(flags: int, *, is_restored_each_time: bool = False) -> SimulatedCall:
    if flags & 16:
        start = transferred_call if flags & 8 else connected_call
        return start(is_recorded=bool(flags & 1), is_restored_each_time=is_restored_each_time)
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


def play(flags: int, numbers: list[int], *, is_restored_each_time: bool = False) -> None:
    """Play a sequence; a failure carries the shortest sequence that was found to fail."""
    try:
        begun(flags, is_restored_each_time=is_restored_each_time).play(numbers)
    except Exception as error:
        found = shortened(flags, numbers, is_restored_each_time=is_restored_each_time)
        call = begun(flags, is_restored_each_time=is_restored_each_time)
        with suppress(Exception):
            call.play(found)
        events = "".join(f"\n  {event}" for event in call.handled)
        error.add_note(f"To reproduce: play({flags}, {found}). Its events:{events}")
        raise


def shortened(flags: int, numbers: list[int], *, is_restored_each_time: bool) -> list[int]:
    """Return a failing sequence without the events that the failure does not need."""

    def fails(some: list[int]) -> bool:
        try:
            begun(flags, is_restored_each_time=is_restored_each_time).play(some)
        except Exception:  # noqa: BLE001  # any error is a failure of the engine
            return True
        return False

    for position in reversed(range(len(numbers))):
        fewer = [*numbers[:position], *numbers[position + 1 :]]
        if fails(fewer):
            numbers = fewer
    return numbers


@pytest.mark.no_cover
def test_a_copy_of_a_simulation_is_equal_and_independent() -> None:
    for flags in range(64):
        original = begin(flags)
        before = content_of(original.call)
        copy = original.copy(original.call.snapshot())
        assert replace(copy, call=original.call) == original
        assert content_of(copy.call) == before
        copy.play(range(0, 40 * LENGTH, 40))
        copy.timers["x"] = copy.pages["x"] = copy.journals[9] = True
        copy.ringing.add("x")
        copy.lost_early.add(9)
        for requests in (copy.offers_requested, copy.answers_sent):
            requests.add(("x", 9))
        assert original == replace(begin(flags), call=original.call)
        assert content_of(original.call) == before


@pytest.mark.no_cover
@settings(PLAYED, max_examples=200)
@given(SEQUENCE)
def test_a_call_can_be_restored_at_every_point(data: bytes) -> None:
    for flags, numbers in sequences(data):
        play(flags, numbers, is_restored_each_time=True)


@pytest.mark.no_cover
@settings(PLAYED, max_examples=400)
@given(SEQUENCE)
def test_every_sequence_keeps_the_invariants(data: bytes) -> None:
    for flags, numbers in sequences(data):
        play(flags, numbers)


@pytest.mark.many
@pytest.mark.parametrize("part", range(PARTS))
def test_a_hundred_thousand_sequences_keep_the_invariants(part: int) -> None:
    @settings(PLAYED, max_examples=EXAMPLES, database=None)
    @given(MANY)
    def play_many(data: bytes) -> None:
        for flags, numbers in sequences(data):
            play(flags, numbers)

    play_many()


def test_a_failure_tells_the_events_that_lead_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail_when_accepted(call: SimulatedCall) -> None:
        assert "accepted" not in call.events

    monkeypatch.setattr(SimulatedCall, "finish", fail_when_accepted)
    accepting = [0, 1, 2, 6, 6]
    with pytest.raises(AssertionError) as told:
        play(0, [4, *accepting, 4])
    (note,) = told.value.__notes__
    assert note.startswith("To reproduce: play(0, [")
    assert "AcceptRequested(" in note
    assert len(note.split("]")[0].split(",")) < len(accepting)
