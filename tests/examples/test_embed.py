"""The example page uses the widget as it is served and as its types describe it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from tests import http_clients
from tests.examples.conftest import EXAMPLES
from tests.web.conftest import Served

ROOT: Final = EXAMPLES.parent
TYPES: Final = (ROOT / "web/public/visavis.d.ts").read_text()


class Page(HTMLParser):
    """Attributes of the page's scripts, its ids, and the text of its own scripts."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.scripts: list[dict[str, str | None]] = []
        self.ids: set[str] = set()
        self.code = ""
        self._is_code = False
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.ids |= {attributes["id"] or ""} if "id" in attributes else set()
        self._is_code = tag == "script" and "src" not in attributes
        if tag == "script" and "src" in attributes:
            self.scripts.append(attributes)

    def handle_endtag(self, tag: str) -> None:
        self._is_code = False

    def handle_data(self, data: str) -> None:
        self.code += data if self._is_code else ""


PAGE: Final = Page(EXAMPLES / "embed.html")


def test_the_script_tag_is_the_documented_one() -> None:
    (script,) = PAGE.scripts
    document = (ROOT / "docs/widget.md").read_text()
    assert f'src="{script["src"]}" data-site="1"' in document
    assert all(f"`{name}`" in document for name in script if name.startswith("data-"))


def test_the_script_is_served_to_other_sites(served: Served) -> None:
    path = (PAGE.scripts[0]["src"] or "").removeprefix("https://chat.example.com")
    answer = http_clients.get(served.url + path)
    assert answer.status_code == 200
    assert "javascript" in answer.headers["content-type"]
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"


def test_every_method_event_and_detail_has_a_type() -> None:
    methods = set(re.findall(r'\["(\w+)"', PAGE.code))
    assert methods == {"identify", "on", "call"}
    assert all(re.search(rf"^  {method}[(<]", TYPES, re.MULTILINE) for method in methods)
    events = re.findall(r'\["on", "(\w+)", \((?:\{ (\w+) \})?\)', PAGE.code)
    assert len(events) == PAGE.code.count('["on"')
    for event, detail in events:
        described = re.search(rf"^  {event}: (.*);$", TYPES, re.MULTILINE)
        assert described
        assert f"{detail}:" in described[1] or not detail


def test_the_elements_that_the_script_uses_exist() -> None:
    assert set(re.findall(r'querySelector\("#(\w+)"\)', PAGE.code)) == PAGE.ids
