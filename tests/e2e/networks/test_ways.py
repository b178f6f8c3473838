"""Calls by every way there is through firewalls and routers, and with another browser."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.call_end import check_call_end
from tests.e2e.delivered import UNEVEN
from tests.e2e.flow import AGENT, VISITOR, Sides, await_flow
from tests.e2e.networks.ways import PRESS, Way, take, taken
from tests.media.firefox import Firefox
from tests.running import PAGE_SCRIPTS, Parties, eventually

pytestmark = pytest.mark.e2e

DIRECT = Way()
TCP = Way(candidates=" tcp ")
TURN_BY_UDP, TURN_BY_TCP = Way(turn="=udp"), Way(turn="=tcp")


@pytest.fixture(autouse=True)
def _checked(parties: Parties) -> Iterator[None]:
    parties.since = datetime.now(UTC)
    yield
    check_call_end(parties)


def connect(parties: Parties, visitor: Way, agent: Way, kind: str = "Video call") -> None:
    take(parties.visitor, visitor)
    take(parties.agent, agent)
    parties.connect(kind)


def test_an_audio_call_is_heard_on_both_sides(parties: Parties, sides: Sides) -> None:
    connect(parties, DIRECT, DIRECT, "Audio call")
    await_flow(sides, 2, frames=0, audio=45)
    parties.hang_up()


@pytest.mark.parametrize(
    ("visitor", "agent", "expected"),
    [
        pytest.param(TCP, TCP, ("tcp", "tcp"), id="tcp-alone"),
        pytest.param(TURN_BY_UDP, TURN_BY_TCP, ("udp by TURN", "tcp by TURN"), id="coturn"),
    ],
)
def test_a_video_call_by(
    parties: Parties, sides: Sides, visitor: Way, agent: Way, expected: tuple[str, str]
) -> None:
    connect(parties, visitor, agent)
    await_flow(sides, 2, frames=5, audio=45)
    assert tuple(taken(page, name) for name, page in sides.items()) == expected
    parties.hang_up()


@pytest.fixture
def firefox(tmp_path: Path, parties: Parties) -> Iterator[Firefox]:
    browser = Firefox(tmp_path, "", (*PAGE_SCRIPTS, UNEVEN))
    try:
        with parties.joined_by(VISITOR, browser):
            yield browser
            check_call_end(parties)
    finally:
        browser.close()


STAGE = "document.querySelector('visavis-widget').dataset.state"


def test_a_visitor_calls_with_firefox(parties: Parties, firefox: Firefox) -> None:
    firefox.goto(f"{parties.system.url}/demo")
    for label in ("Video call", "Call now"):
        eventually(lambda label=label: firefox.evaluate(PRESS, label))  # type: ignore[misc]
    take(parties.agent, DIRECT)
    parties.agent.get_by_role("button", name="Accept").click()
    sides: Sides = {VISITOR: firefox, AGENT: parties.agent}
    await_flow(sides, 2, frames=5, audio=45)
    assert firefox.evaluate(PRESS, "Hang up")
    expect(parties.agent.get_by_text("The call has ended.")).to_be_visible()
    assert firefox.evaluate(STAGE) == "ended"
