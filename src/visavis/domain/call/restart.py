"""Restoring a call after a restart of the app, and the media workers' reports on its bridges."""

from __future__ import annotations

from typing import Final

from visavis.domain.call.bridges import adapt_journals
from visavis.domain.call.commands import PauseJournal
from visavis.domain.call.inputs import (
    AppRestarted,
    BridgeFound,
    LegConnected,
    LegLost,
    NodeChanged,
    WorkerLost,
)
from visavis.domain.call.media_reports import leg_down, leg_up, worker_lost
from visavis.domain.call.model import Bridge
from visavis.domain.call.recording import change, journal_lost
from visavis.domain.call.states import RECORDING_TRANSITIONS, CallState, RecordingTrigger
from visavis.domain.call.step import Step, away_timer

SHORTEST_WAIT: Final = 5.0
"""Minimum seconds left of every time limit after a restart: pages must first connect again."""


def app_restarted(step: Step, event: AppRestarted) -> None:
    """Wait for the pages, whose sockets have gone with the app, and start the timers again."""
    call, record = step.call, step.call.record
    away_since = max(event.away_since, record.connected_at or record.requested_at)
    if record.state is CallState.RECONNECTING and record.connected_at:
        # a bridge that was lost while the app was away may have been lost right at the start
        record.interrupt(away_since)
    for name, deadline in list(call.timers.items()):
        left = (deadline - step.now).total_seconds()
        step.set_timer(name, max(left, SHORTEST_WAIT))
    for participant in call.participants.values():
        if participant.is_open:
            participant.is_open, participant.disconnected_at = False, away_since
            if participant is not call.second_agent:  # the transfer's timer limits their absence
                step.set_timer(away_timer(participant), call.timings.resume)
    call.ringing_at.clear()
    if call.transfer:
        call.transfer.ringing_at.clear()


def node_changed(step: Step, event: NodeChanged) -> None:
    """Replace all bridges, and let the rest of the call be a recording of its own.

    The journals so far are in the spool of the former node, which delivers them.
    """
    recording, record = step.call.recording, step.call.record
    if recording.manifest:
        recording.manifest, recording.is_listed = None, False
        if record.recording_id is not None:
            record.recording_id = event.recording_id
            step.save()
    bridges = frozenset(bridge.id for bridge in step.call.bridges.values())
    worker_lost(step, WorkerLost(bridges))


def bridge_found(step: Step, event: BridgeFound) -> None:
    """Apply the changes of the bridge that no app heard of while it was away."""
    bridge = step.call.bridges.get(event.bridge.number)
    if bridge is None:
        return
    if bridge.has_journal:
        _follow_journal(step, bridge, event)
    for leg in sorted(event.up - bridge.up):
        leg_up(step, LegConnected(event.bridge, leg))
    for leg in sorted(bridge.up - event.up):
        leg_down(step, LegLost(event.bridge, leg))
    adapt_journals(step)


def _follow_journal(step: Step, bridge: Bridge, event: BridgeFound) -> None:
    """Adapt the call to the journal.

    The worker may have carried out a command whose answer no app received.
    """
    call, command = step.call, step.call.command
    if not event.has_journal:
        journal_lost(step, bridge, "The recording stopped while the app was away.")
    elif event.is_paused != bridge.is_journal_paused:
        bridge.is_journal_paused = event.is_paused
        trigger = RecordingTrigger.PAUSE if event.is_paused else RecordingTrigger.RESUME
        # a command in progress is carried out again and then tells the pages itself
        is_told = bridge.number == call.active_bridge and not isinstance(command, PauseJournal)
        if is_told and (call.recording.state, trigger) in RECORDING_TRANSITIONS:
            change(step, trigger, "agent")
