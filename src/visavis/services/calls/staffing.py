"""Staffing of sites: without an agent on duty, visitors are not put into a queue."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from visavis.domain.call import CallTrigger
from visavis.services.calls.active_call import Timer
from visavis.services.calls.registry import CallRegistry
from visavis.services.presence import AgentPresence

GRACE_SECONDS: Final = 30.0
"""Consoles that are loaded again, or connect again, do not make a site unstaffed."""


class Staffing:
    """Sites with an available agent, including agents in a call.

    `announce` informs a site's open pages when this changes.
    """

    def __init__(
        self,
        registry: CallRegistry,
        presence: AgentPresence,
        announce: Callable[[int], Awaitable[None]],
    ) -> None:
        self._registry = registry
        self._presence = presence
        self._announce = announce
        self._staffed: set[int] = set()
        self._leaving: dict[int, Timer] = {}
        registry.change_listeners.append(self._update)

    def is_staffed(self, site_id: int) -> bool:
        return site_id in self._staffed

    def _update(self, site_id: int) -> None:
        if self._is_somebody_here(site_id):
            if timer := self._leaving.pop(site_id, None):
                timer.cancel()
            if site_id not in self._staffed:
                self._staffed.add(site_id)
                self._announce_later(site_id)
        elif site_id in self._staffed and site_id not in self._leaving:
            self._leaving[site_id] = self._registry.schedule(
                GRACE_SECONDS, lambda: self._last_agent_left(site_id)
            )

    def _is_somebody_here(self, site_id: int) -> bool:
        is_talking = any(call.agent for call in self._registry.list_by_site(site_id))
        return is_talking or bool(self._presence.list_available(site_id))

    def _last_agent_left(self, site_id: int) -> None:
        """End the waiting calls, whose visitors may leave a message: the last agent is gone."""
        del self._leaving[site_id]
        self._staffed.discard(site_id)
        with self._registry.batch_changes():
            for call in self._registry.list_by_site(site_id):
                if call.is_waiting and call.reserved_for is None:
                    self._registry.end(call, CallTrigger.NOBODY_ON_DUTY)
        self._announce_later(site_id)

    def _announce_later(self, site_id: int) -> None:
        self._registry.run_task(self._announce_change(site_id))

    async def _announce_change(self, site_id: int) -> None:
        await self._announce(site_id)
