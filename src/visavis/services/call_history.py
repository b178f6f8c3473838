"""Call history for programs and pages: list, get, end and create calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from visavis.domain.call_events import CallReport
from visavis.domain.call_history import CallSearch, PastCall
from visavis.domain.errors import ErrorCode, VisavisError
from visavis.domain.people import Agent, Permission
from visavis.domain.vocabulary import Media
from visavis.services.calls.join_links import CallWithJoinLinks
from visavis.services.ports import Store, Transaction


@dataclass(frozen=True, slots=True)
class CallPage:
    """One page of a site's calls, newest first, and the number of all calls."""

    total: int
    calls: Sequence[PastCall]


class CallCreator(Protocol):
    """The calls in progress, as programs use them."""

    async def create(
        self, agent: Agent, media: Media, name: str, email: str
    ) -> CallWithJoinLinks: ...
    async def end(self, site_id: int, call_id: str) -> None: ...


class CallHistory:
    def __init__(self, store: Store, calls: CallCreator) -> None:
        self._store = store
        self._calls = calls

    async def list_page(self, agent: Agent, search: CallSearch, index: int, size: int) -> CallPage:
        """Return the page `index`, counted from 1."""

        def work(rows: Transaction) -> CallPage:
            calls = rows.calls.list_page(agent.site_id, search, size, (index - 1) * size)
            return CallPage(rows.calls.count(agent.site_id, search), calls)

        return await self._store.read(work)

    async def get(self, agent: Agent, call_id: str) -> tuple[PastCall, CallReport]:
        """Return a call and its report; raises `EntityNotFound`."""

        def work(rows: Transaction) -> tuple[PastCall | None, CallReport | None]:
            return rows.calls.get(agent.site_id, call_id), rows.calls.report(agent.site_id, call_id)

        call, report = await self._store.read(work)
        if call is None or report is None:
            raise VisavisError(ErrorCode.CallUnknown)
        return call, report

    async def end(self, agent: Agent, call_id: str) -> tuple[PastCall, CallReport]:
        """End a call; return it and its report.

        Raises `EntityNotFound`, `CallNotPossible` if it has already ended.
        """
        await self.get(agent, call_id)
        await self._calls.end(agent.site_id, call_id)
        return await self.get(agent, call_id)

    async def make(
        self, agent: Agent, media: Media, name: str, email: str, agent_id: int | None
    ) -> tuple[PastCall, CallWithJoinLinks]:
        """Create a call between a visitor and the agent `agent_id`, by default `agent`.

        Raises `AudioVideoChatDisabled`, and `ParameterInvalid` if `agent_id` is not an agent who
        may accept calls.
        """
        whose = agent if agent_id is None else await self._colleague(agent.site_id, agent_id)
        created = await self._calls.create(whose, media, name, email)
        call, _ = await self.get(agent, created.call_id)
        return call, created

    async def _colleague(self, site_id: int, agent_id: int) -> Agent:
        result = await self._store.read(lambda rows: rows.agents.get(site_id, agent_id))
        if result is None or result.is_disabled or not result.may(Permission.ACCEPT_CALLS):
            raise VisavisError(ErrorCode.AgentMayNotAccept)
        return result
