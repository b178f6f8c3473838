"""A process whose sites another one has taken writes nothing, tells nothing and does nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from tests.running import PATIENCE
from tests.services.calls.simulated_site import (
    ANSWER,
    OFFER,
    QUEUE_SECONDS,
    RING_SECONDS,
    SimulatedSite,
    agent_session,
)
from visavis.domain.call_history import CallSearch
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import BridgeId
from visavis.domain.people import Visitor
from visavis.protocol import signaling
from visavis.services.calls import Calls
from visavis.store import tables as t
from visavis.store.rows.site_owners import SqlSiteOwnerRows

pytestmark = pytest.mark.anyio


async def successor(site: SimulatedSite) -> Calls:
    """Start another process of the same node, which restores the calls of the first."""
    calls = site._new_calls()
    await calls.restore()
    return calls


async def take_over(site: SimulatedSite) -> None:
    await site.calls.call_log.flush()
    await successor(site)
    site.forget()


def columns(site: SimulatedSite, name: str) -> list[Any]:
    with site.store._database.engine.connect() as connection:
        table = t.metadata.tables[name]
        return list(connection.execute(table.select().where(table.c.site_id == 1)).mappings())


async def test_the_term_rises_with_each_start(site: SimulatedSite) -> None:
    await site.connect()
    await site.calls.call_log.flush()
    terms = []
    for _ in range(3):
        terms += [(row["term"], row["boot"]) for row in columns(site, "site_owners")]
        await site.restart()
    assert terms == [(1, "boot0"), (2, "boot1"), (3, "boot2")]
    assert site.calls.ownership.owned_count == 2  # the other one has no calls
    await site.calls.call_log.flush()
    assert [row["term"] for row in columns(site, "live_calls")] == [4]


async def test_a_process_that_was_replaced_writes_nothing(site: SimulatedSite) -> None:
    call_id = await site.connect()
    await take_over(site)
    before = columns(site, "calls"), columns(site, "live_calls"), columns(site, "call_events")
    await site.agent(signaling.Say(call_id, "Is anybody there?"))
    await site.calls.call_log.flush()
    after = columns(site, "calls"), columns(site, "live_calls"), columns(site, "call_events")
    assert after == before
    assert (site.calls.ownership.owned_count, len(site.calls.ownership.lost)) == (0, 1)
    assert site.calls.count == 0
    assert site.heard("v") == site.heard("a") == []


async def test_an_accept_that_came_too_late_is_not_written(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    await site.ring()
    await take_over(site)
    await site.agent(signaling.Accept("id0"))
    await site.calls.call_log.flush()
    assert not await site.store.read(lambda rows: rows.calls.count(1, CallSearch(is_answered=True)))
    assert site.calls.count == 0


async def test_nothing_happens_afterwards(site: SimulatedSite) -> None:
    """Neither timers nor media workers bring the calls back."""
    call_id = await site.connect()
    await site.ring("v2")
    await take_over(site)
    owner = site.calls.site(1)
    await site.agent(signaling.Say(call_id, "Hello"))
    site.forget()
    await site.pass_time(RING_SECONDS + QUEUE_SECONDS + 60)
    owner.agent_changed(1)
    owner._widen("v2")
    await site.wait_idle()
    assert site.told == {}
    assert site.media.asked == []
    assert not site.calls.is_in_call("v")


async def test_the_bridge_of_a_call_that_was_taken_is_closed_when_its_pages_have_left_it(
    site: SimulatedSite,
) -> None:
    """The other process has a bridge of its own; the worker obeys us alone as to this one."""
    bridge = BridgeId(await site.connect(), 1)
    await take_over(site)
    await site.agent(signaling.Say(bridge.call_id, "Hello"))
    await site.wait_idle()
    assert not site.calls.is_in_call("v")  # it knows by now
    site.forget()
    await site.calls.media_events.leg_up(bridge, 1)
    assert site.media.asked == []
    await site.calls.media_events.leg_down(bridge, 1, "nothing was received")
    await site.wait_idle()
    assert site.media.asked == ["close 1"]
    assert bridge not in site.media.open_bridges


async def test_a_media_command_that_was_under_way_has_no_effect(
    site: SimulatedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    has_begun, may_end = asyncio.Event(), asyncio.Event()

    async def slow(*_: Any) -> Any:
        has_begun.set()
        await may_end.wait()
        raise VisavisError(ErrorKind.MediaUnavailable)

    monkeypatch.setattr(site.media, "set_remote", slow)
    await site.calls.from_agent(agent_session("a"), signaling.Accept(call_id))
    await site.calls.from_agent(agent_session("a"), signaling.Answer(call_id, 1, ANSWER))
    await asyncio.wait_for(has_begun.wait(), PATIENCE)
    await take_over(site)
    site.calls.call_log.save_live(site.calls.site(1).find(call_id))
    await site.calls.call_log.flush()
    assert site.calls.count == 0
    may_end.set()
    await site.wait_idle()
    assert site.told == {}
    assert site.media.asked == []


async def test_calls_of_another_site_go_on(site: SimulatedSite) -> None:
    await site.connect()
    other = Visitor("w", 2)
    site.calls.site(2).is_staffed = True
    await site.calls.from_visitor(other, signaling.PlaceCall("video", OFFER, "Ann", ""))
    await site.calls.call_log.flush()
    with site.store._database.engine.begin() as connection:
        mine = t.site_owners.c.site_id == 1
        connection.execute(update(t.site_owners).where(mine).values(boot="another", term=9))
    await site.agent(signaling.Say("id0", "Hello"))
    assert (site.calls.count, site.calls.is_in_call("w")) == (1, True)
    assert not site.calls.is_in_call("v")


async def test_requests_are_refused(site: SimulatedSite) -> None:
    call_id = await site.connect()
    await take_over(site)
    await site.agent(signaling.Say(call_id, "Hello"))
    requests: list[Callable[[], Any]] = [
        lambda: site.ring("v3"),
        lambda: site.agent(signaling.Say(call_id, "Hello")),
    ]
    for request in requests:
        with pytest.raises(VisavisError) as refused:
            await request()
        assert refused.value.kind is ErrorKind.StoreUnavailable


async def test_a_call_of_the_api_that_could_not_be_written(site: SimulatedSite) -> None:
    await site.connect()
    await take_over(site)
    with pytest.raises(VisavisError) as refused:
        await site.calls.create(agent_session("a").agent, "video", "Ann", "")
    assert refused.value.kind is ErrorKind.StoreUnavailable
    assert site.calls.count == 0


async def test_a_site_is_taken_with_its_first_call(site: SimulatedSite) -> None:
    assert columns(site, "site_owners") == []
    await site.ring()
    await site.calls.call_log.flush()
    (row,) = columns(site, "site_owners")
    assert (row["cluster"], row["node_id"], row["term"]) == ("node", "node", 1)


@pytest.mark.parametrize("found", [None, 3])
async def test_a_fail_over_that_loses_the_take(site: SimulatedSite, found: int | None) -> None:
    """The standby was asynchronous: the owner takes the site again, with a higher term."""
    site.calls.ownership.begin({1: 7})
    if found:
        await successor(site)
        with site.store._database.engine.begin() as connection:
            connection.execute(update(t.site_owners).values(term=found))
    call_id = await site.ring()
    await site.calls.call_log.flush()
    (row,) = columns(site, "site_owners")
    assert (row["term"], row["boot"]) == (8, "boot0")
    assert await site.state(call_id)


async def test_another_process_is_faster(
    site: SimulatedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes a new site between the look at its row and the take."""
    monkeypatch.setattr(SqlSiteOwnerRows, "take", lambda *_: False)
    await site.visitor(signaling.PlaceCall("video", OFFER, "Ann", "a@example.com"))
    await site.calls.call_log.flush()
    assert site.told == {}
    assert len(site.calls.ownership.lost) == 1


async def test_a_site_without_calls_is_lost_without_trouble(site: SimulatedSite) -> None:
    site.calls.ownership.confirm([1, 2], {1: 5})
    site.calls.ownership.confirm([2], {})
    assert (site.calls.ownership.owned_count, len(site.calls.ownership.lost)) == (1, 1)
