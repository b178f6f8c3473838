"""The recording of a call in progress."""

from __future__ import annotations

import pytest

from tests.domain.call.simulated_call import (
    SimulatedCall,
    connected_call,
    hear_second_bridge,
    placed_call,
    with_second_bridge,
)
from visavis.domain.call import commands, inputs
from visavis.domain.call.bridges import journal_note
from visavis.domain.call.model import VISITOR
from visavis.domain.call.states import RecordingSwitch
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import BridgeId
from visavis.domain.policy import Consent, Unrecordable

FIRST = BridgeId("call", 1)
SECOND = BridgeId("call", 2)


def act(site: SimulatedCall, action: inputs.RecordingAction) -> None:
    agent = site.call.agent
    assert agent
    site.handle(inputs.RecordingRequested(agent, action, "new"))


def test_a_recorded_call_is_recorded_before_media_flow() -> None:
    site = connected_call(is_recorded=True)
    assert site.call.recording.state is RecordingSwitch.ON
    assert site.events.index("recordingStarted") < site.events.index("connected")


def test_recording_by_hand_asks_for_key_frames() -> None:
    site = connected_call()
    act(site, "start")
    site.complete(0)
    (join,) = site.commands
    assert isinstance(join, commands.JoinLegs)
    assert join.note == journal_note(site.call, site.call.bridges[1])
    assert site.call.record.recording_id == "new"
    assert site.call.record.consent is Consent.NOTICE


def test_a_second_bridge_of_a_paused_recording_is_paused() -> None:
    site = connected_call(is_recorded=True)
    act(site, "pause")
    site.complete(0)
    site.handle(inputs.WorkerLost(frozenset({FIRST})))
    for _ in range(2):
        site.advance(0)
    journal = next(c for c in site.commands if isinstance(c, commands.StartJournal))
    assert journal.is_paused
    site.finish_commands()
    assert site.call.recording.state is RecordingSwitch.PAUSED


@pytest.mark.parametrize("action", ["pause", "resume"])
def test_an_action_that_the_state_does_not_allow_is_refused(
    action: inputs.RecordingAction,
) -> None:
    site = connected_call()
    agent = site.call.agent
    assert agent
    with pytest.raises(VisavisError) as caught:
        site.call.handle(inputs.RecordingRequested(agent, action, "new"), site.now)
    assert caught.value.message == "The call is not being recorded."
    with pytest.raises(VisavisError):
        site.call.handle(inputs.RecordingRequested(VISITOR, "start", "new"), site.now)


def test_recording_by_hand_requires_the_visitor_s_agreement_where_the_site_does() -> None:
    site = connected_call()
    site.call.required_consent = Consent.AGREEMENT
    agent = site.call.agent
    assert agent
    with pytest.raises(VisavisError) as caught:
        site.call.handle(inputs.RecordingRequested(agent, "start", "new"), site.now)
    assert caught.value.kind is ErrorKind.AgreementNeeded
    site.call.record.consent = Consent.AGREEMENT
    act(site, "start")
    site.finish_commands()
    assert site.call.record.consent is Consent.AGREEMENT


@pytest.mark.parametrize("policy", list(Unrecordable))
def test_a_lost_journal_ends_the_call_or_flags_it(policy: Unrecordable) -> None:
    site = connected_call(is_recorded=True)
    site.call.unrecordable = policy
    site.lose_journal(0)
    assert site.call.is_over == (policy is Unrecordable.REFUSE)
    assert site.call.record.is_unrecorded == (policy is Unrecordable.CONTINUE)
    if policy is Unrecordable.CONTINUE:
        site.handle(inputs.JournalLost(FIRST, "again"))
        assert site.events.count("unrecorded") == 1
        act(site, "start")
        site.finish_commands()
        site.lose_journal(0)
        assert site.events.count("unrecorded") == 2


@pytest.mark.parametrize("action", ["pause", "resume", "start"])
def test_a_loss_that_overtakes_the_answer_to_a_command_is_handled_after_it(
    action: inputs.RecordingAction,
) -> None:
    site = connected_call(is_recorded=action != "start")
    site.call.unrecordable = Unrecordable.CONTINUE
    if action == "resume":
        act(site, "pause")
        site.complete(0)
    act(site, action)
    site.lose_journal(0)
    assert "unrecorded" not in site.events
    site.finish_commands()
    assert site.call.record.is_unrecorded
    assert site.call.recording.state is RecordingSwitch.OFF
    assert not site.call.bridges[1].has_journal


def test_a_loss_that_overtakes_a_failed_pause_is_handled() -> None:
    site = connected_call(is_recorded=True)
    site.call.unrecordable = Unrecordable.CONTINUE
    act(site, "pause")
    site.lose_journal(0)
    site.fail(0)
    assert site.call.recording.state is RecordingSwitch.OFF
    assert site.events[-1] == "unrecorded"


def recording_of(site: SimulatedCall) -> RecordingSwitch:
    return site.call.recording.state


def test_a_pause_during_a_transfer_pauses_both_journals() -> None:
    site = with_second_bridge()
    act(site, "pause")
    site.finish_commands()
    assert site.journals == {1: True, 2: True}
    hear_second_bridge(site)
    act(site, "resume")
    site.finish_commands()
    assert site.journals == {2: False}


def test_the_pages_are_told_of_the_bridge_that_is_heard() -> None:
    """The loss of a second bridge's recording is shown once that bridge is the active one."""
    site = with_second_bridge()
    del site.journals[2]
    site.handle(inputs.JournalLost(SECOND, "the disk is full"))
    assert site.call.record.is_unrecorded
    assert recording_of(site) is RecordingSwitch.ON
    hear_second_bridge(site)
    assert recording_of(site) is RecordingSwitch.OFF


def test_a_recording_goes_on_with_the_second_bridge_after_the_loss_of_the_first_journal() -> None:
    site = with_second_bridge()
    del site.journals[1]
    site.handle(inputs.JournalLost(FIRST, "the disk is full"))
    assert recording_of(site) is RecordingSwitch.OFF
    hear_second_bridge(site)
    assert recording_of(site) is RecordingSwitch.ON


def test_a_pause_that_the_second_journal_missed_is_made_up_for() -> None:
    """The active journal is lost after a pause, while a second journal is still paused."""
    site = with_second_bridge()
    act(site, "pause")
    site.finish_commands()
    del site.journals[1]
    site.handle(inputs.JournalLost(FIRST, "the disk is full"))
    hear_second_bridge(site)
    assert recording_of(site) is RecordingSwitch.ON
    assert site.journals == {2: False}


def test_a_journal_that_cannot_be_opened_lets_the_call_go_on_where_the_site_wants_that() -> None:
    site = placed_call(is_recorded=True, unrecordable=Unrecordable.CONTINUE)
    site.ring(3)
    site.complete(0)
    site.accept(0)
    journal = site.commands.pop()
    site.handle(inputs.CommandFailed(journal, ErrorKind.RecordingUnavailable, "why"))
    assert site.call.bridges[1].is_unrecorded
    assert not site.call.is_over
