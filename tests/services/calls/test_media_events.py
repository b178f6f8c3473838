"""The quality of a connection is sent to its page, and the last report is kept."""

from __future__ import annotations

import pytest

from tests.services.calls.house import House
from visavis.domain import signaling
from visavis.domain.leg import Link, Side
from visavis.rtp.quality import LegReport

pytestmark = pytest.mark.anyio

REPORT = LegReport(loss_in=0.01, loss_out=0.2, jitter=7.5, round_trip=80.0, mos=3.9, bytes_in=10)


async def test_each_page_hears_of_its_own_leg_every_two_seconds(house: House) -> None:
    call_id = await house.connect()
    house.forget()
    link = Link(call_id, 1)
    for _ in range(3):
        await house.calls.media_events.quality(link, Side.VISITOR, REPORT)
        house.time += 1
    assert (
        house.told["v"]
        == [
            {
                "type": "quality",
                "callId": call_id,
                "mos": 3.9,
                "loss": 0.2,
                "jitter": 7.5,
                "roundTrip": 80.0,
            }
        ]
        * 2
    )
    assert house.heard("a") == []


async def test_the_last_report_of_each_side_is_kept_with_the_call(house: House) -> None:
    call_id = await house.connect()
    await house.calls.media_events.quality(Link(call_id, 1), Side.AGENT, LegReport())
    await house.calls.media_events.quality(Link(call_id, 1), Side.AGENT, REPORT)
    await house.calls.media_events.quality(Link(call_id, 2), Side.VISITOR, REPORT)  # no such link
    await house.calls.media_events.quality(Link("gone", 1), Side.VISITOR, REPORT)
    await house.visitor(signaling.HangUp(call_id))
    kept = (await house.report(call_id)).quality
    assert list(kept) == ["agent"]
    assert (kept["agent"]["lossIn"], kept["agent"]["bytesIn"]) == (0.01, 10)


async def test_the_very_last_report_comes_while_the_link_is_closed(house: House) -> None:
    call_id = await house.connect()

    async def report(link: Link) -> None:
        await house.calls.media_events.quality(link, Side.VISITOR, REPORT)

    house.media.on_close = report
    await house.visitor(signaling.HangUp(call_id))
    assert (await house.report(call_id)).quality["visitor"]["bytesIn"] == 10
    assert house.last("v")["type"] == "ended"
