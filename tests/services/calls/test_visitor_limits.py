"""Floods of anonymous visitors, and a real visitor among them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.services.calls.house import OFFER, House, agent_session, refused
from visavis.domain import signaling
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.people import Visitor
from visavis.services import visitor_limits
from visavis.services.calls.connectivity_tests import MAX_OF_SOURCE
from visavis.services.calls.site_visitors import MAX_LISTED
from visavis.services.visitor_limits import TokenBuckets, Use, VisitorGuard, VisitorLimits

pytestmark = pytest.mark.anyio

ATTACKER = "198.51.100.1"
CALL = signaling.Call("video", OFFER, "Ann", "a@example.com")
TOO_MANY = ErrorKind.TooManyRequests


async def act(
    house: House, message: signaling.FromVisitor, socket_id: str, source: str = ATTACKER
) -> ErrorKind | None:
    """The error with which an action of a visitor is refused; `None` if it is not."""
    try:
        doing = house.calls.from_visitor(Visitor(socket_id, 1, source=source), message)
        return await refused(doing)
    except AssertionError:
        await house.wait_idle()
        return None


async def test_one_page_cannot_ring_the_consoles_all_the_time(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    for _ in range(30):
        if await act(house, CALL, "v", source="") is None:
            call_id = house.last("v", "calling")["callId"]
            await house.visitor(signaling.HangUp(call_id), "v")
        await house.pass_time(0.07)
    assert house.heard("a").count("ring") == 1
    await house.pass_time(5)
    assert await act(house, CALL, "v", source="") is None
    assert house.calls.guard.refused["pause"] == 29


async def test_many_sockets_of_one_network_take_few_places(house: House) -> None:
    """60 sockets place 4,800 calls; a real visitor is first in the queue all the same."""
    for n in range(300):
        await act(house, CALL, f"x{n % 60}-{n}")
    assert house.calls.count == house.calls.guard.limits.waiting_calls
    assert await act(house, CALL, "real", "203.0.113.9") is None
    assert house.last("real", "queued")["place"] == 2
    house.calls.agent_arrived(agent_session("a"))
    house.calls.agent_arrived(agent_session("b", 2))
    await house.wait_idle()
    assert house.last("real", "callState")["state"] == "ringing"


async def test_a_first_call_rings_instead_of_another_network_s_second(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    await act(house, CALL, "x0")
    await act(house, CALL, "x1")
    await house.visitor(signaling.HangUp(house.last("x0", "calling")["callId"]), "x0")
    assert house.last("x1", "callState")["state"] == "ringing"
    assert await act(house, CALL, "real", "203.0.113.9") is None
    assert house.last("real", "callState")["state"] == "ringing"
    assert house.last("x1", "callState")["state"] == "queued"


async def test_the_queue_of_a_site_is_bounded(house: House) -> None:
    guard = house.calls.guard
    guard.limits = replace(guard.limits, queue_length=3)
    outcomes = [await act(house, CALL, f"v{n}", f"203.0.113.{n}") for n in range(5)]
    assert outcomes == [None, None, None, TOO_MANY, TOO_MANY]
    assert guard.refused["queue"] == 2


async def test_a_network_calls_so_often_per_minute(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    done = 0
    for n in range(25):
        if await act(house, CALL, f"v{n}") is None:
            done += 1
            call_id = house.last(f"v{n}", "calling")["callId"]
            await house.visitor(signaling.HangUp(call_id), f"v{n}")
    assert done == house.calls.guard.limits.calls
    await house.pass_time(6)
    assert await act(house, CALL, "later") is None


async def test_pages_messages_and_checks_are_counted(house: House) -> None:
    page = signaling.Here("/", "Ann")
    outcomes = [await act(house, page, "v") for _ in range(100)]
    assert outcomes.count(None) == house.calls.guard.limits.pages // 2
    leave = signaling.LeaveMessage("x", "Call me", "Ann", "a@example.com")
    outcomes = [await act(house, leave, "v") for _ in range(20)]
    assert outcomes.count(TOO_MANY) == 15
    outcomes = [await act(house, signaling.Probe(OFFER), f"v{n}") for n in range(10)]
    assert outcomes.count(None) == MAX_OF_SOURCE
    assert await act(house, signaling.Probe(OFFER), "real", "203.0.113.9") is None
    await house.pass_time(60)
    assert await act(house, signaling.Probe(OFFER), "v") is None


async def test_many_pages_of_one_network_do_not_hide_the_others(house: House) -> None:
    await act(house, signaling.Here("/", "Real"), "real", "203.0.113.9")
    for n in range(400):
        await act(house, signaling.Here("/", "Fake"), f"v{n}")
        await house.pass_time(1)
    house.calls.agent_arrived(agent_session("a"))
    told = house.last("a", "visitors")
    assert (len(told["visitors"]), told["count"]) == (MAX_LISTED, 401)
    assert "real" in [visitor["visitorId"] for visitor in told["visitors"]]


def guard_of(house: House, **values: int) -> VisitorGuard:
    return VisitorGuard(VisitorLimits(**values), house.calls._registry.now)


def test_unknown_join_links_are_counted(house: House) -> None:
    guard = guard_of(house, joins=2)
    for source in ("", ATTACKER):
        for _ in range(2):
            guard.require_join(source)
            guard.count_unknown_join(source)
    guard.require_join("")
    guard.require_join("203.0.113.9")
    with pytest.raises(VisavisError):
        guard.require_join(ATTACKER)
    assert guard.refused == {Use.JOIN: 1}


def test_a_limit_of_0_is_none(house: House) -> None:
    guard = guard_of(house, calls=0, joins=0, waiting_calls=0, queue_length=0)
    visitor = Visitor("v", 1, source=ATTACKER)
    for _ in range(50):
        guard.require_call(visitor, 1000, 1000)
        guard.count_unknown_join(ATTACKER)
        guard.require_join(ATTACKER)
    assert guard.rank(visitor, 3) == 0


def test_what_is_remembered_is_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitor_limits, "MAX_WATCHED", 3)
    buckets = TokenBuckets(house.calls._registry.now)
    for n in range(10):
        buckets.add(("use", str(n)), 10)
    assert len(buckets) == 3
    guard = guard_of(house)
    for n in range(10):
        guard.record_abandoned(str(n))
    guard.require_call(Visitor("0", 1), 0, 0)
    with pytest.raises(VisavisError):
        guard.require_call(Visitor("9", 1), 0, 0)
