"""Time from accepting a call to the first decoded frame, directly and through our relay.

Two pages in two headless Chromium browsers, with open cameras, run the same script in both cases.
The visitor's page has made its offer, and the call rings. The agent's page sends `accept` (the
clock starts), receives the offer and answers it, and both pages connect. The clock stops in each
page when it has decoded its first video frame (MediaStreamTrackProcessor). In the direct case, a
bare ASGI function forwards the messages of our protocol, and the answerer trickles its candidates.
The other cases use `visavis serve`, without and with automatic recording; there the visitor's page
connects to the relay while the call rings. The cases alternate; a ratio is the median of the
rounds' ratios.

Exits with 1 if the limit is exceeded: through the relay, at most 1.0 times direct.

    python benchmarks/setup_time.py [--rounds 15]
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from playwright.sync_api import Page, sync_playwright  # noqa: E402

from tests.running import System, eventually, free_port, launch, listens  # noqa: E402

MOST_TIMES_DIRECT = 1.0
SCRIPT = Path(__file__).resolve().parent / "peers" / "setup_page.js"
STEPS = {
    "the agent's page has the offer": ("agent", "offer"),
    "the agent's page has made its answer": ("agent", "answer made"),
    "the visitor's page has the answer": ("visitor", "answer"),
    "the agent's page is connected (ICE)": ("agent", "ice connected"),
    "the visitor's page is connected (ICE)": ("visitor", "ice connected"),
    "the agent's page is connected (DTLS)": ("agent", "connected"),
    "the visitor's page is connected (DTLS)": ("visitor", "connected"),
    "the agent's page has decoded a frame": ("agent", "frame"),
    "the visitor's page has decoded a frame": ("visitor", "frame"),
}
BOTH = "both pages have"


@dataclass
class Way:
    """Case that is measured. `times` are milliseconds since the call was accepted, by step."""

    name: str
    visitor_url: str
    agent_url: str
    trickles: bool = False
    is_recorded: bool | None = None
    times: dict[str, list[float]] = field(default_factory=dict)

    def note(self, seen: dict[str, dict[str, float]]) -> None:
        accepted = seen["agent"]["called"]
        for step, (side, name) in STEPS.items():
            if name in seen[side]:
                self.times.setdefault(step, []).append(seen[side][name] - accepted)
        last = max(seen[side]["frame"] for side in ("agent", "visitor"))
        self.times.setdefault(BOTH, []).append(last - accepted)

    def median(self, step: str) -> str:
        times = self.times.get(step)
        return f"{statistics.median(times):12.0f}" if times else f"{'-':>12}"


def place_call(way: Way, visitor: Page, agent: Page) -> dict[str, dict[str, float]]:
    """Make one call; return the times of the steps in each page."""
    visitor.evaluate("([url, trickles]) => enter(url, trickles)", [way.visitor_url, way.trickles])
    agent.evaluate("([url, trickles]) => enter(url, trickles)", [way.agent_url, way.trickles])
    agent.evaluate("window.ringing = until('ring'); undefined")
    visitor.evaluate("call()")
    agent.evaluate("window.ringing")
    agent.wait_for_timeout(300)  # The call rings for a while, until the visitor's browser is idle.
    agent.evaluate("accept()")
    seen: dict[str, Any] = {
        "agent": agent.evaluate("times()"),
        "visitor": visitor.evaluate("times()"),
    }
    visitor.evaluate("window.over = until('ended'); hangUp()")
    visitor.evaluate("window.over")
    for page in (visitor, agent):
        page.evaluate("leave()")
    agent.wait_for_timeout(200)
    return seen


def arrive(page: Page, system: System) -> None:
    """Open a page of our origin that has only the script."""
    page.goto(f"{system.url}/healthz")
    page.add_script_tag(content=SCRIPT.read_text(encoding="utf-8"))
    page.evaluate("openMedia()")


def sign_in(page: Page, password: str) -> None:
    script = """async (password) => {
      const body = JSON.stringify({ email: "admin@localhost", password });
      const answer = await fetch("/session", { method: "POST", body });
      if (!answer.ok) throw new Error(await answer.text());
    }"""
    page.evaluate(script, password)


@contextlib.contextmanager
def signaling_relay() -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen([sys.executable, __file__, "--serve", str(port)])
    try:
        eventually(lambda: listens(port))
        yield port
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def running() -> Iterator[System]:
    with tempfile.TemporaryDirectory() as directory:
        system = System(Path(directory) / "data").start()
        try:
            yield system
        finally:
            system.stop()


@contextlib.contextmanager
def pages(system: System) -> Iterator[tuple[Page, Page]]:
    with sync_playwright() as playwright:
        browsers = [launch(playwright) for _ in range(2)]
        visitor, agent = (
            browser.new_context(permissions=["camera", "microphone"], bypass_csp=True).new_page()
            for browser in browsers
        )
        arrive(visitor, system)
        arrive(agent, system)
        sign_in(agent, system.password)
        yield visitor, agent
        for browser in browsers:
            browser.close()


def measure(ways: list[Way], system: System, rounds: int) -> None:
    with pages(system) as (visitor, agent):
        for number in range(-1, rounds):  # The first rounds only warm up.
            for way in ways if number % 2 else reversed(ways):
                if way.is_recorded is not None:
                    system.configure(on=True, recording=way.is_recorded)
                seen = place_call(way, visitor, agent)
                if number >= 0:
                    way.note(seen)
            print(f"  round {number + 1} of {rounds}", file=sys.stderr, flush=True)


def report(direct: Way, others: list[Way]) -> float:
    """Print the results; return the ratio that is limited."""
    print(
        f"{'median ms after accept':40}" + "".join(f"{way.name:>12}" for way in (direct, *others))
    )
    for step in (*STEPS, BOTH):
        print(f"{step:40}" + "".join(way.median(step) for way in (direct, *others)))
    ratios = []
    for way in others:
        pairs = zip(way.times[BOTH], direct.times[BOTH], strict=True)
        ratios.append(statistics.median(ours / theirs for ours, theirs in pairs))
        print(f"{way.name} / {direct.name}: {ratios[-1]:.2f} (limit {MOST_TIMES_DIRECT})")
    return ratios[0]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        from benchmarks.peers.signaling_relay import serve

        serve(options.serve)
        return 0
    with signaling_relay() as port, running() as system:
        url = system.url.replace("http", "ws", 1)
        ours = f"{url}/signaling/visitor?site=1", f"{url}/signaling/agent"
        bare = f"ws://127.0.0.1:{port}/visitor", f"ws://127.0.0.1:{port}/agent"
        direct = Way("direct", *bare, trickles=True)
        relay = Way("relay", *ours, is_recorded=False)
        recorded = Way("recorded", *ours, is_recorded=True)
        measure([direct, relay, recorded], system, options.rounds)
        return 0 if report(direct, [relay, recorded]) <= MOST_TIMES_DIRECT else 1


if __name__ == "__main__":
    sys.exit(main())
