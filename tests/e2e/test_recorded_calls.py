"""Recorded calls: the delivered file is decoded and checked."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import COLLEAGUE, PASSWORD
from tests.e2e.delivered import FLASH_AND_BEEP, archived, chapters, last_call, skew, titles
from tests.e2e.test_library import in_step
from tests.running import Parties, System, eventually, videos
from tests.synthetic.watch import DARK, LOUD, beeps, brightness, flashes, loudness

pytestmark = pytest.mark.e2e

MOST_SKEW = 0.04
SIDES = ("Visitor", "Agent")
ON_THE_WAY = 0.5
"""Seconds that a busy machine takes at most from a microphone to us: as long before the pause
ended something may have been said that came after it.
"""
OPUS_FRAME = 0.02
"""Seconds by which the last packet before a pause may reach into it."""
CALLS = 6
"""So many are made at most for one in which the pages themselves are in step."""


@pytest.fixture
def system(system: System) -> System:
    system.configure(on=True, recording=True)
    return system


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def flashing_call(system: System, parties: Parties) -> Path:
    """A call with a pause between two pages that flash and beep; its file."""
    visitor, agent = parties.visitor, parties.agent
    visitor.goto(f"{system.url}/demo")
    parties.connect()
    visitor.wait_for_timeout(4_000)
    press(agent, "Pause recording")
    expect(visitor.get_by_text("Recording paused")).to_be_visible()
    visitor.wait_for_timeout(2_500)
    press(agent, "Resume recording")
    expect(visitor.get_by_text("Recording since")).to_be_visible()
    visitor.wait_for_timeout(3_000)
    parties.hang_up(visitor)
    path, sha256 = archived(system)
    sides = [f"{side} {kind}" for side in SIDES for kind in ("audio", "video")]
    assert titles(path, sha256, last_call(system)) == sides
    return path


def test_a_video_call_with_a_pause_is_in_step(system: System, parties: Parties) -> None:
    for page in (parties.visitor, parties.agent):
        page.add_init_script(FLASH_AND_BEEP)
    parties.arrive()
    # on a busy machine a page itself may paint its flash later than it plays its beep
    for _ in range(CALLS):
        path = flashing_call(system, parties)
        skews = [abs(skew(path, side)) for side in SIDES]
        if max(skews) < MOST_SKEW:
            break
    assert max(skews) < MOST_SKEW

    told = chapters(path)
    paused, resumed = told["Recording paused by the agent"], told["Recording resumed by the agent"]
    for side in SIDES:
        until = resumed - ON_THE_WAY
        seen = [light for at, light in brightness(path, f"{side} video") if paused < at < until]
        silent = paused + OPUS_FRAME
        heard = [peak for at, peak in loudness(path, f"{side} audio") if silent < at < until]
        assert max(seen) <= DARK
        assert max(heard) < LOUD
        for moments in (flashes(path, f"{side} video"), beeps(path, f"{side} audio")):
            assert min(moments) < paused
            assert max(moments) > resumed

    agent = parties.agent
    agent.goto(f"{system.url}/library?recording={last_call(system)['recordingId']}")
    agent.locator("#play").click()
    in_step(agent, 3)


def test_an_upgraded_call_with_a_screen_moves_to_a_colleague(
    system: System, parties: Parties
) -> None:
    parties.arrive()
    visitor, agent, bea = parties.visitor, parties.agent, parties.another_agent()
    parties.sign_in(bea, COLLEAGUE, PASSWORD)
    parties.connect("Audio call")
    for page in (visitor, agent):
        press(page, "Camera on")
    eventually(lambda: len(videos(agent, "visavisConsole")) == 1)
    press(agent, "Share screen")
    eventually(lambda: len(videos(visitor, "visavis")) == 2)
    press(agent, "Stop sharing")
    press(agent, "Transfer")
    press(agent, "Ring Bea")
    bea.get_by_role("button", name="With video").click()
    expect(agent.get_by_text("Your colleague has the call now.")).to_be_visible()
    eventually(lambda: len(videos(visitor, "visavis")) == 1)
    eventually(lambda: len(videos(bea, "visavisConsole")) == 1)
    parties.hang_up(bea)

    path, sha256 = archived(system)
    assert titles(path, sha256, last_call(system)) == [
        "Visitor audio",
        "Visitor video",
        "Agent audio",
        "Agent video",
        "Agent screen",
    ]
    # what follows so shortly on another's beginning takes its place
    assert list(chapters(path))[-3:] == [
        "The agent shares their screen",
        "The agent stops sharing",
        "Transferred to Bea",
    ]
