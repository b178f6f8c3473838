"""Small screens, landscape and 200 % zoom: every control stays inside the window, in every stage.

Zoom by 200 % halves the window in CSS pixels (WCAG 2.2, 1.4.4), so it is a size like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

import pytest
from playwright.sync_api import FloatRect, Page, expect

from tests.running import Parties, System

pytestmark = pytest.mark.e2e

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SIZES: Final = {
    "320 px": (320, 568),
    "360 px": (360, 640),
    "390 px": (390, 844),
    "landscape": (667, 375),
    "200 % of 1280 by 720": (640, 360),
    "200 % of 1366 by 768": (683, 384),
}
# what a person presses or writes into; a list of its own scrolls, and so does a card
OUTSIDE: Final = """root => {
  const found = [];
  const visit = (node, scrolls) => {
    for (const one of node.children ?? []) {
      const style = getComputedStyle(one);
      const inside = scrolls || ["auto", "scroll"].includes(style.overflowY);
      if (one.matches("button, a[href], input, select, textarea, summary")
          && one.checkVisibility({ visibilityProperty: true })) {
        const { left, right, top, bottom, width } = one.getBoundingClientRect();
        const isClipped = style.clipPath !== "none";
        const isOut = left < -0.5 || right > innerWidth + 0.5
          || (!inside && isFixed && (top < -0.5 || bottom > innerHeight + 0.5));
        const where = [left, top, right, bottom].map(Math.round);
        if (width && !isClipped && isOut)
          found.push(`${one.id || one.name || one.textContent.trim()} ${where}`);
      }
      if (one.shadowRoot) visit(one.shadowRoot, inside);
      visit(one, inside);
    }
  };
  const element = document.querySelector(root);
  const isFixed = getComputedStyle(element).position === "fixed";
  visit({ children: [element] }, false);
  const { scrollWidth } = document.documentElement;
  if (scrollWidth > innerWidth) found.push(`the page is ${scrollWidth} wide`);
  return found;
}"""
IN_CALL: Final = ("#mute", "#camera", "#chat", "#devices", "#hang-up")
# the buttons in the row of the one that hangs up
ROW_OF_HANG_UP: Final = """call => {
  const slotted = [...call.querySelectorAll("[slot=controls], [slot=controls] button")];
  const all = [...call.shadowRoot.querySelectorAll(".bar button"), ...slotted];
  const middle = one => {
    const { top, bottom } = one.getBoundingClientRect();
    return (top + bottom) / 2;
  };
  const end = middle(call.shadowRoot.querySelector("#hang-up"));
  return all.filter(one => one.matches("button") && Math.abs(middle(one) - end) < 4).length;
}"""
IN_CALL_AT_THIS_SIZE: Final = f"""async (call, [root, selectors]) => {{
  const outside = ({OUTSIDE})(root);
  call.scrollIntoView({{ block: "nearest" }});
  await new Promise(requestAnimationFrame);
  const boxes = selectors.map(selector => {{
    const one = call.shadowRoot.querySelector(selector) ?? call.querySelector(selector);
    const isSeen = one?.checkVisibility({{ visibilityProperty: true }});
    return [selector, isSeen ? one.getBoundingClientRect().toJSON() : null];
  }});
  return [outside, Object.fromEntries(boxes), ({ROW_OF_HANG_UP})(call)];
}}"""
# contrast (WCAG 2.2, 1.4.11) of the button against what it stands on, and of its icon against it
CONTRAST: Final = """button => {
  const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const light = colour => {
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map(one => {
      const part = one / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  const { color, backgroundColor } = getComputedStyle(button);
  const card = getComputedStyle(button).getPropertyValue("--card");
  const [own, icon, behind] = [backgroundColor, color, card].map(light);
  const ratio = (one, other) => Math.max(one, other) / Math.min(one, other);
  return Math.min(ratio(own, icon), ratio(own, behind));
}"""
LONG: Final = "Wolfeschlegelsteinhausenbergerdorff" * 5


def at_every_size(page: Page) -> Iterator[tuple[str, int]]:
    """Make the window of each size; yield its name and height."""
    for name, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        yield name, height


def check(page: Page, root: str, stage: str) -> None:
    for name, _ in at_every_size(page):
        assert page.evaluate(OUTSIDE, root) == [], (stage, name)


def assert_inside(box: FloatRect | None, height: int, *where: str) -> None:
    """Fail if an element has no box, or one above or below the window."""
    assert box, where
    assert box["y"] >= -0.5, where
    assert box["y"] + box["height"] <= height + 0.5, where


def check_call(page: Page, root: str) -> None:
    """In a call nothing has to be scrolled to be pressed, and hanging up stands with others."""
    call = page.locator("visavis-call")
    for name, height in at_every_size(page):
        # all at once: while media flow, each question to a page takes a tenth of a second
        outside, boxes, row = call.evaluate(IN_CALL_AT_THIS_SIZE, [root, [*IN_CALL, ".stage"]])
        assert outside == [], (root, "in the call", name)
        for control, box in boxes.items():
            assert_inside(box, height, root, control, name)
        assert row > 1, (root, name)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        assert page.locator("visavis-call #hang-up").evaluate(CONTRAST) >= 3, (root, scheme)


def check_preparation(page: Page) -> None:
    """The preview is whole and the call can be placed without scrolling; fields have room."""
    for name, height in at_every_size(page):
        for part in (".picture", "form .primary"):
            box = page.locator(f"visavis-check {part}").bounding_box()
            assert_inside(box, height, part, name)
        email = page.get_by_label("E-mail (optional)").bounding_box()
        assert email, name
        assert email["width"] > 220, name


def test_the_widget_s_controls_stay_inside_the_window(parties: Parties, system: System) -> None:
    system.configure(on=True, recording=True)
    parties.arrive()
    page, agent = parties.visitor, parties.agent
    expect(page.get_by_role("button", name="Video call")).to_be_visible()
    check(page, "visavis-widget", "open")
    page.get_by_role("button", name="Make smaller").click()
    check(page, "visavis-widget", "launcher")
    page.set_viewport_size({"width": 390, "height": 844})
    page.evaluate("document.body.style.height = '4000px'; scrollTo(0, 900)")
    page.get_by_role("button", name="Talk to us").click()
    page.get_by_role("button", name="Video call").click()
    expect(page.get_by_text("This is how others see you.")).to_be_visible()
    assert page.evaluate("scrollY") == 900, "the host page stays where it was"
    check_preparation(page)
    page.get_by_text("Choose devices").click()
    check(page, "visavis-widget", "check")
    page.get_by_role("button", name="Call now").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    check(page, "visavis-widget", "calling")
    agent.get_by_role("button", name="Accept").click()
    parties.wait_until("connected")
    expect(page.get_by_text("Recording since")).to_be_visible()
    check_call(page, "visavis-widget")
    for panel in ("Devices", "Text"):
        page.get_by_role("button", name=panel, exact=True).click()
        check(page, "visavis-widget", panel)
    page.get_by_role("button", name="Text", exact=True).click()
    agent.get_by_role("button", name="Share screen").click()
    page.get_by_role("button", name="Share screen").click()
    expect(page.get_by_label("Screen of the other side")).to_be_visible()
    expect(page.get_by_text("You are sharing your screen")).to_be_visible()
    check_call(page, "visavis-widget")
    before = page.evaluate("scrollY")
    page.get_by_role("button", name="Make smaller").click()
    expect(page.get_by_role("button", name="Open the call")).to_be_focused()
    assert page.evaluate("scrollY") == before
    check(page, "visavis-widget", "bar")
    agent.get_by_role("button", name="Hang up").click()
    notice = page.get_by_text("The call has ended.")
    expect(notice).to_be_visible()
    check(page, "visavis-widget", "ended")
    text, button = notice.bounding_box(), page.locator("visavis-widget #video").bounding_box()
    assert text
    assert button
    assert button["y"] - text["y"] - text["height"] >= 8


def test_the_queue_s_controls_stay_inside_the_window(parties: Parties) -> None:
    parties.arrive()
    parties.agent.get_by_role("switch", name="Available").uncheck()
    expect(parties.agent.get_by_text("You are away")).to_be_visible()
    page = parties.visitor
    page.evaluate("name => visavis.identify({ name, email: `${name}@example.com` })", LONG)
    page.evaluate("title => (document.title = title)", LONG)
    parties.call("Audio call")
    expect(page.get_by_text("Your place: 1")).to_be_visible()
    check(page, "visavis-widget", "queued")
    queue = parties.agent.get_by_role("region", name="Queue")
    expect(queue).to_contain_text(LONG)
    check(parties.agent, "visavis-console", "a call waits")
    parties.agent.set_viewport_size({"width": 390, "height": 844})
    waiting, past = (
        one.bounding_box() for one in (queue, parties.agent.locator("visavis-call-history"))
    )
    assert waiting
    assert past
    assert waiting["y"] < past["y"]
    page.get_by_role("button", name="Cancel").click()
    parties.agent.get_by_role("switch", name="Available").check()
    expect(parties.agent.get_by_text("You are online")).to_be_visible()


def test_the_console_s_controls_stay_inside_the_window(parties: Parties, system: System) -> None:
    parties.arrive()
    page = parties.agent
    check(page, "visavis-console", "waiting")
    parties.visitor.evaluate("name => visavis.identify({ name, email: 'e@example.com' })", LONG)
    parties.call()
    expect(page.get_by_role("button", name="Accept")).to_be_visible()
    check(page, "visavis-console", "ringing")
    page.get_by_role("button", name="Accept").click()
    parties.wait_until("connected")
    check_call(page, "visavis-console")
    for panel in ("Transfer", "Devices", "Text"):
        page.get_by_role("button", name=panel, exact=True).click()
        check(page, "visavis-console", panel)
    page.get_by_role("button", name="Text", exact=True).click()
    page.get_by_role("button", name="Transfer", exact=True).click()
    page.get_by_role("button", name="Share screen").click()
    expect(page.get_by_text("You are sharing your screen")).to_be_visible()
    check_call(page, "visavis-console")
    page.set_viewport_size({"width": 1280, "height": 720})
    parties.hang_up()
    expect(page.locator("visavis-call-history").get_by_text(LONG).first).to_be_visible()
    check(page, "visavis-console", "ended")


def test_the_other_pages_are_never_wider_than_the_window(parties: Parties, system: System) -> None:
    parties.arrive()
    page = parties.agent
    for path, root in (
        ("/", "body"),
        ("/demo", "body"),
        ("/signin", "body"),
        ("/admin", "visavis-admin"),
        ("/library", "visavis-library"),
        ("/profile", "visavis-profile"),
        ("/docs", "visavis-header"),
        ("/nowhere", "body"),
    ):
        page.goto(system.url + path)
        page.wait_for_load_state("networkidle")
        check(page, root, path)


def test_the_widget_keeps_clear_of_a_phone_s_edges(parties: Parties, system: System) -> None:
    page = parties.visitor
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{system.url}/demo")
    launcher = page.get_by_role("button", name="Talk to us")
    expect(launcher).to_be_visible()
    page.context.new_cdp_session(page).send(
        "Emulation.setSafeAreaInsetsOverride", {"insets": {"bottom": 34, "right": 44}}
    )
    page.wait_for_timeout(200)
    box = launcher.bounding_box()
    assert box
    assert (390 - box["x"] - box["width"], 844 - box["y"] - box["height"]) == (44, 34)
    page.evaluate("document.querySelector('visavis-widget').place('left', '24,80')")
    box = launcher.bounding_box()
    assert box
    assert (box["x"], 844 - box["y"] - box["height"]) == (24, 80)
