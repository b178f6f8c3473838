"""Media received by the pages of a call, by their own `getStats`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tests.running import AGENT, VISITOR, eventually

__all__ = [
    "AGENT",
    "VISITOR",
    "Flow",
    "Page",
    "Sides",
    "await_flow",
    "await_resumption",
    "flow",
    "note_resumption",
]


class Page(Protocol):
    """As much of a Playwright page as is needed here; Firefox has it too."""

    def evaluate(self, expression: str, argument: Any = None, /) -> Any: ...
    def wait_for_timeout(self, milliseconds: float, /) -> None: ...


@dataclass(frozen=True)
class Flow:
    """Per second what was decoded and received; freezes are those of the whole time.

    `kilobits` are the pictures'.
    """

    frames: float
    kilobits: float
    audio: float
    freezes: int
    frozen_seconds: float

    def __str__(self) -> str:
        return f"{self.frames:.1f} frames/s, {self.audio:.1f} audio packets/s"


Sides = Mapping[str, Page]
"""Pages by the name of their peer connection."""


def flow(sides: Sides, seconds: float) -> dict[str, Flow]:
    """Measure the received media for some seconds."""
    before = {name: _count(page, name) for name, page in sides.items()}
    next(iter(sides.values())).wait_for_timeout(1000 * seconds)
    after = {name: _count(page, name) for name, page in sides.items()}
    flows = {name: _between(before[name], after[name]) for name in sides}
    for name, measured in flows.items():
        print(f"{name}: {measured}")
    return flows


def await_flow(sides: Sides, seconds: float = 0.7, frames: float = 5, audio: float = 25) -> None:
    """Until each page has had so many pictures and packets per second for so many seconds.

    Not asserted at once: a busy machine has its moments.
    """

    def is_enough() -> bool:
        return all(f.frames >= frames and f.audio >= audio for f in flow(sides, seconds).values())

    eventually(is_enough)


def note_resumption(sides: Sides) -> None:
    """From now on each page waits for the first picture of another link than the present one."""
    script = """void (async () => {{
      const before = {name}.peerConnection;
      for (window.resumedAt = 0; !window.resumedAt;) {{
        await new Promise(resolve => setTimeout(resolve, 20));
        const {{peerConnection}} = {name};
        if (!peerConnection || peerConnection === before) continue;
        const all = [...(await peerConnection.getStats()).values()];
        const isShown = s => s.type === "inbound-rtp" && s.kind === "video" && s.framesDecoded;
        if (all.some(isShown)) window.resumedAt = Date.now();
      }}
    }})()"""
    for name, page in sides.items():
        page.evaluate(script.format(name=name))


def await_resumption(sides: Sides, since: float) -> None:
    """Prints how long after `since`, of the wall clock, each page had that picture."""
    for name, page in sides.items():
        at = eventually(lambda page=page: page.evaluate("window.resumedAt"))  # type: ignore[misc]
        print(f"{name}: the first picture came after {at / 1000 - since:.2f} s")


def _count(page: Page, name: str) -> dict[str, float]:
    # in parentheses and called: Firefox's driver does not call functions
    script = f"""(async () => {{
      const report = await {name}.peerConnection?.getStats() ?? new Map();
      const inbound = [...report.values()].filter(s => s.type === "inbound-rtp");
      const sum = (kind, what) => inbound.filter(s => s.kind === kind)
        .reduce((total, s) => total + (s[what] ?? 0), 0);
      return {{frames: sum("video", "framesDecoded"), audio: sum("audio", "packetsReceived"),
               bytes: sum("video", "bytesReceived"), freezes: sum("video", "freezeCount"),
               frozen: sum("video", "totalFreezesDuration"), at: performance.now() / 1000}};
    }})()"""
    return dict(page.evaluate(script))


def _between(before: Mapping[str, float], after: Mapping[str, float]) -> Flow:
    seconds = after["at"] - before["at"]
    change = {what: after[what] - before[what] for what in after}
    return Flow(
        change["frames"] / seconds,
        change["bytes"] * 8 / 1000 / seconds,
        change["audio"] / seconds,
        round(change["freezes"]),
        change["frozen"],
    )
