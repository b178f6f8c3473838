"""Places the media of two browsers on one timeline, by their RTCP sender reports.

A sender report ties a stream's RTP clock to its sender's wall clock, so audio and video of one
browser are in step. The two browsers' wall clocks may be seconds apart and drift: each is tied to
ours by the shortest delays that its reports had on their way to us.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

MAX_DRIFT: Final = 250e-6
"""Two clocks go apart by less than this, in seconds a second; crystals keep to 100e-6."""

MAX_SLOPE_ERROR: Final = 0.2
"""A report by which the RTP clock would be faster or slower by more is not believed."""

NTP_UNIX_SECONDS: Final = 2_208_988_800  # 1900 to 1970


class Floor:
    """The lower envelope of delays, as one clock drifts against the other.

    It never rises or falls by more than `MAX_DRIFT`, so a single quick packet says much about its
    neighbours and nothing about an hour later. Keeps the least delay of each second.
    """

    def __init__(self) -> None:
        self._at: list[float] = []
        self._delays: list[float] = []
        self._floor: list[float] | None = None

    def __bool__(self) -> bool:
        return bool(self._at)

    def see(self, at: float, delay: float) -> None:
        """`at` in seconds by the sender's clock; what goes back by more than a second is left."""
        if self._at and at < self._at[-1] + 1.0:
            if delay < self._delays[-1] and at > self._at[-1] - 1.0:
                self._delays[-1] = delay
                self._floor = None
            return
        self._at.append(at)
        self._delays.append(delay)
        self._floor = None

    def delay(self, at: float) -> float:
        """Needs one `see` at least."""
        floor = self._floor or self._settle()
        index = bisect_right(self._at, at)
        if index == 0:
            return floor[0] + MAX_DRIFT * (self._at[0] - at)
        before = floor[index - 1] + MAX_DRIFT * (at - self._at[index - 1])
        if index == len(floor):
            return before
        after = floor[index] + MAX_DRIFT * (self._at[index] - at)
        return min(before, after)

    def _settle(self) -> list[float]:
        floor = self._delays.copy()
        for i in range(1, len(floor)):
            floor[i] = min(floor[i], floor[i - 1] + MAX_DRIFT * (self._at[i] - self._at[i - 1]))
        for i in range(len(floor) - 2, -1, -1):
            floor[i] = min(floor[i], floor[i + 1] + MAX_DRIFT * (self._at[i + 1] - self._at[i]))
        self._floor = floor
        return floor


class StreamClock:
    """One RTP stream's clock. Timestamps are unwrapped, times in seconds."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._floor = Floor()
        self._stamps: list[int] = []
        self._ntp: list[float] = []

    def see_packet(self, timestamp: int, arrival: float) -> None:
        at = timestamp / self.rate
        self._floor.see(at, arrival - at)

    def see_report(self, timestamp: int, ntp_seconds: float) -> bool:
        """Whether it is believed."""
        if self._stamps:
            by_rtp = (timestamp - self._stamps[-1]) / self.rate
            by_ntp = ntp_seconds - self._ntp[-1]
            if by_rtp <= 0 or abs(by_ntp - by_rtp) > MAX_SLOPE_ERROR * by_rtp + 0.1:
                return False
        self._stamps.append(timestamp)
        self._ntp.append(ntp_seconds)
        return True

    def sender_time(self, timestamp: int) -> float | None:
        """The sender's wall clock at a timestamp, between its nearest two reports."""
        if not self._stamps:
            return None
        index = min(bisect_right(self._stamps, timestamp), len(self._stamps) - 1)
        after_at, after = self._stamps[index], self._ntp[index]
        if index and timestamp <= after_at:
            before_at, before = self._stamps[index - 1], self._ntp[index - 1]
            return before + (timestamp - before_at) * (after - before) / (after_at - before_at)
        return after + (timestamp - after_at) / self.rate

    def arrival_time(self, timestamp: int) -> float:
        """Our wall clock, by the packets that came quickest; needs one `see_packet` at least."""
        at = timestamp / self.rate
        return at + self._floor.delay(at)


class SenderTimeline:
    """One browser's wall clock, tied to ours by the delays of its reports."""

    def __init__(self) -> None:
        self._floor = Floor()

    def see_report(
        self, clock: StreamClock, timestamp: int, ntp_seconds: float, arrival: float
    ) -> None:
        if clock.see_report(timestamp, ntp_seconds):
            self._floor.see(ntp_seconds, arrival - ntp_seconds)

    def time(self, clock: StreamClock, timestamp: int) -> float:
        """Our wall clock, in seconds, when this was captured (plus the shortest delay)."""
        sender_time = clock.sender_time(timestamp)
        if sender_time is None or not self._floor:
            return clock.arrival_time(timestamp)
        return sender_time + self._floor.delay(sender_time)


def ntp_seconds(ntp_time: int) -> float:
    """32.32 fixed point since 1900, in seconds since 1970."""
    return (ntp_time >> 32) - NTP_UNIX_SECONDS + (ntp_time & 0xFFFFFFFF) / 2**32
