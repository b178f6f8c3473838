"""How the network treats one leg."""

from __future__ import annotations

import msgspec


class LegReport(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """One leg's traffic since it was opened.

    `loss_in` and `loss_out` 0 to 1, `jitter` and `round_trip` in milliseconds, `mos` 1 to 4.5
    (estimate, ITU-T G.107); `None` where nothing is known yet.
    """

    loss_in: float = 0.0
    loss_out: float = 0.0
    jitter: float = 0.0
    round_trip: float | None = None
    mos: float | None = None
    bytes_in: int = 0
    bytes_out: int = 0
    packets_in: int = 0
    packets_out: int = 0
