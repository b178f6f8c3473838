"""Transfer of a call to another agent. The first bridge stays until the second carries media."""

from __future__ import annotations

from typing import Final

from visavis.domain.call import notices
from visavis.domain.call.bridges import drop, replace_bridge, request_bridge
from visavis.domain.call.inputs import TransferAccepted, TransferRequested, TransferRung
from visavis.domain.call.model import Participant, PendingTransfer
from visavis.domain.call.states import HANG_UP, CallState, EndReason, TransferState, TransferTrigger
from visavis.domain.call.step import TRANSFER_TIMER, Step, away_timer
from visavis.domain.call_events import CallEventName
from visavis.domain.errors import ErrorCode, ErrorKind, VisavisError
from visavis.domain.leg import AGENT_LEG, CallRole

TIME_OUT_REASONS: Final = {TransferState.RINGING: "missed", TransferState.CONNECTING: "failed"}


def ring_notice(step: Step, transferred_by: str = "", note: str = "") -> notices.RingNotice:
    record = step.call.record
    return notices.RingNotice(
        media=record.media,
        visitor_name=record.visitor.name,
        visitor_email=record.visitor.email,
        is_recorded=record.is_recorded,
        since=record.requested_at,
        resume_seconds=step.call.timings.resume,
        transferred_by=transferred_by,
        note=note,
    )


def start_transfer(step: Step, event: TransferRequested) -> None:
    """Ring another agent; raises `CallNotPossible`, `ParameterInvalid`."""
    call = step.call
    participant = call.participants[event.participant]
    if (
        call.record.state is not CallState.CONNECTED
        or call.transfer
        or participant.id != call.agent
    ):
        raise VisavisError(ErrorCode.TransferNotPossible)
    if participant.agent_id == event.agent_id:
        raise VisavisError(ErrorCode.TransferToSelf)
    if event.obstacle:
        step.send(participant, notices.TransferFailedNotice(event.obstacle))
        return
    step.save_first()
    call.transfer = PendingTransfer(event.agent_id, set(), note=event.note)
    step.set_timer(TRANSFER_TIMER, call.timings.ring)
    _ring(step, call.transfer, event.sockets)


def ring_again(step: Step, event: TransferRung) -> None:
    """Ring at consoles that the second agent has opened since the transfer began."""
    transfer = step.call.transfer
    if transfer and transfer.state is TransferState.RINGING:
        _ring(step, transfer, event.sockets)


def _ring(step: Step, transfer: PendingTransfer, sockets: tuple[str, ...]) -> None:
    first = step.call.current_agent
    name = first.agent_name if first else ""
    for socket_id in sockets:
        if socket_id not in transfer.ringing_at:
            transfer.ringing_at.add(socket_id)
            notice = ring_notice(step, transferred_by=name, note=transfer.note)
            step.send_to_socket(socket_id, notice)


def accept_transfer(step: Step, event: TransferAccepted) -> None:
    """Begin to connect the visitor with the second agent; raises `CallNotPossible`."""
    transfer = step.call.transfer
    if transfer is None or event.socket_id not in transfer.ringing_at:
        raise VisavisError(ErrorKind.CallNotPossible, "That transfer no longer rings.")
    step.save_first()
    transfer.apply(TransferTrigger.ACCEPT)
    participant = step.add_agent(event.socket_id, event.agent)
    transfer.participant = participant.id
    step.stop_transfer_ringing("accepted")
    step.set_timer(TRANSFER_TIMER, step.call.timings.connect)
    step.send(participant, step.state_notice(CallState.ACCEPTED))
    request_bridge(step)
    step.change_site()


def fail_transfer(step: Step, reason: str) -> None:
    """End the transfer without success; the call stays with the first agent."""
    call = step.call
    transfer, participant = call.transfer, call.second_agent
    if transfer is None:
        return
    transfer.apply(TransferTrigger.FAIL)
    step.cancel_timer(TRANSFER_TIMER)
    step.stop_transfer_ringing(reason)
    call.transfer = None
    if participant:
        for bridge in list(call.bridges.values()):
            if bridge.leg_of(participant.id):
                drop(step, bridge)
        step.send(participant, notices.EndNotice(EndReason.FAILED, "system"))
        step.remove_participant(participant)
    first = call.current_agent
    if first is None:
        step.end(HANG_UP[CallRole.AGENT])
        return
    step.send(first, notices.TransferFailedNotice(reason))
    if call.record.state is CallState.RECONNECTING:
        replace_bridge(step)
    step.change_site()


def time_out(step: Step) -> None:
    """Fail the transfer: the second agent has not accepted, or media do not flow, for too long."""
    transfer = step.call.transfer
    fail_transfer(step, TIME_OUT_REASONS[transfer.state] if transfer else "failed")


def release_first_agent(step: Step, participant: Participant) -> None:
    """Let the first agent leave while the second one is being connected."""
    step.call.agent = None
    _send_transferred(step, participant)


def complete_transfer(step: Step) -> None:
    """Give the call to the second agent, whose bridge now carries media."""
    call = step.call
    first, second, transfer = call.current_agent, call.second_agent, call.transfer
    if transfer is None or second is None:
        return
    step.save_first()
    transfer.apply(TransferTrigger.MEDIA_FLOWS)
    call.agent, call.record.agent, call.transfer = second.id, second.agent, None
    step.cancel_timer(TRANSFER_TIMER)
    step.record_event(
        CallEventName.TRANSFERRED,
        by="agent",
        agentName=second.agent_name,
        agentId=second.agent_id,
    )
    if first:
        _send_transferred(step, first)
    if not second.is_open:  # the app was restarted, and their page is not back yet
        step.set_timer(away_timer(second), call.timings.resume)
    call.with_video.discard(AGENT_LEG)
    step.send_state()
    step.send(second, step.recording_notice())
    step.send(second, notices.TranscriptNotice(tuple(call.chat.recent())))
    step.change_site()


def _send_transferred(step: Step, participant: Participant) -> None:
    step.send(participant, notices.EndNotice(EndReason.TRANSFERRED, "agent"))
    step.remove_participant(participant)
