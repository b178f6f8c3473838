"""Rows of the soak: who calls whom, over which network, and what happens in the call."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Final

CHROMIUM, FIREFOX = "Chromium", "Firefox"

PAIRS: Final = ((CHROMIUM, CHROMIUM), (FIREFOX, CHROMIUM), (CHROMIUM, FIREFOX))
"""The visitor's browser and the agent's."""

NETWORKS: Final[dict[str, dict[str, float]]] = {
    "good": {},
    "2 % loss": {"loss": 0.02},
    "6 % loss": {"loss": 0.06},
    "2 %, 150 ms": {"loss": 0.02, "delay": 0.15},
    "5 %, 300 ms": {"loss": 0.05, "delay": 0.3},
    "6 %, 450 ms": {"loss": 0.06, "delay": 0.45},
    "reordering": {"late": 0.1, "late_by": 0.06, "delay": 0.05},
    "bursts": {"loss": 0.03, "burst": 8.0},
}
"""Both ways between one browser and the relay; delays are each way."""

HARD: Final = "5 %, 300 ms"
"""The network over which everything happens too."""

NOTHING, OUTAGE = "nothing", "outage of 4 s"
EVENTS: Final = (
    NOTHING,
    OUTAGE,
    "camera off and on",
    "screen share",
    "mute",
    "device change",
    "transfer",
)


@dataclass(frozen=True)
class Row:
    visitor: str
    agent: str
    network: str
    event: str

    @property
    def name(self) -> str:
        return f"{self.visitor}-{self.agent}, {self.network}, {self.event}"


def matrix(*, is_full: bool = False) -> list[Row]:
    """Return every network in which nothing happens, and everything over two networks.

    The full matrix is each with each, three times as many.
    """
    rows = [Row(*pair, network, event) for pair, network, event in product(PAIRS, NETWORKS, EVENTS)]
    if is_full:
        return rows
    return [
        row
        for row in rows
        if row.event == NOTHING
        or row.network == "good"
        or (row.network == HARD and (row.visitor, row.agent) == PAIRS[0])
    ]
