"""Visitors on the site's pages, and the messages to all consoles once a second."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.calls.simulated_site import SimulatedSite, agent_session, refused
from visavis.domain.errors import ErrorKind
from visavis.domain.people import Visitor
from visavis.protocol import signaling
from visavis.services.calls.site_visitors import INVITATION_SECONDS

pytestmark = pytest.mark.anyio


def consoles(site: SimulatedSite, kind: str) -> list[dict[str, Any]]:
    return [m for m in site.told.get("consoles.1.node", []) if m["type"] == kind]


async def here(site: SimulatedSite, socket_id: str, page: str = "/shop") -> None:
    await site.visitor(signaling.Here(page, "An\0n"), socket_id)


async def invite(site: SimulatedSite, socket_id: str = "v") -> str:
    await site.agent(signaling.Invite(socket_id, "video"))
    return str(site.last(socket_id, "invited")["invitation"])


async def test_a_console_that_opens_hears_everything(site: SimulatedSite) -> None:
    await here(site, "v")
    site.calls.agent_arrived(agent_session("a"))
    assert [m["type"] for m in site.told["a"]] == ["team", "queue", "visitors", "pastCalls"]
    assert site.last("a", "team")["members"] == [{"agentId": 1, "name": "Bo", "state": "available"}]
    assert site.last("a", "visitors") == {
        "type": "visitors",
        "visitors": [
            {"visitorId": "v", "name": "Ann", "page": "/shop", "since": "2026-01-01T00:00:00Z"}
        ],
        "count": 1,
    }


async def test_visitors_come_move_call_and_go(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    await here(site, "v1")
    await site.pass_time(2)
    await here(site, "v2")
    await here(site, "v1", "/cart")
    await site.pass_time(1)
    told = consoles(site, "visitors")[-1]
    assert [(v["visitorId"], v["page"]) for v in told["visitors"]] == [
        ("v2", "/shop"),
        ("v1", "/cart"),
    ]
    assert told["visitors"][1]["since"] == "2026-01-01T00:00:00Z"
    await site.ring("v2")
    await site.pass_time(1)
    assert consoles(site, "visitors")[-1]["count"] == 1
    site.calls.visitor_left(Visitor("v1", 1))
    site.calls.visitor_left(Visitor("unknown", 2))
    await site.pass_time(1)
    assert consoles(site, "visitors")[-1]["visitors"] == []


async def test_a_crowd_is_told_in_part_and_once_a_second(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    await site.pass_time(1)
    site.forget()
    for n in range(500):
        await here(site, f"v{n}")
    await site.pass_time(5)
    (told,) = consoles(site, "visitors")
    assert told["count"] == 500
    assert [v["visitorId"] for v in told["visitors"]] == [f"v{n}" for n in range(499, 399, -1)]
    assert consoles(site, "team") == []  # nothing new


async def test_the_queue_is_told(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    await site.agent(signaling.Presence(is_available=False))
    call_id = await site.ring()
    await site.pass_time(1)
    assert consoles(site, "team")[-1]["members"][0]["state"] == "away"
    assert consoles(site, "queue")[-1]["calls"] == [
        {
            "callId": call_id,
            "visitorName": "Ann",
            "media": "video",
            "since": "2026-01-01T00:00:00Z",
        }
    ]


async def test_a_busy_agent_is_busy(site: SimulatedSite) -> None:
    await site.connect()
    site.calls.agent_arrived(agent_session("b", 2))
    assert site.last("b", "team")["members"] == [
        {"agentId": 1, "name": "Bo", "state": "busy"},
        {"agentId": 2, "name": "Cy", "state": "available"},
    ]


async def test_an_invited_visitor_is_in_the_call_at_once(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    site.calls.agent_arrived(agent_session("b", 2))
    await here(site, "v")
    invitation = await invite(site)
    assert site.last("v")["agentName"] == "Bo"
    call_id = await site.ring(invitation=invitation)
    assert site.heard("b") == []
    assert site.heard("a") == ["mine", "callState", "offer"]
    assert site.last("a", "mine")["visitorName"] == "Ann"
    assert site.last("v", "callState")["state"] == "accepted"
    await site.answer(call_id)
    await site.up(call_id)
    found = await site.past(call_id)
    assert found.origin == "invitation"


async def test_whoever_is_gone_or_in_a_call_cannot_be_invited(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    message = signaling.Invite("v", "video")
    assert await refused(site.agent(message)) is ErrorKind.EntityNotFound
    await here(site, "v")
    elsewhere = site.agent(message, agent_session("x", 9, site_id=2))
    assert await refused(elsewhere) is ErrorKind.EntityNotFound
    await site.ring()
    assert await refused(site.agent(message)) is ErrorKind.EntityNotFound


async def test_an_invitation_that_holds_no_longer_rings_everybody(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    site.calls.agent_arrived(agent_session("b", 2))
    await here(site, "v1")
    old = await invite(site, "v1")
    newer = await invite(site, "v1")
    await site.pass_time(INVITATION_SECONDS)
    await site.ring("v1", invitation=newer)
    assert site.last("v1", "callState")["state"] == "ringing"
    assert old != newer

    await here(site, "v2")
    wrong = await invite(site, "v2")
    await site.ring("v2", invitation=f"{wrong}0")
    assert site.last("v2", "callState")["state"] == "ringing"


async def test_the_inviting_agent_is_elsewhere_by_then(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    site.calls.agent_arrived(agent_session("a2"))
    for page in ("v1", "v2", "v3"):
        await here(site, page)
    invitations = [await invite(site, page) for page in ("v1", "v2", "v3")]
    site.calls.agent_left(agent_session("a"))
    first = await site.ring("v1", invitation=invitations[0])
    assert site.heard("a2") == ["mine", "callState", "offer"]  # another session of theirs
    await site.ring("v2", invitation=invitations[1])
    assert site.last("v2")["type"] == "queued"
    await site.visitor(signaling.HangUp(first), "v1")
    site.calls.agent_left(agent_session("a2"))
    await site.ring("v3", invitation=invitations[2])
    assert site.last("v3")["type"] == "queued"


async def test_without_consoles_nothing_is_told(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    await site.pass_time(1)
    site.calls.agent_left(agent_session("a"))
    site.forget()
    await here(site, "v")
    await site.pass_time(5)
    assert site.told == {}
