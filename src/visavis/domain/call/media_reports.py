"""Reports of the media workers: legs up and down, their quality, the death of a worker."""

from __future__ import annotations

from typing import Final

from visavis.domain.call import notices
from visavis.domain.call.bridges import mark_lost, participant_at, replace_bridge, request_bridge
from visavis.domain.call.inputs import (
    LegConnected,
    LegLost,
    LegMeasured,
    WorkerDraining,
    WorkerLost,
)
from visavis.domain.call.negotiation import activate_if_flowing
from visavis.domain.call.states import BridgeTrigger, CallState, CallTrigger
from visavis.domain.call.step import Step
from visavis.domain.call.transfers import fail_transfer
from visavis.domain.leg import ROLES

QUALITY_SECONDS: Final = 1.8
"""Minimum time between two quality notices to a page; workers report every two seconds."""


def leg_up(step: Step, event: LegConnected) -> None:
    """Mark a leg as connected; the bridge becomes active once all its legs are connected."""
    if bridge := step.call.bridges.get(event.bridge.number):
        bridge.up.add(event.leg)
        activate_if_flowing(step, bridge)


def leg_down(step: Step, event: LegLost) -> None:
    """Handle the loss of a leg.

    On the active bridge the call waits for a page to ask for another bridge. A waiting call gets
    another bridge at once. A call that is being set up has failed.
    """
    call = step.call
    bridge = call.bridges.get(event.bridge.number)
    if bridge is None:
        return
    second = call.second_agent
    if second and bridge.leg_of(second.id):
        fail_transfer(step, "failed")
        return
    bridge.up.discard(event.leg)
    bridge.apply(BridgeTrigger.LEG_DOWN)
    if bridge.number == call.active_bridge:
        mark_lost(step)
    elif call.is_waiting:
        request_bridge(step)
    elif call.active_bridge is None and call.record.state is not CallState.RECONNECTING:
        step.end(CallTrigger.LINK_LOST)


def worker_lost(step: Step, event: WorkerLost) -> None:
    """Replace the bridges that have died with a media worker."""
    call = step.call
    dead = [bridge for bridge in call.bridges.values() if bridge.id in event.bridges]
    for bridge in dead:
        del call.bridges[bridge.number]
    if any(bridge.number == call.active_bridge for bridge in dead):
        call.active_bridge = None
        replace_bridge(step)
    elif dead:
        request_bridge(step)  # the active bridge goes on


def worker_draining(step: Step, event: WorkerDraining) -> None:
    """Request another bridge in place of one whose worker is about to end.

    The active bridge carries media until the new one does. A call that is just being set up is left
    alone: the event comes again.
    """
    call = step.call
    newest = call.newest_bridge
    if newest is None or newest.id not in event.bridges or call.command:
        return
    if newest.number == call.active_bridge or call.is_waiting:
        request_bridge(step)


def leg_measured(step: Step, event: LegMeasured) -> None:
    """Store the quality of a leg of the active bridge, and send it to the page now and then."""
    call = step.call
    if event.bridge.number != call.active_bridge:
        return
    call.record.quality[ROLES.get(event.leg) or f"leg {event.leg}"] = event.report
    bridge = call.bridges.get(event.bridge.number)
    if bridge is None:
        return
    participant = participant_at(step, bridge, event.leg)
    if participant is None:
        return
    sent_at = participant.quality_sent_at
    if sent_at is None or (step.now - sent_at).total_seconds() >= QUALITY_SECONDS:
        participant.quality_sent_at = step.now
        step.send(participant, notices.QualityNotice(event.report))
