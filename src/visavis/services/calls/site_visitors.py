"""Visitors browsing a site's pages, and their invitations into a call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.people import Visitor
from visavis.protocol import signaling
from visavis.protocol.signaling import PageVisitor
from visavis.services.calls.registry import CallRegistry
from visavis.services.calls.text import clean_line
from visavis.services.presence import AgentPresence, AgentSession

INVITATION_SECONDS: Final = 120.0
MAX_LISTED: Final = 100


@dataclass(frozen=True, slots=True)
class Invitation:
    """An agent's invitation of a visitor; a new one replaces the last."""

    id: str
    agent_session: AgentSession


class SiteVisitors:
    def __init__(self, registry: CallRegistry, presence: AgentPresence) -> None:
        self._registry = registry
        self._presence = presence
        self._present: dict[int, dict[str, PageVisitor]] = {}
        self._sources: dict[str, str] = {}
        self._invitations: dict[str, Invitation] = {}

    def update(self, visitor: Visitor, message: signaling.Here) -> None:
        known = self._present.setdefault(visitor.site_id, {})
        before = known.get(visitor.id)
        known[visitor.id] = PageVisitor(
            visitor_id=visitor.id,
            name=clean_line(message.name),
            page=clean_line(message.page),
            since=before.since if before else self._registry.now(),
        )
        self._sources[visitor.id] = visitor.source

    def remove(self, visitor: Visitor) -> None:
        known = self._present.get(visitor.site_id, {})
        known.pop(visitor.id, None)
        self._sources.pop(visitor.id, None)
        if not known:
            self._present.pop(visitor.site_id, None)
        self._invitations.pop(visitor.id, None)

    def invite(self, agent_session: AgentSession, message: signaling.Invite) -> None:
        """Invite the visitor; raises `EntityNotFound` if they have left or are in a call."""
        site_id, visitor_id = agent_session.agent.site_id, message.visitor_id
        is_here = visitor_id in self._present.get(site_id, {})
        if not is_here or self._registry.participant_at(visitor_id):
            raise VisavisError(ErrorKind.EntityNotFound, "That visitor is no longer on the page.")
        invitation = Invitation(self._registry.new_id(), agent_session)
        self._invitations[visitor_id] = invitation
        self._registry.schedule(INVITATION_SECONDS, lambda: self._forget(visitor_id, invitation))
        self._registry.send_to_socket(
            visitor_id,
            signaling.Invited(
                invitation=invitation.id, agent_name=agent_session.agent.name, media=message.media
            ),
        )

    def redeem(self, visitor_id: str, invitation_id: str) -> AgentSession | None:
        """Return a console of the agent who invited the visitor.

        `None` if the invitation has expired or the agent has no console open.
        """
        invitation = self._invitations.get(visitor_id)
        if invitation is None or invitation.id != invitation_id:
            return None
        del self._invitations[visitor_id]
        agent = invitation.agent_session.agent
        agent_sessions = self._presence.sessions_of_agent(agent.site_id, agent.id)
        return (
            invitation.agent_session
            if invitation.agent_session in agent_sessions
            else next(iter(agent_sessions), None)
        )

    def list_available(self, site_id: int) -> signaling.Visitors:
        """List the visitors who could be invited, the latest first.

        If there are more than fit, one page of each network comes before the second of any, so
        that many pages of one network do not hide the others.
        """
        free = list(self._free(site_id))
        listed = free if len(free) <= MAX_LISTED else self._fairest(free)
        return signaling.Visitors(visitors=listed, count=len(free))

    def _fairest(self, free: list[PageVisitor]) -> list[PageVisitor]:
        ranks: Counter[str] = Counter()
        ranked: list[tuple[int, int, PageVisitor]] = []
        for index, visitor in enumerate(free):
            source = self._sources[visitor.visitor_id]
            ranked.append((ranks[source] if source else 0, index, visitor))
            ranks[source] += 1
        ranked.sort()
        return [visitor for *_, visitor in ranked[:MAX_LISTED]]

    def _free(self, site_id: int) -> Iterator[PageVisitor]:
        for visitor in reversed(self._present.get(site_id, {}).values()):
            if not self._registry.participant_at(visitor.visitor_id):
                yield visitor

    def _forget(self, visitor_id: str, invitation: Invitation) -> None:
        if self._invitations.get(visitor_id) is invitation:
            del self._invitations[visitor_id]
