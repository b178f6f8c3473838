"""Pages that agents of one permission each reach by links: none refuses them."""

from __future__ import annotations

from typing import Final

import pytest
from playwright.sync_api import Page

from tests.e2e.api_description import shorten_description
from tests.e2e.conftest import PASSWORD
from tests.running import Parties, System

pytestmark = pytest.mark.e2e

# the links that are seen, in shadow roots, too
LINKS: Final = """() => {
  const found = [];
  const visit = root => {
    for (const one of root.querySelectorAll("*")) {
      if (one.matches("a[href]") && one.checkVisibility()) found.push(one.href);
      if (one.shadowRoot) visit(one.shadowRoot);
    }
  };
  visit(document);
  return found;
}"""
REFUSED: Final = "You do not have the permission"


def walk(page: Page, start: str) -> set[str]:
    """Follow every link of ours from a page on; return the paths that were opened."""
    left, seen = [start], {start}
    while left:
        path = left.pop()
        answer = page.goto(path)
        assert answer, path
        assert answer.ok, path
        page.wait_for_load_state("networkidle")
        assert page.get_by_text(REFUSED).count() == 0, path
        origin = start.rstrip("/") + "/"
        links = {link.partition("#")[0] for link in page.evaluate(LINKS)}
        new = {link for link in links if link.startswith(origin)} - seen
        left += new
        seen |= new
    return {path.removeprefix(start.rstrip("/")) for path in seen}


@pytest.mark.parametrize(
    ("permission", "own"),
    [
        ("Accept Audio & Video Chats", "/console"),
        ("View Recordings", "/library"),
        ("Manage Settings", "/admin"),
    ],
)
def test_no_link_leads_to_a_page_that_refuses_the_agent(
    system: System, parties: Parties, permission: str, own: str
) -> None:
    email = f"{own[1:]}@example.com"
    system.add_agent(email, PASSWORD, "--permission", permission)
    page = parties.agent
    shorten_description(page.context, ())  # no operation has a link
    system.sign_in(page, "/profile", email, PASSWORD)
    for is_on in (True, False):  # the demo shop has other notices while calls are off
        system.configure(on=is_on)
        opened = walk(page, f"{system.url}/")
        assert opened == {"/", "/demo", own, "/profile", "/docs"}
