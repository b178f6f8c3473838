"""Call of two pages of real browsers through a media worker; the test does the signalling."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from playwright.sync_api import Browser, BrowserContext

from tests.legs import LEGS, other
from tests.running import PATIENCE, free_media_port
from visavis.domain.leg import VISITOR_LEG, BridgeId, BridgeStatus, LocalTransport
from visavis.media import worker
from visavis.media.control_channel import UnixTransport
from visavis.media.worker_pool import WorkerPool
from visavis.rtp.mos import LegReport
from visavis.rtp.sdp import read_transport, restrict_codecs, rewrite
from visavis.settings import Settings

T = TypeVar("T")
ORIGIN = "https://room.example/"
SIZE = "{width: 640, height: 360}"
PLAIN = "{echoCancellation: false, noiseSuppression: false, autoGainControl: false}"
"""Of a microphone without echo: the browser's search for one takes a quarter of its time."""
UNPAINTED = "<video muted style='opacity: 0'></video>"
"""Without a graphics card, to paint pictures takes a third of a browser's processor time."""

SCRIPT = """
window.start = async (wanted) => {
  window.pc = new RTCPeerConnection({bundlePolicy: "max-bundle"});
  window.media = await navigator.mediaDevices.getUserMedia(wanted);
  for (const track of window.media.getTracks()) pc.addTrack(track, window.media);
  pc.ontrack = ({streams}) => {
    const player = document.querySelector("video");
    player.srcObject = streams[0];
    player.play().catch(() => {});
  };
};
window.add = async (wanted) => {
  const more = await navigator.mediaDevices.getUserMedia(wanted);
  for (const track of more.getTracks()) pc.addTrack(track, window.media);
};
window.offer = async (options) => {
  await pc.setLocalDescription(await pc.createOffer(options));
  return pc.localDescription.sdp;
};
window.answer = async (sdp) => {
  await pc.setRemoteDescription({type: "offer", sdp});
  await pc.setLocalDescription(await pc.createAnswer());
  return pc.localDescription.sdp;
};
window.accept = (sdp) => pc.setRemoteDescription({type: "answer", sdp});
window.stats = async () => {
  const all = [...(await pc.getStats()).values()];
  const inbound = kind => all.find(s => s.type === "inbound-rtp" && s.kind === kind) ?? {};
  const route = all.find(s => s.type === "transport")?.selectedCandidatePairId;
  const pair = all.find(s => s.id === route) ?? {};
  const remote = all.find(s => s.id === pair.remoteCandidateId) ?? {};
  return {
    frames: inbound("video").framesDecoded ?? 0,
    audio: inbound("audio").packetsReceived ?? 0,
    protocol: remote.protocol ?? "",
    address: remote.address ?? "",
    answered: all.filter(s => s.type === "candidate-pair" && s.state === "succeeded")
      .map(s => all.find(c => c.id === s.remoteCandidateId)?.usernameFragment),
    at: performance.now() / 1000,
  };
};
"""


class EventLog:
    """Records the events of a media worker."""

    def __init__(self) -> None:
        self.up: set[int] = set()
        self.down: list[str] = []
        self.reports: dict[int, LegReport] = {}

    async def leg_up(self, bridge: BridgeId, side: int) -> None:
        self.up.add(side)

    async def leg_down(self, bridge: BridgeId, side: int, why: str) -> None:
        self.down.append(why)

    async def tap_lost(self, bridge: BridgeId, why: str) -> None:
        self.down.append(why)

    async def quality(self, bridge: BridgeId, side: int, report: LegReport) -> None:
        self.reports[side] = report

    async def worker_draining(self, bridges: Collection[BridgeId]) -> None: ...

    async def bridges_found(self, statuses: Collection[BridgeStatus]) -> None: ...

    async def worker_lost(self, bridges: Collection[BridgeId]) -> None:
        self.down.append("worker lost")


class Page(Protocol):
    """The methods of a Playwright page that are used here."""

    def evaluate(self, expression: str, argument: Any = None, /) -> Any: ...
    def wait_for_timeout(self, milliseconds: float, /) -> None: ...


class BrowserCall:
    """Call of two real pages through a media worker. Close it when done.

    `filters` change the descriptions that a page receives.
    """

    bridge = BridgeId("call", 1)

    def __init__(self, pages: Mapping[int, Page], directory: Path) -> None:
        self.pages = pages
        self.settings = Settings(
            data_dir=directory, run_dir=directory, media_port=free_media_port(), media_workers=1
        )
        self.filters: dict[int, Callable[[str], str]] = {}
        self.events = EventLog()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._stop = self.ask(_event())
        self.plane = WorkerPool(map(UnixTransport, self.settings.media_sockets))
        self._worker = self._run(worker.run(self.settings, 0, self._stop))
        self._app = self._run(self.plane.run(self.events))
        self.transports: dict[int, LocalTransport] = {}

    def ask(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE)

    def _run(self, coroutine: Coroutine[Any, Any, None]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def close(self) -> None:
        self._app.cancel()
        self._loop.call_soon_threadsafe(self._stop.set)
        self._worker.result(PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def connect(self, *, video: bool = True) -> None:
        wanted = f"{{audio: {PLAIN}, video: {SIZE if video else 'false'}}}"
        for page in self.pages.values():
            page.evaluate(f"start({wanted})")
        for side in LEGS:
            self.transports[side] = self.ask(self.plane.open_leg(self.bridge, side))
        self.negotiate(VISITOR_LEG)
        self.until(lambda: len(self.events.up) == 2, "both legs up")

    def negotiate(self, offerer: int, options: str = "{}") -> None:
        """Exchange an offer and its answer, rewritten like the app does."""
        answerer = other(offerer)
        offer = self.pages[offerer].evaluate(f"offer({options})")
        self._remote(offerer, offer)
        told = rewrite(restrict_codecs(offer), self.transports[answerer], "actpass")
        answer = self.pages[answerer].evaluate("sdp => answer(sdp)", self._filtered(answerer, told))
        self._remote(answerer, answer)
        self.ask(self.plane.join(self.bridge))
        told = rewrite(answer, self.transports[offerer], "passive")
        self.pages[offerer].evaluate("sdp => accept(sdp)", self._filtered(offerer, told))

    def _filtered(self, side: int, sdp: str) -> str:
        return self.filters.get(side, str)(sdp)

    def _remote(self, side: int, sdp: str) -> None:
        remote = read_transport(sdp)
        self.transports[side] = self.ask(self.plane.set_remote(self.bridge, side, remote))

    def until(self, holds: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
        until = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < until, f"not within {seconds} s: {what}"
            next(iter(self.pages.values())).wait_for_timeout(50)

    def flow(self, seconds: float = 3.0) -> dict[int, dict[str, Any]]:
        """Return each page's statistics, with frames and packets per second (`fps`, `pps`)."""
        before = {side: page.evaluate("stats()") for side, page in self.pages.items()}
        self.pages[VISITOR_LEG].wait_for_timeout(seconds * 1000)
        after = {side: page.evaluate("stats()") for side, page in self.pages.items()}
        for side, now in after.items():
            passed = now["at"] - before[side]["at"]
            now["fps"] = (now["frames"] - before[side]["frames"]) / passed
            now["pps"] = (now["audio"] - before[side]["audio"]) / passed
            print(f"{side}: {now['fps']:.1f} frames/s, {now['pps']:.1f} audio packets/s", now)
        return after


def only_candidates(pattern: str) -> Callable[[str], str]:
    """Return a filter that keeps only the matching candidates of a description."""

    def keep(line: str) -> bool:
        return not line.startswith("a=candidate:") or re.search(pattern, line) is not None

    return lambda sdp: "".join(f"{line}\r\n" for line in sdp.splitlines() if keep(line))


async def _event() -> asyncio.Event:
    return asyncio.Event()


@contextmanager
def chromium_pages(browser: Browser) -> Iterator[dict[int, Page]]:
    """Yield one page for each side, in separate browser contexts."""
    contexts = [browser.new_context(permissions=["camera", "microphone"]) for _ in LEGS]
    yield dict(zip(LEGS, map(_page, contexts), strict=True))
    for context in contexts:
        context.close()


def _page(context: BrowserContext) -> Page:
    page = context.new_page()
    page.route(
        "**/*",
        lambda remote_address: remote_address.fulfill(body=UNPAINTED, content_type="text/html"),
    )
    page.add_init_script(SCRIPT)
    page.goto(ORIGIN)
    return page
