"""Visitors on a site's pages, and invitations of them into a call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from visavis.domain.errors import ErrorCode, VisavisError
from visavis.domain.people import Visitor
from visavis.domain.text import clean_line
from visavis.protocol import signaling
from visavis.protocol.signaling import PageVisitor
from visavis.services.ports import Clock
from visavis.services.presence import AgentSession

INVITATION_SECONDS: Final = 120.0
MAX_LISTED: Final = 100


@dataclass(frozen=True, slots=True)
class Invitation:
    """An agent's invitation of a visitor. A visitor has at most one, the latest."""

    id: str
    agent_session: AgentSession


class SiteVisitors:
    """Visitors with a page of the site open. `is_in_call` says whether a socket is in a call."""

    def __init__(self, clock: Clock, is_in_call: Callable[[str], bool]) -> None:
        self._now = clock
        self._is_in_call = is_in_call
        self._present: dict[str, PageVisitor] = {}
        self._sources: dict[str, str] = {}
        self._invitations: dict[str, Invitation] = {}

    def update(self, visitor: Visitor, message: signaling.Here) -> None:
        before = self._present.get(visitor.id)
        self._present[visitor.id] = PageVisitor(
            visitor_id=visitor.id,
            name=clean_line(message.name),
            page=clean_line(message.page),
            since=before.since if before else self._now(),
        )
        self._sources[visitor.id] = visitor.source

    def remove(self, visitor_id: str) -> None:
        for index in (self._present, self._sources, self._invitations):
            index.pop(visitor_id, None)

    def invite(self, visitor_id: str, invitation: Invitation) -> None:
        """Store an invitation; raises `EntityNotFound` if the visitor has left or is in a call."""
        if visitor_id not in self._present or self._is_in_call(visitor_id):
            raise VisavisError(ErrorCode.VisitorGone)
        self._invitations[visitor_id] = invitation

    def redeem(self, visitor_id: str, invitation_id: str) -> AgentSession | None:
        """Return the session of the agent who sent the invitation; `None` if it has expired."""
        invitation = self._invitations.get(visitor_id)
        if invitation is None or invitation.id != invitation_id:
            return None
        del self._invitations[visitor_id]
        return invitation.agent_session

    def expire(self, visitor_id: str, invitation: Invitation) -> None:
        if self._invitations.get(visitor_id) is invitation:
            del self._invitations[visitor_id]

    def list_available(self) -> signaling.Visitors:
        """List the visitors who can be invited, the latest first.

        If there are more than `MAX_LISTED`, one page of each network comes before the second page
        of any network, so that many pages of one network do not hide the others.
        """
        free = [
            visitor
            for visitor in reversed(self._present.values())
            if not self._is_in_call(visitor.visitor_id)
        ]
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
