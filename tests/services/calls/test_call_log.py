"""The call log is written in order and once, however the database behaves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.services.calls.simulated_site import NOW, SimulatedSite, agent_session
from visavis.domain.call_events import CallEvent
from visavis.domain.call_history import CallSearch
from visavis.domain.config import Config
from visavis.domain.errors import ErrorCode, ErrorKind, VisavisError
from visavis.protocol import signaling

pytestmark = pytest.mark.anyio


def fail(site: SimulatedSite, error: Callable[[], Exception], times: int) -> list[int]:
    """Let the store fail this many times; the test can change the remaining number."""
    write, left = site.store.write, [times]

    async def failing(work: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise error()
        return await write(work)

    site.store.write = failing  # type: ignore[method-assign]
    return left


async def test_a_database_that_is_away_for_a_while(site: SimulatedSite) -> None:
    left = fail(site, lambda: VisavisError(ErrorKind.StoreUnavailable), 99)
    call_id = await site.connect()
    for _ in range(2):
        with pytest.raises(VisavisError):
            await site.calls.call_log.flush()
    assert site.calls.call_log.waiting_events == 6
    left[0] = 0
    await site.agent(signaling.Say(call_id, "Still here"))
    await site.pass_time(3)
    assert await site.events(call_id) == [
        "requested",
        "ringing",
        "accepted",
        "connecting",
        "linked",
        "connected",
        "text",
    ]
    assert site.calls.call_log.waiting_events == 0


async def test_a_batch_of_unknown_fate_is_written_once(site: SimulatedSite) -> None:
    """The primary dies during a commit: events that were committed are not added again."""
    write, left = site.store.write, list[str]()

    async def failing(work: Any) -> Any:
        fate = left.pop(0) if left else ""
        if fate == "away":
            raise VisavisError(ErrorKind.StoreUnavailable)
        if fate != "lost":
            result = await write(work)
        if fate:
            raise VisavisError(ErrorCode.ChangeUnconfirmed)
        return result

    site.store.write = failing  # type: ignore[method-assign]
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    record = site.calls.site(1).calls[call_id].record
    site.calls.call_log.record_event(record, CallEvent(NOW, "text zero"))
    left += ["committed", "lost", "away"]
    for text in ("one", "two", "three"):
        with pytest.raises(VisavisError):
            await site.calls.call_log.flush()
        event = CallEvent(NOW, f"text {text}")
        site.calls.call_log.record_event(record, event)
    await site.calls.call_log.flush()
    assert not left
    texts = ["text zero", "text one", "text two", "text three"]
    assert await site.events(call_id) == ["requested", "ringing", *texts]
    site.calls.call_log.record_event(record, CallEvent(NOW, "text one"))  # confirmed meanwhile
    await site.calls.call_log.flush()
    assert (await site.events(call_id))[-1] == "text one"


async def test_shutting_down_without_a_database(site: SimulatedSite) -> None:
    await site.connect()
    fail(site, lambda: VisavisError(ErrorKind.StoreUnavailable), 99)
    await site.calls.shut_down()
    assert site.last("v")["reason"] == "shutDown"


async def test_while_it_is_away_so_much_is_kept_and_no_more(
    site: SimulatedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("visavis.services.calls.call_log.MAX_EVENTS", 3)
    left = fail(site, lambda: VisavisError(ErrorKind.StoreUnavailable), 99)
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    for text in ("one", "two"):
        record = site.calls.site(1).calls[call_id].record
        site.calls.call_log.record_event(record, CallEvent(NOW, "text", data={"text": text}))
    with pytest.raises(VisavisError):
        await site.calls.call_log.flush()
    left[0] = 0
    await site.pass_time(2)
    assert await site.events(call_id) == ["requested", "ringing", "text"]


async def test_what_nobody_foresaw_stops_nothing_that_follows(site: SimulatedSite) -> None:
    fail(site, lambda: RuntimeError("a bug"), 1)
    await site.ring("v1")
    second = await site.ring("v2")
    assert (await site.state(second))[0] == "queued"


async def test_nothing_to_write_is_nothing_to_wait_for(site: SimulatedSite) -> None:
    await site.calls.call_log.flush()


async def test_a_call_that_the_database_has_does_not_delay_its_journal(
    site: SimulatedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.config = Config(1, is_enabled=True, is_recording=True)
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    await site.calls.call_log.flush()

    async def flush() -> None:
        raise AssertionError("the journal waits for the database")

    with monkeypatch.context() as patched:
        patched.setattr(site.calls.call_log, "flush", flush)
        await site.agent(signaling.Accept(call_id))
    assert site.media.asked[-1] == "tap 1"
    assert (await site.events(call_id))[2] == "accepted"


async def test_a_call_is_in_the_database_before_its_journal(site: SimulatedSite) -> None:
    site.config = Config(1, is_enabled=True, is_recording=True)
    site.calls.agent_arrived(agent_session("a"))
    fail(site, lambda: VisavisError(ErrorKind.StoreUnavailable), 99)
    call_id = await site.ring()
    await site.agent(signaling.Accept(call_id))
    assert "tap 1" not in site.media.asked


async def test_there_is_nothing_to_wait_for(site: SimulatedSite) -> None:
    await site.calls.call_log.wait_tried()
    assert await site.store.read(lambda rows: rows.calls.count(1, CallSearch())) == 0


async def test_a_call_that_is_saved_during_a_failing_write_is_tried(
    site: SimulatedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The messages that wait for it are sent once the write has failed."""
    call_id = await site.ring()
    await site.calls.call_log.flush()
    call, tried = site.calls.site(1).calls[call_id], list[str]()
    has_begun, may_fail = asyncio.Event(), asyncio.Event()

    async def write(_: Any) -> None:
        has_begun.set()
        await may_fail.wait()
        raise VisavisError(ErrorKind.StoreUnavailable)

    with monkeypatch.context() as patched:
        patched.setattr(site.store, "write", write)
        site.calls.call_log.save_first(call, lambda: tried.append("first"))
        await has_begun.wait()
        site.calls.call_log.save_first(call, lambda: tried.append("second"))
        may_fail.set()
        await site.calls.call_log.wait_tried()
        await asyncio.sleep(0)
    assert tried == ["first", "second"]


@pytest.mark.parametrize("is_first", [False, True])
async def test_a_change_right_after_the_last_batch_is_saved(
    site: SimulatedSite, *, is_first: bool
) -> None:
    """The batch has ended, but its task's callback has not been called yet."""
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    log, call = site.calls.call_log, site.calls.site(1).calls[call_id]
    log.record_event(call.record, CallEvent(NOW, "text one"))
    log._start()
    batch, tried = log._writing, asyncio.Event()
    assert batch
    while not batch.done():
        await asyncio.sleep(0)
    assert log._writing is batch
    log.record_event(call.record, CallEvent(NOW, "text two"))
    if is_first:
        log.save_first(call, tried.set)
        await asyncio.sleep(0)
        assert not tried.is_set()
        await tried.wait()
    else:
        await site.pass_time(1)
    assert (await site.events(call_id))[-2:] == ["text one", "text two"]
