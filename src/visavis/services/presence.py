"""Which agents are at their desks."""

from __future__ import annotations

from dataclasses import dataclass

from visavis.domain.people import Agent, Permission


@dataclass(frozen=True, slots=True)
class Desk:
    """An agent's open console page, known by its socket. An agent can sit at several."""

    socket_id: str
    agent: Agent


class Presence:
    """The desks of each site whose agents may take calls."""

    def __init__(self) -> None:
        self._desks: dict[int, dict[str, Desk]] = {}

    def arrive(self, desk: Desk) -> None:
        if desk.agent.may(Permission.ACCEPT_CALLS):
            self._desks.setdefault(desk.agent.site_id, {})[desk.socket_id] = desk

    def leave(self, desk: Desk) -> None:
        desks = self._desks.get(desk.agent.site_id, {})
        desks.pop(desk.socket_id, None)
        if not desks:
            self._desks.pop(desk.agent.site_id, None)

    def desks(self, site_id: int) -> tuple[Desk, ...]:
        return tuple(self._desks.get(site_id, {}).values())
