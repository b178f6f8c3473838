"""The call log is written in order and once, however the database behaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.services.calls.house import House, agent_session
from visavis.domain import signaling
from visavis.domain.errors import ErrorKind, VisavisError

pytestmark = pytest.mark.anyio


def fail(house: House, error: Callable[[], Exception], times: int) -> None:
    """Let the store fail so often."""
    write, left = house.store.write, [times]

    async def failing(work: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise error()
        return await write(work)

    house.store.write = failing  # type: ignore[method-assign]


async def test_a_database_that_is_away_for_a_while(house: House) -> None:
    fail(house, lambda: VisavisError(ErrorKind.StoreUnavailable), 2)
    call_id = await house.connect()
    for _ in range(2):
        with pytest.raises(VisavisError):
            await house.calls._registry.call_log.flush()
    await house.agent(signaling.Say(call_id, "Still here"))
    await house.pass_time(3)
    assert await house.events(call_id) == [
        "requested",
        "ringing",
        "accepted",
        "connecting",
        "linked",
        "connected",
        "text",
    ]


async def test_shutting_down_without_a_database(house: House) -> None:
    await house.connect()
    fail(house, lambda: VisavisError(ErrorKind.StoreUnavailable), 99)
    await house.calls.shut_down()
    assert house.last("v")["reason"] == "shutDown"


async def test_while_it_is_away_so_much_is_kept_and_no_more(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("visavis.services.calls.call_log.MAX_EVENTS", 3)
    fail(house, lambda: VisavisError(ErrorKind.StoreUnavailable), 1)
    house.calls.agent_arrived(agent_session("a"))
    call_id = await house.ring()
    for text in ("one", "two"):
        house.calls._registry.record_event(house.calls._registry.calls[call_id], "text", text=text)
    with pytest.raises(VisavisError):
        await house.calls._registry.call_log.flush()
    await house.pass_time(2)
    assert await house.events(call_id) == ["requested", "ringing", "text"]


async def test_what_nobody_foresaw_stops_nothing_that_follows(house: House) -> None:
    fail(house, lambda: RuntimeError("a bug"), 1)
    await house.ring("v1")
    with pytest.raises(RuntimeError):
        await house.calls._registry.call_log.flush()
    second = await house.ring("v2")
    assert (await house.state(second))[0] == "queued"


async def test_nothing_to_write_is_nothing_to_wait_for(house: House) -> None:
    await house.calls._registry.call_log.flush()
