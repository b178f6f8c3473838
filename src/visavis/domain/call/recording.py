"""Recording of a call in progress: automatic or manual, paused, resumed, failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from visavis.domain.call.bridges import journal_command, journal_note
from visavis.domain.call.commands import JoinLegs, PauseJournal, StartJournal
from visavis.domain.call.inputs import CommandFailed, RecordingRequested
from visavis.domain.call.model import Bridge, CallData
from visavis.domain.call.states import (
    RECORDING_TRANSITIONS,
    CallState,
    CallTrigger,
    RecordingSwitch,
    RecordingTrigger,
)
from visavis.domain.call.step import Step
from visavis.domain.call_events import CallEventName
from visavis.domain.errors import ErrorCode, VisavisError
from visavis.domain.leg import LocalTransport
from visavis.domain.policy import Consent, Unrecordable
from visavis.domain.vocabulary import Party

STATE_ERRORS: Final = {
    RecordingSwitch.OFF: ErrorCode.RecordingOff,
    RecordingSwitch.ON: ErrorCode.RecordingOn,
    RecordingSwitch.PAUSED: ErrorCode.RecordingPaused,
}
"""Error for an action that the present state of the recording does not allow."""

_REQUIRED_STATE: Final = {
    "start": RecordingSwitch.OFF,
    "pause": RecordingSwitch.ON,
    "resume": RecordingSwitch.PAUSED,
}
_EVENTS: Final = {
    RecordingTrigger.START: CallEventName.RECORDING_STARTED,
    RecordingTrigger.PAUSE: CallEventName.RECORDING_PAUSED,
    RecordingTrigger.RESUME: CallEventName.RECORDING_RESUMED,
}


def journal_started(
    step: Step, bridge: Bridge, command: StartJournal, _: Mapping[int, LocalTransport]
) -> None:
    """Show the recording as started, if this bridge is the one that the participants hear."""
    bridge.has_journal, bridge.is_journal_paused = True, command.is_paused
    step.call.recording.is_listed = True
    if command.requester:
        _started_by_hand(step, command, bridge)
    elif _is_heard(step.call, bridge):
        follow(step, bridge)


def journal_refused(step: Step, event: CommandFailed, bridge: Bridge) -> None:
    """Handle a journal that could not be started.

    If the media worker is only being started, this is not called: the command is tried again.
    """
    bridge.is_unrecorded = True
    _handle_failure(step, bridge, event.message)


def follow(step: Step, bridge: Bridge) -> None:
    """Adapt the call's recording to the journal of the bridge that the participants hear."""
    recording = step.call.recording
    if bridge.has_journal and recording.state is RecordingSwitch.OFF:
        change(step, RecordingTrigger.START, "system")
    elif not bridge.has_journal and recording.state is not RecordingSwitch.OFF:
        _fail(step)


def _is_heard(call: CallData, bridge: Bridge) -> bool:
    """Whether the participants hear each other over this bridge, or over none yet."""
    return call.active_bridge == bridge.number or call.active_bridge not in call.bridges


def _handle_failure(step: Step, bridge: Bridge, why: str) -> None:
    """End the call, or flag it and let it go on, as the site's policy says."""
    call = step.call
    if call.unrecordable is Unrecordable.REFUSE:
        step.end(CallTrigger.CANNOT_RECORD)
        return
    step.mark_unrecorded(why)
    step.record_event(CallEventName.UNRECORDED, why=why)
    if _is_heard(call, bridge):
        _fail(step)


def _fail(step: Step) -> None:
    step.call.recording.apply(RecordingTrigger.FAIL, "system", step.now)
    step.send_to_both(step.recording_notice())


def journal_lost(step: Step, bridge: Bridge, why: str) -> None:
    """Handle the loss of a journal; if a command for it is in progress, after that command."""
    command = step.call.command
    if isinstance(command, StartJournal | PauseJournal) and command.bridge == bridge.id:
        bridge.journal_loss = why
    elif bridge.has_journal:
        bridge.has_journal, bridge.is_unrecorded = False, True
        _handle_failure(step, bridge, why)


def handle_overtaking_loss(step: Step, bridge: Bridge) -> None:
    """Handle a loss that was reported before the answer to a command for the same journal."""
    why, bridge.journal_loss = bridge.journal_loss, ""
    if why:
        journal_lost(step, bridge, why)


def request(step: Step, event: RecordingRequested) -> None:
    """Start, pause or resume the recording; raises `CallNotPossible`, `AgreementNeeded`."""
    call = step.call
    bridge = call.bridges.get(call.active_bridge or 0)
    if (
        event.participant != call.agent
        or bridge is None
        or call.record.state is not CallState.CONNECTED
    ):
        raise VisavisError(ErrorCode.NotConnected)
    if call.recording.state is not _REQUIRED_STATE[event.action]:
        raise VisavisError(STATE_ERRORS[call.recording.state])
    requester = call.participants[event.participant].socket_id
    if event.action != "start":
        step.run(PauseJournal(bridge.id, requester, is_paused=event.action == "pause"))
        return
    if call.required_consent is Consent.AGREEMENT and call.record.consent is not Consent.AGREEMENT:
        raise VisavisError(ErrorCode.RecordingNotAgreed)
    recording_id = call.record.recording_id or event.recording_id
    step.run(journal_command(step, bridge, recording_id, requester))


def journal_paused(
    step: Step, bridge: Bridge, command: PauseJournal, _: Mapping[int, LocalTransport]
) -> None:
    """Tell both pages of an agent's change; journals of other bridges are adapted after it."""
    bridge.is_journal_paused = command.is_paused
    trigger = RecordingTrigger.PAUSE if command.is_paused else RecordingTrigger.RESUME
    if command.requester and (step.call.recording.state, trigger) in RECORDING_TRANSITIONS:
        change(step, trigger, "agent")


def change(step: Step, trigger: RecordingTrigger, by: Party) -> None:
    """Move the recording to its next state, record it and tell both pages."""
    if by == "agent":  # the agent relies on the change, so it is saved before it is shown
        step.save_first()
    step.record_event(_EVENTS[trigger], by=by)
    step.call.recording.apply(trigger, by, step.now)
    step.send_to_both(step.recording_notice())


def _started_by_hand(step: Step, command: StartJournal, bridge: Bridge) -> None:
    record = step.call.record
    record.recording_id, record.is_recorded = command.manifest.recording_id, True
    if record.consent is Consent.NONE:
        record.consent = Consent.NOTICE  # the visitor's page shows the notice from now on
    change(step, RecordingTrigger.START, "agent")
    # joining the legs again asks both browsers for a key frame
    step.run(JoinLegs(bridge.id, command.requester, note=journal_note(step.call, bridge)))
