"""axe finds nothing on any page or in a call, in light, in dark and in forced colours."""

from __future__ import annotations

import json
from typing import Literal
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import COLLEAGUE, PASSWORD
from tests.running import Parties, System, administer

pytestmark = pytest.mark.e2e

PATHS = ("/", "/demo", "/console", "/library", "/admin", "/profile", "/signin", "/nowhere", "/docs")
# forced colours drop backgrounds: what a colour says has to be said by another look all the same
LOST_STATES = """(() => {
  const found = [];
  const look = one => {
    const { backgroundColor, borderColor, borderWidth } = getComputedStyle(one);
    return [backgroundColor, borderColor, borderWidth].join();
  };
  const background = (one, pseudo) => getComputedStyle(one, pseudo).backgroundColor;
  const expectDifferent = (one, others, isSame) => {
    for (const other of others) if (isSame(one, other)) found.push(one.id || one.textContent);
  };
  const visit = root => {
    const isOurs = one => !one.closest("#api");  // the viewer of /docs turns an arrow
    const all = selector => [...root.querySelectorAll(selector)].filter(isOurs);
    const sameLook = (one, other) => look(one) === look(other);
    const plain = all("[aria-pressed=false], button[aria-expanded=false], [aria-current=false]");
    for (const one of all("[aria-pressed=true], [aria-expanded=true], button[aria-current=true]"))
      expectDifferent(one, plain.slice(0, 1), sameLook);
    const dots = all(".dot");
    for (const dot of dots)
      expectDifferent(dot, dots.filter(other => other.className !== dot.className), sameLook);
    for (const one of all("[role=switch]"))
      if (background(one) === background(one, "::after")) found.push(`switch ${one.id}`);
    for (const bar of all(".bars"))
      expectDifferent(bar, bar.querySelectorAll(".on"), (_, on) =>
        background(on) === background(bar.closest("button")));
    for (const one of all("*")) if (one.shadowRoot) visit(one.shadowRoot);
  };
  visit(document);
  return found;
})()"""
# of what holds axe need not describe each element, which takes a third of its time
BRIEF = 'resultTypes: ["violations"]'
VIOLATIONS = """axe.run({{ {options} }}).then(result => result.violations.flatMap(one =>
  one.nodes.map(node => `${{one.id}} ${{node.target}} ${{node.failureSummary}}`)))"""
# dark and forced colours change colours and borders alone: axe's other rules find the same there
COLOUR_RULES = 'runOnly: ["color-contrast", "link-in-text-block"]'
SCHEMES: dict[Literal["light", "dark"], str] = {
    "light": VIOLATIONS.format(options=BRIEF),
    "dark": VIOLATIONS.format(options=f"{BRIEF}, {COLOUR_RULES}"),
}
# axe reads a text's own colour there, while the browser draws it in one of the forced pair
IN_FORCED_COLOURS = VIOLATIONS.format(options=f'{BRIEF}, runOnly: ["link-in-text-block"]')


def expect_nothing(page: Page, stage: str) -> None:
    for scheme, violations in SCHEMES.items():
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(violations) == [], (stage, scheme)
    page.emulate_media(forced_colors="active")
    assert page.evaluate(IN_FORCED_COLOURS) == [], (stage, "forced colours")
    assert page.evaluate(LOST_STATES) == [], (stage, "forced colours")
    page.emulate_media(forced_colors="none")


def test_axe_finds_nothing(system: System, parties: Parties, axe: str) -> None:
    system.configure(on=True, recording=True)
    parties.arrive()
    page = parties.agent
    for path in PATHS:
        page.goto(system.url + path)
        page.wait_for_load_state("networkidle")
        if path == "/demo":
            expect(page.get_by_role("button", name="Video call")).to_be_visible()
        if path == "/docs":
            expect(page.get_by_text("Read the configuration")).to_be_visible()
        page.evaluate(axe)
        expect_nothing(page, path)


def test_axe_finds_nothing_in_the_consent_page(system: System, parties: Parties, axe: str) -> None:
    listed = administer("client", "list", "--json", "--data", system.data)
    question = {
        "client_id": json.loads(listed)[0]["client_id"],
        "response_type": "code",
        "redirect_uri": f"{system.url}/docs/oauth2-redirect",
        "scope": "manage_settings",
        "code_challenge": "a" * 43,
        "code_challenge_method": "S256",
    }
    page = parties.agent
    system.sign_in(page, "/profile", "admin@localhost", system.password)
    for query, text in (
        (question, "Manage Settings"),
        ({"client_id": "none"}, "This request cannot be completed"),
    ):
        page.goto(f"{system.url}/oauth/authorize?{urlencode(query)}")
        expect(page.get_by_text(text).first).to_be_visible()
        expect(page.get_by_text("Nothing yet")).to_be_hidden()
        page.evaluate(axe)
        expect_nothing(page, text)


def test_axe_finds_nothing_where_a_join_link_is_over(
    system: System, parties: Parties, axe: str
) -> None:
    page = parties.visitor
    page.goto(f"{system.url}/join/nobody")
    expect(page.get_by_role("heading", name="This call is over")).to_be_visible()
    page.evaluate(axe)
    expect_nothing(page, "join")


def test_axe_finds_nothing_in_a_call(parties: Parties, axe: str) -> None:
    colleague = parties.another_agent()
    parties.sign_in(colleague, COLLEAGUE, PASSWORD)
    parties.arrive()
    visitor, agent = parties.visitor, parties.agent
    for page in (visitor, agent):
        page.evaluate(axe)
    visitor.get_by_role("button", name="Video call").click()
    expect(visitor.get_by_text("This is how others see you.")).to_be_visible()
    expect_nothing(visitor, "check")
    visitor.get_by_role("button", name="Call now").click()
    expect(agent.get_by_role("button", name="Accept")).to_be_visible()
    expect_nothing(visitor, "calling")
    expect_nothing(agent, "ringing")
    agent.get_by_role("button", name="Accept").click()
    parties.wait_until("connected")
    expect(agent.locator(".dot.busy")).to_have_count(1)
    expect(agent.locator(".dot.available")).to_have_count(2)  # beside the call and for a transfer
    for page in (visitor, agent):
        page.get_by_role("button", name="Mute", exact=True).click()
        for panel in ("Devices", "Text"):
            page.get_by_role("button", name=panel, exact=True).click()
            expect_nothing(page, panel)
    agent.get_by_role("button", name="Transfer", exact=True).click()
    expect_nothing(agent, "transfer")
    visitor.get_by_role("button", name="Make smaller").click()
    expect_nothing(visitor, "bar")
    agent.get_by_role("button", name="Hang up").click()
    expect(visitor.get_by_text("The call has ended.")).to_be_visible()
    expect_nothing(visitor, "ended")
    expect_nothing(agent, "ended")
