"""Loop of one WebSocket: messages in and out, until its page goes or no longer answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.protocol import signaling
from visavis.services.ports import Subscription
from visavis.tasks import cancelled, child

GOING_AWAY: Final = 1001  # RFC 6455 §7.4.1
TRY_AGAIN_LATER: Final = 1013  # IANA's registry of close codes (RFC 6455 §11.7)

Perform = Callable[[Any], Awaitable[None]]


async def send(socket: WebSocket, message: msgspec.Struct) -> None:
    await socket.send_text(msgspec.json.encode(message).decode())


async def run_socket(
    socket: WebSocket,
    inbox: Subscription,
    kinds: Any,
    perform: Perform,
    is_busy: Callable[[], bool],
    *until: Coroutine[Any, Any, None],
) -> None:
    """Carry messages both ways until the page goes, falls silent or too far behind, or `until`.

    `until` are coroutines of which each ends the loop.
    """
    liveness = Liveness(asyncio.get_running_loop().time, is_busy)
    tasks = {
        child(_carry_in(socket, kinds, perform, liveness)),
        child(_carry_out(socket, inbox)),
        child(_watch(socket, liveness)),
    }
    tasks.update(map(child, until))
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    except (WebSocketDisconnect, WebSocketDisconnected):
        pass  # The page has gone, or `until` has closed its socket while a message was on its way.
    finally:
        await cancelled(*tasks)


async def _watch(socket: WebSocket, liveness: Liveness) -> None:
    await liveness.watch(lambda: send(socket, signaling.Ping()))
    with suppress(RuntimeError):  # the page has just closed it itself
        await socket.close(GOING_AWAY, "This page did not answer.")


async def _carry_in(socket: WebSocket, kinds: Any, perform: Perform, liveness: Liveness) -> None:
    decoder = msgspec.json.Decoder(kinds)
    async for data in _received(socket):
        liveness.heard()
        call_id = message_id = None
        try:
            message = decoder.decode(data)
            call_id = getattr(message, "call_id", None)
            message_id = getattr(message, "id", None)
            if isinstance(message, signaling.Ping):
                await send(socket, signaling.Pong())
            elif not isinstance(message, signaling.Pong):
                with liveness.performing():
                    await perform(message)
        except (msgspec.MsgspecError, UnicodeError) as error:
            await _refuse(socket, VisavisError(ErrorKind.ParameterInvalid, f"{error}."))
        except RecursionError:  # nested deeper than Python can follow
            await _refuse(socket, VisavisError(ErrorKind.ParameterInvalid))
        except VisavisError as error:
            await _refuse(socket, error, call_id, message_id)


async def _received(socket: WebSocket) -> AsyncIterator[str | bytes]:
    """Each message until the page goes; a binary one is read as text, as some clients send."""
    while True:
        event = await socket.receive()
        if event["type"] == "websocket.disconnect":
            return
        yield event.get("text") or event.get("bytes") or ""


async def _refuse(
    socket: WebSocket,
    error: VisavisError,
    call_id: str | None = None,
    message_id: str | None = None,
) -> None:
    refused = signaling.Refused(
        error=error.kind.name,
        message=error.message,
        call_id=call_id,
        id=message_id,
        code=error.code,
        parameters=error.parameters,
    )
    await send(socket, refused)


async def _carry_out(socket: WebSocket, inbox: Subscription) -> None:
    async for message in inbox:
        await socket.send_text(message.decode())
    await socket.close(TRY_AGAIN_LATER, "This page fell too far behind.")


@dataclass(frozen=True, slots=True)
class SilenceLimits:
    """Seconds of silence before a page is asked, and seconds it then has to answer."""

    quiet: float
    answer: float


IDLE: Final = SilenceLimits(quiet=15.0, answer=5.0)
IN_CALL: Final = SilenceLimits(quiet=3.0, answer=3.0)
_TICK: Final = 0.1
"""Minimum number of seconds between two checks of a page."""


class Liveness:
    """When a page was heard last. `is_busy` says whether the page is in a call.

    A page's timers stand still or run once a minute while nobody looks at it; its socket's messages
    are delivered even then. So the server asks, and does not wait for pages to report.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        is_busy: Callable[[], bool],
        *,
        idle: SilenceLimits = IDLE,
        in_call: SilenceLimits = IN_CALL,
        tick: float = _TICK,
    ) -> None:
        self._clock = clock
        self._is_busy = is_busy
        self._idle = idle
        self._in_call = in_call
        self._tick = tick
        self._heard_at = clock()
        self._asked_at: float | None = None
        self._is_performing = False

    def heard(self) -> None:
        """Remember that the page has sent something."""
        self._heard_at = self._clock()
        self._asked_at = None

    @contextmanager
    def performing(self) -> Iterator[None]:
        """Perform a request of the page, during which no other message of it is read."""
        self._is_performing = True
        try:
            yield
        finally:
            self._is_performing = False
            self.heard()

    async def watch(self, ask: Callable[[], Awaitable[None]]) -> None:
        """Return once the page has not answered; `ask` sends it a `Ping`."""
        while True:
            await asyncio.sleep(self._seconds_to_next_check())
            limits, now = self._limits, self._clock()
            if self._is_performing:
                continue
            if self._asked_at is None:
                if now - self._heard_at >= limits.quiet:
                    self._asked_at = now
                    await ask()
            elif now - self._asked_at >= limits.answer:
                return

    @property
    def _limits(self) -> SilenceLimits:
        return self._in_call if self._is_busy() else self._idle

    def _seconds_to_next_check(self) -> float:
        """Return the time until the page will have been silent too long, if no call begins."""
        if self._is_performing:
            return self._tick
        limits, now = self._limits, self._clock()
        due = self._heard_at + limits.quiet
        if self._asked_at is not None:
            due = self._asked_at + limits.answer
        return min(max(due - now, self._tick), self._in_call.quiet)
