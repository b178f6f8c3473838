"""The engine: requests that wait for a media command, failures, timers, snapshots."""

from __future__ import annotations

import pytest

from tests.domain.call.simulated_call import connected_call, description, placed_call
from visavis.domain.call import CallState, CallTrigger, commands, inputs, notices
from visavis.domain.call.call import MAX_DEFERRED, Call
from visavis.domain.call.model import VISITOR
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import AGENT_LEG, BridgeId


def test_a_request_waits_for_the_command_in_progress() -> None:
    site = placed_call()
    site.ring(3)
    assert isinstance(site.call.command, commands.OpenLegs)
    offer = inputs.OfferReceived(VISITOR, 1, description(1))
    site.handle(offer)
    assert site.call.deferred == [offer]
    site.complete(0)
    assert site.call.deferred == []
    refusal = site.last_notice()
    assert isinstance(refusal, notices.RefusalNotice)
    assert refusal.error is ErrorKind.CallNotPossible


def test_only_so_many_requests_wait() -> None:
    site = placed_call()
    site.ring(3)
    offer = inputs.OfferReceived(VISITOR, 1, description(1))
    for _ in range(MAX_DEFERRED):
        site.handle(offer)
    with pytest.raises(VisavisError) as caught:
        site.call.handle(offer, site.now)
    assert caught.value.kind is ErrorKind.TooManyRequests


def test_requests_that_wait_keep_their_order() -> None:
    site = connected_call(is_recorded=True)
    agent = site.call.agent
    assert agent
    for action in ("pause", "resume"):
        site.handle(inputs.RecordingRequested(agent, action, "new"))
    assert site.commands == [commands.PauseJournal(BridgeId("call", 1), "a1", is_paused=True)]
    site.complete(0)
    assert site.commands == [commands.PauseJournal(BridgeId("call", 1), "a1", is_paused=False)]
    assert site.call.deferred == []


def test_several_requests_that_wait_follow_one_another() -> None:
    site = connected_call(is_recorded=True)
    agent = site.call.agent
    assert agent
    for action in ("pause", "resume", "pause"):
        site.handle(inputs.RecordingRequested(agent, action, "new"))
    assert len(site.call.deferred) == 2
    site.complete(0)
    assert len(site.call.deferred) == 1


def test_a_failure_without_a_requester_ends_the_call() -> None:
    site = placed_call()
    site.ring(3)
    site.handle(inputs.CommandFailed(site.commands.pop(), ErrorKind.InternalError, "why"))
    assert site.state() is CallState.ENDED


def test_a_bridge_that_could_not_be_closed_counts_as_closed() -> None:
    site = connected_call()
    site.handle(inputs.EndRequested(CallTrigger.ENDED_BY_API))
    site.handle(inputs.CommandFailed(site.commands.pop(), ErrorKind.MediaUnavailable, "why"))
    assert site.call.is_idle


def test_nothing_happens_after_the_end() -> None:
    site = connected_call()
    site.handle(inputs.EndRequested(CallTrigger.ENDED_BY_API))
    assert site.call.handle(inputs.HungUp(VISITOR), site.now) == []
    assert site.ends == 1


def test_a_timer_that_was_cancelled_changes_nothing() -> None:
    site = connected_call()
    assert site.call.handle(inputs.TimerFired("state"), site.now) == []


def test_a_participant_who_does_not_come_back_has_left() -> None:
    site = connected_call()
    site.handle(inputs.PageDisconnected(VISITOR))
    del site.timers["away 1"]
    site.handle(inputs.TimerFired("away 1"))
    assert site.call.record.reason == "abandoned"


def test_a_command_is_wanted_until_its_bridge_is_dropped() -> None:
    site = placed_call()
    site.ring(3)
    command = site.commands[0]
    assert site.call.wants(command)
    site.handle(inputs.EndRequested(CallTrigger.ENDED_BY_API))
    assert not site.call.wants(command)
    assert site.call.wants(commands.CloseBridge(BridgeId("call", 1)))


def test_a_restored_call_goes_on() -> None:
    site = connected_call(is_recorded=True)
    restored = Call.restore(site.call.snapshot())
    assert restored.record == site.call.record
    effects = restored.handle(inputs.LegLost(BridgeId("call", 1), AGENT_LEG), site.now)
    assert effects
    assert restored.record.state is CallState.RECONNECTING
