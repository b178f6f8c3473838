"""The administrators' page: two of them, in two browsers."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import COLLEAGUE, PASSWORD
from tests.running import Parties, System

pytestmark = pytest.mark.e2e

SWITCH = "Audio & Video Chat"
NOBODY = "nobody@example.com"


class Administrator:
    """One administrator's open page."""

    def __init__(self, page: Page, system: System, email: str, password: str) -> None:
        self.page = page
        system.sign_in(page, "/admin", email, password)
        expect(self.switch).to_be_visible()

    @property
    def switch(self) -> Locator:
        return self.page.get_by_role("switch", name=SWITCH)

    @property
    def recording(self) -> Locator:
        return self.page.get_by_role("switch", name="Automatic recording")

    @property
    def url(self) -> Locator:
        return self.page.get_by_label("Recording server")

    @property
    def status(self) -> Locator:
        return self.page.get_by_role("status")

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name).click()

    def save(self) -> None:
        self.press("Save")
        expect(self.status).to_have_text(re.compile("^Saved"))


@pytest.fixture
def both(system: System, parties: Parties) -> tuple[Administrator, Administrator]:
    system.configure(on=False)
    one = Administrator(parties.visitor, system, "admin@localhost", system.password)
    return one, Administrator(parties.agent, system, COLLEAGUE, PASSWORD)


def test_a_change_appears_on_the_other_page(both: tuple[Administrator, Administrator]) -> None:
    one, other = both
    expect(one.page.get_by_role("button", name="Save")).to_be_disabled()
    one.switch.check()
    one.save()
    expect(other.switch).to_be_checked()
    expect(other.status).to_have_text("Somebody else has just changed this.")
    for page in (one.page, other.page):
        history = page.get_by_role("region", name="Change history")
        expect(history).to_contain_text("admin@localhost")
        expect(history).to_contain_text(f"{SWITCH}: off → on")


def test_a_conflict_is_shown_with_both_values(both: tuple[Administrator, Administrator]) -> None:
    one, other = both
    mine, theirs = "https://mine.example/files", "https://theirs.example/files"
    one.url.fill(mine)
    other.url.fill(theirs)
    other.save()
    conflict = one.page.get_by_role("alert", name="Somebody else has changed this in the meantime")
    expect(conflict).to_contain_text(mine)
    expect(conflict).to_contain_text(theirs)
    one.press("Keep mine")
    expect(conflict).to_be_hidden()
    expect(other.url).to_have_value(mine)

    other.url.fill(theirs)
    one.url.fill("https://first.example/")
    one.save()
    other.press("Take theirs")
    expect(other.url).to_have_value("https://first.example/")


def test_different_fields_are_no_conflict(both: tuple[Administrator, Administrator]) -> None:
    one, other = both
    one.url.fill("https://mine.example/files")
    other.switch.check()
    other.save()
    expect(one.switch).to_be_checked()
    expect(one.url).to_have_value("https://mine.example/files")
    one.save()
    expect(other.url).to_have_value("https://mine.example/files")
    expect(other.switch).to_be_checked()


def test_a_late_save_keeps_what_others_saved(both: tuple[Administrator, Administrator]) -> None:
    one, other = both
    # This page no longer hears of changes, as behind a proxy that cuts streams.
    one.page.evaluate("document.querySelector('visavis-admin').events.close()")
    other.switch.check()
    other.url.fill("https://theirs.example/")
    other.save()
    one.recording.check()
    one.url.fill("https://late.example/")
    one.press("Save")
    conflict = one.page.get_by_role("alert", name="Somebody else has changed this in the meantime")
    expect(conflict).to_contain_text("https://late.example/")
    expect(conflict).to_contain_text("https://theirs.example/")
    one.press("Keep mine")
    expect(one.page.get_by_text("Saved. The change applies to every open page.")).to_be_visible()
    expect(one.switch).to_be_checked()
    expect(other.recording).to_be_checked()
    expect(other.url).to_have_value("https://late.example/")


def test_a_wrong_address_is_told_beside_its_field(
    both: tuple[Administrator, Administrator],
) -> None:
    one, _ = both
    one.url.fill("ftp://files.example/")
    one.press("Save")
    expect(one.url).to_have_attribute("aria-invalid", "true")
    expect(one.url).to_have_accessible_description(re.compile("Enter a complete URL"))
    expect(one.url).to_be_focused()
    one.url.fill("")
    one.recording.check()
    one.press("Save")
    expect(one.url).to_have_accessible_description(re.compile("needs a recording server"))
    one.press("Discard changes")
    expect(one.recording).not_to_be_checked()
    expect(one.url).to_have_attribute("aria-invalid", "false")


def test_the_keyboard_is_enough(both: tuple[Administrator, Administrator]) -> None:
    one, other = both
    keyboard = one.page.keyboard
    one.switch.focus()
    keyboard.press("Space")
    for _ in range(4):  # past the address and its test
        keyboard.press("Tab")
    keyboard.press("Enter")
    expect(one.status).to_have_text(re.compile("^Saved"))
    expect(other.switch).to_be_checked()


def test_without_the_permission_nothing_is_shown(system: System, parties: Parties) -> None:
    system.add_agent(NOBODY, PASSWORD)
    page = parties.agent
    system.sign_in(page, "/admin", NOBODY, PASSWORD)
    expect(page.get_by_role("alert")).to_contain_text("Manage Settings")
    expect(page.get_by_role("switch")).to_have_count(0)
