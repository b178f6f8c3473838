"""The library page: two sides in step, what stands beside them, what can be done with them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import http_clients
from tests.archive.recording_files import TrackSpec, make_recording
from tests.e2e.test_accessibility import expect_nothing
from tests.running import System, decoding_errors, eventually, ffprobe, new_page
from visavis.archive.tus_headers import BODY_TYPE, write_metadata
from visavis.domain.call_events import CallEvent, CallReport

pytestmark = pytest.mark.e2e

START = datetime(2026, 1, 1, 10, tzinfo=UTC)
SECONDS = 24.0
TAKES = (
    TrackSpec("Visitor audio", ends=SECONDS, lost=[(5, 5.5)]),
    TrackSpec("Visitor video", "vp8", begins=0.4, ends=SECONDS),
    TrackSpec("Agent audio", begins=0.7, ends=SECONDS, tone=880),
    TrackSpec("Agent video", "vp9", begins=1.0, ends=14),
    TrackSpec("Agent video 2", "h264", begins=14, ends=SECONDS),
    TrackSpec("Agent screen", "vp9", begins=8, ends=12, size=(640, 360)),
)
STORY = CallReport(
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
FILM_SECONDS = 6.0
FILM_TAKES = (
    TrackSpec("Visitor audio", ends=FILM_SECONDS),
    TrackSpec("Visitor video", "vp8", begins=0.4, ends=FILM_SECONDS),
    TrackSpec("Agent audio", begins=0.7, ends=FILM_SECONDS, tone=880),
    TrackSpec("Agent video", "vp9", begins=1.0, ends=4),
    TrackSpec("Agent video 2", "h264", begins=4, ends=FILM_SECONDS),
    TrackSpec("Agent screen", "vp9", begins=2, ends=3, size=(640, 360)),
)
"""The same tracks in a shorter call: a film takes much longer to compose than to play."""

CHAPTERS = ((0.4, "Connected"), (8.0, "The agent shares their screen"))

IN_STEP = """seconds => new Promise(resolve => {
  const library = document.querySelector("visavis-library").shadowRoot;
  const player = library.querySelector("visavis-player");
  const videos = ["visitor", "agent"].map(n => player.shadowRoot.querySelector(`[data-part=${n}]`));
  const apart = [], until = performance.now() + seconds * 1000;
  const look = () => {
    const [one, other] = videos.map(video => video.currentTime);
    const rate = Math.max(...videos.map(video => video.playbackRate));
    apart.push({ at: one, apart: Math.abs(one - other), rate });
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
    answer = http_clients.post(
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
    call = make_recording(directory / "call.mkv", TAKES, report=STORY, chapters=CHAPTERS)
    deliver(system, call.read_bytes(), "video")
    for number in range(3):
        tracks = (TrackSpec("Visitor audio", ends=3 + number), TrackSpec("Agent audio", ends=3))
        audio = make_recording(directory / "audio.mkv", tracks)
        named = {"visitorName": f"Visitor {number}", "agentName": "Cy", "media": "audio"}
        deliver(system, audio.read_bytes(), f"audio-{number}", **named)
    yield system
    system.stop()


@pytest.fixture
def page(browsers: tuple[Browser, Browser], library: System) -> Iterator[Page]:
    page = new_page(browsers[0])
    page.set_viewport_size({"width": 1280, "height": 900})
    library.sign_in(page, "/library", "admin@localhost", library.password)
    page.get_by_role("heading", name="Recordings").wait_for()
    yield page
    page.context.close()


def open_call(page: Page, library: System, recording: str = "video") -> None:
    page.goto(f"{library.url}/library?recording={recording}")
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def times_apart(page: Page, seconds: float) -> list[dict[str, float]]:
    return list(page.evaluate(IN_STEP, seconds))


def in_step(page: Page, seconds: float = 2.0) -> None:
    """It plays on for so many seconds, and both sides are never more than 50 ms apart.

    On a busy machine they are for a moment: they are looked at until they are not. At its end
    the call is played anew.
    """

    def are_in_step() -> bool:
        seen = times_apart(page, seconds)
        begin, end = seen[0]["at"], seen[-1]["at"]
        worst = max(one["apart"] for one in seen)
        print(f"at most {1000 * worst:.0f} ms apart from {begin:.1f} to {end:.1f} s")
        play = page.locator("#play")
        if play.text_content() == "Play":
            play.click()
        return worst < 0.05 and end > begin + seconds / 3

    eventually(are_in_step)


BRIGHTNESS = """() => {
  const library = document.querySelector("visavis-library").shadowRoot;
  const player = library.querySelector("visavis-player").shadowRoot;
  const seen = [...player.querySelectorAll("video:not([data-dark])")];
  return Object.fromEntries(seen.map(video => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d");
    canvas.drawImage(video, 0, 0, 1, 1);
    return [video.dataset.part, canvas.getImageData(0, 0, 1, 1).data[0]];
  }));
}"""


def seek(page: Page, target: float) -> float:
    """Seek, and return the position."""
    at = page.locator("#position").evaluate(
        """(slider, target) => { slider.value = target;
        slider.dispatchEvent(new InputEvent("input", { bubbles: true }));
        return slider.getRootNode().querySelector("[data-part=visitor]").currentTime }""",
        target,
    )
    return float(at)


def shown_time(page: Page) -> float:
    return float(page.locator("#position").input_value())


def audited(library: System) -> list[str]:
    """Return the audit log's entries about recordings, newest first."""
    entries = library.ask("/v4/global/auditLogs?pageSize=100")["auditLogs"]
    types = [entry["actionType"] for entry in entries]
    return [name for name in types if name.startswith("recording")]


def test_both_sides_are_in_step(page: Page, library: System) -> None:
    open_call(page, library)
    page.locator("#play").click()
    in_step(page, 3)
    for target in (15.0, 6.5, 12.3):
        assert target - 0.1 < seek(page, target) < target + 0.1
        in_step(page, 1.5)
    page.locator("#speed").select_option("2")
    # by the players' own clocks: to keep in step, one may be a little slower for a moment
    eventually(lambda: all(abs(one["rate"] - 2) < 0.2 for one in times_apart(page, 0.5)))
    in_step(page)


@pytest.mark.parametrize(
    ("target", "parts"),
    [
        (5.06, {"visitor", "agent"}),
        (10.06, {"visitor", "agent", "agent-screen"}),
        (17.06, {"visitor", "agent-2"}),
    ],
)
def test_what_happened_at_once_is_seen_at_once(
    page: Page, library: System, target: float, parts: set[str]
) -> None:
    """Every picture flashes at every whole second, whatever its codec and its beginning."""
    open_call(page, library)
    for moment, is_bright in ((target, True), (target + 0.4, False)):
        seek(page, moment)
        page.wait_for_function(
            f"""bright => {{ const seen = ({BRIGHTNESS})();
            return Object.values(seen).every(value => bright ? value > 200 : value < 120) }}""",
            arg=is_bright,
        )
        assert set(page.evaluate(BRIGHTNESS)) == parts


def test_chapters_and_texts_follow_and_lead(page: Page, library: System) -> None:
    open_call(page, library)
    expect(page.get_by_role("button", name="Can you see me?")).to_be_visible()
    page.get_by_role("button", name="The agent shares their screen").click()
    expect(page.get_by_text("Screen of Bo Berg")).to_be_visible()
    assert abs(shown_time(page) - 8) < 0.1
    page.locator("#play").click()
    expect(page.get_by_role("button", name="Yes, clearly.")).to_have_attribute(
        "aria-current", "true"
    )
    expect(page.get_by_text("Screen of Bo Berg")).to_be_hidden()
    quality = page.get_by_role("table")
    expect(quality).to_contain_text("good (4.3)")
    expect(quality).to_contain_text("31 ms")


def test_the_keyboard_is_enough(page: Page, library: System) -> None:
    open_call(page, library)
    keyboard = page.keyboard
    keyboard.press("ArrowRight")
    page.wait_for_function(SHOWN.format("> 4.9"))
    keyboard.press("ArrowLeft")
    page.wait_for_function(SHOWN.format("< 0.1"))
    keyboard.press("Space")
    page.wait_for_function(SHOWN.format("> 0.5"))
    expect(page.locator("#play")).to_have_text("Pause")
    keyboard.press("ArrowUp")
    expect(page.locator("#speed")).to_have_value("1.25")
    keyboard.press("Space")
    expect(page.locator("#play")).to_have_text("Play")
    keyboard.press("End")
    page.wait_for_function(SHOWN.format("> 23"))


SHOWN = """() => {{
  const library = document.querySelector("visavis-library").shadowRoot;
  const player = library.querySelector("visavis-player").shadowRoot;
  return Number(player.querySelector("#position").value) {}
}}"""


def test_it_ends_where_both_sides_end_and_begins_anew(page: Page, library: System) -> None:
    open_call(page, library)
    seek(page, 23.3)
    page.locator("#play").click()
    page.wait_for_function(SHOWN.format("> 23.8"))
    expect(page.locator("#play")).to_have_text("Play")
    page.locator("#play").click()
    page.wait_for_function(SHOWN.format("< 3"))
    in_step(page, 1)


def test_a_call_without_pictures(page: Page, library: System) -> None:
    page.get_by_role("row", name="Visitor 2").get_by_role("button", name="Play").click()
    expect(page.get_by_role("heading", name="Visitor 2 · Cy")).to_be_visible()
    page.locator("#play").click()
    in_step(page, 1)
    page.go_back()
    expect(page.get_by_role("heading", name="Recordings")).to_be_visible()


def test_recordings_are_found(page: Page, library: System) -> None:
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(4)
    page.get_by_role("button", name="Length").click()
    expect(rows.first).to_contain_text("Ann Archer")
    page.get_by_role("button", name="Length").click()
    expect(rows.last).to_contain_text("Ann Archer")
    for label, value, count in (("Visitor", "ann@", 1), ("Agent", "cy", 3), ("Visitor", "Zoe", 0)):
        page.get_by_label(label).fill(value)
        expect(rows).to_have_count(count)
        page.get_by_role("button", name="Clear filters").click()
        expect(rows).to_have_count(4)
    page.get_by_label("Kind").select_option("audio")
    expect(rows).to_have_count(3)
    page.get_by_label("From").fill("2026-02-01")
    expect(page.get_by_text("Nothing matches these filters.")).to_be_visible()


# the film may be there before a driver on a busy machine has looked: the page looks itself
NOTE_PROGRESS = """button => {
  const root = button.getRootNode();
  window.isProgressShown = false;
  const look = () => (window.isProgressShown ||= !!root.querySelector("progress"));
  new MutationObserver(look).observe(root, { childList: true, subtree: true });
}"""


def test_a_film_of_both_sides(page: Page, library: System, tmp_path: Path) -> None:
    recorded = make_recording(tmp_path / "short.mkv", FILM_TAKES, report=STORY)
    deliver(library, recorded.read_bytes(), "short")
    open_call(page, library, "short")
    page.locator("#compose").evaluate(NOTE_PROGRESS)
    page.locator("#compose").click()
    page.get_by_role("link", name="Download MP4").wait_for(timeout=200_000)
    assert page.evaluate("isProgressShown")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download MP4").click()
    film_file = tmp_path / "film.mp4"
    download.value.save_as(film_file)
    streams = {s["codec_type"]: s for s in ffprobe(film_file)["streams"]}
    assert (streams["video"]["width"], streams["video"]["height"]) == (1280, 1080)
    assert streams["audio"]["codec_name"] == "aac"
    assert abs(float(ffprobe(film_file)["format"]["duration"]) - FILM_SECONDS) < 0.2
    assert decoding_errors(film_file) == ""
    with page.expect_download() as download:
        page.get_by_role("link", name="Download original").click()
    assert download.value.suggested_filename.endswith(".mkv")
    assert audited(library)[:3] == [
        "recordingDownloaded",
        "recordingDownloaded",
        "recordingComposed",
    ]


def test_hold_and_deletion(page: Page, library: System) -> None:
    deliver(library, b"short-lived", "brief", visitorName="Brief", agentName="Cy")
    plays = audited(library).count("recordingPlayed")
    page.goto(f"{library.url}/library?recording=brief")
    page.get_by_role("button", name="Put on legal hold").click()
    expect(page.get_by_role("button", name="Release")).to_be_visible()
    expect(page.get_by_role("button", name="Delete")).to_have_count(0)
    page.get_by_role("button", name="Release").click()
    page.get_by_role("button", name="Delete").click()
    page.locator("#delete-now").click()
    expect(page.get_by_role("heading", name="Recordings")).to_be_visible()
    expect(page.get_by_text("Brief")).to_have_count(0)
    assert audited(library)[:4] == [
        "recordingDeleted",
        "recordingReleased",
        "recordingHeld",
        "recordingPlayed",
    ]
    assert audited(library).count("recordingPlayed") == plays + 1
    page.goto(f"{library.url}/admin")
    history = page.get_by_role("region", name="Change history").get_by_role("listitem")
    expect(history.nth(0)).to_contain_text("Recording deleted: Brief, ")
    expect(history.nth(1)).to_contain_text("Recording released from legal hold: Brief, ")
    expect(history.get_by_role("link", name="Brief, ").first).to_have_attribute(
        "href", "/library?recording=brief"
    )


def test_axe_finds_nothing(page: Page, library: System, axe: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    for address in ("", "?recording=video&t=9", "?recording=audio-1"):
        page.goto(f"{library.url}/library{address}")
        page.wait_for_load_state("networkidle")
        page.evaluate(axe)
        expect_nothing(page, address)
        assert page.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize("width", [320, 360, 390])
def test_a_phone_shows_the_sides_one_above_the_other(
    page: Page, library: System, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    page.goto(f"{library.url}/library?recording=video&t=2")
    expect(page.locator("[data-part=visitor]")).to_be_visible()
    for side in ("visitor", "agent"):
        part = page.locator(f"[data-part={side}]")
        figure = page.locator("figure").filter(has=part).bounding_box()
        assert figure
        assert figure["width"] > 0.75 * width, side
