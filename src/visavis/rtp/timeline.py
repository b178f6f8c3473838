"""Places the media of two browsers on one timeline, by their RTCP sender reports.

A sender report ties a stream's RTP clock to its sender's wall clock, so audio and video of one
browser are in step. The two browsers' wall clocks may be seconds apart: each is tied to ours by the
shortest delay that any of its reports had on its way to us.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field


@dataclass(slots=True)
class StreamClock:
    """One RTP stream's clock. Timestamps are unwrapped, times in seconds."""

    rate: int
    reports: list[tuple[int, float]] = field(default_factory=list)
    least_delay: float = float("inf")

    def see_packet(self, timestamp: int, arrival: float) -> None:
        self.least_delay = min(self.least_delay, arrival - timestamp / self.rate)

    def see_report(self, timestamp: int, ntp_seconds: float) -> None:
        if not self.reports or timestamp > self.reports[-1][0]:
            self.reports.append((timestamp, ntp_seconds))

    def sender_time(self, timestamp: int) -> float:
        """The sender's wall clock at a timestamp, between its nearest two reports."""
        index = min(bisect_right(self.reports, (timestamp, 0.0)), len(self.reports) - 1)
        after_at, after = self.reports[index]
        before_at, before = self.reports[index - 1] if index else self.reports[0]
        if after_at > before_at and timestamp <= after_at:
            rate = (after - before) / (after_at - before_at)
            return before + (timestamp - before_at) * rate
        return after + (timestamp - after_at) / self.rate


@dataclass(slots=True)
class SenderTimeline:
    """All streams of one browser; `least_delay` ties its wall clock to ours."""

    streams: dict[int, StreamClock] = field(default_factory=dict)
    least_delay: float = float("inf")

    def see_report(self, ssrc: int, timestamp: int, ntp_seconds: float, arrival: float) -> None:
        if stream := self.streams.get(ssrc):
            stream.see_report(timestamp, ntp_seconds)
            self.least_delay = min(self.least_delay, arrival - ntp_seconds)

    def time(self, ssrc: int, timestamp: int) -> float:
        """Our wall clock, in seconds, when this was captured (less the shortest delay)."""
        stream = self.streams[ssrc]
        if stream.reports:
            return stream.sender_time(timestamp) + self.least_delay
        return timestamp / stream.rate + stream.least_delay


NTP_UNIX_SECONDS = 2_208_988_800  # 1900 to 1970


def ntp_seconds(ntp_time: int) -> float:
    """32.32 fixed point since 1900, in seconds since 1970."""
    return (ntp_time >> 32) - NTP_UNIX_SECONDS + (ntp_time & 0xFFFFFFFF) / 2**32
