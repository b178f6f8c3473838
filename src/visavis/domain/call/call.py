"""The engine of one call: an event changes its data and returns effects. It does no I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, Self

import msgspec

from visavis.domain.call import (
    bridges,
    commands,
    inputs,
    media_reports,
    negotiation,
    notices,
    pages,
    recording,
    restart,
    transfers,
)
from visavis.domain.call.effects import Effect
from visavis.domain.call.model import SNAPSHOT_VERSION, VISITOR, Bridge, CallData
from visavis.domain.call.states import LEAVE, CallTrigger
from visavis.domain.call.step import (
    BUILD_TIMER,
    JOIN_TIMER,
    STATE_TIME_OUTS,
    STATE_TIMER,
    TRANSFER_TIMER,
    Step,
    participant_of_timer,
)
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import CallRole, LocalTransport

MAX_DEFERRED: Final = 32
"""Maximum number of requests that wait while a media command is in progress."""


class Call(CallData, eq=False, kw_only=True):
    """A call in progress.

    No method waits: work that takes time is an effect, and its result comes back as an event.
    """

    @classmethod
    def restore(cls, snapshot: bytes) -> Self:
        """Return the call of a snapshot; raise `msgspec.ValidationError` if it cannot be read."""
        return msgspec.msgpack.decode(snapshot, type=cls)

    @classmethod
    def try_restore(cls, version: int, snapshot: bytes) -> Self | None:
        """Return the call of a stored snapshot, or `None` if this version cannot read it."""
        if version != SNAPSHOT_VERSION:
            return None
        try:
            return cls.restore(snapshot)
        except msgspec.MsgspecError:
            return None

    def handle(self, event: inputs.Event, now: datetime) -> list[Effect]:
        """Apply an event and return its effects, in order.

        Raises `VisavisError` if the request of a page is refused; the call is then unchanged.
        """
        step = Step(self, now)
        if self.is_over and not isinstance(event, _AFTER_THE_END):
            return []
        _HANDLERS[type(event)](step, event)
        return step.effects

    def wants(self, command: commands.MediaCommand) -> bool:
        """Whether a command that has not begun must still be carried out."""
        return isinstance(command, commands.CloseBridge) or command.bridge.number in self.bridges


_AFTER_THE_END: Final = (inputs.CommandDone, inputs.CommandFailed, inputs.LegMeasured)


def _defer_or(
    perform: Callable[[Step, Any], None],
) -> Callable[[Step, inputs.DeferrableEvent], None]:
    """Return a handler that performs a request, or defers it during a media command."""

    def handle(step: Step, event: inputs.DeferrableEvent) -> None:
        call = step.call
        if call.command is None and not call.deferred:
            perform(step, event)
        elif len(call.deferred) < MAX_DEFERRED:
            call.deferred.append(event)
        else:
            raise VisavisError(ErrorKind.TooManyRequests)

    return handle


_DEFERRABLE: Final[dict[type, Callable[[Step, Any], None]]] = {
    inputs.OfferReceived: negotiation.receive_offer,
    inputs.AnswerReceived: negotiation.receive_answer,
    inputs.RecordingRequested: recording.request,
}


def _perform_deferred(step: Step) -> None:
    """Perform the deferred requests until one of them starts a media command."""
    call = step.call
    waiting, call.deferred = call.deferred, []
    for event in waiting:
        if call.command or call.deferred:
            call.deferred.append(event)
            continue
        try:
            _DEFERRABLE[type(event)](step, event)
        except VisavisError as error:
            refusal = notices.RefusalNotice(error.kind, error.code, error.message, error.parameters)
            step.send(call.participants.get(event.participant), refusal)


def _command_done(step: Step, event: inputs.CommandDone) -> None:
    command = event.command
    if isinstance(command, commands.CloseBridge):
        _closed(step, command)
        return
    step.call.command = None
    if bridge := bridges.wanted(step, command):
        _DONE[type(command)](step, bridge, command, event.transports)
        recording.handle_overtaking_loss(step, bridge)
    _go_on(step)


def _command_failed(step: Step, event: inputs.CommandFailed) -> None:
    call, command = step.call, event.command
    if isinstance(command, commands.CloseBridge):
        _closed(step, command)
        return
    call.command = None
    bridge = bridges.wanted(step, command)
    if bridge is None:
        pass
    elif command.requester:
        bridge.answered = None
        refusal = notices.RefusalNotice(event.error, event.error.name, event.message, {})
        step.send(call.participant_of_page(command.requester), refusal)
    elif event.error is ErrorKind.MediaUnavailable:
        bridges.retry_later(step)
    elif isinstance(command, commands.StartJournal):
        recording.journal_refused(step, event, bridge)
    else:
        step.end(CallTrigger.MEDIA_FAILS)
    if bridge:
        recording.handle_overtaking_loss(step, bridge)
    _go_on(step)


def _go_on(step: Step) -> None:
    """After a media command: build the newest bridge further, then perform deferred requests."""
    if step.call.is_over:
        _save_after_the_end(step)
        return
    if BUILD_TIMER not in step.call.timers:
        bridges.build(step)
    _perform_deferred(step)


def _closed(step: Step, command: commands.CloseBridge) -> None:
    step.call.closing.discard(command.bridge.number)
    if step.call.is_over:
        _save_after_the_end(step)


def _save_after_the_end(step: Step) -> None:
    """Save the last quality of the legs, which arrives while the bridges are being closed."""
    if step.call.is_idle:
        step.save()


def _timer_fired(step: Step, event: inputs.TimerFired) -> None:
    call = step.call
    if call.timers.pop(event.name, None) is None:
        return
    if event.name == STATE_TIMER:
        step.end(STATE_TIME_OUTS[call.record.state])
    elif event.name == JOIN_TIMER:
        step.end(LEAVE[CallRole.VISITOR])
    elif event.name == BUILD_TIMER:
        bridges.build(step)
        _perform_deferred(step)
    elif event.name == TRANSFER_TIMER:
        transfers.time_out(step)
    else:
        step.end(LEAVE[call.participants[participant_of_timer(event.name) or VISITOR].role])


_DONE: Final[dict[type, Callable[[Step, Bridge, Any, Mapping[int, LocalTransport]], None]]] = {
    commands.OpenLegs: bridges.legs_opened,
    commands.SetRemoteEnd: negotiation.remote_set,
    commands.JoinLegs: negotiation.legs_joined,
    commands.StartJournal: recording.journal_started,
    commands.PauseJournal: recording.journal_paused,
}


def _bridge_lost(step: Step, event: inputs.BridgeLost) -> None:
    bridges.lose_bridge(step, event.bridge)


def _hung_up(step: Step, event: inputs.HungUp) -> None:
    pages.hang_up(step, step.call.participants[event.participant])


def _transfer_stopped(step: Step, event: inputs.TransferStopped) -> None:
    transfers.fail_transfer(step, event.reason)


def _place_changed(step: Step, event: inputs.PlaceChanged) -> None:
    pages.change_place(step, event.place)


def _end_requested(step: Step, event: inputs.EndRequested) -> None:
    step.end(event.trigger)


def _journal_lost(step: Step, event: inputs.JournalLost) -> None:
    if bridge := step.call.bridges.get(event.bridge.number):
        recording.journal_lost(step, bridge, event.why)


_HANDLERS: Final[dict[type, Callable[[Step, Any], None]]] = {
    **{kind: _defer_or(perform) for kind, perform in _DEFERRABLE.items()},
    inputs.CallStarted: pages.call_started,
    inputs.VisitorJoined: pages.visitor_joined,
    inputs.CallPlaced: pages.call_placed,
    inputs.AcceptRequested: pages.accept,
    inputs.DeclineRequested: pages.decline,
    inputs.BridgeLost: _bridge_lost,
    inputs.LineWritten: pages.write_line,
    inputs.HungUp: _hung_up,
    inputs.PageResumed: pages.resume,
    inputs.PageDisconnected: pages.disconnect,
    inputs.TransferRequested: transfers.start_transfer,
    inputs.TransferRung: transfers.ring_again,
    inputs.TransferAccepted: transfers.accept_transfer,
    inputs.TransferStopped: _transfer_stopped,
    inputs.RingRequested: pages.ring,
    inputs.QueueRequested: pages.queue,
    inputs.PlaceChanged: _place_changed,
    inputs.EndRequested: _end_requested,
    inputs.AppRestarted: restart.app_restarted,
    inputs.NodeChanged: restart.node_changed,
    inputs.BridgeFound: restart.bridge_found,
    inputs.LegConnected: media_reports.leg_up,
    inputs.LegLost: media_reports.leg_down,
    inputs.LegMeasured: media_reports.leg_measured,
    inputs.JournalLost: _journal_lost,
    inputs.WorkerLost: media_reports.worker_lost,
    inputs.WorkerDraining: media_reports.worker_draining,
    inputs.CommandDone: _command_done,
    inputs.CommandFailed: _command_failed,
    inputs.TimerFired: _timer_fired,
}
