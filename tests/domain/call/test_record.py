"""The record of a call: what is saved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from visavis.domain.call import CallRecord, CallTrigger
from visavis.domain.people import Visitor

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def connected() -> CallRecord:
    record = CallRecord("c", 1, Visitor("v", 1), "video", is_recorded=True, requested_at=NOW)
    for trigger in (
        CallTrigger.RING,
        CallTrigger.ACCEPT,
        CallTrigger.ANSWER,
        CallTrigger.BOTH_LEGS_UP,
    ):
        record.apply(trigger, NOW)
    return record


def test_the_talk_ends_with_the_call() -> None:
    record = connected()
    record.apply(CallTrigger.VISITOR_HANGS_UP, NOW + timedelta(seconds=9))
    assert record.talk_ended_at == record.ended_at


def test_time_without_a_participant_who_does_not_come_back_is_no_talk() -> None:
    record = connected()
    record.interrupt(NOW + timedelta(seconds=5))
    record.interrupt(NOW + timedelta(seconds=7))
    record.apply(CallTrigger.VISITOR_LEAVES, NOW + timedelta(seconds=35))
    assert record.talk_ended_at == NOW + timedelta(seconds=5)


def test_an_interruption_that_is_over_counts_as_talk() -> None:
    record = connected()
    record.apply(CallTrigger.LINK_LOST, NOW + timedelta(seconds=5))
    record.apply(CallTrigger.BOTH_LEGS_UP, NOW + timedelta(seconds=6))
    record.apply(CallTrigger.AGENT_HANGS_UP, NOW + timedelta(seconds=9))
    assert record.talk_ended_at == NOW + timedelta(seconds=9)
