"""Estimates the skew of an RTP clock packet by packet, where sender reports show that it changed.

The skew is our wall clock at the capture of a packet minus its RTP time, both in seconds. While a
microphone delivers no samples, its RTP time stands still, so the skew rises. Each packet arrives
after its capture, later by the network's shortest delay (which the skew includes) and by its
jitter. Let the delay of a packet be its arrival time minus its RTP time. If the skew never falls,
the skew at a packet is at most the delay of this and each later packet, and at least the delay of
this and each earlier packet minus the greatest jitter. If the skew falls, the packets are read
backwards.

These bounds fit two kinds of cause. A few long stalls leave the skew constant between them, so the
smallest number of constant pieces between the bounds is used. Many short stalls make the skew rise
continuously; then the middle between the bounds is used.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

TOLERANCE_SECONDS: Final = 0.01
MAX_DOUBTFUL_PACKETS: Final = 3
"""If more packets than this may be on either side of a step, there was no single step."""


MIN_PIECE_PACKETS: Final = 25
"""A shorter piece between two steps may fit by chance and is not accepted."""


class Known(NamedTuple):
    """Skew known from a sender report.

    It is an upper bound for the packets before index `since` and a lower bound for those from index
    `until` on.
    """

    skew: float
    since: int
    until: int


def follow(
    delays: Sequence[float], start: float, end: float, known: Sequence[Known]
) -> list[float]:
    """Return the skew at each packet, in seconds, which goes from `start` to `end`.

    `delays` are in order of sequence numbers, at least one. `known` refers to indices of `delays`.
    """
    if end < start:
        count = len(delays)
        backwards = [Known(one.skew, count - one.until, count - one.since) for one in known]
        return follow(delays[::-1], end, start, backwards)[::-1]
    upper = _upper(delays, start, end, known)
    excess = [delay - bound for delay, bound in zip(delays, upper, strict=True)]
    jitter = sorted(excess)[len(excess) * 9 // 10] * 1.15 + TOLERANCE_SECONDS
    usual = [
        delay if above <= jitter else start for delay, above in zip(delays, excess, strict=True)
    ]
    lower = _lower(usual, jitter, start, end, known)
    pieces = _pieces(lower, upper)
    return _between(lower, upper) if pieces is None else _levels(pieces, delays, upper, excess)


def _upper(
    delays: Sequence[float], start: float, end: float, known: Sequence[Known]
) -> list[float]:
    upper = [*delays]
    for one in known:
        if 0 < one.since <= len(upper):
            upper[one.since - 1] = min(upper[one.since - 1], one.skew)
    least = end
    for index in range(len(upper) - 1, -1, -1):
        least = min(least, upper[index])
        upper[index] = max(start, least)
    return upper


def _lower(
    delays: Sequence[float], jitter: float, start: float, end: float, known: Sequence[Known]
) -> list[float]:
    lower = [delay - jitter for delay in delays]
    for one in known:
        if 0 <= one.until < len(lower):
            lower[one.until] = max(lower[one.until], one.skew)
    most = start
    for index, bound in enumerate(lower):
        most = max(most, bound)
        lower[index] = min(end, most)
    return lower


class _Piece(NamedTuple):
    """Packets with the same skew: certainly from index `latest` on, possibly from `earliest` on."""

    earliest: int
    latest: int


def _pieces(lower: list[float], upper: list[float]) -> list[_Piece] | None:
    """Return the smallest number of constant pieces between the bounds.

    A piece ends at the latest where the lower bound rises above it, and at the earliest where the
    upper bound allows the next piece. Returns `None` if the two are too far apart, or if a piece is
    too short.
    """
    latest = [0]
    while True:
        end = bisect_right(lower, upper[latest[-1]] + TOLERANCE_SECONDS, lo=latest[-1])
        if end >= len(lower):
            break
        latest.append(max(end, latest[-1] + 1))
    earliest = [len(upper)]
    while earliest[-1] > 0:
        begin = bisect_left(upper, lower[earliest[-1] - 1] - TOLERANCE_SECONDS, hi=earliest[-1])
        earliest.append(min(begin, earliest[-1] - 1))
    starts = earliest[-1:0:-1]
    if len(starts) != len(latest):
        return None
    pieces = [_Piece(min(pair), pair[1]) for pair in zip(starts, latest, strict=True)]
    is_doubtful = any(
        after.latest - before.latest < MIN_PIECE_PACKETS for before, after in pairwise(pieces[1:])
    )
    if is_doubtful or any(one.latest - one.earliest > MAX_DOUBTFUL_PACKETS for one in pieces):
        return None
    return pieces


def _levels(
    pieces: list[_Piece], delays: Sequence[float], upper: list[float], excess: list[float]
) -> list[float]:
    """Return the skew at each packet.

    A packet that may belong to either of two pieces gets the skew that makes its jitter common.
    """
    skews: list[float] = []
    level = upper[0]
    ends = [*(one.earliest for one in pieces[1:]), len(upper)]
    for piece, end in zip(pieces, ends, strict=True):
        before, level = level, upper[piece.latest]
        for index in range(piece.earliest, piece.latest):
            usual = [_count_near(excess, delays[index] - one) for one in (before, level)]
            if max(usual) > 3 * min(usual):
                skews.append(before if usual[0] > usual[1] else level)
            else:
                skews.append((before + level) / 2)
        skews += [level] * (end - piece.latest)
    return skews


def _count_near(excess: list[float], value: float) -> int:
    return sum(abs(one - value) < 3 * TOLERANCE_SECONDS for one in excess)


def _between(lower: list[float], upper: list[float]) -> list[float]:
    """Return the middle between the bounds, whose error is at most half their distance."""
    return [(low + high) / 2 for low, high in zip(lower, upper, strict=True)]
