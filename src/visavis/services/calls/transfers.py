"""Transfers of a call to another agent. The first bridge stays until the second one works."""

from __future__ import annotations

from typing import Final

from visavis.domain.call import CONNECT_SECONDS, HANG_UP, RING_SECONDS, CallState, EndReason
from visavis.domain.call_events import CallEventName
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import Side
from visavis.protocol import signaling
from visavis.services.calls.active_call import ActiveCall, Participant, PendingTransfer
from visavis.services.calls.bridges import Bridges
from visavis.services.calls.distribution import ring_message
from visavis.services.calls.recording_control import recording_message
from visavis.services.calls.registry import CallRegistry
from visavis.services.calls.text import clean_text
from visavis.services.presence import AgentPresence, AgentSession

_TRANSFER: Final = "transfer"


class Transfers:
    def __init__(self, registry: CallRegistry, presence: AgentPresence, bridges: Bridges) -> None:
        self._registry = registry
        self._presence = presence
        self._bridges = bridges
        bridges.handed_over = self._hand_over
        registry.end_listeners.append(self._stop_at_end)
        registry.change_listeners.append(self._fail_if_unavailable)

    def start(
        self, call: ActiveCall, participant: Participant, agent_id: int, note: str = ""
    ) -> None:
        """Ring another agent; raises `CallNotPossible`."""
        if (
            call.record.state is not CallState.CONNECTED
            or call.transfer
            or participant is not call.agent
        ):
            raise VisavisError(ErrorKind.CallNotPossible, "The call cannot be transferred now.")
        if participant.agent_id == agent_id:
            raise VisavisError(
                ErrorKind.ParameterInvalid, "PendingTransfer the call to another agent."
            )
        agent_sessions = {
            d.socket_id: d for d in self._presence.sessions_of_agent(call.site_id, agent_id)
        }
        if not agent_sessions or not self._presence.is_available(agent_id):
            self._send_failed(call, participant, "away")
        elif self._registry.is_busy(agent_id):
            self._send_failed(call, participant, "busy")
        else:
            transfer = call.transfer = PendingTransfer(
                agent_id, agent_sessions, note=clean_text(note)
            )
            self._set_timer(call, transfer, RING_SECONDS, "missed")
            for socket_id in agent_sessions:
                ring = ring_message(call, transferred_by=participant.agent_name, note=transfer.note)
                self._registry.send_to_socket(socket_id, ring)

    def find_ringing_at(
        self, call: ActiveCall, agent_session: AgentSession
    ) -> PendingTransfer | None:
        """Return the transfer that rings at the session, if any."""
        transfer = call.transfer
        return transfer if transfer and agent_session.socket_id in transfer.ringing_at else None

    def accept(
        self, call: ActiveCall, transfer: PendingTransfer, agent_session: AgentSession
    ) -> None:
        """Accept the transfer: connect the visitor with the second agent too."""
        participant = transfer.participant = Participant(
            Side.AGENT, agent_session.socket_id, agent_session.agent
        )
        self._registry.add_participant(call, participant)
        self._stop_ringing(call, transfer, "accepted")
        self._set_timer(call, transfer, CONNECT_SECONDS, "failed")
        self._registry.send(
            participant, call.state_message(CallState.ACCEPTED, self._registry.now())
        )
        self._bridges.start(call)
        self._registry.notify_changed(call.site_id)

    def fail(self, call: ActiveCall, transfer: PendingTransfer, reason: str) -> None:
        """End the transfer; the call stays with the first agent."""
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
        self._send_failed(call, call.agent, reason)
        if call.record.state is CallState.RECONNECTING:
            self._bridges.replace(call)
        self._registry.notify_changed(call.site_id)

    def release_first_agent(self, call: ActiveCall, participant: Participant) -> None:
        """Let the first agent leave while the second one is being connected."""
        call.agent = None
        self._send_transferred(call, participant)

    def _hand_over(self, call: ActiveCall, participant: Participant) -> None:
        """Complete the transfer: the second bridge carries media."""
        first, call.agent, call.record.agent = call.agent, participant, participant.agent
        call.transfer = None
        self._registry.cancel_timer(call, _TRANSFER)
        data = {"agentName": participant.agent_name, "agentId": participant.agent_id}
        self._registry.record_event(call, CallEventName.TRANSFERRED, by="agent", **data)
        if first:
            self._send_transferred(call, first)
        call.with_video.discard(Side.AGENT)
        self._registry.send_state(call)
        self._registry.send(participant, recording_message(call))
        self._registry.send(participant, call.transcript())
        self._registry.notify_changed(call.site_id)

    def _send_transferred(self, call: ActiveCall, participant: Participant) -> None:
        ended = signaling.Ended(call_id=call.id, reason=EndReason.TRANSFERRED, by="agent")
        self._registry.send(participant, ended)
        self._registry.remove_participant(call, participant)

    def _fail_if_unavailable(self, site_id: int) -> None:
        """End transfers whose second agent has left or is in another call."""
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

    def _stop_at_end(self, call: ActiveCall) -> None:
        """Stop ringing the second agent when the call ends."""
        if call.transfer:
            self._stop_ringing(call, call.transfer, str(call.record.reason))

    def _stop_ringing(self, call: ActiveCall, transfer: PendingTransfer, reason: str) -> None:
        stopped = signaling.RingStopped(call_id=call.id, reason=reason)
        for socket_id in transfer.ringing_at:
            self._registry.send_to_socket(socket_id, stopped)
        transfer.ringing_at.clear()

    def _set_timer(
        self, call: ActiveCall, transfer: PendingTransfer, seconds: float, reason: str
    ) -> None:
        self._registry.set_timer(
            call, _TRANSFER, seconds, lambda: self.fail(call, transfer, reason)
        )

    def _send_failed(self, call: ActiveCall, participant: Participant, reason: str) -> None:
        self._registry.send(participant, signaling.TransferFailed(call_id=call.id, reason=reason))
