"""Connectivity tests before a call."""

from __future__ import annotations

import pytest

from tests.services.calls.simulated_site import OFFER, SimulatedSite, refused, without_video
from visavis.domain.config import Config
from visavis.domain.errors import ErrorKind
from visavis.protocol import signaling
from visavis.protocol.signaling import PROBE_SECONDS

pytestmark = pytest.mark.anyio

PROBE = signaling.Probe(without_video(OFFER).replace("a=sendrecv", "a=inactive"))


async def test_a_transport_is_kept_for_a_while(site: SimulatedSite) -> None:
    await site.visitor(PROBE)
    sdp = site.last("v", "probed")["sdp"]
    assert "a=setup:passive" in sdp
    assert "a=ice-ufrag:age1" in sdp
    assert site.media.asked == ["open 1 visitor", "open 1 agent", "remote 1 agent"]
    assert await refused(site.visitor(PROBE)) is ErrorKind.TooManyRequests
    await site.pass_time(PROBE_SECONDS)
    assert site.media.asked[-1] == "close 1"
    site.media.refuses["close"] = ErrorKind.MediaUnavailable
    await site.visitor(PROBE)
    await site.pass_time(PROBE_SECONDS)
    await site.visitor(PROBE)


async def test_so_many_at_once(site: SimulatedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("visavis.services.connectivity_tests.MAX_TESTS", 2)
    for page in ("v1", "v2"):
        await site.visitor(PROBE, page)
    assert await refused(site.visitor(PROBE, "v3")) is ErrorKind.TooManyRequests


async def test_not_while_calls_are_switched_off(site: SimulatedSite) -> None:
    site.config = Config(1)
    assert await refused(site.visitor(PROBE)) is ErrorKind.AudioVideoChatDisabled


async def test_no_worker_no_answer(site: SimulatedSite) -> None:
    site.media.refuses["open"] = ErrorKind.MediaUnavailable
    assert await refused(site.visitor(PROBE)) is ErrorKind.MediaUnavailable
    await site.pass_time(PROBE_SECONDS)
    assert site.told.get("v") is None
