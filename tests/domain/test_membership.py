"""Members are alive as long as their beats move, by the clock of the reader alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from visavis.domain.membership import (
    MAX_STEP_SECONDS,
    SILENCE_SECONDS,
    BeatWatch,
    Member,
    MemberState,
    app_member_id,
    node_of_member,
)

A = Member("a", "boot", datetime(2026, 1, 1, tzinfo=UTC), "1", "machine", "http://a", ("app",))
B = replace(A, node_id="b")


def test_the_app_processes_of_a_node_have_ids_of_their_own() -> None:
    ids = [app_member_id("a", number) for number in range(3)]
    assert ids == ["a", "a:1", "a:2"]
    assert set(map(node_of_member, ids)) == {"a"}


def test_a_member_is_alive_while_its_beat_moves() -> None:
    watch = BeatWatch()
    assert not watch.is_alive("a")
    for second in range(10):
        watch.observe([replace(A, beat=min(second, 5)), replace(B, beat=second)], second)
    assert watch.is_alive("b")
    assert not watch.is_alive("a")  # for four seconds
    assert [member.node_id for member in watch.members] == ["a", "b"]
    watch.observe([replace(A, beat=5, boot="next")], 10)
    assert watch.is_alive("a")
    assert not watch.is_alive("b")  # its row is gone


def test_it_is_told_when_every_member_was_heard_or_missed() -> None:
    watch = BeatWatch()
    assert watch.is_decided
    watch.observe([A, B], 0.5)
    decided = [watch.is_decided]
    watch.observe([replace(A, beat=1), B], 1)
    decided.append(watch.is_decided)
    assert decided == [False, False]
    watch.observe([replace(A, beat=1), B], 2)
    watch.observe([replace(A, beat=1), B], 3)
    assert watch.is_decided
    assert (watch.is_alive("a"), watch.is_alive("b")) == (True, False)


def test_a_reader_that_was_frozen_takes_nobody_for_dead() -> None:
    watch = BeatWatch()
    watch.observe([A], 0)
    watch.observe([A], 3600)
    assert watch.is_alive("a")


@given(st.lists(st.tuples(st.floats(0, 5), st.booleans()), max_size=30))
def test_silence_is_never_longer_than_the_time_in_which_the_reader_listened(
    readings: list[tuple[float, bool]],
) -> None:
    watch, member, now, heard_at, listened = BeatWatch(), A, 0.0, 0.0, 0.0
    watch.observe([member], now)
    for pause, is_beaten in readings:
        now += pause
        listened += min(pause, MAX_STEP_SECONDS)
        if is_beaten:
            member, heard_at, listened = replace(member, beat=member.beat + 1), now, 0.0
        watch.observe([member], now)
        if not watch.is_alive("a"):
            assert now - heard_at >= SILENCE_SECONDS
        assert watch.is_alive("a") == (listened < SILENCE_SECONDS)


def test_a_member_that_was_stopped_is_not_alive() -> None:
    watch = BeatWatch()
    watch.observe([replace(A, state=MemberState.STOPPED)], 0.0)
    assert not watch.is_alive("a")
    assert watch.is_decided
