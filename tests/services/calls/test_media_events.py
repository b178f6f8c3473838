"""The quality of a connection is sent to its page, and the last report is kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.services.calls.simulated_site import SimulatedSite
from visavis.domain.errors import ErrorKind
from visavis.domain.leg import AGENT_LEG, VISITOR_LEG, BridgeId
from visavis.protocol import signaling
from visavis.rtp.mos import LegReport

pytestmark = pytest.mark.anyio

REPORT = LegReport(loss_in=0.01, loss_out=0.2, jitter=7.5, round_trip=80.0, mos=3.9, bytes_in=10)


async def test_each_page_hears_of_its_own_leg_every_two_seconds(site: SimulatedSite) -> None:
    call_id = await site.connect()
    site.forget()
    link = BridgeId(call_id, 1)
    for _ in range(3):
        await site.calls.media_events.quality(link, VISITOR_LEG, REPORT)
        site.time += 1
    assert (
        site.told["v"]
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
    assert site.heard("a") == []


async def test_the_last_report_of_each_side_is_kept_with_the_call(site: SimulatedSite) -> None:
    call_id = await site.connect()
    await site.calls.media_events.quality(BridgeId(call_id, 1), AGENT_LEG, LegReport())
    await site.calls.media_events.quality(BridgeId(call_id, 1), AGENT_LEG, REPORT)
    await site.calls.media_events.quality(BridgeId(call_id, 2), VISITOR_LEG, REPORT)  # no such link
    await site.calls.media_events.quality(BridgeId("gone", 1), VISITOR_LEG, REPORT)
    await site.visitor(signaling.HangUp(call_id))
    kept = (await site.report(call_id)).quality
    assert list(kept) == ["agent"]
    assert (kept["agent"]["lossIn"], kept["agent"]["bytesIn"]) == (0.01, 10)


async def test_the_very_last_report_comes_while_the_link_is_closed(site: SimulatedSite) -> None:
    call_id = await site.connect()

    async def report(link: BridgeId) -> None:
        await site.calls.media_events.quality(link, VISITOR_LEG, REPORT)

    site.media.on_close = report
    await site.visitor(signaling.HangUp(call_id))
    assert (await site.report(call_id)).quality["visitor"]["bytesIn"] == 10
    assert site.last("v")["type"] == "ended"


async def test_a_bridge_of_no_call_that_cannot_be_closed_is_left_to_its_worker(
    site: SimulatedSite,
) -> None:
    site.media.refuses["close"] = ErrorKind.MediaUnavailable
    await site.calls.media_events.leg_down(BridgeId("unknown", 1), VISITOR_LEG, "gone")
    await site.wait_idle()
    assert site.media.asked == ["close 1"]


async def test_a_call_that_is_lost_while_its_report_waits_leaves_no_bridge(
    site: SimulatedSite,
) -> None:
    """A leg is down while this process does not know yet that it has lost the call's site."""
    held: list[Callable[[], object]] = []
    site.calls.media_events._when_settled = held.append
    bridge = BridgeId(await site.connect(), 1)
    site.forget()
    await site.calls.media_events.leg_down(bridge, VISITOR_LEG, "gone")
    site.calls._owners.clear()
    for report in held:
        report()
    await site.wait_idle()
    assert site.media.asked == ["close 1"]
