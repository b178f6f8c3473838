"""The visitor's page: the check before a call, the queue, the message after it, the script API."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Page, Playwright, expect

from tests.e2e.flow import AGENT, VISITOR, await_flow
from tests.running import CHROMIUM, PATIENCE, Parties, System, eventually

pytestmark = pytest.mark.e2e


@pytest.fixture
def poor_page(playwright: Playwright, system: System) -> Iterator[Page]:
    """A page in a browser without microphone and camera, on a narrow screen."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": 360, "height": 640})
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(f"{system.url}/demo")
    yield page
    browser.close()


def test_the_check_shows_what_works(parties: Parties) -> None:
    parties.arrive()
    page = parties.visitor
    page.get_by_role("button", name="Video call").click()
    expect(page.get_by_role("heading", name="Video call")).to_be_focused()
    expect(page.get_by_text("Your microphone works.")).to_be_visible()
    expect(page.get_by_text("This is how others see you.")).to_be_visible()
    expect(page.get_by_text(re.compile(r"The connection is good"))).to_be_visible()
    page.get_by_text("Choose devices").click()
    microphones = page.get_by_label("Microphone", exact=True)
    microphones.select_option(label="Fake Audio Input 2")
    expect(page.get_by_text("Your microphone works.")).to_be_visible()
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_role("button", name="Video call")).to_be_visible()


def test_the_check_says_what_is_wrong(poor_page: Page) -> None:
    poor_page.get_by_role("button", name="Talk to us").click()
    poor_page.get_by_role("button", name="Video call").click()
    expect(poor_page.get_by_role("alert")).to_have_text(re.compile(r"No microphone|may not use"))
    expect(poor_page.get_by_role("button", name="Call now")).to_be_disabled()
    expect(poor_page.get_by_role("button", name="With the microphone only")).to_be_visible()
    poor_page.get_by_role("button", name="Try again").click()
    expect(poor_page.get_by_role("alert")).to_have_text(re.compile(r"No microphone|may not use"))
    width = poor_page.evaluate("document.documentElement.scrollWidth")
    assert width <= 360


def test_the_queue_has_places_and_ends_with_a_message(parties: Parties) -> None:
    parties.arrive()
    presence = parties.agent.get_by_role("switch", name="Available")
    presence.uncheck()
    expect(parties.agent.get_by_text("You are away")).to_be_visible()
    first, second = parties.visitor, parties.another_visitor()
    second.goto(first.url)
    parties.call("Audio call")
    expect(first.get_by_text("Your place: 1")).to_be_visible()
    second.get_by_role("button", name="Audio call").click()
    second.get_by_label("Name (optional)").fill("Ada Lovelace")
    second.get_by_label("E-mail (optional)").fill("ada@example.com")
    second.get_by_role("button", name="Call now").click()
    expect(second.get_by_text("Your place: 2")).to_be_visible()
    expect(parties.agent.get_by_role("region", name=re.compile("^Queue"))).to_contain_text("Ada")
    first.get_by_role("button", name="Cancel").click()
    expect(second.get_by_text("Your place: 1")).to_be_visible()

    presence.check()
    parties.agent.get_by_role("button", name="Decline").click()
    expect(second.get_by_text("Nobody can take your call")).to_be_visible()
    expect(second.get_by_label("E-mail (optional)")).to_have_value("ada@example.com")
    second.get_by_label("Message", exact=True).fill("Do you have left-handed planes?")
    second.get_by_role("button", name="Send message").click()
    expect(second.get_by_text("We have received your message")).to_be_visible()
    parties.agent.get_by_role("button", name="Missed").click()
    expect(parties.agent.get_by_text("Do you have left-handed planes?")).to_be_visible()
    expect(parties.agent.get_by_role("link", name="ada@example.com")).to_be_visible()


def test_the_switch_hides_the_buttons_and_spares_the_call(parties: Parties, system: System) -> None:
    parties.arrive()
    idle = parties.another_visitor()
    idle.goto(parties.visitor.url)
    expect(idle.get_by_role("button", name="Video call")).to_be_visible()
    parties.connect("Audio call")
    eventually(lambda: max(switch(system, idle)) < 1)
    system.configure(on=False)
    await_flow({VISITOR: parties.visitor, AGENT: parties.agent}, frames=0)
    parties.hang_up()


def switch(system: System, idle: Page) -> tuple[float, float]:
    """Off and on again; the seconds after which the buttons are gone, and are back."""
    seconds = []
    for on in (False, True):
        switched_at = time.monotonic()
        system.configure(on=on)
        expect(idle.get_by_role("button", name="Video call")).to_have_count(int(on))
        seconds.append(time.monotonic() - switched_at)
    off, back = seconds
    print(f"the buttons are gone after {off:.2f} s, and back after {back:.2f} s")
    return off, back


@contextmanager
def site(directory: Path) -> Iterator[str]:
    """A stranger's website, of another origin than ours."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(directory))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_page_s_own_script_calls_and_hears(
    parties: Parties, system: System, tmp_path: Path
) -> None:
    parties.arrive()
    page = parties.visitor
    (tmp_path / "shop.html").write_text(SHOP.replace("HOST", system.url))
    with site(tmp_path) as address:
        page.goto(f"{address}/shop.html")
        page.get_by_role("button", name="Call now").click()
        ring = parties.agent.get_by_role("listitem").filter(has_text="Grace Hopper")
        ring.get_by_role("button", name="Accept").click()
        parties.wait_until("connected")
        page.evaluate("visavis.hangUp()")
        page.wait_for_function("() => told.at(-1)[0] === 'ended'")
        told = page.evaluate("told")
    assert [name for name, _ in told] == [
        "available",
        "ringing",
        "connecting",
        "connected",
        "ended",
    ]
    assert told[3][1]["agentName"] == "Admin"
    assert told[4][1]["reason"] == "hungUp"


SHOP = """<!doctype html><title>A shop</title><script>
  window.told = [];
  window.visavis = [["identify", { name: "Grace Hopper", email: "grace@example.com" }]];
  for (const name of ["available", "ringing", "queued", "connecting", "connected", "ended"])
    visavis.push(["on", name, (detail) => told.push([name, detail])]);
  visavis.push(["call", "audio"]);
</script><script src="HOST/widget.js" data-site="1" async></script><body>"""


def test_a_call_with_the_keyboard_only(parties: Parties) -> None:
    parties.arrive()
    visitor, agent = parties.visitor.keyboard, parties.agent.keyboard
    press_until(parties.visitor, "Audio call")
    visitor.press("Enter")
    expect(parties.visitor.get_by_role("button", name="Call now")).to_be_enabled()
    press_until(parties.visitor, "Call now")
    visitor.press("Enter")
    expect(parties.visitor.get_by_role("button", name="Cancel")).to_be_focused()
    parties.agent.get_by_role("button", name="Accept").wait_for()
    press_until(parties.agent, "Accept")
    agent.press("Enter")
    parties.wait_until("connected")
    press_until(parties.visitor, "Mute")
    visitor.press("Space")
    expect(parties.visitor.get_by_role("button", name="Unmute")).to_be_focused()
    press_until(parties.visitor, "Text")
    visitor.press("Enter")
    visitor.type("By keyboard")
    visitor.press("Enter")
    visitor.press("Escape")
    expect(parties.visitor.get_by_role("button", name="Text")).to_be_focused()
    press_until(parties.agent, "Text")
    agent.press("Enter")
    expect(parties.agent.get_by_role("log")).to_contain_text("By keyboard")
    press_until(parties.agent, "Hang up")
    agent.press("Enter")
    expect(parties.visitor.get_by_text("The call has ended.")).to_be_visible()


def press_until(page: Page, name: str) -> None:
    """Tab on until the button of that name has the focus."""
    script = """name => {
      let one = document.activeElement;
      while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
      const said = (one?.ariaLabel ?? one?.textContent ?? "").trim();
      return one?.tagName === "BUTTON" && said.startsWith(name);
    }"""
    for _ in range(40):
        if page.evaluate(script, name):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{name} is not to be reached by Tab")
