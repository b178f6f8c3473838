"""A call that was restored after a restart of the app, and what the media workers know of it."""

from __future__ import annotations

from typing import Final

from visavis.domain.call.bridges import adapt_journals
from visavis.domain.call.commands import PauseJournal
from visavis.domain.call.inputs import AppRestarted, BridgeFound, LegConnected, LegLost
from visavis.domain.call.media_reports import leg_down, leg_up
from visavis.domain.call.model import Bridge
from visavis.domain.call.recording import change, journal_lost
from visavis.domain.call.states import RECORDING_TRANSITIONS, CallState, RecordingTrigger
from visavis.domain.call.step import Step, away_timer

SHORTEST_WAIT: Final = 5.0
"""Seconds that every time limit leaves after a restart: the pages have to connect again first."""


def app_restarted(step: Step, event: AppRestarted) -> None:
    """Wait for the pages, whose sockets have gone with the app, and start the timers again."""
    call, record = step.call, step.call.record
    if record.state is CallState.RECONNECTING and record.connected_at:
        # a bridge that was lost meanwhile may have been lost at any time since
        record.interrupt(max(event.away_since, record.connected_at))
    for name, deadline in list(call.timers.items()):
        left = (deadline - step.now).total_seconds()
        step.set_timer(name, max(left, SHORTEST_WAIT))
    for participant in call.participants.values():
        if participant.is_open:
            participant.is_open, participant.disconnected_at = False, event.away_since
            if participant is not call.second_agent:  # the transfer's own timer waits for them
                step.set_timer(away_timer(participant), call.timings.resume)
    call.ringing_at.clear()
    if call.transfer:
        call.transfer.ringing_at.clear()


def bridge_found(step: Step, event: BridgeFound) -> None:
    """Catch up with what has become of the bridge while nobody listened to its media worker."""
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
    """Adapt the call to its journal: the worker carries a command out before the call knows."""
    call, command = step.call, step.call.command
    if not event.has_journal:
        journal_lost(step, bridge, "The recording stopped while the app was away.")
    elif event.is_paused != bridge.is_journal_paused:
        bridge.is_journal_paused = event.is_paused
        trigger = RecordingTrigger.PAUSE if event.is_paused else RecordingTrigger.RESUME
        # a command that is in progress is carried out again, and tells the pages
        is_told = bridge.number == call.active_bridge and not isinstance(command, PauseJournal)
        if is_told and (call.recording.state, trigger) in RECORDING_TRANSITIONS:
            change(step, trigger, "agent")
