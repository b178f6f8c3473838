"""Feed of every console of a site: the team, the queue, the visitors, changes of past calls.

Each of these is sent at most once a second, in one message for all consoles of the site.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Final, Literal

import msgspec

from visavis.protocol import signaling
from visavis.protocol.signaling import TeamMember, Waiting
from visavis.services.calls.distribution import CallDistribution
from visavis.services.calls.registry import CallRegistry
from visavis.services.calls.site_visitors import SiteVisitors
from visavis.services.ports import Bus
from visavis.services.presence import AgentPresence, AgentSession
from visavis.services.topics import consoles_topic

EVERY_SECONDS: Final = 1.0
SOON_SECONDS: Final = 0.05
MAX_LISTED: Final = 100


class ConsoleFeed:
    def __init__(
        self,
        bus: Bus,
        registry: CallRegistry,
        presence: AgentPresence,
        distribution: CallDistribution,
        site_visitors: SiteVisitors,
    ) -> None:
        self._bus = bus
        self._registry = registry
        self._presence = presence
        self._distribution = distribution
        self._site_visitors = site_visitors
        self._sent: dict[int, dict[str, bytes]] = {}
        self._sent_at: dict[int, datetime] = {}
        self._due: set[int] = set()
        self._revisions: dict[int, int] = {}
        registry.change_listeners.append(self.schedule_update)
        registry.call_log.change_listeners.append(self._past_calls_changed)

    def schedule_update(self, site_id: int) -> None:
        """Send the site's consoles what has changed, within a second."""
        if site_id in self._due:
            return
        self._due.add(site_id)
        sent_at, wait = self._sent_at.get(site_id), SOON_SECONDS
        if sent_at:
            elapsed = (self._registry.now() - sent_at).total_seconds()
            wait = max(SOON_SECONDS, EVERY_SECONDS - max(0.0, elapsed))
        self._registry.schedule(wait, lambda: self._send_changes(site_id))

    def send_everything(self, agent_session: AgentSession) -> None:
        """Send everything to a console that has just opened."""
        for message in self._messages(agent_session.agent.site_id):
            self._registry.send_to_socket(agent_session.socket_id, message)

    def _past_calls_changed(self, site_id: int) -> None:
        self._revisions[site_id] = self._revisions.get(site_id, 0) + 1
        self.schedule_update(site_id)

    def _send_changes(self, site_id: int) -> None:
        self._due.discard(site_id)
        self._distribution.send_queue_places(site_id)
        if not self._presence.sessions(site_id):
            self._sent.pop(site_id, None)
            self._sent_at.pop(site_id, None)
            return
        self._sent_at[site_id] = self._registry.now()
        sent = self._sent.setdefault(site_id, {})
        for message in self._messages(site_id):
            name, encoded = type(message).__name__, msgspec.json.encode(message)
            if sent.get(name) != encoded:
                sent[name] = encoded
                self._bus.publish(consoles_topic(site_id), encoded)

    def _messages(
        self, site_id: int
    ) -> Iterator[signaling.Team | signaling.Queue | signaling.Visitors | signaling.PastCalls]:
        yield signaling.Team(members=self._team(site_id))
        queue = islice(self._distribution.queue(site_id), MAX_LISTED)
        yield signaling.Queue(
            calls=[
                Waiting(
                    call_id=call.id,
                    visitor_name=call.record.visitor.name,
                    media=call.record.media,
                    since=call.record.requested_at,
                )
                for call in queue
            ]
        )
        yield self._site_visitors.list_available(site_id)
        yield signaling.PastCalls(revision=self._revisions.get(site_id, 0))

    def _team(self, site_id: int) -> list[TeamMember]:
        agents = {
            agent_session.agent.id: agent_session.agent
            for agent_session in self._presence.sessions(site_id)
        }
        members = [
            TeamMember(agent_id=agent.id, name=agent.name, state=self._state(agent.id))
            for agent in agents.values()
        ]
        return sorted(members, key=lambda member: (member.name, member.agent_id))

    def _state(self, agent_id: int) -> Literal["available", "busy", "away"]:
        if self._registry.is_busy(agent_id):
            return "busy"
        return "available" if self._presence.is_available(agent_id) else "away"
