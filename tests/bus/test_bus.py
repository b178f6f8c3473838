"""Behaviour of every bus: between the ends of one process, and between nodes over NATS."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from tests.dying import DiedError, dies_once
from tests.running import PATIENCE
from visavis.bus import local
from visavis.bus.local import MAX_WAITING, LocalBus
from visavis.protocol.signaling import Linked
from visavis.services.ports import (
    AskTimeoutError,
    Bus,
    NoResponderError,
    ResponderBusyError,
    ResponderFailedError,
)

pytestmark = pytest.mark.anyio

Ends = tuple[Bus, Bus]
SECONDS = PATIENCE
MARK = 10_000


async def next_of(messages: AsyncIterator[bytes]) -> bytes:
    async with asyncio.timeout(SECONDS):
        return await anext(messages)


async def reach(bus: Bus, topic: str, messages: AsyncIterator[bytes]) -> None:
    """Publish until a message arrives: a subscription takes a moment to reach all servers."""
    arrived = asyncio.ensure_future(anext(messages))
    while not arrived.done():
        bus.publish(topic, Linked("mark", MARK))
        await asyncio.wait([arrived], timeout=0.05)


async def ask_again(bus: Bus) -> None:
    """Ask again if there is no response, as happens when the responder has just ended."""
    for _ in range(20):
        with suppress(AskTimeoutError):
            await bus.ask("site.1", b"a", 1.0)


async def echo(message: bytes) -> bytes:
    return b"echo " + message


async def test_messages_of_all_topics_arrive_those_of_each_in_order(ends: Ends) -> None:
    one, other = ends
    async with other.subscribe("consoles.1", "socket.other-2") as inbox:
        messages = aiter(inbox)
        await reach(one, "consoles.1", messages)
        await reach(one, "socket.other-2", messages)
        one.publish("consoles.1", Linked("call", 1))
        one.publish("socket.other-2", Linked("call", 2))
        one.publish("consoles.2", Linked("not ours", 9))
        one.publish("socket.other-3", Linked("not ours", 9))
        one.publish("consoles.1", Linked("call", 3))
        links = list[int]()
        while len(links) < 3:
            link = json.loads(await next_of(messages))["link"]
            links += [link] if link != MARK else []
        assert sorted(links) == [1, 2, 3]
        assert links.index(1) < links.index(3)


async def test_a_message_arrives_encoded_and_once_on_its_own_node(ends: Ends) -> None:
    one, _ = ends
    async with one.subscribe("consoles.1") as inbox:
        one.publish("consoles.1", Linked("call", 2))
        one.publish("consoles.1", Linked("call", 3))
        messages = aiter(inbox)
        assert await next_of(messages) == b'{"type":"linked","callId":"call","link":2}'
        assert json.loads(await next_of(messages))["link"] == 3
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await anext(messages)


async def test_one_who_falls_behind_is_cut_off(ends: Ends) -> None:
    one, other = ends
    async with other.subscribe("consoles.1") as inbox, one.subscribe("consoles.1") as reader:
        messages = aiter(reader)
        await reach(other, "consoles.1", aiter(reader))
        for _ in range(MAX_WAITING + 1):
            one.publish("consoles.1", Linked("call", 1))
            await next_of(messages)
        async with asyncio.timeout(SECONDS):
            while not inbox._is_cut_off:  # type: ignore[attr-defined]
                one.publish("consoles.1", Linked("call", 1))
                await asyncio.sleep(0.01)
        assert [message async for message in inbox] == []


async def test_one_who_left_hears_nothing_and_costs_nothing() -> None:
    bus = LocalBus()
    async with bus.subscribe("a"):
        pass
    bus.publish("a", Linked("call", 1))
    assert bus._topics == {}


async def test_a_request_gets_its_response(ends: Ends) -> None:
    one, other = ends
    async with other.answer("site.1", echo):
        assert await one.ask("site.1", b"a", SECONDS) == b"echo a"
        assert await other.ask("site.1", b"", SECONDS) == b"echo "
        responses = (one.ask("site.1", b"%d" % number, SECONDS) for number in range(100))
        assert await asyncio.gather(*responses) == [b"echo %d" % number for number in range(100)]


async def test_nobody_answers_before_and_after_the_responder(ends: Ends) -> None:
    one, other = ends
    with pytest.raises(NoResponderError):
        await one.ask("site.1", b"a", SECONDS)
    async with other.answer("site.1", echo):
        assert await one.ask("site.1", b"a", SECONDS) == b"echo a"
    with pytest.raises(NoResponderError):
        await ask_again(one)


async def test_a_topic_has_one_responder(ends: Ends) -> None:
    _, other = ends
    async with other.answer("site.1", echo):
        with pytest.raises(ValueError, match="responder already"):
            async with other.answer("site.1", echo):
                pass
        assert await other.ask("site.1", b"a", SECONDS) == b"echo a"


async def test_a_request_goes_on_when_its_time_is_over(ends: Ends) -> None:
    one, other = ends
    has_begun, may_end, handled = asyncio.Event(), asyncio.Event(), list[bytes]()

    async def wait(message: bytes) -> bytes:
        has_begun.set()
        await may_end.wait()
        handled.append(message)
        return b"late"

    async with other.answer("site.1", wait):
        seconds, count = 0.2, 0
        while not has_begun.is_set():  # a request that did not leave in time is never handled
            with pytest.raises(AskTimeoutError):
                await one.ask("site.1", b"a", seconds)
            seconds, count = 2 * seconds, count + 1
        may_end.set()
        assert await one.ask("site.1", b"b", SECONDS) == b"late"
    assert handled[-1] == b"b"
    assert b"a" in handled
    assert len(handled) <= count + 1


async def test_a_responder_that_leaves_cancels_its_requests(ends: Ends) -> None:
    one, other = ends
    has_begun = asyncio.Event()

    async def wait(_: bytes) -> bytes:
        has_begun.set()
        await asyncio.Event().wait()
        return b""

    async with other.answer("site.1", wait):
        request = asyncio.ensure_future(one.ask("site.1", b"a", SECONDS))
        await has_begun.wait()
    with pytest.raises(NoResponderError):
        await request


async def test_a_responder_with_too_many_requests_says_so(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = ends
    monkeypatch.setattr(local, "MAX_REQUESTS", 2)
    may_end, begun = asyncio.Event(), 0

    async def wait(_: bytes) -> bytes:
        nonlocal begun
        begun += 1
        await may_end.wait()
        return b"done"

    async with other.answer("site.1", wait):
        requests = [asyncio.ensure_future(one.ask("site.1", b"", SECONDS)) for _ in range(2)]
        async with asyncio.timeout(SECONDS):
            while begun < 2:
                await asyncio.sleep(0.01)
        with pytest.raises(ResponderBusyError):
            await one.ask("site.1", b"", SECONDS)
        may_end.set()
        assert await asyncio.gather(*requests) == [b"done", b"done"]
        assert await one.ask("site.1", b"", SECONDS) == b"done"


class Handler:
    async def handle(self, message: bytes) -> bytes:
        return message


async def test_a_responder_that_fails_is_counted_and_goes_on(ends: Ends) -> None:
    one, other = ends
    handler = Handler()

    async def handle(message: bytes) -> bytes:
        return await handler.handle(message)

    async with other.answer("site.1", handle):
        with dies_once("request on the bus", handler, "handle") as has_died:
            with pytest.raises(ResponderFailedError) as raised:
                await one.ask("site.1", b"a", SECONDS)
            assert has_died()
        assert isinstance(raised.value.__cause__, DiedError | None)
        assert await one.ask("site.1", b"b", SECONDS) == b"b"
