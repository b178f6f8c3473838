"""Feed of all consoles of a site: team, queue, visitors, and changes of past calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal

from visavis.domain.call.call import Call
from visavis.protocol import signaling
from visavis.services.ports import Bus
from visavis.services.presence import AgentPresence
from visavis.services.topics import consoles_topic

MAX_LISTED: Final = 100


class ConsoleFeed:
    """Sends messages to all consoles of the site, except repetitions of the last one of a type."""

    def __init__(self, site_id: int, bus: Bus, node_id: str) -> None:
        self._topic = consoles_topic(site_id, node_id)
        self._bus = bus
        self._sent: dict[type, signaling.ToAgent] = {}

    def send(self, messages: Iterable[signaling.ToAgent]) -> None:
        for message in messages:
            if self._sent.get(type(message)) != message:
                self._sent[type(message)] = message
                self._bus.publish(self._topic, message)

    def forget(self) -> None:
        """Forget the last messages, since no console is open; the next ones are all sent."""
        self._sent.clear()


def team(presence: AgentPresence, site_id: int, busy: Iterable[int]) -> signaling.Team:
    """Return the agents who have a console open, with their availability."""
    agents = {session.agent.id: session.agent for session in presence.sessions(site_id)}
    in_call = set(busy)

    def state_of(agent_id: int) -> Literal["available", "busy", "away"]:
        if agent_id in in_call:
            return "busy"
        return "available" if presence.is_available(agent_id) else "away"

    members = [
        signaling.TeamMember(agent_id=agent.id, name=agent.name, state=state_of(agent.id))
        for agent in agents.values()
    ]
    return signaling.Team(members=sorted(members, key=lambda one: (one.name, one.agent_id)))


def queue(calls: Sequence[Call]) -> signaling.Queue:
    """Return the first `MAX_LISTED` of the queued calls."""
    return signaling.Queue(
        calls=[
            signaling.Waiting(
                call_id=call.id,
                visitor_name=call.record.visitor.name,
                media=call.record.media,
                since=call.record.requested_at,
            )
            for call in calls[:MAX_LISTED]
        ]
    )
