"""Bridges: requested, opened, offered, tried again, replaced and dropped."""

from __future__ import annotations

from tests.domain.call.simulated_call import connected_call, description, placed_call
from visavis.domain.call import CallState, commands, inputs, notices
from visavis.domain.call.bridges import MAX_BRIDGES, participant_at
from visavis.domain.call.model import VISITOR
from visavis.domain.call.states import BridgeState
from visavis.domain.call.step import BUILD_TIMER, Step
from visavis.domain.errors import ErrorKind
from visavis.domain.leg import AGENT_LEG, BridgeId


def test_the_legs_open_while_the_call_rings() -> None:
    site = placed_call()
    assert site.commands == []
    site.ring(3)
    assert [type(command) for command in site.commands] == [commands.OpenLegs]
    site.complete(0)
    assert isinstance(site.last_notice(), notices.ProvisionalAnswerNotice)
    site.accept(0)
    assert isinstance(site.last_notice(), notices.OfferNotice)


def test_with_a_turn_server_the_visitor_is_asked_for_the_offer() -> None:
    site = placed_call(has_relay=True)
    asked = [type(send.notice) for send in site.sent]
    assert asked == [notices.CallingNotice, notices.RelaysNotice, notices.ConnectNotice]
    site.ring(3)
    assert site.commands == []
    site.handle(inputs.OfferReceived(VISITOR, 1, description()))
    assert len(site.commands) == 1


def test_opening_is_tried_again_while_a_worker_is_being_started() -> None:
    site = placed_call()
    site.ring(3)
    command = site.commands.pop()
    site.handle(inputs.CommandFailed(command, ErrorKind.MediaUnavailable, "why"))
    assert BUILD_TIMER in site.timers
    del site.timers[BUILD_TIMER]
    site.handle(inputs.TimerFired(BUILD_TIMER))
    assert site.commands == [command]


def test_a_dropped_bridge_is_closed_again_once_it_was_opened() -> None:
    site = placed_call()
    site.ring(3)
    site.handle(inputs.BridgeLost(1))
    close = commands.CloseBridge(BridgeId("call", 1))
    assert site.commands[1:] == [close]
    site.complete(0)
    assert site.commands == [close, close]
    assert site.call.bridges[2].state is BridgeState.REQUESTED


def test_a_bridge_that_was_opened_after_the_end_is_closed() -> None:
    site = placed_call()
    site.ring(3)
    site.hang_up(0)
    assert site.call.is_over
    site.complete(0)
    site.finish_commands()
    assert site.call.is_idle


def test_a_bridge_that_both_pages_give_up_is_replaced_once() -> None:
    site = connected_call()
    site.handle(inputs.BridgeLost(1))
    assert site.state() is CallState.RECONNECTING
    before = len(site.sent)
    site.handle(inputs.BridgeLost(1))
    assert site.sent[before:] == []
    assert site.call.last_bridge == 2


def test_a_page_that_asks_for_bridges_without_end_has_failed() -> None:
    site = connected_call()
    for number in range(1, MAX_BRIDGES + 1):
        site.handle(inputs.BridgeLost(number))
    assert site.call.record.reason == "failed"


def test_an_offer_for_an_agent_who_has_left_reaches_nobody() -> None:
    site = connected_call()
    step = Step(site.call, site.now)
    bridge = site.call.bridges[1]
    bridge.legs[AGENT_LEG].participant = 99
    assert participant_at(step, bridge, AGENT_LEG) is None


def test_an_answered_offer_is_not_repeated_while_the_answer_is_carried_out() -> None:
    site = placed_call()
    site.ring(3)
    site.complete(0)
    site.accept(0)
    site.complete(0)
    site.answer_as_agent()
    assert site.commands
    assert site.call.agent
    site.handle(inputs.PageResumed(site.call.agent, "s9", has_media=True))
    assert not isinstance(site.last_notice(), notices.OfferNotice)
