"""Data of a call."""

from __future__ import annotations

from tests.domain.call.simulated_call import NOW, connected_call, placed_call, transferred_call
from visavis.domain.call.model import (
    MAX_HELD_LINES,
    MAX_TRANSCRIPT,
    Bridge,
    Chat,
    ChatLine,
)
from visavis.domain.call.states import BridgeState, BridgeTrigger
from visavis.domain.leg import BridgeId


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
    assert call.open_bridges == []


def test_open_bridges_must_not_be_closed_by_a_worker() -> None:
    assert connected_call().call.open_bridges == [BridgeId("call", 1)]


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
