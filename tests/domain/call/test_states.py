from __future__ import annotations

from datetime import UTC, datetime

import pytest

from visavis.domain.call import (
    TRANSITIONS,
    CallRecord,
    CallState,
    CallTrigger,
    EndReason,
)
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.people import Visitor

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def record() -> CallRecord:
    return CallRecord("c", 1, Visitor("v", 1), "video", is_recorded=True, requested_at=NOW)


def test_a_call_from_request_to_hang_up() -> None:
    call = record()
    for event in (
        CallTrigger.RING,
        CallTrigger.ACCEPT,
        CallTrigger.ANSWER,
        CallTrigger.BOTH_LEGS_UP,
    ):
        call.apply(event, NOW)
    assert call.state is CallState.CONNECTED
    assert (call.accepted_at, call.connected_at, call.ended_at) == (NOW, NOW, None)

    call.apply(CallTrigger.AGENT_HANGS_UP, NOW)
    assert call.is_over
    assert (call.reason, call.ended_by) == (EndReason.HUNG_UP, "agent")


def test_what_the_table_does_not_hold_is_refused_and_changes_nothing() -> None:
    call = record()
    with pytest.raises(VisavisError) as caught:
        call.apply(CallTrigger.ANSWER, NOW)
    assert caught.value.kind is ErrorKind.CallNotPossible
    assert call.state is CallState.REQUESTED


@pytest.mark.parametrize("event", list(CallTrigger))
def test_an_ended_call_stays_so(event: CallTrigger) -> None:
    call = record()
    call.apply(CallTrigger.SHUT_DOWN, NOW)
    with pytest.raises(VisavisError):
        call.next_state(event)


def test_every_state_can_end_and_only_the_end_has_a_reason() -> None:
    for (state, _), (target, reason) in TRANSITIONS.items():
        assert (reason is not None) == (target is CallState.ENDED)
        assert (state, CallTrigger.SHUT_DOWN) in TRANSITIONS


def test_every_reason_and_event_is_in_the_table() -> None:
    assert {event for _, event in TRANSITIONS} == set(CallTrigger)
    ends = {reason for _, reason in TRANSITIONS.values() if reason}
    assert ends == set(EndReason) - {EndReason.TRANSFERRED}  # of one agent, not of the call
