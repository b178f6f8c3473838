"""Requests of the visitor's and the agents' pages: place, accept, chat, hang up, resume."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from visavis.domain.call import notices
from visavis.domain.call.bridges import (
    add_bridge,
    build,
    repeat_offer,
    repeat_offer_request,
    replace_bridge,
    request_bridge,
)
from visavis.domain.call.inputs import (
    AcceptRequested,
    CallPlaced,
    CallStarted,
    DeclineRequested,
    LineWritten,
    PageDisconnected,
    PageResumed,
    QueueRequested,
    RingRequested,
    VisitorJoined,
)
from visavis.domain.call.model import VISITOR, ChatLine, Participant
from visavis.domain.call.negotiation import repeat_answer
from visavis.domain.call.states import HANG_UP, CallState, CallTrigger
from visavis.domain.call.step import JOIN_TIMER, Step
from visavis.domain.call.transfers import fail_transfer, release_first_agent, ring_notice
from visavis.domain.call_events import CallEventName
from visavis.domain.errors import ErrorCode, VisavisError
from visavis.domain.leg import AGENT_LEG, VISITOR_LEG, CallRole

MAX_LINES: Final = 1000
"""Maximum number of chat lines in one call."""


# Placing a call


def call_started(step: Step, event: CallStarted) -> None:
    """Await the visitor of a join link, or add the visitor whose page has requested the call."""
    call = step.call
    call.participants[VISITOR] = Participant(VISITOR, CallRole.VISITOR, "", is_open=False)
    if event.socket_id:
        step.add_visitor(event.socket_id)
    else:
        step.set_timer(JOIN_TIMER, call.timings.join)
    step.record_event(call.record.state, by="visitor" if event.socket_id else "system")


def visitor_joined(step: Step, event: VisitorJoined) -> None:
    """Admit the visitor who opens the join link; raise `CallNotPossible` if it was used before."""
    if step.call.bridges or step.call.visitor.socket_id:
        raise VisavisError(ErrorCode.JoinLinkUsed)
    step.cancel_timer(JOIN_TIMER)
    step.add_visitor(event.socket_id)


def call_placed(step: Step, event: CallPlaced) -> None:
    """Store what the visitor's page has sent, and begin the first bridge."""
    call, record = step.call, step.call.record
    record.media, record.visitor, record.consent = event.media, event.visitor, event.consent
    record.recording_id, record.is_recorded = event.recording_id, event.recording_id is not None
    call.required_consent, call.unrecordable = event.required_consent, event.unrecordable
    call.secret_digest = event.secret_digest
    step.save_first()
    calling = notices.CallingNotice(record.is_recorded, event.secret, call.timings.resume)
    step.send(call.visitor, calling)
    if event.offer:
        add_bridge(step).offered[VISITOR_LEG] = event.offer
    else:
        request_bridge(step)
    step.change_site()


# Ringing


def ring(step: Step, event: RingRequested) -> None:
    """Ring at these sockets and at no others."""
    call = step.call
    if call.record.state is not CallState.RINGING:
        call.place = 0
        step.apply(CallTrigger.RING)
        build(step)
    step.stop_ringing([s for s in call.ringing_at if s not in event.sockets], "busy")
    for socket_id, agent_id in event.sockets.items():
        if socket_id not in call.ringing_at:
            call.ringing_at[socket_id] = agent_id
            step.send_to_socket(socket_id, ring_notice(step))


def queue(step: Step, event: QueueRequested) -> None:
    """Stop the call from ringing and put it into the queue."""
    call = step.call
    if call.record.state is CallState.QUEUED:
        return
    step.stop_ringing(list(call.ringing_at), "busy")
    step.apply(CallTrigger.NOBODY_FREE)
    change_place(step, event.place)


def change_place(step: Step, place: int) -> None:
    """Send the visitor their place in the queue if it has changed."""
    call = step.call
    if call.record.state is CallState.QUEUED and call.place != place:
        call.place = place
        step.send(call.visitor, notices.QueuedNotice(place))


def accept(step: Step, event: AcceptRequested) -> None:
    """Give the call to an agent.

    Raises `CallNotPossible` if it does not ring, `PermissionDenied` if it is reserved for another
    agent.
    """
    call = step.call
    if event.is_assigned:
        step.apply(CallTrigger.RING)
    elif call.reserved_for:
        raise VisavisError(ErrorCode.CallReserved)
    call.record.next_state(CallTrigger.ACCEPT)
    agent = call.record.agent = event.agent
    participant = step.add_agent(event.socket_id, agent)
    call.agent = participant.id
    if event.socket_id not in call.ringing_at:
        step.send(participant, assigned_notice(step, participant))
    data = {"agentName": agent.name, "agentId": agent.id, "media": event.media}
    step.apply(CallTrigger.ACCEPT, by="agent", **data)
    step.stop_ringing(list(call.ringing_at), "accepted")
    step.change_site()
    bridge = call.newest_bridge or add_bridge(step)
    bridge.legs[AGENT_LEG].participant = participant.id
    build(step)


def decline(step: Step, event: DeclineRequested) -> None:
    """Stop the call from ringing at an agent who has declined it."""
    call = step.call
    call.declined.add(event.agent_id)
    declined = [s for s, agent_id in call.ringing_at.items() if agent_id == event.agent_id]
    step.stop_ringing(declined, "declined")
    step.change_site()


def assigned_notice(step: Step, participant: Participant) -> notices.AssignedNotice:
    record, timings, transfer = step.call.record, step.call.timings, step.call.transfer
    is_transferring = participant.id == step.call.agent
    return notices.AssignedNotice(
        media=record.media,
        visitor_name=record.visitor.name,
        visitor_email=record.visitor.email,
        is_recorded=record.is_recorded,
        since=record.requested_at,
        resume_seconds=timings.resume,
        transferring_to=transfer.agent_id if transfer and is_transferring else 0,
    )


# In the call


def write_line(step: Step, event: LineWritten) -> None:
    """Add a chat line and send it to both pages.

    Raises `CallNotPossible`, `ParameterInvalid`, `TooManyRequests`.
    """
    call = step.call
    participant = call.participants[event.participant]
    by = participant.party
    if line := call.chat.find(by, event.line_id):
        # The page repeats a line of which it has not received our notice.
        step.send(participant, notices.LineNotice(line))
        return
    if call.is_waiting:
        raise VisavisError(ErrorCode.TextNotPossible)
    if not event.text:
        raise VisavisError(ErrorCode.TextEmpty)
    if call.chat.count >= MAX_LINES:
        raise VisavisError(ErrorCode.TextLimit)
    line = ChatLine(by=by, text=event.text, at=step.now, id=event.line_id)
    step.save_first()
    call.chat.add(line)
    step.send_to_both(notices.LineNotice(line))
    step.record_event(CallEventName.TEXT, by=by, text=event.text)


def hang_up(step: Step, participant: Participant) -> None:
    """Handle a participant who hangs up.

    If that is the second agent of a transfer, the transfer fails. If that is the first agent while
    the second one is being connected, only the first agent leaves. Otherwise the call ends.
    """
    call = step.call
    second = call.second_agent
    if participant is second:
        fail_transfer(step, "declined")
    elif second and participant.id == call.agent:
        release_first_agent(step, participant)
    else:
        step.end(HANG_UP[participant.role])


def disconnect(step: Step, event: PageDisconnected) -> None:
    """Wait for the page to come back; a waiting call does not ring while its visitor is away."""
    call = step.call
    participant = call.participants[event.participant]
    if participant is call.second_agent:
        fail_transfer(step, "away")
        return
    step.disconnect(participant)
    if participant.role is CallRole.VISITOR and call.is_waiting:
        step.stop_ringing(list(call.ringing_at), "abandoned")
    step.change_site()


def resume(step: Step, event: PageResumed) -> None:
    """Bring a page that has connected again up to date."""
    call = step.call
    participant = call.participants[event.participant]
    if participant.role is CallRole.VISITOR:
        call.record.visitor = replace(call.record.visitor, id=event.socket_id)
    step.move(participant, event.socket_id)
    if participant.agent:
        step.send(participant, assigned_notice(step, participant))
    step.send(participant, step.state_notice(call.record.state))
    if call.recording.state != "off" or call.record.is_unrecorded:
        step.send(participant, step.recording_notice())
    if call.chat.latest:
        step.send(participant, notices.TranscriptNotice(tuple(call.chat.recent())))
    _restore_media(step, participant, has_media=event.has_media)
    if call.is_waiting:
        if call.record.state is CallState.QUEUED:
            step.send(call.visitor, notices.QueuedNotice(call.place))
        step.change_site()


def _restore_media(step: Step, participant: Participant, *, has_media: bool) -> None:
    """Request another bridge if the page has lost its media."""
    if has_media:
        if participant.role is CallRole.VISITOR:
            repeat_offer_request(step)
            repeat_answer(step)
        else:
            repeat_offer(step, participant)
    elif step.call.is_waiting or participant is step.call.second_agent:
        request_bridge(step)  # an active bridge belongs to the first agent and stays
    else:
        replace_bridge(step)
