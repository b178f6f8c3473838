"""A call moves to another agent; nothing of it is torn down before the new bridge flows."""

from __future__ import annotations

from typing import Final

from visavis.domain import signaling
from visavis.domain.call import CONNECT_SECONDS, HANG_UP, RING_SECONDS, EndReason, State
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import Side
from visavis.domain.story import Happening
from visavis.services.calls.active_call import ActiveCall, Participant, Transfer
from visavis.services.calls.bridges import Bridges
from visavis.services.calls.distribution import ring_message
from visavis.services.calls.recording_control import recording_message
from visavis.services.calls.registry import CallRegistry
from visavis.services.calls.text import clean_text
from visavis.services.presence import AgentSession, Presence

_TRANSFER: Final = "transfer"


class Transfers:
    def __init__(self, registry: CallRegistry, presence: Presence, bridges: Bridges) -> None:
        self._registry = registry
        self._presence = presence
        self._bridges = bridges
        bridges.handed_over = self._hand_over
        registry.end_listeners.append(self._stop)
        registry.change_listeners.append(self._settle)

    def start(
        self, call: ActiveCall, participant: Participant, agent_id: int, note: str = ""
    ) -> None:
        """Ring another agent's desks; raises `CallNotPossible`."""
        if (
            call.record.state is not State.CONNECTED
            or call.transfer
            or participant is not call.agent
        ):
            raise VisavisError(ErrorKind.CallNotPossible, "The call cannot be transferred now.")
        if participant.agent_id == agent_id:
            raise VisavisError(ErrorKind.ParameterInvalid, "Transfer the call to another agent.")
        agent_sessions = {
            d.socket_id: d for d in self._presence.sessions_of_agent(call.site_id, agent_id)
        }
        if not agent_sessions or not self._presence.is_available(agent_id):
            self._tell_failed(call, participant, "away")
        elif self._registry.is_busy(agent_id):
            self._tell_failed(call, participant, "busy")
        else:
            transfer = call.transfer = Transfer(agent_id, agent_sessions, note=clean_text(note))
            self._limit(call, transfer, RING_SECONDS, "missed")
            for socket_id in agent_sessions:
                ring = ring_message(call, transferred_by=participant.agent_name, note=transfer.note)
                self._registry.send_to_socket(socket_id, ring)

    def rung_at(self, call: ActiveCall, agent_session: AgentSession) -> Transfer | None:
        """What the desk is rung for, if it is."""
        transfer = call.transfer
        return transfer if transfer and agent_session.socket_id in transfer.ringing_at else None

    def accept(self, call: ActiveCall, transfer: Transfer, agent_session: AgentSession) -> None:
        """The other agent takes it: bridge the visitor with them too."""
        participant = transfer.participant = Participant(
            Side.AGENT, agent_session.socket_id, agent_session.agent
        )
        self._registry.add_participant(call, participant)
        self._stop_ringing(call, transfer, "accepted")
        self._limit(call, transfer, CONNECT_SECONDS, "failed")
        self._registry.send(participant, call.state_message(State.ACCEPTED, self._registry.now()))
        self._bridges.start(call)
        self._registry.notify_changed(call.site_id)

    def fail(self, call: ActiveCall, transfer: Transfer, reason: str) -> None:
        """The call stays whose it was."""
        call.transfer = None
        self._registry.cancel_timer(call, _TRANSFER)
        self._stop_ringing(call, transfer, reason)
        if participant := transfer.participant:
            for bridge in [
                o for o in call.bridges.values() if o.participants.get(Side.AGENT) is participant
            ]:
                self._bridges.drop(call, bridge)
            ended = signaling.Ended(call_id=call.id, reason=EndReason.FAILED, by="system")
            self._registry.send(participant, ended)
            self._registry.remove_participant(call, participant)
        if call.agent is None:
            self._registry.end(call, HANG_UP[Side.AGENT])
            return
        self._tell_failed(call, call.agent, reason)
        if call.record.state is State.RECONNECTING:
            self._bridges.replace(call)
        self._registry.notify_changed(call.site_id)

    def leave(self, call: ActiveCall, participant: Participant) -> None:
        """The first agent goes, sure that the other has it."""
        call.agent = None
        self._tell_over(call, participant)

    def _hand_over(self, call: ActiveCall, participant: Participant) -> None:
        """The visitor is linked with the other agent."""
        first, call.agent, call.record.agent = call.agent, participant, participant.agent
        call.transfer = None
        self._registry.cancel_timer(call, _TRANSFER)
        data = {"agentName": participant.agent_name, "agentId": participant.agent_id}
        self._registry.record_event(call, Happening.TRANSFERRED, by="agent", **data)
        if first:
            self._tell_over(call, first)
        call.with_video.discard(Side.AGENT)
        self._registry.send_state(call)
        self._registry.send(participant, recording_message(call))
        self._registry.send(participant, call.transcript())
        self._registry.notify_changed(call.site_id)

    def _tell_over(self, call: ActiveCall, participant: Participant) -> None:
        ended = signaling.Ended(call_id=call.id, reason=EndReason.TRANSFERRED, by="agent")
        self._registry.send(participant, ended)
        self._registry.remove_participant(call, participant)

    def _settle(self, site_id: int) -> None:
        """Who is rung may have gone, or have taken another call."""
        for call in self._registry.list_by_site(site_id):
            transfer = call.transfer
            if transfer is None or transfer.participant:
                continue
            here = {
                d.socket_id for d in self._presence.sessions_of_agent(site_id, transfer.agent_id)
            }
            if not here or not self._presence.is_available(transfer.agent_id):
                self.fail(call, transfer, "away")
            elif self._registry.is_busy(transfer.agent_id):
                self.fail(call, transfer, "busy")

    def _stop(self, call: ActiveCall) -> None:
        """The call is over."""
        if call.transfer:
            self._stop_ringing(call, call.transfer, str(call.record.reason))

    def _stop_ringing(self, call: ActiveCall, transfer: Transfer, reason: str) -> None:
        stopped = signaling.RingStopped(call_id=call.id, reason=reason)
        for socket_id in transfer.ringing_at:
            self._registry.send_to_socket(socket_id, stopped)
        transfer.ringing_at.clear()

    def _limit(self, call: ActiveCall, transfer: Transfer, seconds: float, reason: str) -> None:
        self._registry.set_timer(
            call, _TRANSFER, seconds, lambda: self.fail(call, transfer, reason)
        )

    def _tell_failed(self, call: ActiveCall, participant: Participant, reason: str) -> None:
        self._registry.send(participant, signaling.TransferFailed(call_id=call.id, reason=reason))
