"""Report of a leg's quality, and the mean opinion score estimated from it (ITU-T G.107)."""

from __future__ import annotations

from typing import Any, Final

import msgspec

TRANSMISSION_RATING: Final = 93.2
"""Transmission rating R with no loss and no delay (G.107 §7.1, all defaults)."""

LOSS_ROBUSTNESS: Final = 25.1
"""Packet-loss robustness factor Bpl (G.113 Appendix I has G.711's, and none for Opus)."""

CODEC_MILLISECONDS: Final = 26.5
"""Delay of the codec: Opus's look-ahead of 6.5 and a frame of 20."""


class LegReport(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """One leg over the last seconds: *in* is what its browser sends us, *out* what we send it.

    `loss_in` and `loss_out` from 0 to 1; `jitter` and `round_trip` in milliseconds, the worse
    direction of the audio's jitter; `mos` from 1 to 4.5. `None` where nothing is known yet. The
    bytes and packets are those of the leg's whole life.
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

    def to_builtins(self) -> dict[str, Any]:
        """Return the report as it is kept with the call, ready for JSON."""
        report: dict[str, Any] = msgspec.to_builtins(self)
        return report


def estimate_mos(loss: float, jitter: float, round_trip: float) -> float:
    """Estimate the mean opinion score of speech, 1 (bad) to 4.5, by the E-model with random losses.

    `loss` from 0 to 1; `jitter` and `round_trip` in milliseconds. The receiver's buffer is taken to
    hold back twice the jitter.
    """
    delay = round_trip / 2 + 2 * jitter + CODEC_MILLISECONDS
    late = 0.024 * delay + (0.11 * (delay - 177.3) if delay > 177.3 else 0.0)
    percent = 100 * loss
    damaged = 95 * percent / (percent + LOSS_ROBUSTNESS)
    rating = min(100.0, max(0.0, TRANSMISSION_RATING - late - damaged))
    mos = 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6
    return min(4.5, max(1.0, mos))
