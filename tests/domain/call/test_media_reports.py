"""Reports of the media workers."""

from __future__ import annotations

from datetime import timedelta

from tests.domain.call.simulated_call import connected_call, placed_call, transferred_call
from visavis.domain.call import CallState, inputs, notices
from visavis.domain.leg import AGENT_LEG, VISITOR_LEG, BridgeId

FIRST = BridgeId("call", 1)


def test_the_loss_of_a_leg_waits_for_the_page() -> None:
    site = connected_call()
    site.handle(inputs.LegLost(FIRST, VISITOR_LEG))
    assert site.state() is CallState.RECONNECTING
    site.handle(inputs.LegConnected(FIRST, VISITOR_LEG))
    assert site.state() is CallState.CONNECTED


def test_reports_of_unknown_bridges_change_nothing() -> None:
    site = connected_call()
    unknown = BridgeId("call", 9)
    for event in (
        inputs.LegConnected(unknown, VISITOR_LEG),
        inputs.LegLost(unknown, VISITOR_LEG),
        inputs.LegMeasured(unknown, VISITOR_LEG, {}),
        inputs.JournalLost(unknown, "why"),
        inputs.WorkerLost(frozenset({unknown})),
        inputs.WorkerDraining(frozenset({unknown})),
    ):
        assert site.handle(event) == []


def test_a_leg_that_is_lost_while_the_call_rings_is_replaced() -> None:
    site = placed_call()
    site.ring(3)
    site.complete(0)
    site.handle(inputs.LegLost(FIRST, VISITOR_LEG))
    assert isinstance(site.last_notice(), notices.ConnectNotice)


def test_a_leg_that_is_lost_before_media_flow_has_failed() -> None:
    site = placed_call()
    site.ring(3)
    site.complete(0)
    site.accept(0)
    site.handle(inputs.LegLost(FIRST, VISITOR_LEG))
    assert site.call.record.reason == "failed"


def test_the_second_agent_s_leg_ends_the_transfer() -> None:
    site = transferred_call()
    site.handle(inputs.LegLost(BridgeId("call", 2), AGENT_LEG))
    assert site.call.transfer is None
    assert site.state() is CallState.CONNECTED


def test_quality_is_sent_at_most_every_two_seconds() -> None:
    site = connected_call()
    report = inputs.LegMeasured(FIRST, AGENT_LEG, {"mos": 4})
    assert len(site.handle(report)) == 1
    assert site.handle(report) == []
    site.now += timedelta(seconds=2)
    assert len(site.handle(report)) == 1
    assert site.call.record.quality == {"agent": {"mos": 4}}


def test_the_quality_of_an_agent_who_has_left_is_kept() -> None:
    site = connected_call()
    site.call.bridges[1].legs[AGENT_LEG].participant = 99
    assert site.handle(inputs.LegMeasured(FIRST, AGENT_LEG, {"mos": 3})) == []
    assert site.call.record.quality == {"agent": {"mos": 3}}


def test_the_last_report_comes_after_the_end() -> None:
    site = connected_call()
    site.hang_up(0)
    site.handle(inputs.LegMeasured(FIRST, AGENT_LEG, {"mos": 2}))
    assert site.call.record.quality == {"agent": {"mos": 2}}


def test_a_worker_that_dies_takes_the_active_bridge_along() -> None:
    site = connected_call()
    site.handle(inputs.WorkerLost(frozenset({FIRST})))
    assert site.state() is CallState.RECONNECTING
    assert list(site.call.bridges) == [2]


def test_a_worker_that_dies_with_a_new_bridge_leaves_the_active_one() -> None:
    site = transferred_call()
    site.handle(inputs.WorkerLost(frozenset({BridgeId("call", 2)})))
    assert site.state() is CallState.CONNECTED
    assert list(site.call.bridges) == [1, 3]


def test_a_call_gets_another_bridge_before_its_worker_ends() -> None:
    site = connected_call()
    draining = inputs.WorkerDraining(frozenset({FIRST}))
    site.handle(draining)
    assert site.state() is CallState.CONNECTED
    assert (site.call.active_bridge, list(site.call.bridges)) == (1, [1, 2])
    assert isinstance(site.last_notice(), notices.ConnectNotice)
    assert site.handle(draining) == []


def test_a_call_that_is_set_up_waits_with_another_bridge() -> None:
    site = placed_call()
    draining = inputs.WorkerDraining(frozenset({FIRST}))
    site.ring(3)
    assert site.handle(draining) == []  # its bridge is being opened
    site.complete(0)
    site.handle(draining)
    assert list(site.call.bridges) == [2]
    site = placed_call()
    site.ring(3)
    site.complete(0)
    site.accept(0)
    assert site.handle(draining) == []
    assert list(site.call.bridges) == [1]
