"""Background work of calls that dies once."""

from __future__ import annotations

import pytest

from tests.dying import DiedError, dies_once
from tests.services.calls.house import House
from visavis.services.calls.chronicle import Chronicle
from visavis.services.calls.registry import CallRegistry

pytestmark = pytest.mark.anyio


async def test_the_next_batch_is_written(house: House) -> None:
    chronicle = house.calls._registry.chronicle
    await house.connect()
    with dies_once("call log writing", Chronicle, "_write"), pytest.raises(DiedError):
        await chronicle.written()
    await chronicle.written()
    assert not chronicle._records


async def test_other_work_goes_on(house: House) -> None:
    registry: CallRegistry = house.calls._registry
    done: list[int] = []

    class Work:
        async def perform(self) -> None:
            done.append(1)

    work = Work()
    with dies_once("work of a call", work, "perform"):
        registry.run_task(work.perform())
        registry.run_task(work.perform())
        await registry.wait_idle()
    assert done == [1]
