"""Visitors on the site's pages, and the messages to all consoles once a second."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.calls.house import House, agent_session, refused
from visavis.domain import signaling
from visavis.domain.errors import ErrorKind
from visavis.domain.people import Visitor
from visavis.services.calls.site_visitors import INVITATION_SECONDS

pytestmark = pytest.mark.anyio


def consoles(house: House, kind: str) -> list[dict[str, Any]]:
    return [m for m in house.told.get("consoles.1", []) if m["type"] == kind]


async def here(house: House, socket_id: str, page: str = "/shop") -> None:
    await house.visitor(signaling.Here(page, "An\0n"), socket_id)


async def invite(house: House, socket_id: str = "v") -> str:
    await house.agent(signaling.Invite(socket_id, "video"))
    return str(house.last(socket_id, "invited")["invitation"])


async def test_a_console_that_opens_hears_everything(house: House) -> None:
    await here(house, "v")
    house.calls.agent_arrived(agent_session("a"))
    assert [m["type"] for m in house.told["a"]] == ["team", "queue", "visitors", "pastCalls"]
    assert house.last("a", "team")["members"] == [
        {"agentId": 1, "name": "Bo", "state": "available"}
    ]
    assert house.last("a", "visitors") == {
        "type": "visitors",
        "visitors": [
            {"visitorId": "v", "name": "Ann", "page": "/shop", "since": "2026-01-01T00:00:00Z"}
        ],
        "count": 1,
    }


async def test_visitors_come_move_call_and_go(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    await here(house, "v1")
    await house.pass_time(2)
    await here(house, "v2")
    await here(house, "v1", "/cart")
    await house.pass_time(1)
    told = consoles(house, "visitors")[-1]
    assert [(v["visitorId"], v["page"]) for v in told["visitors"]] == [
        ("v2", "/shop"),
        ("v1", "/cart"),
    ]
    assert told["visitors"][1]["since"] == "2026-01-01T00:00:00Z"
    await house.ring("v2")
    await house.pass_time(1)
    assert consoles(house, "visitors")[-1]["count"] == 1
    house.calls.visitor_left(Visitor("v1", 1))
    house.calls.visitor_left(Visitor("unknown", 2))
    await house.pass_time(1)
    assert consoles(house, "visitors")[-1]["visitors"] == []


async def test_a_crowd_is_told_in_part_and_once_a_second(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    await house.pass_time(1)
    house.forget()
    for n in range(500):
        await here(house, f"v{n}")
    await house.pass_time(5)
    (told,) = consoles(house, "visitors")
    assert told["count"] == 500
    assert [v["visitorId"] for v in told["visitors"]] == [f"v{n}" for n in range(499, 399, -1)]
    assert consoles(house, "team") == []  # nothing new


async def test_the_queue_is_told(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    await house.agent(signaling.Presence(is_available=False))
    call_id = await house.ring()
    await house.pass_time(1)
    assert consoles(house, "team")[-1]["members"][0]["state"] == "away"
    assert consoles(house, "queue")[-1]["calls"] == [
        {
            "callId": call_id,
            "visitorName": "Ann",
            "media": "video",
            "since": "2026-01-01T00:00:00Z",
        }
    ]


async def test_a_busy_agent_is_busy(house: House) -> None:
    await house.connect()
    house.calls.agent_arrived(agent_session("b", 2))
    assert house.last("b", "team")["members"] == [
        {"agentId": 1, "name": "Bo", "state": "busy"},
        {"agentId": 2, "name": "Cy", "state": "available"},
    ]


async def test_an_invited_visitor_is_in_the_call_at_once(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    house.calls.agent_arrived(agent_session("b", 2))
    await here(house, "v")
    invitation = await invite(house)
    assert house.last("v")["agentName"] == "Bo"
    call_id = await house.ring(invitation=invitation)
    assert house.heard("b") == []
    assert house.heard("a") == ["mine", "callState", "offer"]
    assert house.last("a", "mine")["visitorName"] == "Ann"
    assert house.last("v", "callState")["state"] == "accepted"
    await house.answer(call_id)
    await house.up(call_id)
    found = await house.past(call_id)
    assert found.origin == "invitation"


async def test_whoever_is_gone_or_in_a_call_cannot_be_invited(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    message = signaling.Invite("v", "video")
    assert await refused(house.agent(message)) is ErrorKind.EntityNotFound
    await here(house, "v")
    elsewhere = house.agent(message, agent_session("x", 9, site_id=2))
    assert await refused(elsewhere) is ErrorKind.EntityNotFound
    await house.ring()
    assert await refused(house.agent(message)) is ErrorKind.EntityNotFound


async def test_an_invitation_that_holds_no_longer_rings_everybody(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    house.calls.agent_arrived(agent_session("b", 2))
    await here(house, "v1")
    old = await invite(house, "v1")
    newer = await invite(house, "v1")
    await house.pass_time(INVITATION_SECONDS)
    await house.ring("v1", invitation=newer)
    assert house.last("v1", "callState")["state"] == "ringing"
    assert old != newer

    await here(house, "v2")
    wrong = await invite(house, "v2")
    await house.ring("v2", invitation=f"{wrong}0")
    assert house.last("v2", "callState")["state"] == "ringing"


async def test_the_inviting_agent_is_elsewhere_by_then(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    house.calls.agent_arrived(agent_session("a2"))
    for page in ("v1", "v2", "v3"):
        await here(house, page)
    invitations = [await invite(house, page) for page in ("v1", "v2", "v3")]
    house.calls.agent_left(agent_session("a"))
    first = await house.ring("v1", invitation=invitations[0])
    assert house.heard("a2") == ["mine", "callState", "offer"]  # another desk of theirs
    await house.ring("v2", invitation=invitations[1])
    assert house.last("v2")["type"] == "queued"
    await house.visitor(signaling.HangUp(first), "v1")
    house.calls.agent_left(agent_session("a2"))
    await house.ring("v3", invitation=invitations[2])
    assert house.last("v3")["type"] == "queued"


async def test_without_consoles_nothing_is_told(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    await house.pass_time(1)
    house.calls.agent_left(agent_session("a"))
    house.forget()
    await here(house, "v")
    await house.pass_time(5)
    assert house.told == {}
