"""Recordings hold what the other browser saw and heard, by its own log.

The comparison itself is at the end of every test with a recorded call: `call_end.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.call_end import check_call_end, checked_parties
from tests.e2e.delivered import UNEVEN, last_call
from tests.e2e.flow import AGENT, VISITOR, Sides, await_flow
from tests.e2e.networks.ways import PRESS, SCRIPT, Router, Way, router_to, take
from tests.media.firefox import Firefox
from tests.running import PAGE_SCRIPTS, Parties, System, eventually

pytestmark = pytest.mark.e2e

SECONDS = 4.0
"""Of each part of a call."""

STALL_SECONDS = 4.0
STAGE = "document.querySelector('visavis-widget').dataset.state"
VISITORS_WAY = r" udp .* 127\.0\.0\.1 "


@pytest.fixture
def pair(browser: Browser, system: System) -> Iterator[Parties]:
    """Two pages of Chromium that flash and beep."""
    with checked_parties((browser, browser), system) as both:
        for page in (both.visitor, both.agent):
            page.add_init_script(SCRIPT)
            page.add_init_script(UNEVEN)
        both.arrive()
        yield both


@pytest.fixture
def nat(system: System) -> Iterator[Router]:
    with router_to(system, seed=4) as running:
        yield running


def sides_of(parties: Parties) -> Sides:
    return {VISITOR: parties.visitor, AGENT: parties.agent}


def wait(sides: Sides, seconds: float) -> None:
    next(iter(sides.values())).wait_for_timeout(1000 * seconds)


def ends_complete(parties: Parties) -> None:
    """Compare the recording of the call that has ended; nothing of it is said to be missing."""
    check_call_end(parties)
    call = last_call(parties.system)
    assert (call["isRecorded"], call["missingMedia"]) == (True, [])


def test_between_two_of_chromium(pair: Parties) -> None:
    pair.connect()
    await_flow(sides_of(pair), 1, frames=5, audio=20)
    wait(sides_of(pair), 2 * SECONDS)
    pair.hang_up()
    ends_complete(pair)


def test_after_a_stall_of_the_microphone(pair: Parties) -> None:
    pair.connect()
    await_flow(sides_of(pair), 1, frames=5, audio=20)
    wait(sides_of(pair), SECONDS)
    pair.visitor.evaluate("void microphone.suspend()")
    wait(sides_of(pair), STALL_SECONDS)
    pair.visitor.evaluate("void microphone.resume()")
    wait(sides_of(pair), SECONDS)
    pair.hang_up()
    ends_complete(pair)


def test_after_a_still_camera(pair: Parties) -> None:
    """A camera that gives no pictures for seconds, although no packet is lost."""
    pair.connect()
    await_flow(sides_of(pair), 1, frames=5, audio=20)
    wait(sides_of(pair), SECONDS)
    pair.visitor.evaluate("void (window.isStill = true)")
    wait(sides_of(pair), STALL_SECONDS)
    pair.visitor.evaluate("void (window.isStill = false)")
    wait(sides_of(pair), SECONDS)
    pair.hang_up()
    ends_complete(pair)


def test_over_300_ms_and_5_percent_loss(pair: Parties, nat: Router) -> None:
    take(pair.visitor, Way(VISITORS_WAY, nat.ask(nat.nat.open())))
    nat.treat(loss=0.05, delay=0.3)
    pair.connect()
    await_flow(sides_of(pair), 1, frames=5, audio=20)
    wait(sides_of(pair), 2 * SECONDS)
    pair.hang_up()
    ends_complete(pair)


def test_between_firefox_and_chromium(pair: Parties, tmp_path: Path) -> None:
    firefox = Firefox(tmp_path, "", (*PAGE_SCRIPTS, UNEVEN))
    with closing(firefox), pair.joined_by(VISITOR, firefox):
        firefox.goto(f"{pair.system.url}/demo")
        for label in ("Video call", "Call now"):
            eventually(lambda label=label: firefox.evaluate(PRESS, label))  # type: ignore[misc]
        pair.agent.get_by_role("button", name="Accept").click()
        sides: Sides = {VISITOR: firefox, AGENT: pair.agent}
        await_flow(sides, 1, frames=5, audio=20)
        wait(sides, 2 * SECONDS)
        assert firefox.evaluate(PRESS, "Hang up")
        expect(pair.agent.get_by_text("The call has ended.")).to_be_visible()
        assert firefox.evaluate(STAGE) == "ended"
        ends_complete(pair)
