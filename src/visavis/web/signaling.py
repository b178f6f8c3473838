"""The two signalling sockets: they pass the messages of pages to the services, and back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

from visavis.domain.changes import ChangeSet
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.people import Visitor
from visavis.protocol import signaling
from visavis.services.cluster.edge import Edge
from visavis.services.ports import Bus
from visavis.services.presence import AgentSession
from visavis.services.topics import CONFIG_TOPIC, SOCKET_TOPIC, consoles_topic
from visavis.web.authentication import AdmittedAgent, AdmittedVisitor
from visavis.web.errors import POLICY_VIOLATION, refuse_socket
from visavis.web.open_sockets import OpenSockets
from visavis.web.socket_loop import run_socket, send
from visavis.web.source import source_of

RIGHTS_SECONDS: Final = 60.0
"""A session that expires is noticed within this time; a revocation is noticed at once."""
SERVICE_RESTART: Final = 1012
"""Close code after which a page connects again (IANA's registry of close codes)."""
_REVOKED: Final = {ErrorKind.Unauthorized, ErrorKind.PermissionDenied}


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
        calls: Edge,
        bus: Bus,
        availability_of: Callable[[int], Awaitable[signaling.Availability]],
        ice_servers: signaling.IceServers,
        ice_seconds: float,
        admit: Callable[[HTTPConnection], Awaitable[AdmittedAgent]],
        new_id: Callable[[], str],
        open_sockets: OpenSockets,
        may_move: bool = False,
    ) -> None:
        """`admit` authenticates an agent's socket again, as the gate of its route did.

        `may_move` says that the calls of a site can move to another node.
        """
        self._calls = calls
        self._bus = bus
        self._availability_of = availability_of
        self._ice_servers = ice_servers
        self._ice_seconds = ice_seconds
        self._admit = admit
        self._new_id = new_id
        self._open_sockets = open_sockets
        self._may_move = may_move
        self._consoles: set[_Console] = set()

    def check_rights(self, changes: ChangeSet) -> None:
        """Authenticate the open consoles of the agents whose rights have changed again."""
        for console in self._consoles:
            agent = console.session.agent
            if changes.concerns_agent(agent.site_id, agent.id):
                console.is_authenticated = False
                console.revocations += 1
                console.check.set()

    async def visitor(self, socket: WebSocket, admitted: AdmittedVisitor) -> None:
        site_id, call_id, source = admitted
        visitor = Visitor(self._new_id(), site_id, call_id=call_id, source=source)
        try:
            place = self._open_sockets.reserve(source, site_id)
        except VisavisError as error:
            await refuse_socket(socket, error)
            return
        with place:
            await self._serve_visitor(socket, visitor)

    async def _serve_visitor(self, socket: WebSocket, visitor: Visitor) -> None:

        async def perform(message: signaling.FromVisitor) -> None:
            await self._calls.from_visitor(visitor, message)

        topics = f"{SOCKET_TOPIC}{visitor.id}", f"{CONFIG_TOPIC}{visitor.site_id}"
        if not await self._arrive(socket, visitor.id, visitor.site_id):
            return
        try:
            async with self._bus.subscribe(*topics) as inbox:
                await socket.accept()
                if not await self._greet(socket, visitor.site_id):
                    return
                with self._renewing(visitor.id):
                    await run_socket(
                        socket,
                        inbox,
                        signaling.FromVisitor | signaling.Check,
                        perform,
                        lambda: self._calls.is_in_call(visitor.id),
                        *self._until_moved(socket, visitor.id, visitor.site_id),
                    )
        finally:
            self._calls.visitor_left(visitor)

    async def _arrive(self, socket: WebSocket, socket_id: str, site_id: int) -> str:
        """Return the node that has the calls of a page's site; refuse the page if there is none."""
        try:
            return await self._calls.arrive(socket_id, site_id)
        except VisavisError as error:
            await refuse_socket(socket, error)
            return ""

    def _until_moved(
        self, socket: WebSocket, socket_id: str, site_id: int
    ) -> list[Coroutine[None, None, None]]:
        """Return what closes the socket when the calls of its site have moved to another node."""

        async def wait() -> None:
            await self._calls.until_moved(socket_id, site_id)
            await socket.close(SERVICE_RESTART, "This site has moved to another node.")

        return [wait()] if self._may_move else []

    async def agent(self, socket: WebSocket, admitted: AdmittedAgent) -> None:
        try:
            place = self._open_sockets.reserve(source_of(socket.scope))
        except VisavisError as error:
            await refuse_socket(socket, error)
            return
        with place:
            await self._serve_agent(socket, AgentSession(self._new_id(), *admitted))

    async def _serve_agent(self, socket: WebSocket, agent_session: AgentSession) -> None:
        console = _Console(agent_session)

        async def perform(message: signaling.FromAgent) -> None:
            # Permissions can end while the page is open. Leaving a call is always allowed.
            if not (console.is_authenticated or isinstance(message, signaling.HangUp)):
                await self._authenticate(socket, console)
            await self._calls.from_agent(console.session, message)

        site_id, socket_id = agent_session.agent.site_id, agent_session.socket_id
        owner = await self._arrive(socket, socket_id, site_id)
        if not owner:
            return
        topics = [f"{SOCKET_TOPIC}{socket_id}", f"{CONFIG_TOPIC}{site_id}"]
        if agent_session.may_accept_calls and not agent_session.call_id:
            topics.append(consoles_topic(site_id, owner))
        try:
            async with self._bus.subscribe(*topics) as inbox:
                await socket.accept()
                if not await self._greet(socket, site_id, agent_session):
                    return
                self._calls.agent_arrived(agent_session)
                with self._renewing(socket_id):
                    await run_socket(
                        socket,
                        inbox,
                        signaling.FromAgent | signaling.Check,
                        perform,
                        lambda: self._calls.is_in_call(socket_id),
                        self._until_revoked(socket, console),
                        *self._until_moved(socket, socket_id, site_id),
                    )
        finally:
            self._calls.agent_left(agent_session)

    async def _authenticate(self, socket: WebSocket, console: _Console) -> None:
        """Authenticate a console again; raises as the gate that has admitted it."""
        console.is_authenticated = False
        revocations = console.revocations
        console.session = AgentSession(console.session.socket_id, *await self._admit(socket))
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

    async def _greet(
        self, socket: WebSocket, site_id: int, agent_session: AgentSession | None = None
    ) -> bool:
        """Send a page what it has to know first; return whether that was possible.

        Otherwise the page is told to connect again: its site is moving, or the database is away.
        """
        try:
            if agent_session:
                await send(socket, await self._calls.welcome(agent_session))
            await send(socket, await self._availability_of(site_id))
        except VisavisError:
            await socket.close(SERVICE_RESTART, "Connect again.")
            return False
        await send(socket, self._ice_servers)
        return True

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
