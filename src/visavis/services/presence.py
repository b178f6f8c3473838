"""Presence of agents: their open consoles, and whether calls may ring there."""

from __future__ import annotations

from dataclasses import dataclass, field

from visavis.domain.people import Agent, Permission


@dataclass(frozen=True, slots=True)
class AgentSession:
    """An open page of an agent, identified by its socket. An agent can have several.

    `call_id` is the only call to which the holder of a join link is admitted, empty without a link.
    """

    socket_id: str
    agent: Agent
    call_id: str = ""
    may_accept_calls: bool = field(init=False)

    def __post_init__(self) -> None:
        may_accept = self.agent.may(Permission.ACCEPT_CALLS)
        # Computed once, because every message needs it.
        object.__setattr__(self, "may_accept_calls", may_accept)


class AgentPresence:
    """Open sessions of the agents who may accept calls, by site, and the agents who are away."""

    def __init__(self) -> None:
        self._sessions: dict[int, dict[int, dict[str, AgentSession]]] = {}
        self._away: set[int] = set()

    def add(self, session: AgentSession) -> None:
        of_site = self._sessions.setdefault(session.agent.site_id, {})
        of_site.setdefault(session.agent.id, {})[session.socket_id] = session

    def remove(self, session: AgentSession) -> None:
        of_site = self._sessions.get(session.agent.site_id, {})
        of_agent = of_site.get(session.agent.id, {})
        of_agent.pop(session.socket_id, None)
        if not of_agent:
            of_site.pop(session.agent.id, None)
        if not of_site:
            self._sessions.pop(session.agent.site_id, None)

    def forget(self, site_id: int) -> None:
        """Forget the sessions of a site, which another process knows now."""
        self._sessions.pop(site_id, None)

    def sessions(self, site_id: int) -> tuple[AgentSession, ...]:
        of_site = self._sessions.get(site_id, {})
        return tuple(session for of_agent in of_site.values() for session in of_agent.values())

    def sessions_of_agent(self, site_id: int, agent_id: int) -> tuple[AgentSession, ...]:
        return tuple(self._sessions.get(site_id, {}).get(agent_id, {}).values())

    def is_available(self, agent_id: int) -> bool:
        return agent_id not in self._away

    def set_available(self, agent_id: int, *, is_available: bool) -> None:
        if is_available:
            self._away.discard(agent_id)
        else:
            self._away.add(agent_id)
