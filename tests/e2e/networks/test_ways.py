"""Calls by every way there is through firewalls and routers, and with another browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.flow import AGENT, VISITOR, Sides, await_pictures, flow
from tests.e2e.ways import SCRIPT, Way, coturn, take, taken
from tests.media.firefox import Firefox
from tests.running import Parties, System, eventually

pytestmark = pytest.mark.e2e

DIRECT = Way()
TCP = Way(candidates=" tcp ")
TURN_BY_UDP, TURN_BY_TCP = Way(turn="=udp"), Way(turn="=tcp")


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    directory = tmp_path_factory.mktemp("ways")
    with coturn(directory) as server:
        running = System(directory / "data", *server.options).start()
        running.configure(on=True)
        yield running
        running.stop()


@pytest.fixture(scope="module")
def parties(browsers: tuple[Browser, Browser], system: System) -> Iterator[Parties]:
    """Both have arrived; every test is one call of theirs."""
    both = Parties(browsers, system)
    for page in (both.visitor, both.agent):
        page.add_init_script(SCRIPT)
    both.arrive()
    yield both
    both.close()


def connect(parties: Parties, visitor: Way, agent: Way, kind: str = "Video call") -> Sides:
    take(parties.visitor, visitor)
    take(parties.agent, agent)
    parties.connect(kind)
    return {VISITOR: parties.visitor, AGENT: parties.agent}


def assert_flows(sides: Sides) -> None:
    """What a whole call's figures have to be, `test_call.py` says; here also a busy machine may."""
    await_pictures(sides)
    for seen in flow(sides, 3).values():
        assert seen.frames > 5
        assert seen.audio > 40


def hang_up(parties: Parties) -> None:
    parties.agent.get_by_role("button", name="Hang up").click()
    expect(parties.visitor.get_by_text("The call has ended.")).to_be_visible()


def test_an_audio_call_is_heard_on_both_sides(parties: Parties) -> None:
    sides = connect(parties, DIRECT, DIRECT, "Audio call")
    for heard in flow(sides, 3).values():
        assert 45 <= heard.audio <= 55
        assert heard.frames == 0
    hang_up(parties)


@pytest.mark.parametrize(
    ("visitor", "agent", "expected"),
    [
        pytest.param(TCP, TCP, ("tcp", "tcp"), id="tcp-alone"),
        pytest.param(TURN_BY_UDP, TURN_BY_TCP, ("udp by TURN", "tcp by TURN"), id="coturn"),
    ],
)
def test_a_video_call_by(
    parties: Parties, visitor: Way, agent: Way, expected: tuple[str, str]
) -> None:
    sides = connect(parties, visitor, agent)
    assert_flows(sides)
    assert tuple(taken(page, name) for name, page in sides.items()) == expected
    hang_up(parties)


@pytest.fixture
def firefox(tmp_path: Path) -> Iterator[Firefox]:
    browser = Firefox(tmp_path, "")
    yield browser
    browser.close()


PRESS = """label => {
  const all = root => [...root.querySelectorAll("*")]
    .flatMap(one => one.shadowRoot ? [one, ...all(one.shadowRoot)] : [one]);
  const button = all(document).find(one => one.localName === "button" && !one.disabled
    && (one.getAttribute("aria-label") ?? one.textContent).trim() === label);
  button?.click();
  return !!button;
}"""
STAGE = "document.querySelector('visavis-widget').dataset.state"


def test_a_visitor_calls_with_firefox(parties: Parties, firefox: Firefox) -> None:
    firefox.goto(f"{parties.system.url}/demo")
    for label in ("Video call", "Call now"):
        eventually(lambda label=label: firefox.evaluate(PRESS, label))  # type: ignore[misc]
    take(parties.agent, DIRECT)
    parties.agent.get_by_role("button", name="Accept").click()
    sides: Sides = {VISITOR: firefox, AGENT: parties.agent}
    assert_flows(sides)
    assert firefox.evaluate(PRESS, "Hang up")
    expect(parties.agent.get_by_text("The call has ended.")).to_be_visible()
    assert firefox.evaluate(STAGE) == "ended"
