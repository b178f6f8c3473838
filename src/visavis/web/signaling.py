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
from visavis.domain.leg import Side
from visavis.domain.people import Agent, Permission, Visitor
from visavis.services.calls import Calls
from visavis.services.ports import Bus, Subscription
from visavis.services.presence import Desk
from visavis.services.topics import config_topic, socket_topic

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
        has_site: Callable[[int], Awaitable[bool]],
        signed_in: Callable[[HTTPConnection], Awaitable[Agent]],
        is_same_origin: Callable[[HTTPConnection], bool],
        new_id: Callable[[], str],
    ) -> None:
        self._calls = calls
        self._bus = bus
        self._availability_of = availability_of
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
        site = socket.query_params.get("site", "")
        if not (site.isascii() and site.isdigit()) or not await self._has_site(int(site)):
            await socket.close(POLICY_VIOLATION, "There is no such site.")
            return
        visitor = Visitor(self._new_id(), int(site))
        topics = socket_topic(visitor.id), config_topic(visitor.site_id)

        async def perform(message: signaling.FromVisitor) -> None:
            match message:
                case signaling.Call():
                    await self._calls.call(visitor, message)
                case signaling.HangUp(call_id):
                    self._calls.hang_up(Side.VISITOR, visitor.site_id, visitor.id, call_id)

        async with self._bus.subscribe(*topics) as inbox:
            await socket.accept()
            await _send(socket, await self._availability_of(visitor.site_id))
            try:
                await _pump(socket, inbox, signaling.FromVisitor, perform)
            finally:
                self._calls.visitor_left(visitor)

    async def agent(self, socket: WebSocket) -> None:
        try:
            agent = await self._signed_in(socket)
        except VisavisError as error:
            await socket.close(POLICY_VIOLATION, error.message)
            return
        if not self._is_same_origin(socket):
            await socket.close(POLICY_VIOLATION, "Open the console on its own address.")
            return
        desk = Desk(self._new_id(), agent)

        async def perform(message: signaling.FromAgent) -> None:
            match message:
                case signaling.Accept(call_id):
                    await self._calls.accept(desk, call_id)
                case signaling.Decline(call_id):
                    self._calls.decline(desk, call_id)
                case signaling.Answer():
                    await self._calls.answer(desk, message)
                case signaling.HangUp(call_id):
                    self._calls.hang_up(Side.AGENT, agent.site_id, desk.socket_id, call_id)

        topics = socket_topic(desk.socket_id), config_topic(agent.site_id)
        async with self._bus.subscribe(*topics) as inbox:
            await socket.accept()
            await _send(socket, _welcome(agent))
            await _send(socket, await self._availability_of(agent.site_id))
            self._calls.agent_arrived(desk)
            try:
                await _pump(socket, inbox, signaling.FromAgent, perform)
            finally:
                self._calls.agent_left(desk)


def _welcome(agent: Agent) -> signaling.Welcome:
    may_accept = agent.may(Permission.ACCEPT_CALLS)
    return signaling.Welcome(
        agent_name=agent.name, site_id=agent.site_id, may_accept_calls=may_accept
    )


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
