"""axe finds nothing on any page, in light and in dark."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import expect

from tests.running import Parties, System

pytestmark = pytest.mark.e2e

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
VIOLATIONS = "axe.run().then(result => result.violations.map(one => one.id))"


def test_axe_finds_nothing(system: System, parties: Parties, axe: str) -> None:
    system.configure(on=True, recording=True)
    parties.arrive()
    page = parties.agent
    for path in ("/", "/demo", "/console", "/library", "/admin", "/profile", "/signin"):
        page.goto(system.url + path)
        page.wait_for_load_state("networkidle")
        if path == "/demo":
            expect(page.get_by_role("button", name="Video call")).to_be_visible()
        page.evaluate(axe)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate(VIOLATIONS) == [], (path, scheme)
