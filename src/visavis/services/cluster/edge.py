"""The calls as the node of a page sees them: it asks the owner of the page's site.

Every site has one owner, a node that applies the requests of all pages of that site in one order.
If that is this node, requests go straight to its calls. Otherwise they pass the bus. A page has one
request in progress, which is repeated with the same number until there is an answer: the owner
performs it once. While the owner restarts or the site changes hands, requests wait. A page whose
site has another owner than before has to connect again, as after a restart of its own node.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Protocol

from visavis.domain.errors import ErrorCode, ErrorKind, VisavisError
from visavis.domain.people import Agent, Visitor
from visavis.domain.vocabulary import Media
from visavis.protocol import cluster, signaling
from visavis.services.calls.join_links import CallWithJoinLinks, JoinLink, site_of
from visavis.services.ports import AskError, Bus, SiteOwners
from visavis.services.presence import AgentSession
from visavis.services.topics import OWNER_TOPIC
from visavis.tasks import spawn

ASK_SECONDS: Final = 0.7
"""Time after which a request is repeated."""
PATIENCE_SECONDS: Final = 10.0
"""Time for which a request waits for the owner of its site."""
PAUSE_SECONDS: Final = 0.1
SEARCH_PAUSE_SECONDS: Final = 0.3
"""Pause before the owner of a site is looked for again, since each time reads the database."""
ALIVE_SECONDS: Final = 1.0
MAX_WAITING: Final = 16
"""Maximum number of requests of a page that wait for the one in progress."""

_UNAVAILABLE: Final = "The site's node is not responding: try again in a moment."


class LocalCalls(Protocol):
    """The calls of the sites that this node owns (`services.calls.Calls`)."""

    async def from_visitor(self, visitor: Visitor, message: signaling.FromVisitor) -> None: ...
    def visitor_left(self, visitor: Visitor) -> None: ...
    async def welcome(self, agent_session: AgentSession) -> signaling.Welcome: ...
    def agent_arrived(self, agent_session: AgentSession) -> None: ...
    def agent_left(self, agent_session: AgentSession) -> None: ...
    def revoke(self, agent_session: AgentSession) -> None: ...
    async def from_agent(
        self, agent_session: AgentSession, message: signaling.FromAgent
    ) -> None: ...
    def is_in_call(self, socket_id: str) -> bool: ...
    def renew_relays(self, socket_id: str) -> None: ...
    async def create(
        self, agent: Agent, media: Media, name: str, email: str
    ) -> CallWithJoinLinks: ...
    async def end(self, site_id: int, call_id: str) -> None: ...
    def is_staffed(self, site_id: int) -> bool: ...
    def find_join_link(self, token: str, source: str = "") -> JoinLink: ...


class _MovedError(Exception):
    """The page has to connect again; its request gets no answer."""


@dataclass(slots=True)
class _Page:
    """A page of this node at the owner of its site, or a single request of a program.

    `session` is that of this node at the owner, empty before the first answer.
    """

    socket_id: str
    site_id: int
    owner: str
    session: str = ""
    number: int = 0
    is_in_call: bool = False
    is_busy: bool = False
    has_moved: bool = False
    is_sent_on: bool = False
    waiting: list[tuple[cluster.AnyOwnerRequest, asyncio.Future[cluster.RequestDone]]] = field(
        default_factory=list
    )
    watcher: asyncio.Future[None] | None = None

    def follow(self, owner: str, session: str) -> None:
        """Take note of the site's owner, and of this node's session there unless it is empty."""
        if self.session and (owner, session or self.session) != (self.owner, self.session):
            self.move()
        self.owner, self.session = owner, session or self.session

    def move(self) -> None:
        """Let the page connect again, since its site has another owner."""
        self.has_moved = True
        self.close()

    def send_on(self) -> None:
        """Let the page connect again, at another node."""
        self.is_sent_on = True
        self.close()

    def close(self) -> None:
        """Let the page's socket be closed."""
        if self.watcher and not self.watcher.done():
            self.watcher.set_result(None)


class Edge:
    """The calls of all sites of the cluster, for the pages of this node and for programs.

    `calls` are those of the sites that this node owns. `staffing_changed` is called with a site of
    another owner that is staffed now, or no longer. `has_site` says whether there is a site.
    `settled` waits until this process knows which sites it owns, and raises `StoreUnavailable`;
    `None` for a node that is alone.
    """

    def __init__(
        self,
        *,
        calls: LocalCalls,
        bus: Bus,
        owners: SiteOwners,
        node_id: str,
        new_id: Callable[[], str],
        staffing_changed: Callable[[int], Awaitable[None]],
        has_site: Callable[[int], Awaitable[bool]],
        settled: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._calls = calls
        self._bus = bus
        self._owners = owners
        self._node_id = node_id
        self._boot = new_id()
        self._new_id = new_id
        self._staffing_changed = staffing_changed
        self._has_site = has_site
        self._settled = settled
        self._pages: dict[str, _Page] = {}
        self._sites: dict[int, dict[str, _Page]] = {}
        self._staffed: dict[int, bool] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # Pages

    async def arrive(self, socket_id: str, site_id: int) -> str:
        """Return the owner of the site of a page that has connected; raises `StoreUnavailable`."""
        await self.learn_staffing(site_id)
        return (await self._page(socket_id, site_id)).owner

    async def from_visitor(self, visitor: Visitor, message: signaling.FromVisitor) -> None:
        page = await self._page(visitor.id, visitor.site_id)
        if await self._is_performed_here(page):
            await self._calls.from_visitor(visitor, message)
        else:
            await self._request(page, cluster.VisitorMessage(visitor, message))

    def visitor_left(self, visitor: Visitor) -> None:
        page = self._remove(visitor.id)
        if page is None or page.has_moved:
            return
        if self._is_ours(page):
            self._calls.visitor_left(visitor)
        else:
            self._send(page, cluster.VisitorLeft(visitor))

    async def welcome(self, agent_session: AgentSession) -> signaling.Welcome:
        page = await self._page(agent_session.socket_id, agent_session.agent.site_id)
        if await self._is_performed_here(page):
            return await self._calls.welcome(agent_session)
        answer = await self._request(page, cluster.AgentWelcome(_session(agent_session)))
        return cluster.result_of(answer, signaling.Welcome)

    def agent_arrived(self, agent_session: AgentSession) -> None:
        page = self._pages[agent_session.socket_id]
        if self._is_ours(page):
            self._calls.agent_arrived(agent_session)
        else:
            self._send(page, cluster.AgentArrived(_session(agent_session)))

    def agent_left(self, agent_session: AgentSession) -> None:
        page = self._remove(agent_session.socket_id)
        if page is None or page.has_moved:
            return
        if self._is_ours(page):
            self._calls.agent_left(agent_session)
        else:
            self._send(page, cluster.AgentLeft(_session(agent_session)))

    def revoke(self, agent_session: AgentSession) -> None:
        page = self._pages.get(agent_session.socket_id)
        if page and self._is_ours(page):
            self._calls.revoke(agent_session)
        elif page:
            self._send(page, cluster.AgentRevoked(_session(agent_session)))

    async def from_agent(self, agent_session: AgentSession, message: signaling.FromAgent) -> None:
        page = await self._page(agent_session.socket_id, agent_session.agent.site_id)
        if await self._is_performed_here(page):
            await self._calls.from_agent(agent_session, message)
        else:
            await self._request(page, cluster.AgentMessage(_session(agent_session), message))

    def is_in_call(self, socket_id: str) -> bool:
        page = self._pages.get(socket_id)
        if page is None:
            return False
        return self._calls.is_in_call(socket_id) if self._is_ours(page) else page.is_in_call

    def renew_relays(self, socket_id: str) -> None:
        page = self._pages.get(socket_id)
        if page and self._is_ours(page):
            self._calls.renew_relays(socket_id)
        elif page and page.is_in_call:
            self._send(page, cluster.RelaysExpire(socket_id))

    async def until_moved(self, socket_id: str, site_id: int) -> None:
        """Return when a page has to connect again.

        Its site has another owner, or this node is drained.
        """
        page = await self._page(socket_id, site_id)
        if not (page.has_moved or page.is_sent_on):
            page.watcher = asyncio.get_running_loop().create_future()
            await page.watcher

    @property
    def page_count(self) -> int:
        """Number of the open pages of this node."""
        return len(self._pages)

    @property
    def page_ids(self) -> Collection[str]:
        """Socket ids of the open pages of this node."""
        return tuple(self._pages)

    def send_on(self, socket_id: str) -> None:
        """Let a page connect again, at another node, unless it has left."""
        if page := self._pages.get(socket_id):
            page.send_on()

    def site_lost(self, site_id: int) -> None:
        """Let the pages of a site connect again that this node no longer owns."""
        for page in self._sites.get(site_id, {}).values():
            if self._is_ours(page):
                page.move()

    # Programs

    async def create(self, agent: Agent, media: Media, name: str, email: str) -> CallWithJoinLinks:
        page = await self._program(agent.site_id)
        if self._is_ours(page):
            return await self._calls.create(agent, media, name, email)
        answer = await self._ask(page, cluster.CreateCall(agent, media, name, email))
        return cluster.result_of(answer, CallWithJoinLinks)

    async def end(self, site_id: int, call_id: str) -> None:
        page = await self._program(site_id)
        if self._is_ours(page):
            await self._calls.end(site_id, call_id)
        else:
            await self._ask(page, cluster.EndCall(call_id))

    async def find_join_link(self, token: str, source: str = "") -> JoinLink:
        """Return the join link of a token; raises as `Calls.find_join_link`."""
        site_id = site_of(token)
        if not site_id or self._owners.owns(site_id) or not await self._has_site(site_id):
            return self._calls.find_join_link(token, source)
        page = await self._program(site_id)
        if self._is_ours(page):
            return self._calls.find_join_link(token, source)
        answer = await self._ask(page, cluster.FindJoinLink(token, source))
        return cluster.result_of(answer, JoinLink)

    # Staffing

    def is_staffed(self, site_id: int) -> bool:
        """Whether an agent is on duty at a site, as the owner has said last."""
        if self._owners.owns(site_id):
            return self._calls.is_staffed(site_id)
        return self._staffed.get(site_id, True)

    async def learn_staffing(self, site_id: int) -> None:
        """Ask the owner of a site whose state is not known yet."""
        owner = await self._find_owner(site_id)
        if owner != self._node_id and site_id not in self._staffed:
            await self._show_life(owner, [site_id])

    # Owners

    async def run(self) -> None:
        """Tell the owners of the sites of this node's pages that it is there, until cancelled."""
        while True:
            await self.show_life()
            await asyncio.sleep(ALIVE_SECONDS)

    async def show_life(self) -> None:
        """Tell each owner, and learn from it; pages of sites that have moved connect again."""
        sites = defaultdict[str, list[int]](list)
        for site_id in list(self._sites):
            with suppress(VisavisError):  # it is not known now
                sites[await self._owners.owner_of(site_id)].append(site_id)
        for owner, owned in sites.items():
            for site_id in owned:
                for page in self._sites.get(site_id, {}).values():
                    page.follow(owner, "")
        sites.pop(self._node_id, None)
        await asyncio.gather(*(self._show_life(*item) for item in sites.items()))
        for site_id in self._staffed.keys() - self._sites.keys():
            del self._staffed[site_id]

    async def _show_life(self, owner: str, sites: list[int]) -> None:
        sign = cluster.encode(cluster.NodeAlive(self._node_id, self._boot, tuple(sites)))
        try:
            answer = await self._bus.ask(f"{OWNER_TOPIC}{owner}", sign, ASK_SECONDS)
        except AskError:
            for site_id in sites:
                self._owners.forget(site_id)
            return
        alive = cluster.decode_owner_alive(answer)
        in_call, staffed = set(alive.in_call), set(alive.staffed)
        for page in self._pages.values():
            if page.owner == owner:
                page.is_in_call = page.socket_id in in_call
                if page.session:
                    page.follow(owner, alive.session)
        for site_id in alive.moved:
            self._owners.forget(site_id)
        for site_id in set(sites).difference(alive.moved):
            before, now = self._staffed.get(site_id), site_id in staffed
            self._staffed[site_id] = now
            if before not in {None, now}:
                await self._staffing_changed(site_id)

    # Requests

    def _is_ours(self, page: _Page) -> bool:
        return page.owner == self._node_id

    async def _is_performed_here(self, page: _Page) -> bool:
        """Whether this node performs the requests of a page, once it knows that it still may.

        If it may no longer, the page has to connect again, and its request gets no answer.
        """
        if page.owner != self._node_id:
            return False
        if self._settled:
            await self._settled()
            if page.has_moved:
                await asyncio.get_running_loop().create_future()
        return True

    async def _page(self, socket_id: str, site_id: int) -> _Page:
        if page := self._pages.get(socket_id):
            return page
        owner = await self._find_owner(site_id)
        page = self._pages.get(socket_id)
        if page is None:
            # a site of this node that is lost and taken again has forgotten its pages, too
            session = self._boot if owner == self._node_id else ""
            page = self._pages[socket_id] = _Page(socket_id, site_id, owner, session)
            self._sites.setdefault(site_id, {})[socket_id] = page
        return page

    async def _find_owner(self, site_id: int) -> str:
        """Return the owner of a site as soon as there is one; raises `StoreUnavailable`."""
        clock = asyncio.get_running_loop().time
        until = clock() + PATIENCE_SECONDS
        while True:
            try:
                return await self._owners.owner_of(site_id)
            except VisavisError:
                if clock() > until:
                    raise
            await asyncio.sleep(SEARCH_PAUSE_SECONDS)

    async def _program(self, site_id: int) -> _Page:
        owner = await self._find_owner(site_id)
        return _Page(f"{self._node_id}-{self._new_id()}", site_id, owner)

    def _remove(self, socket_id: str) -> _Page | None:
        page = self._pages.pop(socket_id, None)
        if page:
            of_site = self._sites[page.site_id]
            del of_site[socket_id]
            if not of_site:
                del self._sites[page.site_id]
        return page

    async def _request(self, page: _Page, request: cluster.AnyOwnerRequest) -> cluster.RequestDone:
        """Perform a request after those that wait; raises `VisavisError`."""
        return await self._send(page, request)

    def _send(
        self, page: _Page, request: cluster.AnyOwnerRequest
    ) -> asyncio.Future[cluster.RequestDone]:
        answer: asyncio.Future[cluster.RequestDone] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())
        if len(page.waiting) >= MAX_WAITING:
            answer.set_exception(VisavisError(ErrorKind.TooManyRequests))
            return answer
        page.waiting.append((request, answer))
        if not page.is_busy:
            page.is_busy = True
            task = spawn("requests of a page", self._serve(page))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return answer

    async def _serve(self, page: _Page) -> None:
        """Perform the waiting requests of a page, one after the other."""
        try:
            while page.waiting and not page.has_moved:
                request, answer = page.waiting.pop(0)
                await self._settle(page, request, answer)
        finally:
            page.is_busy = False
            if not page.has_moved:
                for _, answer in page.waiting:  # the task has failed
                    _fail(answer)
                page.waiting.clear()

    async def _settle(
        self,
        page: _Page,
        request: cluster.AnyOwnerRequest,
        answer: asyncio.Future[cluster.RequestDone],
    ) -> None:
        try:
            result = await self._ask(page, request)
        except VisavisError as error:
            if not answer.done():
                answer.set_exception(error)
        except _MovedError:
            # the page's socket is about to be closed, and with it what waits for the answer, but
            # nothing watches a console that has not been welcomed
            if isinstance(request, cluster.AgentWelcome) and not answer.done():
                answer.set_exception(VisavisError(ErrorKind.StoreUnavailable, _UNAVAILABLE))
        else:
            if not answer.done():
                answer.set_result(result)
        finally:
            if not page.has_moved:
                _fail(answer)

    async def _ask(self, page: _Page, request: cluster.AnyOwnerRequest) -> cluster.RequestDone:
        """Ask until there is an answer; raises `VisavisError`, or `_MovedError` for a page."""
        page.number += 1
        ask = cluster.Ask(
            self._node_id, self._boot, page.socket_id, page.number, page.site_id, request
        )
        message, clock = cluster.encode(ask), asyncio.get_running_loop().time
        until = clock() + PATIENCE_SECONDS
        while clock() < until:
            answer = await self._try_to_ask(page, message)
            if page.has_moved:
                break
            match answer:
                case cluster.RequestDone():
                    return answer
                case cluster.RequestRefused():
                    raise _error_of(answer)
                case _:
                    await asyncio.sleep(PAUSE_SECONDS)
        if page.socket_id in self._pages:
            page.move()
            raise _MovedError
        raise VisavisError(ErrorKind.StoreUnavailable, _UNAVAILABLE)

    async def _try_to_ask(self, page: _Page, message: bytes) -> cluster.Answer | None:
        try:
            encoded = await self._bus.ask(f"{OWNER_TOPIC}{page.owner}", message, ASK_SECONDS)
        except AskError:
            answer = None
        else:
            answer = cluster.decode_answer(encoded)
        if isinstance(answer, cluster.RequestDone | cluster.RequestRefused):
            page.follow(page.owner, answer.session)
            return answer
        self._owners.forget(page.site_id)
        with suppress(VisavisError):  # no owner is known now
            page.follow(await self._owners.owner_of(page.site_id), "")
        is_forgotten = answer is not None and page.session
        if page.socket_id in self._pages and (is_forgotten or self._is_ours(page)):
            page.move()
        return None

    async def wait_idle(self) -> None:
        """Wait until no request is in progress."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)


def _fail(answer: asyncio.Future[cluster.RequestDone]) -> None:
    """Let those who wait for an answer know that there will be none."""
    if not answer.done():
        answer.set_exception(VisavisError(ErrorKind.InternalError))


def _session(agent_session: AgentSession) -> cluster.Session:
    return cluster.Session(agent_session.socket_id, agent_session.agent, agent_session.call_id)


def _error_of(refused: cluster.RequestRefused) -> VisavisError:
    """Return the error of a refusal; one that only a newer version knows is of its kind."""
    known: ErrorKind | ErrorCode = ErrorKind.InternalError
    if refused.code in ErrorCode.__members__:
        known = ErrorCode[refused.code]
    elif refused.kind in ErrorKind.__members__:
        known = ErrorKind[refused.kind]
    return VisavisError(known, refused.message, pointer=refused.pointer, **refused.parameters)
