from __future__ import annotations

import json

import pytest

from visavis.bus.local import MAX_WAITING, LocalBus
from visavis.protocol.signaling import Linked

pytestmark = pytest.mark.anyio


async def test_messages_of_all_topics_arrive_in_order() -> None:
    bus = LocalBus()
    async with bus.subscribe("a", "b") as inbox:
        bus.publish("a", Linked("call", 1))
        bus.publish("b", Linked("call", 2))
        bus.publish("c", Linked("not ours", 9))
        bus.publish("a", Linked("call", 3))
        messages = aiter(inbox)
        links = [json.loads(await anext(messages))["link"] for _ in range(3)]
        assert links == [1, 2, 3]


async def test_a_message_arrives_encoded() -> None:
    bus = LocalBus()
    async with bus.subscribe("a") as inbox:
        bus.publish("a", Linked("call", 2))
        assert await anext(aiter(inbox)) == b'{"type":"linked","callId":"call","link":2}'


async def test_one_who_falls_behind_is_cut_off() -> None:
    bus = LocalBus()
    async with bus.subscribe("a") as inbox:
        for _ in range(MAX_WAITING + 1):
            bus.publish("a", Linked("call", 1))
        assert [message async for message in inbox] == []


async def test_one_who_left_hears_nothing_and_costs_nothing() -> None:
    bus = LocalBus()
    async with bus.subscribe("a"):
        pass
    bus.publish("a", Linked("call", 1))
    assert bus._topics == {}
