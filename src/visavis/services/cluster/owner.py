"""The owner of sites as other nodes see it: performs the requests of their pages, each once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final

from visavis.domain.errors import VisavisError
from visavis.protocol import cluster
from visavis.services.cluster.edge import LocalCalls
from visavis.services.ports import Bus, SiteOwners
from visavis.services.presence import AgentSession
from visavis.services.topics import OWNER_TOPIC
from visavis.tasks import spawn

SILENCE_SECONDS: Final = 5.0
"""Time after which the pages of a node that is not heard of are treated as disconnected."""
ANSWER_SECONDS: Final = 30.0
"""Time for which the answer to a last request is kept, in case it is repeated."""
CHECK_SECONDS: Final = 1.0


@dataclass(slots=True)
class _Socket:
    """A socket of another node; `leave` handles its end, `None` after that and for programs."""

    site_id: int
    used_at: float
    number: int = 0
    answer: asyncio.Task[bytes] | None = None
    leave: Callable[[], None] | None = None


@dataclass(slots=True)
class _Node:
    """Another node since its start `boot`, with its sockets."""

    boot: str
    session: str
    heard_at: float
    sockets: dict[str, _Socket] = field(default_factory=dict)


class OwnerService:
    """Answers the requests that `Edge` sends from other nodes.

    `elapsed` is a monotonic clock.
    """

    def __init__(
        self,
        *,
        calls: LocalCalls,
        bus: Bus,
        owners: SiteOwners,
        node_id: str,
        new_id: Callable[[], str],
        elapsed: Callable[[], float],
    ) -> None:
        self._calls = calls
        self._bus = bus
        self._owners = owners
        self._node_id = node_id
        self._new_id = new_id
        self._elapsed = elapsed
        self._nodes: dict[str, _Node] = {}

    async def run(self) -> None:
        """Answer until cancelled, and forget nodes that are not heard of."""
        async with self.answering():
            while True:
                await asyncio.sleep(CHECK_SECONDS)
                self.forget_silent()

    def answering(self) -> AbstractAsyncContextManager[None]:
        return self._bus.answer(f"{OWNER_TOPIC}{self._node_id}", self.answer)

    async def answer(self, encoded: bytes) -> bytes:
        """Return the answer to a message of another node."""
        message = cluster.decode_request(encoded)
        if isinstance(message, cluster.NodeAlive):
            node = self._node(message.node, message.boot)
            return cluster.encode(self._state(node, message.sites))
        if not await self._owns(message.site_id):
            return cluster.encode(cluster.Moved())
        node = self._node(message.node, message.boot)
        socket = node.sockets.get(message.socket_id)
        if socket is None:
            if message.number > 1:  # this node has forgotten it
                return cluster.encode(cluster.Moved())
            socket = node.sockets[message.socket_id] = _Socket(message.site_id, self._elapsed())
        socket.used_at = self._elapsed()
        if socket.answer is None or message.number > socket.number:
            socket.number = message.number
            socket.answer = spawn("request of a page", self._perform(node, socket, message))
        return await asyncio.shield(socket.answer)

    def forget_silent(self) -> None:
        """Treat the pages of nodes that are not heard of as disconnected."""
        now = self._elapsed()
        for node_id, node in list(self._nodes.items()):
            if now - node.heard_at > SILENCE_SECONDS:
                self._forget(node_id)
            for socket_id, socket in list(node.sockets.items()):
                if socket.leave is None and now - socket.used_at > ANSWER_SECONDS:
                    del node.sockets[socket_id]

    def site_lost(self, site_id: int) -> None:
        """Forget the pages of a site that this node no longer owns: they have to connect again."""
        for node in self._nodes.values():
            for socket_id, socket in list(node.sockets.items()):
                if socket.site_id == site_id:
                    del node.sockets[socket_id]

    async def _owns(self, site_id: int) -> bool:
        """Whether this node owns a site; it takes the site over if it has to."""
        try:
            return await self._owners.owner_of(site_id) == self._node_id
        except VisavisError:
            return False

    def _node(self, node_id: str, boot: str) -> _Node:
        known = self._nodes.get(node_id)
        if known and known.boot != boot:
            self._forget(node_id)
        node = self._nodes.setdefault(node_id, _Node(boot, self._new_id(), 0.0))
        node.heard_at = self._elapsed()
        return node

    def _forget(self, node_id: str) -> None:
        for socket in self._nodes.pop(node_id).sockets.values():
            if socket.leave:
                socket.leave()

    def _state(self, node: _Node, sites: tuple[int, ...]) -> cluster.OwnerAlive:
        calls = self._calls
        in_call = tuple(socket_id for socket_id in node.sockets if calls.is_in_call(socket_id))
        moved = tuple(site_id for site_id in sites if not self._owners.owns(site_id))
        staffed = tuple(filter(calls.is_staffed, sites))
        return cluster.OwnerAlive(node.session, in_call, staffed, moved)

    async def _perform(self, node: _Node, socket: _Socket, ask: cluster.Ask) -> bytes:
        try:
            result = await self._result(socket, ask)
        except VisavisError as error:
            refused = cluster.RequestRefused(
                session=node.session,
                kind=error.kind.name,
                code=error.code,
                message=error.message,
                pointer=error.pointer,
                parameters=error.parameters,
            )
            return cluster.encode(refused)
        return cluster.encode(cluster.done(node.session, result))

    async def _result(self, socket: _Socket, ask: cluster.Ask) -> object:
        calls = self._calls
        match ask.request:
            case cluster.VisitorMessage(visitor, message):
                socket.leave = lambda: calls.visitor_left(visitor)
                await calls.from_visitor(visitor, message)
            case cluster.CreateCall(agent, media, name, email):
                return await calls.create(agent, media, name, email)
            case cluster.EndCall(call_id):
                await calls.end(ask.site_id, call_id)
            case cluster.FindJoinLink(token, source):
                return calls.find_join_link(token, source)
            case cluster.RelaysExpire(socket_id):
                calls.renew_relays(socket_id)
            case cluster.VisitorLeft(visitor):
                socket.leave = None
                calls.visitor_left(visitor)
            case _:
                return await self._result_for_agent(socket, ask.request)
        return None

    async def _result_for_agent(
        self,
        socket: _Socket,
        request: cluster.AgentWelcome
        | cluster.AgentArrived
        | cluster.AgentMessage
        | cluster.AgentLeft
        | cluster.AgentRevoked,
    ) -> object:
        calls, known = self._calls, request.session
        session = AgentSession(known.socket_id, known.agent, known.call_id)
        match request:
            case cluster.AgentMessage(message=message):
                await calls.from_agent(session, message)
            case cluster.AgentWelcome():
                return await calls.welcome(session)
            case cluster.AgentArrived():
                socket.leave = lambda: calls.agent_left(session)
                calls.agent_arrived(session)
            case cluster.AgentRevoked():
                calls.revoke(session)
            case _:
                socket.leave = None
                calls.agent_left(session)
        return None
