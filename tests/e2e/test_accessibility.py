"""axe finds nothing on any page, in light and in dark."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.npm import npm
from tests.running import Parties, System

pytestmark = pytest.mark.e2e

WEB = Path(__file__).resolve().parents[2] / "web"


@pytest.fixture(scope="session")
def axe() -> str:
    script = WEB / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        npm(WEB, "ci", "--no-progress")
    return script.read_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(system: System, parties: Parties, axe: str, scheme: str) -> None:
    system.configure(on=True, recording=True)
    parties.arrive()
    page = parties.agent
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    for path in ("/", "/demo", "/console", "/library", "/admin", "/signin"):
        page.goto(system.url + path)
        page.wait_for_load_state("networkidle")
        if path == "/demo":
            expect(page.get_by_role("button", name="Video call")).to_be_visible()
        page.evaluate(axe)
        found = page.evaluate("axe.run().then(result => result.violations.map(one => one.id))")
        assert found == [], path
