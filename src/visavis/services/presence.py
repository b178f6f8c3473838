"""Presence of agents: their open consoles, and whether calls may ring there."""

from __future__ import annotations

from dataclasses import dataclass

from visavis.domain.people import Agent


@dataclass(frozen=True, slots=True)
class AgentSession:
    """An agent's open page, identified by its socket. An agent can have several.

    `call_id` is the one call that a join link admits its holder to.
    """

    socket_id: str
    agent: Agent
    call_id: str = ""


class AgentPresence:
    """The sessions of each site's agents who may accept calls, and who of them is away."""

    def __init__(self) -> None:
        self._agent_sessions: dict[int, dict[str, AgentSession]] = {}
        self._away: set[int] = set()

    def add(self, agent_session: AgentSession) -> None:
        self._agent_sessions.setdefault(agent_session.agent.site_id, {})[
            agent_session.socket_id
        ] = agent_session

    def remove(self, agent_session: AgentSession) -> None:
        agent_sessions = self._agent_sessions.get(agent_session.agent.site_id, {})
        agent_sessions.pop(agent_session.socket_id, None)
        if not agent_sessions:
            self._agent_sessions.pop(agent_session.agent.site_id, None)

    def sessions(self, site_id: int) -> tuple[AgentSession, ...]:
        return tuple(self._agent_sessions.get(site_id, {}).values())

    def sessions_of_agent(self, site_id: int, agent_id: int) -> tuple[AgentSession, ...]:
        return tuple(
            agent_session
            for agent_session in self.sessions(site_id)
            if agent_session.agent.id == agent_id
        )

    def is_available(self, agent_id: int) -> bool:
        return agent_id not in self._away

    def set_available(self, agent_id: int, *, is_available: bool) -> None:
        if is_available:
            self._away.discard(agent_id)
        else:
            self._away.add(agent_id)

    def list_available(self, site_id: int) -> dict[int, list[AgentSession]]:
        """Return the sessions where calls may ring, by their agents' ids."""
        agent_sessions: dict[int, list[AgentSession]] = {}
        for agent_session in self.sessions(site_id):
            if self.is_available(agent_session.agent.id):
                agent_sessions.setdefault(agent_session.agent.id, []).append(agent_session)
        return agent_sessions
