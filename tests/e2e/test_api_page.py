"""The page /docs under our security policy: by keyboard, by OAuth, for axe and on a phone."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.api_description import shorten_description
from tests.e2e.test_accessibility import expect_nothing
from tests.running import Parties, System, administer

pytestmark = pytest.mark.e2e

AUTHORIZE = ".auth-wrapper > .authorize"
PATHS = ("/v4/livechat/audioVideoChatConfig", "/session", "/recordings/{upload_id}")
"""They have operations of each method; other tests open the page with all paths."""


@pytest.fixture
def page(system: System, parties: Parties) -> Iterator[Page]:
    """The page, at another name of the server than its description has."""
    page = parties.visitor
    shorten_description(page.context, PATHS)
    refused, asked = list[str](), list[str]()
    page.on("console", lambda message: refused.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    origin = f"http://localhost:{system.port}/"
    page.goto(f"{origin}docs")
    expect(page.get_by_text("Read the configuration")).to_be_visible()
    yield page
    assert [text for text in refused if "Content Security Policy" in text] == []
    assert [url for url in asked if not url.startswith((origin, "data:"))] == []


def focus(page: Page, selector: str) -> None:
    """Press Tab until what the selector names has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
            return
    raise AssertionError(f"no way by Tab to {selector}")


def read_the_configuration(page: Page) -> None:
    """Try an operation out; it answers 200."""
    operation = page.locator(".opblock").filter(has_text="Read the configuration")
    operation.get_by_role("button").first.click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table .response-col_status").last).to_have_text("200")


def test_a_token_is_entered_by_keyboard(system: System, page: Page) -> None:
    focus(page, AUTHORIZE)
    page.keyboard.press("Enter")
    dialogue = page.locator(".dialog-ux")
    expect(dialogue).to_be_visible()
    expect(dialogue.locator("#client_id_authorizationCode")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("!!document.activeElement.closest('.dialog-ux')")
    focus(page, "#auth-bearer-value")
    page.keyboard.type(system.token())
    page.keyboard.press("Enter")
    expect(dialogue.get_by_role("button", name="Logout")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialogue).to_be_hidden()
    assert page.evaluate("document.activeElement.matches('.auth-wrapper > .authorize')")
    read_the_configuration(page)


def test_an_oauth_client_authorizes_with_pkce(system: System, page: Page) -> None:
    listed = administer("client", "list", "--json", "--data", system.data)
    page.locator(AUTHORIZE).click()
    dialogue = page.locator(".dialog-ux")
    dialogue.locator("#client_id_authorizationCode").fill(json.loads(listed)[0]["client_id"])
    flow = dialogue.locator(".auth-container").filter(has_text="authorizationCode")
    with page.expect_popup() as popup:
        flow.get_by_role("button", name="Authorize").click()
    window = popup.value
    window.get_by_label("E-mail").fill("admin@localhost")
    window.get_by_label("Password").fill(system.password)
    window.get_by_role("button", name="Sign in").click()
    window.get_by_role("button", name="Allow").click()
    expect(flow.get_by_role("button", name="Logout")).to_be_visible()
    page.keyboard.press("Escape")
    page.context.clear_cookies()  # the token alone
    read_the_configuration(page)


def test_axe_finds_nothing_in_dialogue_and_operations(page: Page, axe: str) -> None:
    page.evaluate(axe)
    # before the operations are open: axe takes seconds for all that they show
    page.locator(AUTHORIZE).click()
    expect(page.locator(".dialog-ux")).to_be_visible()
    expect_nothing(page, "dialogue")
    page.keyboard.press("Escape")
    expect(page.locator(".dialog-ux")).to_be_hidden()
    for method in ("get", "put", "delete", "patch"):
        operation = page.locator(f".opblock-{method}").first
        operation.get_by_role("button").first.click()
        operation.get_by_role("button", name="Try it out").click()
    page.locator(".opblock-get").first.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table").first).to_be_visible()
    page.locator(".models .json-schema-2020-12-accordion").first.click()
    expect_nothing(page, "operations")


def test_a_phone_shows_an_operation_without_scrolling_sideways(page: Page) -> None:
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 740})
        operation = page.locator(".opblock-put").first
        operation.get_by_role("button").first.click()
        assert page.evaluate("document.documentElement.scrollWidth") == width
        operation.get_by_role("button").first.click()
    page.locator(AUTHORIZE).click()
    expect(page.locator(".dialog-ux")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 320
