"""The engine after a restart of the app; `test_properties.py` restarts it at every point."""

from __future__ import annotations

from datetime import timedelta

from tests.domain.call.simulated_call import (
    connected_call,
    hear_second_bridge,
    placed_call,
    transferred_call,
    with_second_bridge,
)
from visavis.domain.call import CallState, CallTrigger, effects, inputs
from visavis.domain.call.bridges import journal_note
from visavis.domain.call.call import Call
from visavis.domain.call.model import SNAPSHOT_VERSION
from visavis.domain.call.restart import SHORTEST_WAIT
from visavis.domain.call.states import RecordingSwitch
from visavis.domain.call.step import STATE_TIMER, away_timer
from visavis.domain.leg import AGENT_LEG, VISITOR_LEG, BridgeId
from visavis.domain.policy import Unrecordable

BRIDGE = BridgeId("call", 1)
BOTH = frozenset({VISITOR_LEG, AGENT_LEG})


def test_a_time_limit_leaves_a_few_seconds() -> None:
    site = placed_call()
    site.ring(3)
    site.now += timedelta(hours=1)
    site.restart(1)
    assert site.timers[STATE_TIMER] == SHORTEST_WAIT


def test_pages_are_awaited() -> None:
    site = connected_call()
    site.restart(1)
    assert site.pages == {}
    assert set(site.timers) == {"away 1", "away 2"}
    site.restart(1)  # before any page has reconnected
    assert set(site.timers) == {"away 1", "away 2"}


def test_a_transfer_rings_at_nobody_until_its_agent_is_back() -> None:
    site = transferred_call()
    site.restart(1)
    assert site.ringing == set()


def test_a_bridge_of_which_the_call_knows_nothing() -> None:
    site = connected_call()
    assert site.handle(inputs.BridgeFound(BridgeId("call", 9), BOTH, True, False)) == []


def test_the_journal_is_followed() -> None:
    site = connected_call(is_recorded=True)
    for is_paused, state in ((True, RecordingSwitch.PAUSED), (False, RecordingSwitch.ON)):
        site.journals[1] = is_paused
        site.handle(inputs.BridgeFound(BRIDGE, BOTH, has_journal=True, is_paused=is_paused))
        assert site.call.recording.state is state
    site.journals.clear()
    site.handle(inputs.BridgeFound(BRIDGE, BOTH, has_journal=False, is_paused=False))
    assert site.state() is CallState.ENDED


def test_a_journal_that_is_being_changed_is_left_alone() -> None:
    site = connected_call(is_recorded=True)
    site.handle(inputs.RecordingRequested(site.call.agent or 0, "pause", "new"))
    found = site.handle(inputs.BridgeFound(BRIDGE, BOTH, True, True))
    assert found == []


def test_a_snapshot_of_another_version_cannot_be_read() -> None:
    snapshot = connected_call().call.snapshot()
    assert Call.try_restore(SNAPSHOT_VERSION + 1, snapshot) is None
    assert Call.try_restore(SNAPSHOT_VERSION, b"no snapshot") is None
    restored = Call.try_restore(SNAPSHOT_VERSION, snapshot)
    assert restored
    assert restored.id == "call"


def test_a_journal_that_is_as_the_call_knows_it() -> None:
    site = connected_call(is_recorded=True)
    assert site.handle(inputs.BridgeFound(BRIDGE, BOTH, has_journal=True, is_paused=False)) == []


def test_a_pause_that_the_app_did_not_survive_is_made_for_every_bridge() -> None:
    site = with_second_bridge()
    site.journals[1] = True
    site.handle(inputs.BridgeFound(BRIDGE, BOTH, has_journal=True, is_paused=True))
    site.finish_commands()
    assert site.call.recording.state is RecordingSwitch.PAUSED
    assert site.journals == {1: True, 2: True}


def test_a_transfer_completes_before_the_page_of_its_agent_is_back() -> None:
    site = with_second_bridge()
    site.restart(1)
    hear_second_bridge(site)
    second = site.call.current_agent
    assert second
    assert second.agent_name == "Cy"
    assert not second.is_open
    assert away_timer(second) in site.timers


def test_a_note_names_only_participants_who_are_in_the_call() -> None:
    site = connected_call(is_recorded=True)
    assert site.call.agent
    del site.call.participants[site.call.agent]
    assert [leg["name"] for leg in journal_note(site.call, site.call.bridges[1])["legs"]] == [
        "Ann",
        "",
    ]


def test_a_pause_of_a_bridge_that_is_not_heard_is_undone() -> None:
    site = with_second_bridge()
    site.journals[2] = True
    site.handle(inputs.BridgeFound(BridgeId("call", 2), BOTH - {AGENT_LEG}, True, True))
    site.finish_commands()
    assert site.call.recording.state is RecordingSwitch.ON
    assert site.journals == {1: False, 2: False}


def test_a_leg_that_has_gone_down_meanwhile() -> None:
    site = connected_call()
    site.handle(inputs.BridgeFound(BRIDGE, frozenset(), has_journal=False, is_paused=False))
    assert site.state() is CallState.RECONNECTING


def test_a_bridge_that_was_lost_meanwhile_counts_as_talk_until_the_app_was_away() -> None:
    site = connected_call()
    away_since = site.now
    site.now += timedelta(seconds=10)
    site.handle(inputs.WorkerLost(frozenset({BRIDGE})))
    site.pages.clear()
    site.handle(inputs.AppRestarted(away_since))
    site.handle(inputs.EndRequested(CallTrigger.SHUT_DOWN))
    assert site.call.record.talk_ended_at == away_since


def test_a_journal_that_was_lost_while_it_was_to_be_paused() -> None:
    site = connected_call(is_recorded=True)
    site.call.unrecordable = Unrecordable.CONTINUE
    site.handle(inputs.RecordingRequested(site.call.agent or 0, "pause", "new"))
    site.journals.clear()
    site.handle(inputs.BridgeFound(BRIDGE, BOTH, has_journal=False, is_paused=False))
    site.fail(0)
    assert site.call.recording.state is RecordingSwitch.OFF
    assert site.call.record.is_unrecorded


def test_the_rest_of_a_call_on_another_node_is_a_recording_of_its_own() -> None:
    site = connected_call(is_recorded=True)
    before = site.call.record.recording_id
    assert any(isinstance(e, effects.SaveRecord) for e in site.handle(inputs.NodeChanged("next")))
    assert before != site.call.record.recording_id == "next"
    assert (site.call.recording.manifest, site.call.recording.is_listed) == (None, False)
    site.handle(inputs.NodeChanged("third"))  # no journal since then
    assert site.call.record.recording_id == "next"


def test_a_call_on_another_node_gets_another_bridge() -> None:
    site = connected_call()
    site.handle(inputs.NodeChanged("next"))
    assert site.call.record.recording_id is None
    assert site.call.record.state is CallState.RECONNECTING
    assert list(site.call.bridges) == [2]


def test_a_bridge_that_has_no_legs_yet_is_replaced_on_another_node() -> None:
    site = placed_call()
    assert not site.call.bridges[1].is_open
    site.handle(inputs.NodeChanged("next"))
    assert list(site.call.bridges) == [2]


def test_a_recording_that_was_just_being_started_by_hand() -> None:
    site = connected_call()
    site.handle(inputs.RecordingRequested(2, "start", "first"))
    site.handle(inputs.NodeChanged("next"))
    assert (site.call.recording.manifest, site.call.record.recording_id) == (None, None)
