"""The two signalling sockets: they authenticate pages and pass messages to the services."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket, WebSocketDisconnect

from visavis.domain.changes import ChangeSet
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.people import Agent, Visitor
from visavis.protocol import signaling
from visavis.services.calls import Calls
from visavis.services.calls.join_links import JoinLink
from visavis.services.ports import Bus
from visavis.services.presence import AgentSession
from visavis.services.topics import CONFIG_TOPIC, CONSOLES_TOPIC, SOCKET_TOPIC
from visavis.services.visitor_limits import VisitorGuard
from visavis.web.errors import problem
from visavis.web.open_sockets import OpenSockets
from visavis.web.request import header
from visavis.web.socket_loop import run_socket, send
from visavis.web.source import source_of

POLICY_VIOLATION: Final = 1008  # RFC 6455 §7.4.1
RIGHTS_SECONDS: Final = 60.0
"""A session that expires is noticed within this time; a revocation is noticed at once."""
_REVOKED: Final = {ErrorKind.Unauthorized, ErrorKind.PermissionDenied}
_FINAL: Final = _REVOKED | {ErrorKind.EntityNotFound}
"""Errors that a page would receive again if it reconnected."""
_NUMBER: Final = re.compile(r"[0-9]{1,9}", re.ASCII)


class _Console:
    """An open console: its session as it was authenticated last, and whether that still holds."""

    def __init__(self, session: AgentSession) -> None:
        self.session = session
        self.is_authenticated = False
        self.revocations = 0
        self.check = asyncio.Event()


class Sockets:
    """The signalling endpoints over the calls of this node."""

    def __init__(
        self,
        *,
        calls: Calls,
        bus: Bus,
        availability_of: Callable[[int], Awaitable[signaling.Availability]],
        ice_servers: signaling.IceServers,
        ice_seconds: float,
        has_site: Callable[[int], Awaitable[bool]],
        signed_in: Callable[[HTTPConnection], Awaitable[Agent]],
        active_agent: Callable[[int, int], Awaitable[Agent]],
        is_same_origin: Callable[[HTTPConnection], bool],
        new_id: Callable[[], str],
        guard: VisitorGuard,
        open_sockets: OpenSockets,
    ) -> None:
        self._calls = calls
        self._bus = bus
        self._availability_of = availability_of
        self._ice_servers = ice_servers
        self._ice_seconds = ice_seconds
        self._has_site = has_site
        self._signed_in = signed_in
        self._active_agent = active_agent
        self._is_same_origin = is_same_origin
        self._new_id = new_id
        self._guard = guard
        self._open_sockets = open_sockets
        self._consoles: set[_Console] = set()

    def check_rights(self, changes: ChangeSet) -> None:
        """Authenticate the open consoles of the agents whose rights have changed again."""
        for console in self._consoles:
            agent = console.session.agent
            if changes.concerns_agent(agent.site_id, agent.id):
                console.is_authenticated = False
                console.revocations += 1
                console.check.set()

    async def visitor(self, socket: WebSocket) -> None:
        with suppress(WebSocketDisconnect):  # the page has gone before it was greeted
            await self._admit_visitor(socket)

    async def _admit_visitor(self, socket: WebSocket) -> None:
        try:
            visitor = await self._visitor(socket)
            place = self._open_sockets.reserve(visitor.source, visitor.site_id)
        except VisavisError as error:
            await _refuse(socket, error)
            return
        with place:
            await self._serve_visitor(socket, visitor)

    async def _serve_visitor(self, socket: WebSocket, visitor: Visitor) -> None:

        async def perform(message: signaling.FromVisitor) -> None:
            await self._calls.from_visitor(visitor, message)

        topics = f"{SOCKET_TOPIC}{visitor.id}", f"{CONFIG_TOPIC}{visitor.site_id}"
        async with self._bus.subscribe(*topics) as inbox:
            await socket.accept()
            await self._greet(socket, visitor.site_id)
            try:
                with self._renewing(visitor.id):
                    await run_socket(
                        socket,
                        inbox,
                        signaling.FromVisitor | signaling.Check,
                        perform,
                        lambda: self._calls.is_in_call(visitor.id),
                    )
            finally:
                self._calls.visitor_left(visitor)

    async def agent(self, socket: WebSocket) -> None:
        with suppress(WebSocketDisconnect):  # the page has gone before it was greeted
            await self._admit_agent(socket)

    async def _admit_agent(self, socket: WebSocket) -> None:
        try:
            place = self._open_sockets.reserve(source_of(socket.scope))
        except VisavisError as error:
            await _refuse(socket, error)
            return
        with place:
            try:
                agent_session = await self._agent_session(socket, self._new_id())
            except VisavisError as error:
                await _refuse(socket, error)
                return
            await self._serve_agent(socket, agent_session)

    async def _serve_agent(self, socket: WebSocket, agent_session: AgentSession) -> None:
        console = _Console(agent_session)

        async def perform(message: signaling.FromAgent) -> None:
            # Permissions can end while the page is open. Leaving a call is always allowed.
            if not (console.is_authenticated or isinstance(message, signaling.HangUp)):
                await self._authenticate(socket, console)
            await self._calls.from_agent(console.session, message)

        site_id, socket_id = agent_session.agent.site_id, agent_session.socket_id
        topics = [f"{SOCKET_TOPIC}{socket_id}", f"{CONFIG_TOPIC}{site_id}"]
        if agent_session.may_accept_calls and not agent_session.call_id:
            topics.append(f"{CONSOLES_TOPIC}{site_id}")
        async with self._bus.subscribe(*topics) as inbox:
            await socket.accept()
            await send(socket, await self._calls.welcome(agent_session))
            await self._greet(socket, site_id)
            self._calls.agent_arrived(agent_session)
            try:
                with self._renewing(socket_id):
                    await run_socket(
                        socket,
                        inbox,
                        signaling.FromAgent | signaling.Check,
                        perform,
                        lambda: self._calls.is_in_call(socket_id),
                        self._until_revoked(socket, console),
                    )
            finally:
                self._calls.agent_left(agent_session)

    async def _visitor(self, socket: WebSocket) -> Visitor:
        """Return the visitor of a join link or of a site; raises `EntityNotFound`."""
        source = source_of(socket.scope)
        if token := socket.query_params.get("join"):
            join_link = self._join_link(token, source)
            if join_link.agent is None:
                call_id = join_link.call_id
                return Visitor(self._new_id(), join_link.site_id, call_id=call_id, source=source)
        site = socket.query_params.get("site", "")
        if not _NUMBER.fullmatch(site) or not await self._has_site(int(site)):
            raise VisavisError(ErrorKind.EntityNotFound, "There is no such site.")
        return Visitor(self._new_id(), int(site), source=source)

    def _join_link(self, token: str, source: str) -> JoinLink:
        """Raises `EntityNotFound` for an unknown join link, `TooManyRequests` for many of them."""
        self._guard.require_join(source)
        try:
            return self._calls.find_join_link(token)
        except VisavisError:
            self._guard.count_unknown_join(source)
            raise

    async def _agent_session(self, socket: WebSocket, socket_id: str) -> AgentSession:
        """Raises `Unauthorized`, `EntityNotFound`, and `PermissionDenied` to strangers' pages."""
        if not self._is_same_origin(socket):
            raise VisavisError(ErrorKind.PermissionDenied, "Open the console on its own address.")
        if token := socket.query_params.get("join"):
            join_link = self._join_link(token, source_of(socket.scope))
            if join_link.agent:
                agent = await self._active_agent(join_link.site_id, join_link.agent.id)
                return AgentSession(socket_id, agent, join_link.call_id)
        return AgentSession(socket_id, await self._signed_in(socket))

    async def _authenticate(self, socket: WebSocket, console: _Console) -> None:
        """Authenticate a console again; raises as `_agent_session`."""
        console.is_authenticated = False
        revocations = console.revocations
        console.session = await self._agent_session(socket, console.session.socket_id)
        # after a revocation in the meantime it is authenticated once more
        console.is_authenticated = revocations == console.revocations

    async def _until_revoked(self, socket: WebSocket, console: _Console) -> None:
        """Return once the agent is no longer admitted, unavailable and out of their call."""
        console.check.set()  # the permissions may have ended since the agent was admitted
        self._consoles.add(console)
        admitted = console.session
        try:
            while not await self._is_revoked(socket, console, admitted):
                with suppress(TimeoutError):
                    await asyncio.wait_for(console.check.wait(), RIGHTS_SECONDS)
                console.check.clear()  # before asking, for the same reason
        finally:
            self._consoles.discard(console)
        self._calls.revoke(admitted)
        await socket.close(POLICY_VIOLATION, "Sign in again.")

    async def _is_revoked(
        self, socket: WebSocket, console: _Console, admitted: AgentSession
    ) -> bool:
        try:
            await self._authenticate(socket, console)
        except VisavisError as error:
            return error.kind in _REVOKED
        return console.session.may_accept_calls != admitted.may_accept_calls

    async def _greet(self, socket: WebSocket, site_id: int) -> None:
        await send(socket, await self._availability_of(site_id))
        await send(socket, self._ice_servers)

    @contextmanager
    def _renewing(self, socket_id: str) -> Iterator[None]:
        """Give the page of a call credentials for TURN again before its own expire."""
        later = asyncio.get_running_loop().call_later

        def renew() -> None:
            self._calls.renew_relays(socket_id)
            timers[0] = later(self._ice_seconds, renew)

        timers = [later(self._ice_seconds, renew)]
        try:
            yield
        finally:
            timers[0].cancel()


async def _refuse(socket: WebSocket, error: VisavisError) -> None:
    """Refuse the handshake with a problem document, as any other request is refused.

    A browser hides that answer from its page. A page that will never be let in (it sends
    `Origin`, RFC 6455 §4.1) therefore gets an open socket, which is closed with the sentence.
    """
    if error.kind in _FINAL and header(socket.scope, b"origin"):
        await socket.accept()
        await socket.close(POLICY_VIOLATION, error.message)
        return
    is_limited = error.kind is ErrorKind.TooManyRequests
    headers = {"Retry-After": "60"} if is_limited else {}
    answer = problem(HTTPConnection(socket.scope), error, headers)
    await socket.send_denial_response(answer)
