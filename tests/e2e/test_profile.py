"""The agent's own page: where they are signed in, and their password."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.running import System

pytestmark = pytest.mark.e2e

NEW = "a right good password"


def test_sessions_and_password(page: Page, browser: Browser, system: System) -> None:
    system.sign_in(page, "/admin", "admin@localhost", system.password)
    elsewhere = browser.new_context().new_page()
    system.sign_in(elsewhere, "/console", "admin@localhost", system.password)
    page.get_by_role("link", name="Admin").click()
    sessions = page.get_by_role("region", name="Where you are signed in")
    expect(sessions.get_by_role("listitem")).to_have_count(2)
    expect(sessions.get_by_text("this browser")).to_have_count(1)
    sessions.get_by_role("button", name="Sign out:").click()
    expect(sessions.get_by_role("listitem")).to_have_count(1)
    elsewhere.goto(f"{system.url}/console")
    expect(elsewhere.get_by_role("button", name="Sign in")).to_be_visible()
    page.get_by_label("Current password").fill(system.password)
    page.get_by_label("New password").fill(NEW)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("status")).to_contain_text("Your password is changed.")
    page.get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    elsewhere.context.close()
