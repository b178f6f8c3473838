"""The way to the media port is tried before a call."""

from __future__ import annotations

import pytest

from tests.services.calls.house import OFFER, House, refused, without_video
from visavis.domain import signaling
from visavis.domain.config import Config
from visavis.domain.errors import ErrorKind
from visavis.domain.signaling import PROBE_SECONDS

pytestmark = pytest.mark.anyio

PROBE = signaling.Probe(without_video(OFFER).replace("a=sendrecv", "a=inactive"))


async def test_a_transport_is_kept_for_a_while(house: House) -> None:
    await house.visitor(PROBE)
    sdp = house.last("v", "probed")["sdp"]
    assert "a=setup:passive" in sdp
    assert "a=ice-ufrag:age1" in sdp
    assert house.media.asked == ["open 1 visitor", "open 1 agent", "remote 1 agent"]
    assert await refused(house.visitor(PROBE)) is ErrorKind.TooManyRequests
    await house.pass_time(PROBE_SECONDS)
    assert house.media.asked[-1] == "close 1"
    house.media.refuses["close"] = ErrorKind.MediaUnavailable
    await house.visitor(PROBE)
    await house.pass_time(PROBE_SECONDS)
    await house.visitor(PROBE)


async def test_so_many_at_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("visavis.services.calls.connectivity_tests.MAX_TESTS", 2)
    for page in ("v1", "v2"):
        await house.visitor(PROBE, page)
    assert await refused(house.visitor(PROBE, "v3")) is ErrorKind.TooManyRequests


async def test_not_while_calls_are_switched_off(house: House) -> None:
    house.config = Config(1)
    assert await refused(house.visitor(PROBE)) is ErrorKind.AudioVideoChatDisabled


async def test_no_worker_no_answer(house: House) -> None:
    house.media.refuses["open"] = ErrorKind.MediaUnavailable
    assert await refused(house.visitor(PROBE)) is ErrorKind.MediaUnavailable
    await house.pass_time(PROBE_SECONDS)
    assert house.told.get("v") is None
