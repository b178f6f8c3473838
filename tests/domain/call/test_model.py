"""Data of a call."""

from __future__ import annotations

from datetime import timedelta

from tests.domain.call.simulated_call import NOW, placed_call, transferred_call
from visavis.domain.call.model import (
    MAX_HELD_LINES,
    MAX_TRANSCRIPT,
    Bridge,
    CallRecord,
    Chat,
    ChatLine,
)
from visavis.domain.call.states import BridgeState, BridgeTrigger, CallTrigger
from visavis.domain.leg import BridgeId
from visavis.domain.people import Visitor


def test_a_bridge_ignores_what_its_state_does_not_know() -> None:
    bridge = Bridge(BridgeId("call", 3), {})
    bridge.apply(BridgeTrigger.BOTH_LEGS_UP)
    assert (bridge.state, bridge.number, bridge.is_open) == (BridgeState.REQUESTED, 3, False)


def test_the_agents_of_a_transferred_call() -> None:
    call = transferred_call().call
    first, second = call.current_agent, call.second_agent
    assert first
    assert second
    assert (first.agent_name, second.agent_name) == ("Bo", "Cy")
    assert (call.visitor.agent_name, call.visitor.agent_id) == ("", 0)
    assert call.participant_of_agent(2) is second
    assert call.participant_of_page("a1") is first
    assert call.participant_of_agent(9) is None


def test_a_call_without_an_agent() -> None:
    call = placed_call().call
    assert call.current_agent is None
    assert call.second_agent is None
    assert call.is_waiting


def test_the_latest_lines_are_kept() -> None:
    chat = Chat()
    for number in range(MAX_HELD_LINES + 1):
        chat.add(ChatLine("visitor", str(number), NOW, str(number)))
    assert chat.count == MAX_HELD_LINES + 1
    assert chat.find("visitor", "0") is None
    found = chat.find("visitor", "1")
    assert found
    assert found.text == "1"
    assert chat.find("visitor", "") is None


def test_a_transcript_has_a_limit() -> None:
    chat = Chat()
    for text in ("first", "x" * (MAX_TRANSCRIPT - 4), "last"):
        chat.add(ChatLine("agent", text, NOW))
    assert [line.text[:4] for line in chat.recent()] == ["xxxx", "last"]


def connected_record() -> CallRecord:
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
    record = connected_record()
    record.apply(CallTrigger.VISITOR_HANGS_UP, NOW + timedelta(seconds=9))
    assert record.talk_ended_at == record.ended_at


def test_time_without_a_participant_who_does_not_come_back_is_no_talk() -> None:
    record = connected_record()
    record.interrupt(NOW + timedelta(seconds=5))
    record.interrupt(NOW + timedelta(seconds=7))
    record.apply(CallTrigger.VISITOR_LEAVES, NOW + timedelta(seconds=35))
    assert record.talk_ended_at == NOW + timedelta(seconds=5)


def test_an_interruption_that_is_over_counts_as_talk() -> None:
    record = connected_record()
    record.apply(CallTrigger.LINK_LOST, NOW + timedelta(seconds=5))
    record.apply(CallTrigger.BOTH_LEGS_UP, NOW + timedelta(seconds=6))
    record.apply(CallTrigger.AGENT_HANGS_UP, NOW + timedelta(seconds=9))
    assert record.talk_ended_at == NOW + timedelta(seconds=9)
