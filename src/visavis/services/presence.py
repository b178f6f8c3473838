"""Which agents are at their desks, and whether calls may ring there."""

from __future__ import annotations

from dataclasses import dataclass

from visavis.domain.people import Agent


@dataclass(frozen=True, slots=True)
class Desk:
    """An agent's open page, known by its socket. An agent can sit at several.

    `call_id` is the one call that a join address admits its bearer to.
    """

    socket_id: str
    agent: Agent
    call_id: str = ""


class Presence:
    """The desks of each site whose agents may take calls. Who is away stays so until told."""

    def __init__(self) -> None:
        self._desks: dict[int, dict[str, Desk]] = {}
        self._away: set[int] = set()

    def arrive(self, desk: Desk) -> None:
        self._desks.setdefault(desk.agent.site_id, {})[desk.socket_id] = desk

    def leave(self, desk: Desk) -> None:
        desks = self._desks.get(desk.agent.site_id, {})
        desks.pop(desk.socket_id, None)
        if not desks:
            self._desks.pop(desk.agent.site_id, None)

    def desks(self, site_id: int) -> tuple[Desk, ...]:
        return tuple(self._desks.get(site_id, {}).values())

    def desks_of(self, site_id: int, agent_id: int) -> tuple[Desk, ...]:
        return tuple(desk for desk in self.desks(site_id) if desk.agent.id == agent_id)

    def is_available(self, agent_id: int) -> bool:
        return agent_id not in self._away

    def set_available(self, agent_id: int, *, is_available: bool) -> None:
        if is_available:
            self._away.discard(agent_id)
        else:
            self._away.add(agent_id)

    def available(self, site_id: int) -> dict[int, list[Desk]]:
        """The desks where calls may ring, by their agents' ids."""
        desks: dict[int, list[Desk]] = {}
        for desk in self.desks(site_id):
            if self.is_available(desk.agent.id):
                desks.setdefault(desk.agent.id, []).append(desk)
        return desks
