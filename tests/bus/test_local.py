from __future__ import annotations

import pytest

from visavis.bus.local import MAX_WAITING, LocalBus
from visavis.protocol.signaling import Linked

pytestmark = pytest.mark.anyio


async def test_messages_of_all_topics_arrive_in_order() -> None:
    bus = LocalBus()
    async with bus.subscribe("a", "b") as inbox:
        bus.publish("a", b"1")
        bus.publish("b", b"2")
        bus.publish("c", b"not ours")
        bus.publish("a", b"3")
        messages = aiter(inbox)
        assert [await anext(messages) for _ in range(3)] == [b"1", b"2", b"3"]


async def test_a_message_arrives_encoded() -> None:
    bus = LocalBus()
    async with bus.subscribe("a") as inbox:
        bus.publish("a", Linked("call", 2))
        assert await anext(aiter(inbox)) == b'{"type":"linked","callId":"call","link":2}'


async def test_one_who_falls_behind_is_cut_off() -> None:
    bus = LocalBus()
    async with bus.subscribe("a") as inbox:
        for _ in range(MAX_WAITING + 1):
            bus.publish("a", b"x")
        assert [message async for message in inbox] == []


async def test_one_who_left_hears_nothing_and_costs_nothing() -> None:
    bus = LocalBus()
    async with bus.subscribe("a"):
        pass
    bus.publish("a", b"x")
    assert bus._topics == {}
