"""One header for every page: pages without a script draw it by CSS, the others by a component."""

from __future__ import annotations

from typing import Any, Final, Literal

import pytest

from tests.running import Parties, System

pytestmark = pytest.mark.e2e

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTHS: Final = (1280, 390, 320)
WITHOUT_SCRIPT: Final = ("/oauth/authorize?client_id=none", "/docs/oauth2-redirect")
WITH_COMPONENT: Final = "/join/none"

# the boxes, colours and texts of the header, its mark and its name
LOOK: Final = """() => {
  const host = document.querySelector("visavis-join")?.shadowRoot ?? document;
  const root = host.querySelector("visavis-header")?.shadowRoot ?? document;
  const [header, brand] = [root.querySelector("header"), root.querySelector(".brand")];
  const box = of => ["x", "y", "width", "height"].map(side => +of[side].toFixed(1));
  const styleOf = (one, names) => names.map(name => getComputedStyle(one)[name]);
  const range = document.createRange();
  const texts = [...brand.querySelectorAll("span"), brand].map(one => [...one.childNodes]
    .find(node => node.nodeType === Node.TEXT_NODE && node.data.trim()));
  range.selectNodeContents(texts.find(Boolean));
  return {
    header: box(header.getBoundingClientRect()),
    mark: box(brand.querySelector("img, svg").getBoundingClientRect()),
    name: box(range.getBoundingClientRect()),
    text: brand.textContent.trim(),
    colours: styleOf(header, ["backgroundColor", "borderBottomColor", "borderBottomWidth"]),
    font: styleOf(brand, ["color", "fontFamily", "fontSize", "fontWeight", "lineHeight"]),
  };
}"""


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_header_looks_the_same_with_and_without_a_script(
    system: System, parties: Parties, scheme: Literal["light", "dark"]
) -> None:
    page = parties.visitor
    page.emulate_media(color_scheme=scheme)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 600})
        looks: dict[str, Any] = {}
        for path in (WITH_COMPONENT, *WITHOUT_SCRIPT):
            page.goto(system.url + path)
            page.get_by_text("Visavis", exact=True).first.wait_for()
            looks[path] = page.evaluate(LOOK)
        for path in WITHOUT_SCRIPT:
            assert looks[path] == looks[WITH_COMPONENT], (path, width)


def test_signing_out_stays_in_the_first_row_of_the_header_on_a_small_phone(
    system: System, parties: Parties
) -> None:
    page = parties.agent
    page.set_viewport_size({"width": 320, "height": 568})
    system.sign_in(page, "/console", "admin@localhost", system.password)
    controls = (
        page.get_by_role("link", name="Visavis", exact=True),
        page.get_by_role("switch", name="Available", exact=True),
        page.get_by_role("button", name="Sign out", exact=True),
    )
    boxes = [control.bounding_box() for control in controls]
    middles = [round(box["y"] + box["height"] / 2) for box in boxes if box]
    assert max(middles) - min(middles) <= 2, boxes
