"""Background tasks of calls, each of which dies once."""

from __future__ import annotations

import pytest

from tests.dying import DiedError, dies_once
from tests.services.calls.simulated_site import SimulatedSite
from visavis.services.calls.call_log import CallLogWriter
from visavis.services.calls.effects import EffectRunner

pytestmark = pytest.mark.anyio


async def test_the_next_batch_is_written(site: SimulatedSite) -> None:
    call_log = site.calls.call_log
    await site.connect()
    with dies_once("call log writing", CallLogWriter, "_write"), pytest.raises(DiedError):
        await call_log.flush()
    await call_log.flush()
    assert not call_log._records


async def test_other_work_goes_on(site: SimulatedSite) -> None:
    runner: EffectRunner = site.calls._runner
    done: list[int] = []

    class Work:
        async def perform(self) -> None:
            done.append(1)

    work = Work()
    with dies_once("work of a call", work, "perform"):
        runner.run_task(work.perform())
        runner.run_task(work.perform())
        await runner.wait_idle()
    assert done == [1]
