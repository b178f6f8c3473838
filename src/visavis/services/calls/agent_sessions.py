"""Sessions of agents: open and close a console, accept or decline a call."""

from __future__ import annotations

from typing import Final

from visavis.domain.call import CONNECT_SECONDS, LEAVE, CallTrigger, next_state
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import Side
from visavis.domain.people import Permission
from visavis.domain.vocabulary import Media
from visavis.protocol import signaling
from visavis.services.calls.active_call import ActiveCall, Participant
from visavis.services.calls.bridges import Bridges
from visavis.services.calls.console_feed import ConsoleFeed
from visavis.services.calls.distribution import CallDistribution
from visavis.services.calls.in_call import InCallRequests, mine_message
from visavis.services.calls.registry import CallRegistry
from visavis.services.calls.transfers import Transfers
from visavis.services.ports import Store
from visavis.services.presence import AgentPresence, AgentSession

_CONNECT: Final = "connect"


class AgentSessions:
    def __init__(
        self,
        registry: CallRegistry,
        presence: AgentPresence,
        distribution: CallDistribution,
        bridges: Bridges,
        transfers: Transfers,
        in_call: InCallRequests,
        console_feed: ConsoleFeed,
        store: Store,
    ) -> None:
        self._registry = registry
        self._presence = presence
        self._distribution = distribution
        self._bridges = bridges
        self._transfers = transfers
        self._in_call = in_call
        self._console_feed = console_feed
        self._store = store

    async def welcome(self, agent_session: AgentSession) -> signaling.Welcome:
        agent = agent_session.agent
        if not self._presence.sessions_of_agent(agent.site_id, agent.id):
            is_away = await self._store.read(
                lambda rows: rows.agents.is_away(agent.site_id, agent.id)
            )
            self._presence.set_available(agent.id, is_available=not is_away)
        return signaling.Welcome(
            agent_name=agent.name,
            site_id=agent.site_id,
            may_accept_calls=agent.may(Permission.ACCEPT_CALLS),
            agent_id=agent.id,
            is_available=self._presence.is_available(agent.id),
            now=self._registry.now(),
        )

    def open(self, agent_session: AgentSession) -> None:
        """Register the session; calls that are ringing ring here too."""
        if agent_session.agent.may(Permission.ACCEPT_CALLS):
            self._presence.add(agent_session)
            self._console_feed.send_everything(agent_session)
            self._registry.notify_changed(agent_session.agent.site_id)

    def close(self, agent_session: AgentSession) -> None:
        """Handle a closed page; its call waits for it to reconnect."""
        self._presence.remove(agent_session)
        if current := self._registry.participant_at(agent_session.socket_id):
            self._disconnect(*current)
        self._registry.notify_changed(agent_session.agent.site_id)

    def revoke(self, agent_session: AgentSession) -> None:
        self._presence.remove(agent_session)
        if current := self._registry.participant_at(agent_session.socket_id):
            self._in_call.hang_up(*current)
        self._registry.notify_changed(agent_session.agent.site_id)

    async def set_available(self, agent_session: AgentSession, *, is_available: bool) -> None:
        """Save it and tell all the agent's consoles; raises `StoreUnavailable`."""
        agent = agent_session.agent
        await self._store.write(
            lambda rows: rows.agents.set_away(agent.site_id, agent.id, is_away=not is_available)
        )
        self._presence.set_available(agent.id, is_available=is_available)
        for open_session in self._presence.sessions_of_agent(agent.site_id, agent.id):
            presence = signaling.Presence(is_available=is_available)
            self._registry.send_to_socket(open_session.socket_id, presence)
        self._registry.notify_changed(agent.site_id)

    async def accept(self, agent_session: AgentSession, message: signaling.Accept) -> None:
        """Take a ringing call; raises `CallNotPossible` when another agent was first."""
        call = self._registry.find(agent_session.agent.site_id, message.call_id)
        if self._registry.is_busy(agent_session.agent.id):
            raise VisavisError(ErrorKind.CallNotPossible, "Hang up your other call first.")
        if transfer := self._transfers.find_ringing_at(call, agent_session):
            self._transfers.accept(call, transfer, agent_session)
        elif call.reserved_for:
            raise VisavisError(ErrorKind.PermissionDenied, "That call is for another agent.")
        else:
            await self._bridges.connect_agent(
                call, self._seat_agent(call, agent_session, message.media)
            )

    def assign(self, call: ActiveCall, agent_session: AgentSession) -> None:
        """Connect the call to this session at once."""
        self._registry.apply(call, CallTrigger.RING)
        participant = self._seat_agent(call, agent_session, call.record.media)
        self._registry.run_task(self._bridges.connect_agent(call, participant))

    def decline(self, agent_session: AgentSession, call_id: str) -> None:
        call = self._registry.find(agent_session.agent.site_id, call_id)
        if transfer := self._transfers.find_ringing_at(call, agent_session):
            self._transfers.fail(call, transfer, "declined")
        else:
            self._distribution.decline(agent_session, call)

    def resume(self, agent_session: AgentSession, message: signaling.Resume) -> None:
        call = self._registry.find(agent_session.agent.site_id, message.call_id)
        participant = call.participant_of_agent(agent_session.agent.id)
        if participant is None:
            raise VisavisError(ErrorKind.PermissionDenied, "This is not your call.")
        self._in_call.require_no_other_call(call, agent_session.socket_id)
        self._in_call.resume(
            call, participant, agent_session.socket_id, has_media=message.has_media
        )

    def _disconnect(self, call: ActiveCall, participant: Participant) -> None:
        if call.transfer and participant is call.transfer.participant:
            self._transfers.fail(call, call.transfer, "away")
        else:
            self._registry.disconnect(
                call, participant, lambda: self._registry.end(call, LEAVE[Side.AGENT])
            )

    def _seat_agent(
        self, call: ActiveCall, agent_session: AgentSession, media: Media
    ) -> Participant:
        """Raises `CallNotPossible`, and nothing has changed, if the call does not ring."""
        next_state(call.record.state, CallTrigger.ACCEPT)
        agent = call.record.agent = agent_session.agent
        participant = call.agent = Participant(Side.AGENT, agent_session.socket_id, agent)
        self._registry.add_participant(call, participant)
        if call.reserved_for or agent_session.socket_id not in call.ringing_at:
            self._registry.send(participant, mine_message(call))
        data = {"agentName": agent.name, "agentId": agent.id, "media": media}
        self._registry.apply(call, CallTrigger.ACCEPT, by="agent", **data)
        self._distribution.stop_ringing(call, "accepted")
        self._registry.set_timer(
            call,
            _CONNECT,
            CONNECT_SECONDS,
            lambda: self._registry.end(call, CallTrigger.CONNECT_TIME_OUT),
        )
        self._registry.notify_changed(call.site_id)
        return participant
