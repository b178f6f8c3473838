"""Changes that every part of a call makes."""

from __future__ import annotations

from tests.domain.call.simulated_call import connected_call, placed_call
from visavis.domain.call import CallState, CallTrigger, inputs, notices
from visavis.domain.call.model import VISITOR
from visavis.domain.call.step import Step, away_timer, participant_of_timer


def test_a_trigger_that_the_state_does_not_allow_ends_nothing() -> None:
    site = connected_call()
    site.handle(inputs.EndRequested(CallTrigger.NOBODY_ON_DUTY))
    assert site.state() is CallState.CONNECTED


def test_a_time_out_while_the_visitor_is_gone_is_their_leaving() -> None:
    site = placed_call()
    site.ring(3)
    site.handle(inputs.PageDisconnected(VISITOR))
    del site.timers["state"]
    site.handle(inputs.TimerFired("state"))
    assert site.call.record.reason == "abandoned"


def test_a_time_out_while_the_agent_is_gone_is_their_leaving() -> None:
    site = connected_call()
    agent = site.call.agent
    assert agent
    site.handle(inputs.BridgeLost(1))
    site.handle(inputs.PageDisconnected(agent))
    del site.timers["state"]
    site.handle(inputs.TimerFired("state"))
    assert site.call.record.ended_by == "agent"


def test_connecting_keeps_the_time_that_was_left_to_it() -> None:
    site = placed_call()
    site.ring(3)
    site.complete(0)
    site.accept(0)
    deadline = site.call.timers["state"]
    site.answer_as_agent()
    assert site.state() is CallState.CONNECTING
    assert site.call.timers["state"] == deadline


def test_nothing_is_sent_to_a_page_that_is_disconnected_or_gone() -> None:
    site = connected_call()
    step = Step(site.call, site.now)
    step.send(None, notices.RelaysNotice())
    site.call.visitor.is_open = False
    step.send(site.call.visitor, notices.RelaysNotice())
    assert step.effects == []


def test_an_old_page_is_told_that_the_call_has_moved() -> None:
    site = connected_call()
    site.handle(inputs.PageResumed(VISITOR, "v2", has_media=True))
    moved = [s.socket_id for s in site.sent if isinstance(s.notice, notices.EndNotice)]
    assert moved == ["v"]
    site.handle(inputs.PageResumed(VISITOR, "v2", has_media=True))
    assert len([s for s in site.sent if isinstance(s.notice, notices.EndNotice)]) == 1


def test_a_timer_s_name_leads_to_its_participant() -> None:
    site = placed_call()
    assert participant_of_timer(away_timer(site.call.visitor)) == VISITOR
    assert participant_of_timer("state") is None


def test_stopping_the_ringing_of_no_transfer_changes_nothing() -> None:
    step = Step(placed_call().call, connected_call().now)
    step.stop_transfer_ringing("why")
    assert step.effects == []
