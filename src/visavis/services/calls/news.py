"""News for every console of a site: the team, the queue, the visitors, changes of past calls.

However much happens, each is told at most once a second, in one message for all the consoles.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Final, Literal

import msgspec

from visavis.domain import signaling
from visavis.domain.signaling import TeamMember, Waiting
from visavis.services.calls.lobby import Lobby
from visavis.services.calls.registry import CallRegistry
from visavis.services.calls.ringing import Ringing
from visavis.services.ports import Bus
from visavis.services.presence import Desk, Presence
from visavis.services.topics import consoles_topic

EVERY_SECONDS: Final = 1.0
SOON_SECONDS: Final = 0.05
MAX_WAITING_TOLD: Final = 100


class News:
    def __init__(
        self, bus: Bus, registry: CallRegistry, presence: Presence, ringing: Ringing, lobby: Lobby
    ) -> None:
        self._bus = bus
        self._registry = registry
        self._presence = presence
        self._ringing = ringing
        self._lobby = lobby
        self._told: dict[int, dict[str, bytes]] = {}
        self._told_at: dict[int, datetime] = {}
        self._due: set[int] = set()
        self._revisions: dict[int, int] = {}
        registry.change_listeners.append(self.changed)
        registry.call_log.change_listeners.append(self._past_calls_changed)

    def changed(self, site_id: int) -> None:
        """Tell the site's pages soon, if there is anything new for them."""
        if site_id in self._due:
            return
        self._due.add(site_id)
        told_at, wait = self._told_at.get(site_id), SOON_SECONDS
        if told_at:
            elapsed = (self._registry.now() - told_at).total_seconds()
            wait = max(SOON_SECONDS, EVERY_SECONDS - max(0.0, elapsed))
        self._registry.schedule(wait, lambda: self._tell(site_id))

    def tell_all(self, desk: Desk) -> None:
        """Everything, for a console that has just opened."""
        for message in self._messages(desk.agent.site_id):
            self._registry.send_to_socket(desk.socket_id, message)

    def _past_calls_changed(self, site_id: int) -> None:
        self._revisions[site_id] = self._revisions.get(site_id, 0) + 1
        self.changed(site_id)

    def _tell(self, site_id: int) -> None:
        self._due.discard(site_id)
        self._ringing.tell_places(site_id)
        if not self._presence.desks(site_id):
            self._told.pop(site_id, None)
            self._told_at.pop(site_id, None)
            return
        self._told_at[site_id] = self._registry.now()
        told = self._told.setdefault(site_id, {})
        for message in self._messages(site_id):
            name, encoded = type(message).__name__, msgspec.json.encode(message)
            if told.get(name) != encoded:
                told[name] = encoded
                self._bus.publish(consoles_topic(site_id), encoded)

    def _messages(
        self, site_id: int
    ) -> Iterator[signaling.Team | signaling.Queue | signaling.Visitors | signaling.PastCalls]:
        yield signaling.Team(members=self._team(site_id))
        queue = islice(self._ringing.queue(site_id), MAX_WAITING_TOLD)
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
        yield self._lobby.visitors(site_id)
        yield signaling.PastCalls(revision=self._revisions.get(site_id, 0))

    def _team(self, site_id: int) -> list[TeamMember]:
        agents = {desk.agent.id: desk.agent for desk in self._presence.desks(site_id)}
        members = [
            TeamMember(agent_id=agent.id, name=agent.name, state=self._state(agent.id))
            for agent in agents.values()
        ]
        return sorted(members, key=lambda member: (member.name, member.agent_id))

    def _state(self, agent_id: int) -> Literal["available", "busy", "away"]:
        if self._registry.is_busy(agent_id):
            return "busy"
        return "available" if self._presence.is_available(agent_id) else "away"
