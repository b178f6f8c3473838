"""The agent's own page: where they are signed in, and their password."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.running import System

pytestmark = pytest.mark.e2e

EMAIL = "zoe@example.com"
OLD = "a password of the old days"
NEW = "a right good password"


def sign_in(page: Page, system: System) -> None:
    """By the form: each browser has a session of its own."""
    page.goto(f"{system.url}/signin?next=/profile")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(OLD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{system.url}/profile")


def test_sessions_and_password(browsers: tuple[Browser, Browser], system: System) -> None:
    browser, _ = browsers
    system.add_agent(EMAIL, OLD, "--name", "Zoe")
    here, there = browser.new_context(), browser.new_context()
    page, elsewhere = here.new_page(), there.new_page()
    sign_in(elsewhere, system)
    sign_in(page, system)
    sessions = page.get_by_role("region", name="Where you are signed in")
    expect(sessions.get_by_role("listitem")).to_have_count(2)
    expect(sessions.get_by_text("this browser")).to_have_count(1)
    sessions.get_by_role("button", name="Sign out:").click()
    expect(sessions.get_by_role("listitem")).to_have_count(1)
    elsewhere.goto(f"{system.url}/profile")
    expect(elsewhere.get_by_role("button", name="Sign in")).to_be_visible()
    page.get_by_label("Current password").fill(OLD)
    page.get_by_label("New password").fill(NEW)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("status")).to_contain_text("Your password has been changed")
    page.get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    here.close()
    there.close()
