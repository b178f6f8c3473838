from __future__ import annotations

import pytest

from visavis.domain.delivery_status import DeliveryProgress
from visavis.domain.recording import (
    ARRIVED,
    DELIVERY_TRANSITIONS,
    NONEXISTENT,
    UNDELIVERED,
    DeliveryTrigger,
    RecordingState,
    journal_name,
    recording_state_after,
    states_before,
)


def test_journals_are_sorted_by_their_number() -> None:
    names = [journal_name(number) for number in (1, 2, 10, 100)]
    assert names == sorted(names)
    assert names[0] == "0001.journal"


@pytest.mark.parametrize("trigger", list(DeliveryTrigger))
def test_each_trigger_leads_to_one_state(trigger: DeliveryTrigger) -> None:
    targets = {to for (_, cause), to in DELIVERY_TRANSITIONS.items() if cause is trigger}
    assert targets == {recording_state_after(trigger)}
    assert DeliveryProgress(trigger).state is recording_state_after(trigger)


def test_progress_without_a_trigger_leaves_the_state_as_it_is() -> None:
    assert DeliveryProgress(uploaded=1).state is None


def test_every_state_is_reached_from_the_first() -> None:
    for state in RecordingState:
        assert RecordingState.WAITING in states_before(state)


def test_nothing_follows_the_end() -> None:
    ends = {RecordingState.EMPTY, RecordingState.DELETED}
    assert ends == set(NONEXISTENT)
    assert not [state for state, _ in DELIVERY_TRANSITIONS if state in ends]
    for target in set(RecordingState) - {RecordingState.DELETED, RecordingState.DELIVERED}:
        assert RecordingState.DELIVERED not in states_before(target)


def test_steps_that_were_missed_are_skipped() -> None:
    """A recorder misses steps if it cannot reach the database while it muxes."""
    before = states_before(RecordingState.DELIVERING)
    assert before == {
        RecordingState.WAITING,
        RecordingState.MUXING,
        RecordingState.DELIVERING,
        RecordingState.FAILED,
    }
    assert states_before(RecordingState.DELETED) == before | set(ARRIVED)


def test_states_before_the_delivery_are_undelivered() -> None:
    assert UNDELIVERED == (
        RecordingState.WAITING,
        RecordingState.MUXING,
        RecordingState.DELIVERING,
        RecordingState.FAILED,
    )
