"""Floods of anonymous visitors, and a real visitor among them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.services.calls.simulated_site import NOW, OFFER, SimulatedSite, agent_session, refused
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.people import Visitor
from visavis.domain.shared_counts import shared_key
from visavis.protocol import signaling
from visavis.services import visitor_limits
from visavis.services.calls.site_visitors import MAX_LISTED
from visavis.services.connectivity_tests import MAX_OF_SOURCE
from visavis.services.visitor_limits import TokenBuckets, Use, VisitorGuard, VisitorLimits

pytestmark = pytest.mark.anyio

ATTACKER = "198.51.100.1"
CALL = signaling.PlaceCall("video", OFFER, "Ann", "a@example.com")
TOO_MANY = ErrorKind.TooManyRequests


async def act(
    site: SimulatedSite, message: signaling.FromVisitor, socket_id: str, source: str = ATTACKER
) -> ErrorKind | None:
    """Return the error with which an action of a visitor is refused, `None` if it is not."""
    try:
        doing = site.calls.from_visitor(Visitor(socket_id, 1, source=source), message)
        return await refused(doing)
    except AssertionError:
        await site.wait_idle()
        return None


async def test_one_page_cannot_ring_the_consoles_all_the_time(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    for _ in range(30):
        if await act(site, CALL, "v", source="") is None:
            call_id = site.last("v", "calling")["callId"]
            await site.visitor(signaling.HangUp(call_id), "v")
        await site.pass_time(0.07)
    assert site.heard("a").count("ring") == 1
    await site.pass_time(5)
    assert await act(site, CALL, "v", source="") is None
    assert site.calls.guard.refused["pause"] == 29


async def test_many_sockets_of_one_network_take_few_places(site: SimulatedSite) -> None:
    """60 sockets place 4,800 calls, and yet a real visitor is first in the queue."""
    for n in range(300):
        await act(site, CALL, f"x{n % 60}-{n}")
    assert site.calls.count == site.calls.guard.limits.waiting_calls
    assert await act(site, CALL, "real", "203.0.113.9") is None
    assert site.last("real", "queued")["place"] == 2
    site.calls.agent_arrived(agent_session("a"))
    site.calls.agent_arrived(agent_session("b", 2))
    await site.wait_idle()
    assert site.last("real", "callState")["state"] == "ringing"


async def test_a_first_call_rings_instead_of_another_network_s_second(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    await act(site, CALL, "x0")
    await act(site, CALL, "x1")
    await site.visitor(signaling.HangUp(site.last("x0", "calling")["callId"]), "x0")
    assert site.last("x1", "callState")["state"] == "ringing"
    assert await act(site, CALL, "real", "203.0.113.9") is None
    assert site.last("real", "callState")["state"] == "ringing"
    assert site.last("x1", "callState")["state"] == "queued"


async def test_the_queue_of_a_site_is_bounded(site: SimulatedSite) -> None:
    guard = site.calls.guard
    guard.limits = replace(guard.limits, queue_length=3)
    outcomes = [await act(site, CALL, f"v{n}", f"203.0.113.{n}") for n in range(5)]
    assert outcomes == [None, None, None, TOO_MANY, TOO_MANY]
    assert guard.refused["queue"] == 2


async def test_a_network_calls_so_often_per_minute(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    done = 0
    for n in range(25):
        if await act(site, CALL, f"v{n}") is None:
            done += 1
            call_id = site.last(f"v{n}", "calling")["callId"]
            await site.visitor(signaling.HangUp(call_id), f"v{n}")
    assert done == site.calls.guard.limits.calls
    await site.pass_time(6)
    assert await act(site, CALL, "later") is None


async def test_pages_messages_and_checks_are_counted(site: SimulatedSite) -> None:
    page = signaling.Here("/", "Ann")
    outcomes = [await act(site, page, "v") for _ in range(100)]
    assert outcomes.count(None) == site.calls.guard.limits.pages // 2
    leave = signaling.LeaveMessage("x", "Call me", "Ann", "a@example.com")
    outcomes = [await act(site, leave, "v") for _ in range(20)]
    assert outcomes.count(TOO_MANY) == 15
    outcomes = [await act(site, signaling.Probe(OFFER), f"v{n}") for n in range(10)]
    assert outcomes.count(None) == MAX_OF_SOURCE
    assert await act(site, signaling.Probe(OFFER), "real", "203.0.113.9") is None
    await site.pass_time(60)
    assert await act(site, signaling.Probe(OFFER), "v") is None


async def test_many_pages_of_one_network_do_not_hide_the_others(site: SimulatedSite) -> None:
    await act(site, signaling.Here("/", "Real"), "real", "203.0.113.9")
    for n in range(400):
        await act(site, signaling.Here("/", "Fake"), f"v{n}")
        await site.pass_time(1)
    site.calls.agent_arrived(agent_session("a"))
    told = site.last("a", "visitors")
    assert (len(told["visitors"]), told["count"]) == (MAX_LISTED, 401)
    assert "real" in [visitor["visitorId"] for visitor in told["visitors"]]


def guard_of(site: SimulatedSite, **values: int) -> VisitorGuard:
    return VisitorGuard(VisitorLimits(**values), lambda: NOW + timedelta(seconds=site.time))


def test_unknown_join_links_are_counted(site: SimulatedSite) -> None:
    guard = guard_of(site, joins=2)
    for source in ("", ATTACKER):
        for _ in range(2):
            guard.require_join(source)
            guard.count_unknown_join(source)
    guard.require_join("")
    guard.require_join("203.0.113.9")
    with pytest.raises(VisavisError):
        guard.require_join(ATTACKER)
    assert guard.refused == {Use.JOIN: 1}


def test_a_limit_of_0_is_none(site: SimulatedSite) -> None:
    guard = guard_of(site, calls=0, joins=0, waiting_calls=0, queue_length=0)
    visitor = Visitor("v", 1, source=ATTACKER)
    for _ in range(50):
        guard.require_call(visitor, 1000, 1000)
        guard.count_unknown_join(ATTACKER)
        guard.require_join(ATTACKER)
    assert guard.rank(visitor, 3) == 0


def test_what_is_remembered_is_bounded(
    site: SimulatedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitor_limits, "MAX_WATCHED", 3)
    buckets = TokenBuckets(lambda: NOW + timedelta(seconds=site.time))
    for n in range(10):
        buckets.add(("use", str(n)), 10)
    assert len(buckets) == 3
    guard = guard_of(site)
    for n in range(10):
        guard.record_abandoned(str(n))
    guard.require_call(Visitor("0", 1), 0, 0)
    with pytest.raises(VisavisError):
        guard.require_call(Visitor("9", 1), 0, 0)


def test_a_network_is_limited_across_nodes() -> None:
    """Each node tells the others what it has counted."""
    one, other = (VisitorGuard(VisitorLimits(), lambda: NOW) for _ in range(2))
    for number in range(6):
        one.require(Use.CALL, Visitor(f"v{number}", 1, source=ATTACKER))
    other.elsewhere = one.busiest()
    for number in range(4):
        other.require(Use.CALL, Visitor(f"w{number}", 1, source=ATTACKER))
    with pytest.raises(VisavisError, match="seconds"):
        other.require(Use.CALL, Visitor("w", 1, source=ATTACKER))
    other.require(Use.CALL, Visitor("real", 1, source="203.0.113.9"))
    assert sorted(other.busiest().values()) == [1, 4]  # counts of others are not reported
    other.elsewhere = {}
    other.require(Use.CALL, Visitor("w", 1, source=ATTACKER))


def test_pages_and_limits_that_are_off_are_not_told() -> None:
    guard = VisitorGuard(VisitorLimits(calls=0), lambda: NOW)
    guard.require(Use.CALL, Visitor("v", 1, source=ATTACKER))
    assert guard.busiest() == {}
    guard.require(Use.CHECK, Visitor("v", 1, source=ATTACKER))
    guard.count_unknown_join(ATTACKER)
    assert sorted(guard.busiest()) == sorted(
        (shared_key("check by source", ATTACKER), shared_key("join", ATTACKER))
    )
    guard.elsewhere = {shared_key("join", ATTACKER): 29.0}
    assert guard.elsewhere
    with pytest.raises(VisavisError, match="seconds"):
        guard.require_join(ATTACKER)
