"""The library page: two sides in step, what stands beside them, what can be done with them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from playwright.sync_api import Page, Playwright, expect

from tests.archive.films import Take, film
from tests.running import CHROMIUM, FAKE_DEVICES, System
from visavis.archive.tus_headers import BODY_TYPE, write_metadata
from visavis.domain.story import CallEvent, Story

pytestmark = pytest.mark.e2e

START = datetime(2026, 1, 1, 10, tzinfo=UTC)
SECONDS = 24.0
TAKES = (
    Take("Visitor audio", ends=SECONDS, lost=[(5, 5.5)]),
    Take("Visitor video", "vp8", begins=0.4, ends=SECONDS),
    Take("Agent audio", begins=0.7, ends=SECONDS, tone=880),
    Take("Agent video", "vp9", begins=1.0, ends=14),
    Take("Agent video 2", "h264", begins=14, ends=SECONDS),
    Take("Agent screen", "vp9", begins=8, ends=12, size=(640, 360)),
)
STORY = Story(
    call_id="call",
    site_id=1,
    media="video",
    visitor_name="Ann Archer",
    visitor_email="ann@example.com",
    agent_names=("Bo Berg",),
    events=(
        CallEvent(START + timedelta(seconds=3), "text", "visitor", {"text": "Can you see me?"}),
        CallEvent(START + timedelta(seconds=10), "text", "agent", {"text": "Yes, clearly."}),
    ),
    quality={
        "visitor": {"mos": 4.3, "lossIn": 0.01, "lossOut": 0.0, "roundTrip": 31.4, "jitter": 4.0},
        "agent": {"mos": 3.4, "lossIn": 0.02, "lossOut": 0.01, "roundTrip": None, "jitter": 9.0},
    },
)
CHAPTERS = ((0.4, "Connected"), (8.0, "The agent shares their screen"))

IN_STEP = """seconds => new Promise(resolve => {
  const library = document.querySelector("visavis-library").shadowRoot;
  const player = library.querySelector("visavis-player");
  const videos = ["visitor", "agent"].map(n => player.shadowRoot.querySelector(`[data-part=${n}]`));
  const apart = [], until = performance.now() + seconds * 1000;
  const look = () => {
    const [one, other] = videos.map(video => video.currentTime);
    apart.push({ at: one, apart: Math.abs(one - other) });
    performance.now() < until ? setTimeout(look, 20) : resolve(apart);
  };
  look();
})"""


def deliver(system: System, content: bytes, recording: str, **more: str) -> None:
    """As our recorder does."""
    key = (system.data / "archive.key").read_text().strip()
    usual = {"Authorization": f"Bearer {key}", "Tus-Resumable": "1.0.0"}
    metadata = {
        "site": "1",
        "call": "call",
        "recording": recording,
        "sha256": hashlib.sha256(content).hexdigest(),
        "startedAt": START.isoformat(),
        **more,
    }
    answer = httpx2.post(
        f"{system.url}/recordings/",
        content=content,
        headers={
            **usual,
            "Upload-Length": str(len(content)),
            "Upload-Metadata": write_metadata(metadata),
            "Content-Type": BODY_TYPE,
        },
    )
    assert answer.status_code == 201, answer.text
    assert answer.headers["upload-offset"] == str(len(content))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system that has recorded a video call and some audio calls."""
    directory = tmp_path_factory.mktemp("library")
    system = System(directory / "data").start()
    call = film(directory / "call.mkv", TAKES, story=STORY, chapters=CHAPTERS)
    deliver(system, call.read_bytes(), "video")
    for number in range(3):
        takes = (Take("Visitor audio", ends=3 + number), Take("Agent audio", ends=3))
        audio = film(directory / "audio.mkv", takes)
        named = {"visitorName": f"Visitor {number}", "agentName": "Cy", "media": "audio"}
        deliver(system, audio.read_bytes(), f"audio-{number}", **named)
    yield system
    system.stop()


@pytest.fixture
def page(playwright: Playwright, library: System) -> Iterator[Page]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FAKE_DEVICES)
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{library.url}/signin?next=/library")
    page.get_by_label("E-mail").fill("admin@localhost")
    page.get_by_label("Password").fill(library.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Recordings").wait_for()
    yield page
    browser.close()


def open_call(page: Page, library: System) -> None:
    page.goto(f"{library.url}/library?recording=video")
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def times_apart(page: Page, seconds: float) -> list[dict[str, float]]:
    return list(page.evaluate(IN_STEP, seconds))


def in_step(page: Page, seconds: float = 2.0) -> list[float]:
    """Play on for a while; where it was, and never more than 50 ms apart."""
    seen = times_apart(page, seconds)
    assert seen[-1]["at"] > seen[0]["at"] + seconds / 3, "it does not play"
    worst = max(one["apart"] for one in seen)
    print(f"at most {1000 * worst:.0f} ms apart from {seen[0]['at']:.1f} to {seen[-1]['at']:.1f} s")
    assert worst < 0.05
    return [one["at"] for one in seen]


def test_both_sides_are_in_step(page: Page, library: System) -> None:
    open_call(page, library)
    page.locator("#play").click()
    page.wait_for_timeout(400)
    in_step(page, 3)
    for target in (15.0, 6.5, 12.3):
        page.locator("#position").evaluate(
            f"""slider => {{ slider.value = {target};
            slider.dispatchEvent(new InputEvent("input", {{ bubbles: true }})) }}"""
        )
        page.wait_for_timeout(600)
        at = in_step(page)
        assert target - 0.1 < at[0] < target + 1.5
    page.locator("#speed").select_option("2")
    page.wait_for_timeout(300)
    at = in_step(page)
    assert 3.0 < at[-1] - at[0] < 5.0
