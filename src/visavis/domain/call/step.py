"""Changes that all parts of a call share while it handles one event, and their effects."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from visavis.domain.call import notices
from visavis.domain.call.commands import CloseBridge, MediaCommand
from visavis.domain.call.effects import (
    CallOver,
    CancelTimer,
    Effect,
    MarkUnrecorded,
    PageLeft,
    ParticipantJoined,
    ParticipantLeft,
    RecordEvent,
    RunCommand,
    SaveRecord,
    Send,
    SetTimer,
    SiteChanged,
)
from visavis.domain.call.model import CallData, Participant
from visavis.domain.call.states import LEAVE, CallState, CallTrigger
from visavis.domain.call_events import CallEvent
from visavis.domain.leg import CallRole
from visavis.domain.people import Agent
from visavis.domain.vocabulary import Party

STATE_TIMER: Final = "state"
"""Name of the timer that a state starts and the next state cancels."""

JOIN_TIMER: Final = "join"
BUILD_TIMER: Final = "build"
TRANSFER_TIMER: Final = "transfer"
_AWAY: Final = "away "

STATE_TIME_OUTS: Final = {
    CallState.RINGING: CallTrigger.RING_TIME_OUT,
    CallState.QUEUED: CallTrigger.QUEUE_TIME_OUT,
    CallState.ACCEPTED: CallTrigger.CONNECT_TIME_OUT,
    CallState.CONNECTING: CallTrigger.CONNECT_TIME_OUT,
    CallState.RECONNECTING: CallTrigger.RESUME_TIME_OUT,
}
"""Trigger that ends a call that stays in a state for too long."""

_COUNTS_AS_LEAVING: Final = {
    CallTrigger.RING_TIME_OUT,
    CallTrigger.QUEUE_TIME_OUT,
    CallTrigger.RESUME_TIME_OUT,
}


class Step:
    """The handling of one event: the call, the time, and the effects collected so far."""

    def __init__(self, call: CallData, now: datetime) -> None:
        self.call = call
        self.now = now
        self.effects: list[Effect] = []

    # Sending

    def send(self, participant: Participant | None, notice: notices.Notice) -> None:
        """Send to the participant's page, unless they have left or it is disconnected."""
        if participant and participant.is_open:
            self.effects.append(Send(participant.socket_id, notice))

    def send_to_socket(self, socket_id: str, notice: notices.Notice) -> None:
        self.effects.append(Send(socket_id, notice))

    def send_to_both(self, notice: notices.Notice) -> None:
        """Send to the visitor and to the agent who has the call."""
        self.send(self.call.visitor, notice)
        self.send(self.call.current_agent, notice)

    def state_notice(self, state: str) -> notices.StateNotice:
        record = self.call.record
        return notices.StateNotice(
            state=state,
            at=self.now,
            bridge=self.call.active_bridge or max(1, self.call.last_bridge),
            agent_name=record.agent.name if record.agent else "",
            visitor_name=record.visitor.name,
        )

    def send_state(self) -> None:
        self.send_to_both(self.state_notice(self.call.record.state))

    def recording_notice(self) -> notices.RecordingNotice:
        recording = self.call.recording
        return notices.RecordingNotice(recording.state, recording.since, recording.by)

    # State

    def apply(self, trigger: CallTrigger, *, by: Party = "system", **data: Any) -> None:
        """Move to the next state and tell both pages.

        Raises `CallNotPossible`; the call is then unchanged.
        """
        call = self.call
        call.record.apply(trigger, self.now)
        if call.record.state is not CallState.CONNECTING:  # it shares the timer of `accepted`
            self.cancel_timer(STATE_TIMER)
            seconds = self._state_seconds()
            if seconds is not None:  # 0 seconds is a valid limit
                self.set_timer(STATE_TIMER, seconds)
        if call.is_over:
            by, data = call.record.ended_by, {"reason": call.record.reason}
        self.record_event(call.record.state, by=by, **data)
        if not call.is_over:
            self.send_state()

    def end(self, trigger: CallTrigger) -> None:
        """End the call if its state allows that trigger, and tell all its pages."""
        call = self.call
        trigger = self._actual(trigger)
        if not call.record.allows(trigger):
            return
        self.save_first()
        for participant in call.participants.values():
            if LEAVE[participant.role] is trigger and participant.disconnected_at:
                call.record.interrupt(participant.disconnected_at)
        self.apply(trigger)
        for name in list(call.timers):
            self.cancel_timer(name)
        call.deferred.clear()
        self._close_bridges()
        by, reason = call.record.ended_by, str(call.record.reason)
        self.stop_ringing(list(call.ringing_at), reason)
        if call.transfer:
            self.stop_transfer_ringing(reason)
        for participant in list(call.participants.values()):
            self.send(participant, notices.EndNotice(reason, by))
            self.remove_participant(participant)
        call.transfer = None
        self.effects += [CallOver(), SiteChanged()]

    def record_event(self, name: str, *, by: Party = "system", **data: Any) -> None:
        self.effects.append(RecordEvent(CallEvent(at=self.now, name=str(name), by=by, data=data)))

    def save(self) -> None:
        self.effects.append(SaveRecord())

    def save_first(self) -> None:
        """Save the call before the notices that follow in this step are sent."""
        self.effects.append(SaveRecord(is_awaited=True))

    def change_site(self) -> None:
        self.effects.append(SiteChanged())

    def mark_unrecorded(self, why: str) -> None:
        """Flag the call as unrecorded; further calls of this method change nothing."""
        if not self.call.record.is_unrecorded:
            self.call.record.is_unrecorded = True
            self.effects.append(MarkUnrecorded(why))

    # Ringing

    def stop_ringing(self, sockets: list[str], reason: str) -> None:
        for socket_id in sockets:
            del self.call.ringing_at[socket_id]
            self.send_to_socket(socket_id, notices.RingStoppedNotice(reason))

    def stop_transfer_ringing(self, reason: str) -> None:
        if transfer := self.call.transfer:
            for socket_id in sorted(transfer.ringing_at):
                self.send_to_socket(socket_id, notices.RingStoppedNotice(reason))
            transfer.ringing_at.clear()

    # Participants

    def add_visitor(self, socket_id: str) -> None:
        visitor = self.call.visitor
        visitor.socket_id = socket_id
        self.attach(visitor)

    def add_agent(self, socket_id: str, agent: Agent) -> Participant:
        call = self.call
        call.last_participant += 1
        participant = Participant(call.last_participant, CallRole.AGENT, socket_id, agent)
        call.participants[participant.id] = participant
        self.attach(participant)
        return participant

    def attach(self, participant: Participant) -> None:
        """Add the participant's page to the call."""
        participant.is_open = True
        self.cancel_timer(away_timer(participant))
        self.effects.append(
            ParticipantJoined(participant.id, participant.socket_id, participant.agent_id)
        )

    def move(self, participant: Participant, socket_id: str) -> None:
        """Move the participant to another page; an old page that is still open leaves the call."""
        if participant.socket_id != socket_id:
            self.send(participant, notices.EndNotice("transferred", "system"))
            self.effects.append(PageLeft(participant.socket_id))
            participant.socket_id = socket_id
        self.attach(participant)

    def disconnect(self, participant: Participant) -> None:
        """Wait for the participant's page to connect again."""
        participant.is_open, participant.disconnected_at = False, self.now
        self.effects.append(PageLeft(participant.socket_id))
        self.set_timer(away_timer(participant), self.call.timings.resume)

    def remove_participant(self, participant: Participant) -> None:
        call = self.call
        self.cancel_timer(away_timer(participant))
        if not call.is_over:
            del call.participants[participant.id]
        self.effects.append(
            ParticipantLeft(participant.id, participant.socket_id, participant.agent_id)
        )

    # Timers and commands

    def set_timer(self, name: str, seconds: float) -> None:
        self.call.timers[name] = self.now + timedelta(seconds=seconds)
        self.effects.append(SetTimer(name, seconds))

    def cancel_timer(self, name: str) -> None:
        if self.call.timers.pop(name, None):
            self.effects.append(CancelTimer(name))

    def run(self, command: MediaCommand) -> None:
        """Start a media command. Later requests wait for its end, unless it is `CloseBridge`."""
        if not isinstance(command, CloseBridge):
            self.call.command = command
        self.effects.append(RunCommand(command))

    # Internals

    def _state_seconds(self) -> int | None:
        timings = self.call.timings
        return {
            CallState.RINGING: timings.ring,
            CallState.QUEUED: timings.queue,
            CallState.ACCEPTED: timings.connect,
            CallState.RECONNECTING: timings.resume,
        }.get(self.call.record.state)

    def _actual(self, trigger: CallTrigger) -> CallTrigger:
        """Return the real cause of a time-out: if a page is away, its participant has left."""
        call = self.call
        if trigger not in _COUNTS_AS_LEAVING:
            return trigger
        if not call.visitor.is_open:
            return LEAVE[CallRole.VISITOR]
        agent = call.current_agent
        if trigger is CallTrigger.RESUME_TIME_OUT and agent and not agent.is_open:
            return LEAVE[CallRole.AGENT]
        return trigger

    def _close_bridges(self) -> None:
        call = self.call
        for bridge in call.bridges.values():
            if bridge.is_open:
                call.closing.add(bridge.number)
                self.run(CloseBridge(bridge.id))
        call.bridges.clear()


def away_timer(participant: Participant) -> str:
    """Return the name of the timer that runs while the participant's page is disconnected."""
    return f"{_AWAY}{participant.id}"


def participant_of_timer(name: str) -> int | None:
    """Return the participant's number in the name of an away timer; `None` for other timers."""
    return int(name.removeprefix(_AWAY)) if name.startswith(_AWAY) else None
