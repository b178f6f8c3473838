"""The widget in pages of other people: frameworks, strict policies, hostile styles."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final

import pytest
from playwright.sync_api import Page, Route, expect

from tests.npm import installed
from tests.running import Parties, System

pytestmark = pytest.mark.e2e

WEB: Final = Path(__file__).resolve().parents[2] / "web"
SCRIPT: Final = '<script src="HOST/widget.js" data-site="1" NONCE></script>'
PAGE: Final = """<!doctype html><html lang="en" ATTRIBUTES><head><title>KIND</title>HEAD</head>
<body><main><h1>KIND</h1><p>A page.</p><a id="on" href="KIND-2.html">On</a></main></body></html>"""
POLICY: Final = (
    "default-src 'none'; script-src 'nonce-n' 'strict-dynamic'; style-src 'self'; media-src blob:; "
    "connect-src HOST ws:; require-trusted-types-for 'script'; trusted-types lit-html"
)
HOSTILE: Final = """<style>
  html { font-size: 62.5%; } body { transform: translateX(40px); }
  * { letter-spacing: 6px; text-transform: uppercase; font: 40px serif; position: relative; }
  button, section, p { background: red !important; color: red !important; }
</style>"""
KINDS: Final = {
    "plain": ("", SCRIPT),
    "module": ("", SCRIPT.replace("<script", '<script type="module"')),
    "turbo": ("", f'<script type="module" src="turbo.js"></script>{SCRIPT}'),
    "astro": ("", f'<script type="module" src="astro.js"></script>{SCRIPT}'),
    "spa": ("", f'<script type="module" src="spa.js"></script>{SCRIPT}'),
    "csp": ("", SCRIPT.replace("NONCE", 'nonce="n"')),
    "rtl": ('dir="rtl"', HOSTILE + SCRIPT),
    "wrong": ("", SCRIPT.replace('data-site="1"', 'data-site="77"')),
    "bootstrap": ("", f'<link rel="stylesheet" href="bootstrap.css">{SCRIPT}'),
}


# the steps of `swap` in Astro's router (astro/dist/transitions/swap-functions.js), which replaces
# the attributes of <html>, the head and the body, and runs the scripts of the new page
VIEW_TRANSITIONS: Final = """
const swap = next => {
  const root = document.documentElement;
  for (const { name } of [...root.attributes]) root.removeAttribute(name);
  for (const { name, value } of next.documentElement.attributes) root.setAttribute(name, value);
  for (const old of [...document.head.children]) old.remove();
  document.head.append(...next.head.children);
  document.body.replaceWith(next.body);
  for (const old of document.scripts) {
    const script = document.createElement("script");
    for (const { name, value } of old.attributes) script.setAttribute(name, value);
    old.replaceWith(script);
  }
};
addEventListener("click", async event => {
  const link = event.target.closest?.("a");
  if (!link) return;
  event.preventDefault();
  const text = await (await fetch(link.href)).text();
  const next = new DOMParser().parseFromString(text, "text/html");
  await document.startViewTransition(() => swap(next)).updateCallbackDone;
  history.pushState({}, "", link.href);
});
"""
# a router as those of React or Vue: what stands in the body is drawn again, the document stays
ROUTER: Final = """
addEventListener("click", event => {
  const link = event.target.closest?.("a");
  if (!link) return;
  event.preventDefault();
  history.pushState({}, "", link.href);
  document.title = "Second";
  document.body.replaceChildren(document.createElement("main"));
});
"""


class Handler(SimpleHTTPRequestHandler):
    policy = ""

    def end_headers(self) -> None:
        if "csp" in self.path:
            self.send_header("Content-Security-Policy", self.policy)
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the test's output for the test."""


@pytest.fixture
def shop(tmp_path: Path, system: System) -> Iterator[str]:
    """The address of a website of another origin with a page of each kind."""
    for kind, (attributes, head) in KINDS.items():
        page = PAGE.replace("ATTRIBUTES", attributes).replace("HEAD", head)
        page = page.replace("KIND", kind).replace("HOST", system.url)
        (tmp_path / f"{kind}.html").write_text(page)
        (tmp_path / f"{kind}-2.html").write_text(page.replace(f"<title>{kind}", "<title>Second"))
    packages = installed(WEB) / "node_modules"
    shutil.copy(packages / "bootstrap/dist/css/bootstrap.min.css", tmp_path / "bootstrap.css")
    shutil.copy(packages / "@hotwired/turbo/dist/turbo.es2017-esm.js", tmp_path / "turbo.js")
    (tmp_path / "astro.js").write_text(VIEW_TRANSITIONS)
    (tmp_path / "spa.js").write_text(ROUTER)
    Handler.policy = POLICY.replace("HOST", system.url)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(tmp_path))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def look(page: Page) -> dict[str, object]:
    """Return what the video button looks like, and where the widget ends."""
    return page.evaluate(  # type: ignore[no-any-return]
        """() => {
          const root = document.querySelector("visavis-widget").shadowRoot;
          const button = getComputedStyle(root.querySelector("#video"));
          const card = root.querySelector(".card").getBoundingClientRect();
          return { font: button.fontSize, family: button.fontFamily, spacing: button.letterSpacing,
            case: button.textTransform, colour: button.backgroundColor, direction: button.direction,
            right: Math.round(innerWidth - card.right),
            bottom: Math.round(innerHeight - card.bottom),
            width: Math.round(card.width), height: Math.round(card.height) };
        }"""
    )


def test_the_widget_looks_the_same_in_pages_of_every_kind(parties: Parties, shop: str) -> None:
    parties.sign_in(parties.agent, "admin@localhost", parties.system.password)
    looks, problems = {}, []
    page = parties.visitor
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    for kind in KINDS.keys() - {"wrong"}:
        page.goto(f"{shop}/{kind}.html")
        page.get_by_role("button", name="Video call").wait_for()
        looks[kind] = look(page)
    assert looks == dict.fromkeys(looks, looks["plain"])
    assert looks["plain"]["right"] == looks["plain"]["bottom"] == 16
    page.emulate_media(media="print")
    expect(page.locator("visavis-widget")).to_be_hidden()
    assert [text for text in problems if "favicon" not in text and "404" not in text] == []


@pytest.mark.parametrize("kind", ["turbo", "astro", "spa"])
def test_a_call_outlives_the_visits_of_a_page_that_replaces_its_body(
    parties: Parties, shop: str, kind: str
) -> None:
    parties.arrive()
    page = parties.visitor
    page.goto(f"{shop}/{kind}.html")
    parties.connect("Video call")
    page.get_by_role("button", name="Make smaller").click()
    bar = page.get_by_role("button", name="Open the call")
    expect(bar).to_be_focused()
    page.get_by_role("link", name="On").click()
    page.wait_for_function("document.title === 'Second'")
    visitors = parties.agent.get_by_role("region", name="Visitors on your site")
    expect(visitors.or_(parties.agent.get_by_text("Second")).first).to_be_visible()
    bar.click()
    page.wait_for_function(
        """() => {
          const root = document.querySelector("visavis-widget").shadowRoot;
          const video = root.querySelector("visavis-call").shadowRoot.querySelector("#remote");
          return !video.paused && video.currentTime > 0;
        }"""
    )
    assert page.locator("visavis-widget").count() == 1
    parties.hang_up()


def test_the_launcher_waits_for_one_request_after_the_loader(parties: Parties, shop: str) -> None:
    """The connection, which says whether calls are on, is opened while the widget loads."""
    page, held = parties.visitor, list[Route]()
    page.route("**/assets/widget-*.js", lambda route: held.append(route))
    with page.expect_websocket() as socket:
        page.goto(f"{shop}/plain.html", wait_until="commit")
    socket.value.wait_for_event("framereceived")
    assert [route.request.url.rsplit("/", 1)[1].split("-")[0] for route in held] == ["widget"]
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    held[0].continue_()
    expect(page.get_by_role("region", name="Talk to us")).to_be_visible()
    assert requests == []


def test_a_page_with_a_wrong_site_is_told_so_once(
    parties: Parties, system: System, shop: str
) -> None:
    page, said, sockets = parties.visitor, list[str](), list[str]()
    page.on("console", lambda message: said.append(message.text))
    page.on("websocket", lambda socket: sockets.append(socket.url))
    with page.expect_console_message(lambda message: "visavis" in message.text):
        page.goto(f"{shop}/wrong.html")
    page.wait_for_timeout(2000)
    assert [text for text in said if "visavis" in text] == [
        f'visavis: data-site="77" at {system.url} was refused: There is no such site. '
        "The widget stays hidden."
    ]
    assert len(sockets) == 1
    assert page.locator("visavis-widget").evaluate("one => one.offsetHeight") == 0


def test_a_strict_policy_lets_a_whole_call_pass(parties: Parties, shop: str) -> None:
    parties.arrive()
    problems: list[str] = []
    page = parties.visitor
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    page.goto(f"{shop}/csp.html")
    parties.connect("Video call")
    parties.hang_up()
    assert [
        text for text in problems if "Content Security Policy" in text or "Trusted" in text
    ] == []
