"""The two signalling sockets: messages in, messages out, and nothing decided here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from visavis.domain import signaling
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.people import Agent, Permission, Visitor
from visavis.services.calls import Calls
from visavis.services.ports import Bus, Subscription
from visavis.services.presence import Desk
from visavis.services.topics import config_topic, consoles_topic, socket_topic

POLICY_VIOLATION, TRY_AGAIN_LATER = 1008, 1013  # RFC 6455 §7.4.1

M = TypeVar("M")
Perform = Callable[[Any], Awaitable[None]]


class Sockets:
    """The signalling endpoints over the calls of this node."""

    def __init__(
        self,
        *,
        calls: Calls,
        bus: Bus,
        availability_of: Callable[[int], Awaitable[signaling.Availability]],
        ice_servers: Callable[[str], signaling.IceServers],
        has_site: Callable[[int], Awaitable[bool]],
        signed_in: Callable[[HTTPConnection], Awaitable[Agent]],
        is_same_origin: Callable[[HTTPConnection], bool],
        new_id: Callable[[], str],
    ) -> None:
        self._calls = calls
        self._bus = bus
        self._availability_of = availability_of
        self._ice_servers = ice_servers
        self._has_site = has_site
        self._signed_in = signed_in
        self._is_same_origin = is_same_origin
        self._new_id = new_id

    def routes(self) -> list[BaseRoute]:
        return [
            WebSocketRoute("/signaling/visitor", self.visitor),
            WebSocketRoute("/signaling/agent", self.agent),
        ]

    async def visitor(self, socket: WebSocket) -> None:
        try:
            visitor = await self._visitor(socket)
        except VisavisError as error:
            await socket.close(POLICY_VIOLATION, error.message)
            return

        async def perform(message: signaling.FromVisitor) -> None:
            await self._calls.from_visitor(visitor, message)

        topics = socket_topic(visitor.id), config_topic(visitor.site_id)
        async with self._bus.subscribe(*topics) as inbox:
            await socket.accept()
            await self._greet(socket, visitor.site_id, visitor.id)
            try:
                await _pump(socket, inbox, signaling.FromVisitor, perform)
            finally:
                self._calls.visitor_left(visitor)

    async def agent(self, socket: WebSocket) -> None:
        try:
            desk = await self._desk(socket, self._new_id())
        except VisavisError as error:
            await socket.close(POLICY_VIOLATION, error.message)
            return

        async def perform(message: signaling.FromAgent) -> None:
            # asked anew each time: what an agent may do can end while their page is open
            await self._calls.from_agent(await self._desk(socket, desk.socket_id), message)

        topics = [socket_topic(desk.socket_id), config_topic(desk.agent.site_id)]
        if desk.agent.may(Permission.ACCEPT_CALLS) and not desk.call_id:
            topics.append(consoles_topic(desk.agent.site_id))
        async with self._bus.subscribe(*topics) as inbox:
            await socket.accept()
            await _send(socket, self._calls.welcome(desk))
            await self._greet(socket, desk.agent.site_id, desk.socket_id)
            self._calls.agent_arrived(desk)
            try:
                await _pump(socket, inbox, signaling.FromAgent, perform)
            finally:
                self._calls.agent_left(desk)

    async def _visitor(self, socket: WebSocket) -> Visitor:
        """Who comes by a join address, or to a site that there is; raises `EntityNotFound`."""
        if token := socket.query_params.get("join"):
            invitee = self._calls.join(token)
            if invitee.agent is None:
                return Visitor(self._new_id(), invitee.site_id, call_id=invitee.call_id)
        site = socket.query_params.get("site", "")
        if not (site.isascii() and site.isdigit()) or not await self._has_site(int(site)):
            raise VisavisError(ErrorKind.EntityNotFound, "There is no such site.")
        return Visitor(self._new_id(), int(site))

    async def _desk(self, socket: WebSocket, socket_id: str) -> Desk:
        """Raises `Unauthorized`, `EntityNotFound`, and `PermissionDenied` to strangers' pages."""
        if not self._is_same_origin(socket):
            raise VisavisError(ErrorKind.PermissionDenied, "Open the console on its own address.")
        if token := socket.query_params.get("join"):
            invitee = self._calls.join(token)
            if invitee.agent:
                return Desk(socket_id, invitee.agent, invitee.call_id)
        return Desk(socket_id, await self._signed_in(socket))

    async def _greet(self, socket: WebSocket, site_id: int, socket_id: str) -> None:
        await _send(socket, await self._availability_of(site_id))
        await _send(socket, self._ice_servers(socket_id))


async def _send(socket: WebSocket, message: msgspec.Struct) -> None:
    await socket.send_text(msgspec.json.encode(message).decode())


async def _pump(socket: WebSocket, inbox: Subscription, kinds: Any, perform: Perform) -> None:
    """Carry messages both ways until the page goes or falls too far behind."""
    tasks = {
        asyncio.create_task(_carry_in(socket, kinds, perform)),
        asyncio.create_task(_carry_out(socket, inbox)),
    }
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    except WebSocketDisconnect:
        pass
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _carry_in(socket: WebSocket, kinds: Any, perform: Perform) -> None:
    decoder = msgspec.json.Decoder(kinds)
    async for text in socket.iter_text():
        call_id = None
        try:
            message = decoder.decode(text)
            call_id = getattr(message, "call_id", None)
            await perform(message)
        except msgspec.MsgspecError as error:
            await _refuse(socket, VisavisError(ErrorKind.ParameterInvalid, f"{error}."), None)
        except VisavisError as error:
            await _refuse(socket, error, call_id)


async def _refuse(socket: WebSocket, error: VisavisError, call_id: str | None) -> None:
    refused = signaling.Refused(error=error.kind.name, message=error.message, call_id=call_id)
    await _send(socket, refused)


async def _carry_out(socket: WebSocket, inbox: Subscription) -> None:
    async for message in inbox:
        await socket.send_text(message.decode())
    await socket.close(TRY_AGAIN_LATER, "This page fell too far behind.")
