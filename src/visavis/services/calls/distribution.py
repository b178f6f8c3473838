"""Call distribution: rings waiting calls at free agents and queues the others.

A site rings at most as many calls at once as it has free agents, each at all their sessions, in
order of rank and then of arrival; the other calls are queued.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from visavis.domain.call import QUEUE_SECONDS, RING_SECONDS, CallState, CallTrigger
from visavis.domain.people import Agent
from visavis.protocol import signaling
from visavis.services.calls.active_call import ActiveCall
from visavis.services.calls.bridges import Bridges
from visavis.services.calls.registry import CallRegistry
from visavis.services.presence import AgentPresence, AgentSession


class CallDistribution:
    def __init__(self, registry: CallRegistry, presence: AgentPresence, bridges: Bridges) -> None:
        self._registry = registry
        self._presence = presence
        self._bridges = bridges
        registry.end_listeners.append(lambda call: self.stop_ringing(call, str(call.record.reason)))
        registry.change_listeners.append(self.distribute)

    def distribute(self, site_id: int) -> None:
        """Ring and queue the calls of a site. Called after everything that may change this."""
        on_duty = self._presence.list_available(site_id)
        free = {
            a: agent_sessions
            for a, agent_sessions in on_duty.items()
            if not self._registry.is_busy(a)
        }
        everybody = _by_socket(free.values())
        room = len(free)
        for call in self._waiting(site_id):
            agent_sessions = _sessions_for(call, free, everybody) if room else {}
            if agent_sessions:
                room -= 1
                self._ring(call, agent_sessions)
            elif _is_declined(call, on_duty):
                self._registry.end(call, CallTrigger.EVERYBODY_DECLINED)
                return  # the end has distributed the other calls already
            else:
                self._queue(call)

    def decline(self, agent_session: AgentSession, call: ActiveCall) -> None:
        call.declined.add(agent_session.agent.id)
        self._stop_ringing_at(
            call, _of_agent(call.ringing_at.values(), agent_session.agent), "declined"
        )
        self.distribute(call.site_id)

    def stop_ringing(self, call: ActiveCall, reason: str) -> None:
        self._stop_ringing_at(call, list(call.ringing_at.values()), reason)

    def send_queue_places(self, site_id: int) -> None:
        """Send the waiting visitors their places in the queue, where those have changed."""
        for place, call in enumerate(self.queue(site_id), start=1):
            if call.place != place:
                call.place = place
                self._registry.send(call.visitor, signaling.Queued(call_id=call.id, place=place))

    def queue(self, site_id: int) -> Iterator[ActiveCall]:
        """Yield the queued calls by rank, and within a rank by arrival."""
        for call in self._in_order(site_id):
            if call.record.state is CallState.QUEUED:
                yield call

    def _waiting(self, site_id: int) -> Iterator[ActiveCall]:
        """Yield the calls to ring. A call whose visitor is disconnected only keeps its place."""
        for call in self._in_order(site_id):
            if call.is_waiting and call.reserved_for is None and call.visitor.is_open:
                yield call

    def _in_order(self, site_id: int) -> list[ActiveCall]:
        return sorted(self._registry.list_by_site(site_id), key=lambda call: call.rank)

    def _ring(self, call: ActiveCall, agent_sessions: Mapping[str, AgentSession]) -> None:
        if call.record.state is not CallState.RINGING:
            call.place = 0
            self._registry.apply(call, CallTrigger.RING)
            self._registry.end_after(call, RING_SECONDS, CallTrigger.RING_TIME_OUT)
            self._registry.run_task(self._bridges.connect_visitor(call))
        if call.ringing_at.keys() == agent_sessions.keys():
            return
        self._stop_ringing_at(
            call, [d for s, d in call.ringing_at.items() if s not in agent_sessions], "busy"
        )
        for socket_id, agent_session in agent_sessions.items():
            if socket_id not in call.ringing_at:
                call.ringing_at[socket_id] = agent_session
                self._registry.send_to_socket(socket_id, ring_message(call))

    def _queue(self, call: ActiveCall) -> None:
        if call.record.state is CallState.QUEUED:
            return
        self.stop_ringing(call, "busy")
        self._registry.apply(call, CallTrigger.NOBODY_FREE)
        self._registry.end_after(call, QUEUE_SECONDS, CallTrigger.QUEUE_TIME_OUT)
        call.place = next(n for n, c in enumerate(self.queue(call.site_id), 1) if c is call)
        self._registry.send(call.visitor, signaling.Queued(call_id=call.id, place=call.place))

    def _stop_ringing_at(
        self, call: ActiveCall, agent_sessions: list[AgentSession], reason: str
    ) -> None:
        for agent_session in agent_sessions:
            del call.ringing_at[agent_session.socket_id]
            stopped = signaling.RingStopped(call_id=call.id, reason=reason)
            self._registry.send_to_socket(agent_session.socket_id, stopped)


def ring_message(call: ActiveCall, transferred_by: str = "", note: str = "") -> signaling.Ring:
    record = call.record
    return signaling.Ring(
        call_id=call.id,
        media=record.media,
        visitor_name=record.visitor.name,
        is_recorded=record.is_recorded,
        since=record.requested_at,
        visitor_email=record.visitor.email,
        transferred_by=transferred_by,
        note=note,
    )


def _sessions_for(
    call: ActiveCall, free: Mapping[int, list[AgentSession]], everybody: Mapping[str, AgentSession]
) -> Mapping[str, AgentSession]:
    if not call.declined:
        return everybody
    return _by_socket(
        agent_sessions for agent, agent_sessions in free.items() if agent not in call.declined
    )


def _by_socket(groups: Iterable[list[AgentSession]]) -> dict[str, AgentSession]:
    return {
        agent_session.socket_id: agent_session
        for agent_sessions in groups
        for agent_session in agent_sessions
    }


def _of_agent(agent_sessions: Iterable[AgentSession], agent: Agent) -> list[AgentSession]:
    return [agent_session for agent_session in agent_sessions if agent_session.agent.id == agent.id]


def _is_declined(call: ActiveCall, on_duty: dict[int, list[AgentSession]]) -> bool:
    """Whether every agent on duty has declined the call."""
    has_rung = call.record.allows(CallTrigger.EVERYBODY_DECLINED) and bool(call.declined)
    return has_rung and call.declined >= on_duty.keys()
