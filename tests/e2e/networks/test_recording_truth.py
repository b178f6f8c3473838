"""Recordings hold what the other browser saw and heard, by its own `getStats`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.delivered import FLASH_AND_BEEP, archived, last_call
from tests.e2e.flow import AGENT, VISITOR, Page, Sides, await_flow
from tests.e2e.networks.test_bad_networks import Router
from tests.e2e.networks.test_ways import PRESS
from tests.e2e.networks.ways import SCRIPT, Way, take
from tests.e2e.oracle import assert_true, observe, received
from tests.media.firefox import Firefox
from tests.media.nat import Nat
from tests.running import Parties, System, eventually

pytestmark = pytest.mark.e2e

SECONDS = 6.0
"""Of each part of a call."""

STALL_SECONDS = 5.0
SETTLE_SECONDS = 3.0
"""Of a jitter buffer, once the network has changed."""

UNEVEN = FLASH_AND_BEEP.replace("at += SECOND", "at += 0.7 + 0.6 * Math.abs(Math.sin(13 * at))")
UNEVEN = UNEVEN.replace("const context =", "const context = window.microphone =")
"""Beeps at uneven times: a recording that is late by one beep is not mistaken for another."""

VISITORS_WAY = r" udp .* 127\.0\.0\.1 "


@pytest.fixture
def recorded(system: System) -> Iterator[System]:
    system.configure(on=True, recording=True)
    yield system
    system.configure(on=True)


@pytest.fixture
def pair(browser: Browser, recorded: System) -> Iterator[Parties]:
    """Two pages of Chromium that flash and beep."""
    both = Parties((browser, browser), recorded)
    for page in (both.visitor, both.agent):
        page.add_init_script(SCRIPT)
        page.add_init_script(UNEVEN)
    both.arrive()
    yield both
    both.close()


@pytest.fixture
def nat(recorded: System) -> Iterator[Router]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    running = Router(Nat(("127.0.0.1", recorded.media_port), 4), loop)
    yield running
    running.ask(running.nat.close())
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def sides_of(parties: Parties) -> Sides:
    return {VISITOR: parties.visitor, AGENT: parties.agent}


def is_true_after(
    system: System,
    sides: Sides,
    hang_up: Callable[[], None],
    happens: Callable[[], None],
    steady: frozenset[str] = frozenset(),
) -> None:
    """See a call through in which something happens, and compare its recording.

    `steady` sides of it sound without a break, as Firefox's fake microphone does.
    """
    for name, page in sides.items():
        observe(page, name)
    await_flow(sides, 1, frames=5, audio=20)
    wait(sides, SECONDS)
    happens()
    wait(sides, SECONDS)
    receptions = {name: received(page) for name, page in sides.items()}
    hang_up()
    path, _ = archived(system)
    assert_true(path, receptions, steady)
    call = last_call(system)
    assert (call["isRecorded"], call["missingMedia"]) == (True, [])


def wait(sides: Sides, seconds: float) -> None:
    next(iter(sides.values())).wait_for_timeout(1000 * seconds)


def nothing() -> None:
    pass


def test_between_two_of_chromium(pair: Parties) -> None:
    pair.connect()
    is_true_after(pair.system, sides_of(pair), pair.hang_up, nothing)


def test_after_a_stall_of_the_microphone(pair: Parties) -> None:
    pair.connect()

    def stall() -> None:
        pair.visitor.evaluate("void microphone.suspend()")
        pair.visitor.wait_for_timeout(1000 * STALL_SECONDS)
        pair.visitor.evaluate("void microphone.resume()")

    is_true_after(pair.system, sides_of(pair), pair.hang_up, stall)


def test_after_a_still_camera(pair: Parties) -> None:
    """A canvas that is not drawn on gives no frames, and no packet is lost."""
    pair.connect()

    def still() -> None:
        pair.visitor.evaluate("""void (window.paint = window.requestAnimationFrame,
          window.waiting = [], window.requestAnimationFrame = f => window.waiting.push(f))""")
        pair.visitor.wait_for_timeout(1000 * STALL_SECONDS)
        pair.visitor.evaluate("""void (window.requestAnimationFrame = window.paint,
          window.waiting.forEach(f => requestAnimationFrame(f)))""")

    is_true_after(pair.system, sides_of(pair), pair.hang_up, still)


def test_over_300_ms_and_5_percent_loss(pair: Parties, nat: Router) -> None:
    take(pair.visitor, Way(VISITORS_WAY, nat.ask(nat.nat.open())))
    pair.connect()
    # for the whole comparison: the delay that is taken off must not change meanwhile
    nat.treat(loss=0.05, delay=0.3)
    wait(sides_of(pair), SETTLE_SECONDS)
    is_true_after(pair.system, sides_of(pair), pair.hang_up, nothing)


def test_between_firefox_and_chromium(pair: Parties, tmp_path: Path) -> None:
    firefox = Firefox(tmp_path, "")
    try:
        firefox.goto(f"{pair.system.url}/demo")
        for label in ("Video call", "Call now"):
            eventually(lambda label=label: firefox.evaluate(PRESS, label))  # type: ignore[misc]
        pair.agent.get_by_role("button", name="Accept").click()
        sides: dict[str, Page] = {VISITOR: firefox, AGENT: pair.agent}

        def hang_up() -> None:
            assert firefox.evaluate(PRESS, "Hang up")
            expect(pair.agent.get_by_text("The call has ended.")).to_be_visible()

        is_true_after(pair.system, sides, hang_up, nothing, steady=frozenset({"Visitor"}))
    finally:
        firefox.close()
