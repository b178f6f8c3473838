"""Quality report of a leg, and the mean opinion score estimated from it (ITU-T G.107)."""

from __future__ import annotations

from typing import Any, Final

import msgspec

TRANSMISSION_RATING: Final = 93.2
"""Transmission rating R with no loss and no delay (G.107 §7.1, all defaults)."""

LOSS_ROBUSTNESS: Final = 25.1
"""Packet-loss robustness factor Bpl of G.711; G.113 Appendix I has no value for Opus."""

CODEC_MILLISECONDS: Final = 26.5
"""Delay of the codec in milliseconds: 6.5 of Opus's look-ahead and 20 of one frame."""


class LegReport(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Quality of one leg since its last report.

    *in* is the direction from the browser to us, *out* the direction from us to the browser.
    `loss_in` and `loss_out` are from 0 to 1. `jitter` (the worse direction of the audio) and
    `round_trip` are in milliseconds. `mos` is from 1 to 4.5. The last two are `None` until a round
    trip was measured. Bytes and packets are counted since the leg was opened.
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
        """Return the report as built-in types for JSON, as it is stored with the call."""
        report: dict[str, Any] = msgspec.to_builtins(self)
        return report


def estimate_mos(loss: float, jitter: float, round_trip: float) -> float:
    """Estimate the mean opinion score of speech, from 1 (bad) to 4.5, for random packet loss.

    Implements the E-model (ITU-T G.107). `loss` is from 0 to 1; `jitter` and `round_trip` are in
    milliseconds. The receiver's jitter buffer is assumed to add twice the jitter to the delay.
    """
    delay = round_trip / 2 + 2 * jitter + CODEC_MILLISECONDS
    late = 0.024 * delay + (0.11 * (delay - 177.3) if delay > 177.3 else 0.0)
    percent = 100 * loss
    damaged = 95 * percent / (percent + LOSS_ROBUSTNESS)
    rating = min(100.0, max(0.0, TRANSMISSION_RATING - late - damaged))
    mos = 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6
    return min(4.5, max(1.0, mos))
