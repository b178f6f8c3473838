"""Places the media of several browsers on one timeline, using their RTCP sender reports.

A sender report maps a stream's RTP clock to its sender's wall clock (RFC 3550 §6.4.1), so audio and
video of one browser are in sync. The wall clocks of two browsers may differ by seconds and drift:
each is mapped to ours by the shortest delays with which its reports reached us.

Neither clock runs without breaks. The RTP clock of a microphone stands still while the device
delivers no samples, and jumps if the device is replaced. Each such break begins a new segment of
the stream, identified by the sequence number of its first packet. A wall clock may be set during
the call; its steps are removed. The packets' arrival times distinguish the two: only a break of the
RTP clock changes the difference between arrival time and RTP time.

If two reports show that the RTP clock lost time between them, interpolating would misplace the
speech between them, so `skew` evaluates the arrival of each audio packet there.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from typing import Final, NamedTuple

from visavis.rtp import skew

MAX_DRIFT: Final = 250e-6
"""Greatest drift between two clocks, in seconds per second; quartz crystals keep within 100e-6."""

STEP_SECONDS: Final = 0.05
"""If a report deviates by more than this from the previous ones, one of the clocks stepped."""

BREAK_SECONDS: Final = 0.25
"""Change of the delay that shows a break of the RTP clock where no two reports enclose it.

This is the case before a stream's first report and after its last.
"""

RETURN_SECONDS: Final = 10.0
"""If the network caused a delay, some packet arrives without it again within this time.

A delay that lasts longer was caused by the RTP clock.
"""

SKEW_SECONDS: Final = 0.02
"""If the RTP clock lost or gained more than this between two reports, `skew` is used there."""

RISE_SECONDS: Final = 0.06
"""If the delay rises by more than this and stays, `skew` is used for audio even without reports."""

MARGIN_SECONDS: Final = 2.0
"""Packets of this time before and after a stretch are read too, to estimate the network's delay."""

MAX_KEPT_PACKETS: Final = 2 * 1024 * 1024
"""Limit of the audio packets of one leg whose arrival is kept: 16 bytes each, for 11 hours."""

NTP_UNIX_SECONDS: Final = 2_208_988_800  # 1900 to 1970

_BIN_SECONDS: Final = 1.0
_QUICK_SECONDS: Final = BREAK_SECONDS / 4
_CONFIRMING_REPORTS: Final = 4
_CLOCK_SET_BACK: Final = 10.0
_MAX_FOLLOWED_REPORTS: Final = 8
_SKEW_STEP: Final = 0.002
_LAST_PACKETS: Final = 25
_STEP_PACKETS: Final = 50
_STEP_WINDOW: Final = 3.0


class DelayEnvelope:
    """Lower envelope of observed delays, which changes only as one clock drifts against the other.

    Its slope is at most `MAX_DRIFT`, so a packet with little delay limits the envelope for the
    seconds around it, but not an hour later. The least delay of each second is kept.
    """

    def __init__(self) -> None:
        self._at: list[float] = []
        self._delays: list[float] = []
        self._envelope: list[float] | None = None

    def __bool__(self) -> bool:
        return bool(self._at)

    def see(self, at: float, delay: float) -> None:
        """Record a delay in seconds, observed at `at` in seconds of the sender's clock.

        Observations that are more than a second older than the latest are ignored.
        """
        if self._at and at < self._at[-1] + 1.0:
            if delay < self._delays[-1] and at > self._at[-1] - 1.0:
                self._delays[-1] = delay
                self._envelope = None
            return
        self._at.append(at)
        self._delays.append(delay)
        self._envelope = None

    def delay(self, at: float) -> float:
        """Return the delay at a time of the sender's clock; requires an earlier call of `see`."""
        least_delay, seen = self._envelope or self._compute(), self._at
        index = bisect_right(seen, at)
        if index == 0:
            return least_delay[0] + MAX_DRIFT * (seen[0] - at)
        before = least_delay[index - 1] + MAX_DRIFT * (at - seen[index - 1])
        if index == len(least_delay):
            return before
        after = least_delay[index] + MAX_DRIFT * (seen[index] - at)
        return min(before, after)

    def _compute(self) -> list[float]:
        least_delay = self._delays.copy()
        for i in range(1, len(least_delay)):
            least_delay[i] = min(
                least_delay[i], least_delay[i - 1] + MAX_DRIFT * (self._at[i] - self._at[i - 1])
            )
        for i in range(len(least_delay) - 2, -1, -1):
            least_delay[i] = min(
                least_delay[i], least_delay[i + 1] + MAX_DRIFT * (self._at[i + 1] - self._at[i])
            )
        self._envelope = least_delay
        return least_delay


class Report(NamedTuple):
    """Sender report: its RTP timestamp (`media`), NTP time and arrival, all in seconds."""

    media: float
    ntp: float
    arrival: float


class _Bin(NamedTuple):
    """Summary of the packets that arrived within one second.

    `arrival` is the time of the first of them. `delay` is the least delay and `media` the RTP time
    of the packet that had it. `first`, `lowest`, `quickest`, `fell` and `rose` are unwrapped
    sequence numbers: those of the first packet, of the lowest, of the one with the least delay, and
    of the packets with which the delay fell most (by `fall`) and rose most after the last packet
    with little delay (by `rise`). They locate a step of the delay.
    """

    arrival: float
    media: float
    delay: float
    first: float
    lowest: float
    quickest: float
    fell: float
    fall: float
    rose: float
    rise: float


_FIELDS: Final = len(_Bin._fields)


@dataclass(slots=True)
class Segment:
    """Part of a stream in which its RTP clock has no break.

    `first` is the unwrapped sequence number of its first packet; `media` and `ntp` are the times of
    its reports.
    """

    first: int
    envelope: DelayEnvelope = field(default_factory=DelayEnvelope)
    media: list[float] = field(default_factory=list)
    ntp: list[float] = field(default_factory=list)

    def sender_time(self, media: float) -> float | None:
        """Return the sender's wall clock at an RTP time; `None` if the segment has no report.

        It is interpolated between the nearest two reports; outside them the clocks are taken to run
        at the same rate.
        """
        reported = self.media
        if not reported:
            return None
        index = bisect_right(reported, media)
        if index == len(reported):
            index -= 1
        after_at, after = reported[index], self.ntp[index]
        if index and media <= after_at:
            before_at, before = reported[index - 1], self.ntp[index - 1]
            return before + (media - before_at) * (after - before) / (after_at - before_at)
        return after + media - after_at

    def add(self, report: Report) -> None:
        """Add a report, unless one of its times goes back."""
        if not self.media or (report.media > self.media[-1] and report.ntp > self.ntp[-1]):
            self.media.append(report.media)
            self.ntp.append(report.ntp)


@dataclass(slots=True)
class KeptPackets:
    """Number of packets whose arrival may still be kept, shared by the streams of one leg."""

    left: int = MAX_KEPT_PACKETS


class _Packets:
    """Arrival times and delays of a stream's packets, in order of arrival."""

    def __init__(self, room: KeptPackets) -> None:
        self._room = room
        self._first = 0
        self._began = self._delay = 0.0
        self._numbers = array("q")
        self._arrivals = array("f")
        self._delays = array("f")
        self._counted = 0

    def add(self, number: int, arrival: float, delay: float) -> None:
        """Add a packet's unwrapped number, arrival and delay, in seconds."""
        if not self._numbers:
            self._first, self._began, self._delay = number, arrival, delay
        self._numbers.append(number - self._first)
        self._arrivals.append(arrival - self._began)
        self._delays.append(delay - self._delay)

    def take_room(self) -> bool:
        """Subtract the added packets from the shared room; return whether more may be added."""
        self._room.left -= len(self._numbers) - self._counted
        self._counted = len(self._numbers)
        return self._room.left > 0

    def between(self, start: float, end: float) -> list[tuple[int, float, float]]:
        """Return number, arrival and delay of the packets that arrived between two times.

        They are in order of their numbers, as are those of the next two methods.
        """
        first = bisect_left(self._arrivals, start - self._began)
        last = bisect_left(self._arrivals, end - self._began)
        return self._slice(first, last)

    def before(self, moment: float, count: int) -> list[tuple[int, float, float]]:
        """Return the last `count` packets that arrived before a moment."""
        last = bisect_left(self._arrivals, moment - self._began)
        return self._slice(max(0, last - count), last)

    def last(self, count: int) -> list[tuple[int, float, float]]:
        """Return the packets with the highest numbers.

        The last packets to arrive may be other ones: those that the network delayed most.
        """
        length = len(self._numbers)
        return self._slice(max(0, length - 3 * count), length)[-count:]

    def _slice(self, first: int, last: int) -> list[tuple[int, float, float]]:
        found = zip(
            self._numbers[first:last],
            self._arrivals[first:last],
            self._delays[first:last],
            strict=True,
        )
        return sorted(
            (number + self._first, arrival + self._began, delay + self._delay)
            for number, arrival, delay in found
        )


class StreamClock:
    """Clock of one RTP stream. Timestamps and sequence numbers are unwrapped, times in seconds.

    `rate` is the frequency of the RTP clock. With `room`, as for audio, the arrival of each packet
    is kept; without, only a summary of each second.
    """

    def __init__(self, rate: int, room: KeptPackets | None = None) -> None:
        self.rate = rate
        self.packets = _Packets(room) if room else None
        self._keeps = room is not None
        self._followed_from: list[int] = []
        self._skews: list[float | None] = []
        self.reports: list[Report] = []
        self._segments: list[Segment] = []
        self._bins = array("d")
        self._end = float("-inf")
        self._last_delay = 0.0

    def add_packet(self, number: int, timestamp: int, arrival: float) -> None:
        """Add a packet with its unwrapped number and timestamp, and its arrival in seconds."""
        media = timestamp / self.rate
        delay = arrival - media
        if self._keeps and self.packets:
            self.packets.add(number, arrival, delay)
        if not self._end - _CLOCK_SET_BACK <= arrival < self._end:
            self._close()
            self._start, self._end = arrival, arrival + _BIN_SECONDS
            self._media, self._least = media, delay
            self._first = self._lowest = self._quickest = self._quick = self._fell = self._rose = (
                number
            )
            self._fall = self._rise = 0.0
        elif delay < self._least + _QUICK_SECONDS:
            if delay < self._least:
                if self._least - delay > self._fall:
                    self._fell, self._fall = number, self._least - delay
                self._media, self._least, self._quickest = media, delay, number
            self._quick = self._rose = number
            self._rise = 0.0
        elif number > self._quick:
            if delay - self._last_delay > self._rise:
                self._rose, self._rise = number, delay - self._last_delay
            elif number < self._rose and delay - self._least > self._rise / 2:
                self._rose = number  # An earlier packet that a later one overtook.
        if number < self._lowest:
            self._lowest = number
        self._last_delay = delay

    def add_report(self, timestamp: int, ntp_seconds: float, arrival: float) -> None:
        """Add a sender report; the NTP time and the arrival are in seconds since 1970."""
        self.reports.append(Report(timestamp / self.rate, ntp_seconds, arrival))

    def active_seconds(self) -> list[int]:
        """Return the seconds of our clock in which packets arrived."""
        self._close()
        return [int(at) for at in self._bins[::_FIELDS]]

    def bins(self) -> list[_Bin]:
        """Return the summaries of all seconds with packets, in order of arrival."""
        self._close()
        return [
            _Bin(*self._bins[start : start + _FIELDS])
            for start in range(0, len(self._bins), _FIELDS)
        ]

    def divide(self, bins: list[_Bin], cuts: list[int]) -> list[Segment]:
        """Begin a new segment at each packet number in `cuts`, which are in order."""
        self._segments = [Segment(0), *(Segment(cut) for cut in cuts)]
        for one in bins:
            self._segment(int(one.quickest)).envelope.see(one.media, one.delay)
        return self._segments

    def follow(self, skews: list[tuple[int, float | None]]) -> None:
        """Set the skew that applies from each of these packet numbers on.

        A skew of `None` means that the reports apply again from that packet on.
        """
        self._followed_from = [number for number, _ in skews]
        self._skews = [one for _, one in skews]

    def time(self, number: int, timestamp: int, sender: DelayEnvelope) -> float | None:
        """Return our wall clock at the capture of a packet, plus the shortest network delay.

        `sender` maps the sender's wall clock to ours. Returns `None` if the time is unknown.
        """
        media = timestamp / self.rate
        if self._followed_from and (index := bisect_right(self._followed_from, number)):
            followed = self._skews[index - 1]
            if followed is not None:
                return media + followed
        segment = self._segment(number)
        sender_time = segment.sender_time(media) if sender else None
        if sender_time is not None:
            return sender_time + sender.delay(sender_time)
        return media + segment.envelope.delay(media) if segment.envelope else None

    @property
    def is_even(self) -> bool:
        """Whether the RTP clock has no break in the whole stream."""
        return len(self._segments) == 1 and not self._followed_from

    def arrival_time(self, number: int, timestamp: int) -> float | None:
        """Return our wall clock at a packet, estimated from the packets with the least delay.

        Returns `None` if the time is unknown.
        """
        segment = self._segment(number)
        media = timestamp / self.rate
        return media + segment.envelope.delay(media) if segment.envelope else None

    def _segment(self, number: int) -> Segment:
        segments = self._segments
        if len(segments) == 1:
            return segments[0]
        return segments[max(0, bisect_right(segments, number, key=_first) - 1)]

    def _close(self) -> None:
        if self._end > float("-inf"):
            self._bins.extend(
                (
                    self._start,
                    self._media,
                    self._least,
                    self._first,
                    self._lowest,
                    self._quickest,
                    self._fell,
                    self._fall,
                    self._rose,
                    self._rise,
                )
            )
            self._end = float("-inf")
            if self.packets:
                self._keeps = self.packets.take_room()


def _first(segment: Segment) -> int:
    return segment.first


class SenderTimeline:
    """Mapping of one browser's wall clock to ours, by the delays of its sender reports."""

    def __init__(self) -> None:
        self._envelope = DelayEnvelope()

    def fit(self, clocks: Iterable[StreamClock]) -> None:
        """Filter all reports and divide all streams into segments. Call it once, before `time`."""
        report_filters = [_ReportFilter(clock) for clock in clocks]
        delays: list[tuple[float, float]] = []
        correction = 0.0
        newest: Report | None = None
        for report, index, report_filter in sorted(_in_order(report_filters), key=_arrival):
            corrected = report._replace(ntp=report.ntp - correction)
            step = report_filter.filter(corrected, index, newest)
            if step is None:
                continue
            correction += step
            newest = report_filter.last
            if newest:
                delays.append((newest.ntp, _delay(newest)))
        for report_filter in report_filters:
            delays += report_filter.quick_packets()
        for at, delay in sorted(delays):
            self._envelope.see(at, delay)
        for report_filter in report_filters:
            report_filter.divide(self._envelope)

    def time(self, clock: StreamClock, number: int, timestamp: int) -> float | None:
        """Return our wall clock at the capture of a packet, plus the shortest delay, in seconds.

        Returns `None` if the time is unknown.
        """
        return clock.time(number, timestamp, self._envelope)


def _in_order(report_filters: list[_ReportFilter]) -> Iterator[tuple[Report, int, _ReportFilter]]:
    for report_filter in report_filters:
        for index, report in enumerate(report_filter.reports):
            yield report, index, report_filter


def _arrival(item: tuple[Report, int, _ReportFilter]) -> float:
    return item[0].arrival


class _ReportFilter:
    """Filters the reports of one stream in order of arrival; finds the breaks of its RTP clock."""

    def __init__(self, clock: StreamClock) -> None:
        self.reports: Final = clock.reports
        self.last: Report | None = None
        self._clock = clock
        self._bins = clock.bins()
        self._cuts: list[int] = []
        self._accepted: list[tuple[Report, int]] = []

    def filter(self, report: Report, index: int, newest: Report | None) -> float | None:
        """Accept or reject a report, which is number `index` of its stream.

        `newest` is the newest accepted report of any stream of this sender. Returns `None` if the
        report is rejected, else the step of the sender's wall clock that it shows, which is usually
        0.
        """
        last = self.last
        if last is None or _agree(last, report):
            return self._accept(report) if last is None or report.media > last.media else None
        is_confirmed = self._is_confirmed(last, report, index)
        if is_confirmed is False:
            return None
        step = _step(last, report)
        moved = self._delay_step(last.arrival, report.arrival, step)
        if abs(moved - step) < abs(moved):
            self._cut(last.arrival, report.arrival, step)
            return self._accept(report)
        if is_confirmed is None:
            return None
        if newest and abs(_delay(report) - _delay(newest) + step) < abs(step) / 2:
            self._accept(report._replace(ntp=report.ntp - step))
            return step
        if len(self._accepted) == 1:
            self._accepted.clear()  # The first report was outdated.
        return self._accept(report)

    def quick_packets(self) -> Iterator[tuple[float, float]]:
        """Yield the sender's time and the delay of the packet with the least delay of each second.

        Only packets between two reports are used, because their capture time can be interpolated.
        """
        for (before, _), (after, _) in pairwise(self._accepted):
            if not _loses(before, after):
                ratio = (after.ntp - before.ntp) / (after.media - before.media)
                since, until = (_index(self._bins, one.arrival) for one in (before, after))
                for one in self._bins[since:until]:
                    at = before.ntp + (one.media - before.media) * ratio
                    yield at, one.media + one.delay - at

    def divide(self, least_delay: DelayEnvelope) -> None:
        """Divide the stream into segments, once all reports are filtered.

        `least_delay` maps the sender's wall clock to ours.
        """
        bins = self._bins
        head = tail = len(bins)
        if self._accepted:
            head = _index(bins, self._accepted[0][0].arrival)
            tail = _index(bins, self._accepted[-1][0].arrival)
        # The last second may have too few packets for its summary to be reliable. The follower
        # evaluates the single packets of audio instead.
        last = len(bins) - 1 if self._clock.packets else len(bins)
        before = _cuts_by_arrival(bins, 0, min(head, last))
        after = _cuts_by_arrival(bins, tail, last) if self._accepted else []
        if self._cuts:
            before = [cut for cut in before if cut < self._cuts[0]]
            after = [cut for cut in after if cut > self._cuts[-1]]
        if packets := self._clock.packets:
            marks = [_mark(report, least_delay) for report, _ in self._accepted]
            follower = _Follower(packets, bins, marks)
            before = _merged(before, follower.follow_arrivals(0, head), self._cuts[:1])
            follower.follow_reports()
            self._move_cuts(follower.boundaries)
            if marks:
                after = _merged(after, follower.follow_arrivals(tail, len(bins), marks[-1]), [])
            self._clock.follow(follower.skews)
        segments = self._clock.divide(bins, [*before, *self._cuts, *after])
        for report, cuts in self._accepted:
            segments[len(before) + cuts].add(report)
        self.reports.clear()

    def _move_cuts(self, boundaries: dict[int, int]) -> None:
        """Move the beginning of segments to the report up to which single packets were followed."""
        for index, number in boundaries.items():
            for cut in range(self._accepted[index - 1][1], self._accepted[index][1]):
                self._cuts[cut] = number

    def _accept(self, report: Report) -> float:
        self.last = report
        self._accepted.append((report, len(self._cuts)))
        return 0.0

    def _is_confirmed(self, last: Report, report: Report, index: int) -> bool | None:
        """Whether the following reports agree with `report` (true) or with `last` (false).

        Returns `None` if they agree with neither.
        """
        correction = self.reports[index].ntp - report.ntp
        for later in self.reports[index + 1 : index + 1 + _CONFIRMING_REPORTS]:
            following = later._replace(ntp=later.ntp - correction)
            if _agree(report, following):
                return True
            if _agree(last, following):
                return False
        return None

    def _delay_step(self, start: float, end: float, step: float) -> float:
        """Return by how much the packets' least delay rose from one moment to another, in seconds.

        If the RTP clock lost time (`step` above 0), the packet with the least delay before the loss
        may also have arrived after the first moment.
        """
        if packets := self._clock.packets:
            before = packets.before(start, _STEP_PACKETS)
            if step > 0:
                before += packets.between(start, min(end, start + _STEP_WINDOW))
            after = packets.between(end, end + _STEP_WINDOW)
            if before and after:
                return min(one[2] for one in after) - min(one[2] for one in before)
        return self._delay_step_of_bins(start, end)

    def _delay_step_of_bins(self, start: float, end: float) -> float:
        bins = self._bins
        first = (
            bisect_right(bins, self._cuts[-1], key=lambda one: int(one.first)) if self._cuts else 0
        )
        until = _index(bins, start - _BIN_SECONDS)
        if until <= first:
            until = first + 1
        since = _index(bins, end)
        before = bins[max(first, until - 5) : until]
        after = bins[since : since + 3] or bins[-1:]
        if not before or not after:
            return 0.0
        return min(one.delay for one in after) - min(one.delay for one in before)

    def _cut(self, start: float, end: float, step: float) -> None:
        """Begin new segments at the packets between two reports that show the step."""
        bins = self._bins
        since, until = max(0, _index(bins, start) - 1), _index(bins, end)
        least = max(2 * STEP_SECONDS, min(abs(step) / 4, BREAK_SECONDS / 2))
        rest = step
        # The step may first show in the second in which the report arrived, or in the next.
        for index in range(since + 1, min(until + 2, len(bins))):
            before, after = bins[index - 1], bins[index]
            moved = after.delay - before.delay
            if index >= until and (abs(rest) < least or abs(rest - moved) >= abs(rest)):
                return  # The change belongs to another step, which a later report shows.
            if _steps(bins, index, step, least):
                rest -= moved
                cut = _boundary(before, after, moved)
                if cut > (self._cuts[-1] if self._cuts else bins[0].first):
                    self._cuts.append(cut)


class _Mark(NamedTuple):
    """Report with the skew that it shows. `sent` and `arrival` are by our clock, in seconds."""

    media: float
    skew: float
    sent: float
    arrival: float


def _mark(report: Report, least_delay: DelayEnvelope) -> _Mark:
    sent = report.ntp + least_delay.delay(report.ntp)
    return _Mark(report.media, sent - report.media, sent, report.arrival)


class _Follower:
    """Determines the skew of single audio packets where the RTP clock lost or gained time.

    `skews` has the skew that applies from each packet number on, `None` where the reports apply.
    `boundaries` has the number of the first packet after each report up to which this was done.
    """

    def __init__(self, packets: _Packets, bins: list[_Bin], marks: list[_Mark]) -> None:
        self.skews: list[tuple[int, float | None]] = []
        self.boundaries: dict[int, int] = {}
        self._packets = packets
        self._bins = bins
        self._marks = marks

    def follow_reports(self) -> None:
        """Follow the packets between reports that show a loss or a gain of time."""
        marks = self._marks
        start = 0
        while start < len(marks) - 1:
            step = marks[start + 1].skew - marks[start].skew
            end = start + 1
            if _is_loss(step, marks[end].sent - marks[start].sent):
                while end < min(len(marks) - 1, start + _MAX_FOLLOWED_REPORTS):
                    further = marks[end + 1].skew - marks[end].skew
                    passed = marks[end + 1].sent - marks[end].sent
                    if further * step < 0 or not _is_loss(further, passed):
                        break
                    end += 1
                self._follow_marks(start, marks[start : end + 1])
            start = end

    def _follow_marks(self, index: int, marks: list[_Mark]) -> None:
        first, last = marks[0], marks[-1]
        found = self._packets.between(
            min(first.sent, first.arrival) - MARGIN_SECONDS, last.arrival + MARGIN_SECONDS
        )
        positions = [_first_not_before(found, mark.sent) for mark in marks]
        for further, position in enumerate(positions[1:], start=index + 1):
            if position:
                self.boundaries[further] = found[position - 1][0] + 1
        if not self._is_lossy(index):
            positions[0] = max(0, positions[0] - _STEP_PACKETS)
        found = found[positions[0] : positions[-1]]
        known = [
            skew.Known(mark.skew, position - positions[0], _first_of_media(found, mark.media))
            for mark, position in zip(marks, positions, strict=True)
        ]
        self._add(found, first.skew, last.skew, known)

    def follow_arrivals(self, since: int, until: int, mark: _Mark | None = None) -> list[int]:
        """Follow the packets between two bins without a report, by their arrival times alone.

        Returns the packet numbers with which segments begin.
        """
        cuts: list[int] = []
        bins = self._bins
        for rise in self._rises(since, until, mark):
            first = bins[rise.start - 1].quickest if rise.start else -1
            last = bins[rise.end].quickest if rise.end < len(bins) else inf
            found = [
                one
                for one in self._packets.between(
                    bins[max(0, rise.start - 1)].arrival,
                    bins[min(rise.end, len(bins) - 1)].arrival + _BIN_SECONDS + MARGIN_SECONDS,
                )
                if first < one[0] < last
            ]
            self._add(found, rise.before, rise.after, [])
            if last < inf:
                cuts.append(int(last))
        return cuts

    def _rises(self, since: int, until: int, mark: _Mark | None) -> list[_Rise]:
        bins = self._bins
        level = self._level(mark) if mark else None
        rises = _rises(bins, since, until, level)
        if until == len(bins) and bins:
            least = min(one[2] for one in self._packets.last(_LAST_PACKETS))
            start = len(bins) - 1
            if rises and rises[-1].end == start:
                start, _, level, _ = rises.pop()
            elif rises:
                level = rises[-1].after
            elif level is None:
                level = min(one.delay for one in bins[min(since, start) :])
            if least > level + RISE_SECONDS:
                rises.append(_Rise(start, len(bins), level, least))
        return rises

    def _is_lossy(self, index: int) -> bool:
        """Whether the RTP clock lost or gained time between a report and the one before it."""
        if not index:
            return False
        before, after = self._marks[index - 1 : index + 1]
        return _is_loss(after.skew - before.skew, after.sent - before.sent)

    def _level(self, mark: _Mark) -> float:
        """Return the least delay at a report.

        It is that of the packets before it, unless the RTP clock just lost or gained time.
        """
        if len(self._marks) > 1 and not self._is_lossy(len(self._marks) - 1):
            found = self._packets.between(self._marks[-2].arrival, mark.arrival)
            return max([mark.skew, *([min(one[2] for one in found)] if found else [])])
        return mark.skew

    def _add(
        self,
        found: list[tuple[int, float, float]],
        start: float,
        end: float,
        known: list[skew.Known],
    ) -> None:
        if not found:
            return
        since = self.skews.pop()[0] if self.skews else found[0][0]
        if since < found[0][0]:
            self.skews.append((since, None))
        last: float | None = None
        for (number, _, _), one in zip(
            found, skew.follow([one[2] for one in found], start, end, known), strict=True
        ):
            if number >= since and (last is None or abs(one - last) > _SKEW_STEP):
                self.skews.append((number, one))
                last = one
        self.skews.append((max(since, found[-1][0] + 1), None))


def _first_not_before(found: list[tuple[int, float, float]], sent: float) -> int:
    """Return the index of the first packet that may have been sent after `sent`."""
    return max((i + 1 for i, one in enumerate(found) if one[1] <= sent), default=0)


def _first_of_media(found: list[tuple[int, float, float]], media: float) -> int:
    """Return the index after the last packet with an RTP time before `media`."""
    return max((i + 1 for i, one in enumerate(found) if one[1] - one[2] < media), default=0)


class _Rise(NamedTuple):
    """Rise of the delay: from bin `start` up to bin `end`, from the delay `before` to `after`.

    If `end` is after the last bin, the delay rises up to the last packet.
    """

    start: int
    end: int
    before: float
    after: float


def _rises(bins: list[_Bin], since: int, until: int, level: float | None) -> list[_Rise]:
    """Find the rises of the delay that last longer than `RETURN_SECONDS`.

    A shorter rise is attributed to the network.
    """
    rises: list[_Rise] = []
    least = [_least_soon(bins, index) for index in range(since, until)]
    if level is None:
        level = least[0] if least else 0.0
    index = 0
    while index < len(least):
        if least[index] <= level + RISE_SECONDS:
            level = min(level + MAX_DRIFT, least[index])
            index += 1
            continue
        end = index
        while end + 1 < len(least) and least[end + 1] > least[end] + _SKEW_STEP:
            end += 1
        rises.append(_Rise(since + index, since + end, level, least[end]))
        level = least[end]
        index = end + 1
    return rises


def _least_soon(bins: list[_Bin], index: int) -> float:
    """Return the least delay within `RETURN_SECONDS` from a bin on."""
    end = bins[index].arrival + RETURN_SECONDS
    last = bisect_right(bins, end, lo=index, key=lambda one: one.arrival)
    return min(one.delay for one in bins[index:last])


def _merged(cuts: list[int], more: list[int], before: list[int]) -> list[int]:
    """Merge two lists in order, without the numbers from the first of `before` on, if any."""
    return sorted(cut for cut in {*cuts, *more} if not before or cut < before[0])


def _steps(bins: list[_Bin], index: int, step: float, least: float) -> bool:
    """Whether the delay steps with this bin and stays there, rather than for a moment."""
    if step > 0:
        return min(one.delay for one in bins[index : index + 3]) > bins[index - 1].delay + least
    before = min(one.delay for one in bins[max(0, index - 3) : index])
    return before > bins[index].delay + least and bins[index - 1].delay > bins[index].delay + least


def _boundary(before: _Bin, after: _Bin, step: float) -> int:
    """Return the number of the first packet after a step of the delay between two bins."""
    first = max(after.lowest, before.quickest + 1)
    if step > 0:
        return int(min(before.rose, first) if before.rise > step / 2 else first)
    return int(after.fell if after.fall > -step / 2 else first)


def _cuts_by_arrival(bins: list[_Bin], since: int, until: int) -> list[int]:
    """Find the breaks of the RTP clock between two bins for which there are no reports."""
    cuts: list[int] = []
    least_delay = min((one.delay for one in bins[max(0, since - 5) : since]), default=None)
    for index in range(since, until):
        one = bins[index]
        if least_delay is None:
            least_delay = one.delay
        elif abs(one.delay - least_delay) > BREAK_SECONDS and not _returns(
            bins, index, least_delay
        ):
            before = bins[index - 1]
            if _goes_on(bins, index, until, least_delay):
                before, one = one, bins[index + 1]
            cuts.append(_boundary(before, one, one.delay - least_delay))
            least_delay = one.delay
        least_delay = min(least_delay + MAX_DRIFT, one.delay)
    return [cut for cut, last in zip(cuts, [0, *cuts], strict=False) if cut > last]


def _goes_on(bins: list[_Bin], index: int, until: int, least_delay: float) -> bool:
    """Whether the next second shows the rest of a step.

    A few packets of this second may be from before the step, which makes its least delay smaller
    than that of the next second.
    """
    if index + 1 >= until:
        return False
    step, rest = bins[index].delay - least_delay, bins[index + 1].delay - bins[index].delay
    return step * rest > 0 and abs(rest) > BREAK_SECONDS / 4


def _returns(bins: list[_Bin], index: int, least_delay: float) -> bool:
    """Whether a higher delay returns to normal soon: then the network caused it."""
    if bins[index].delay < least_delay:
        return False
    end = bins[index].arrival + RETURN_SECONDS
    for one in bins[index + 1 :]:
        if one.arrival > end:
            return False
        if one.delay < least_delay + BREAK_SECONDS / 2:
            return True
    return False


def _index(bins: list[_Bin], arrival: float) -> int:
    return bisect_left(bins, arrival, key=lambda one: one.arrival)


def _step(one: Report, other: Report) -> float:
    """Return how much more the wall clock advanced than the RTP clock between two reports."""
    return (other.ntp - one.ntp) - (other.media - one.media)


def _agree(one: Report, other: Report) -> bool:
    return abs(_step(one, other)) <= STEP_SECONDS + 2 * MAX_DRIFT * abs(other.media - one.media)


def _loses(one: Report, other: Report) -> bool:
    return _is_loss(_step(one, other), other.media - one.media)


def _is_loss(step: float, passed: float) -> bool:
    """Whether a clock lost or gained more than its drift explains within `passed` seconds."""
    return abs(step) > SKEW_SECONDS + 2 * MAX_DRIFT * abs(passed)


def _delay(report: Report) -> float:
    return report.arrival - report.ntp


def ntp_seconds(ntp_time: int) -> float:
    """Convert an NTP time (32.32 fixed point, since 1900) to seconds since 1970."""
    return (ntp_time >> 32) - NTP_UNIX_SECONDS + (ntp_time & 0xFFFFFFFF) / 2**32
