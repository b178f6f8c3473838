"""What flows into the pages of a call, by the numbers of their own `getStats`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

VISITOR, AGENT = "visavis", "visavisConsole"
"""By which name a page has its peer connection."""


class Page(Protocol):
    """As much of a Playwright page as is needed here; Firefox has it too."""

    def evaluate(self, expression: str, argument: Any = None, /) -> Any: ...
    def wait_for_timeout(self, milliseconds: float, /) -> None: ...


@dataclass(frozen=True)
class Flow:
    """Per second what was decoded and received; freezes are those of the whole time."""

    frames: float
    audio: float
    freezes: int
    frozen_seconds: float

    def __str__(self) -> str:
        return f"{self.frames:.1f} frames/s, {self.audio:.1f} audio packets/s"


Sides = Mapping[str, Page]
"""Pages by the name of their peer connection."""


def flow(sides: Sides, seconds: float) -> dict[str, Flow]:
    """What flows for so many seconds from now."""
    before = {name: _count(page, name) for name, page in sides.items()}
    next(iter(sides.values())).wait_for_timeout(1000 * seconds)
    after = {name: _count(page, name) for name, page in sides.items()}
    flows = {name: _between(before[name], after[name]) for name in sides}
    for name, measured in flows.items():
        print(f"{name}: {measured}")
    return flows


def await_pictures(sides: Sides, seconds: float = 20.0) -> None:
    """Until each page decodes frame after frame and hears packet after packet."""
    until = time.monotonic() + seconds
    while not all(f.frames > 5 and f.audio > 25 for f in flow(sides, 0.7).values()):
        assert time.monotonic() < until, f"nothing flows within {seconds} seconds"


def _count(page: Page, name: str) -> dict[str, float]:
    # in parentheses and called: Firefox's driver does not call functions
    script = f"""(async () => {{
      const report = await {name}.peerConnection?.getStats() ?? new Map();
      const inbound = [...report.values()].filter(s => s.type === "inbound-rtp");
      const sum = (kind, what) => inbound.filter(s => s.kind === kind)
        .reduce((total, s) => total + (s[what] ?? 0), 0);
      return {{frames: sum("video", "framesDecoded"), audio: sum("audio", "packetsReceived"),
               freezes: sum("video", "freezeCount"),
               frozen: sum("video", "totalFreezesDuration"), at: performance.now() / 1000}};
    }})()"""
    return dict(page.evaluate(script))


def _between(before: Mapping[str, float], after: Mapping[str, float]) -> Flow:
    seconds = after["at"] - before["at"]
    change = {what: after[what] - before[what] for what in after}
    return Flow(
        change["frames"] / seconds,
        change["audio"] / seconds,
        round(change["freezes"]),
        change["frozen"],
    )
