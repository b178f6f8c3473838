"""Silence where a voice is missing, black where a picture may not be shown.

An audio track goes on from its first packet to the end, so that every player keeps it in step. A
pause keeps its place in time; a shared screen is gone when its owner stops to share it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from visavis.recorder.pipeline import TimedFrame, TrackKey
from visavis.recorder.survey import Survey
from visavis.rtp.codecs.opus import RATE, SILENCE, SILENCE_SECONDS, samples

STEP_SECONDS: Final = 1.0
"""No track is filled further ahead of the others; black is shown anew so often."""

LAG_SECONDS: Final = 0.2
"""A packet so late against the other tracks is taken to be missing."""

TOLERANCE_SECONDS: Final = 0.03
OVERLAP_SECONDS: Final = 0.01
"""Two packets of a voice that overlap by more come from two streams; the later one is left."""

MAX_GAP_SECONDS: Final = 6 * 3600.0
"""A longer gap is our clock that was set; it stays a gap."""

Black = Callable[[TrackKey, bytes], bytes | None]
"""A black key frame for a track, of the size of its last key frame."""


@dataclass(slots=True)
class _Audio:
    """`due` is when its next packet should have been captured."""

    due: float


@dataclass(slots=True)
class _Video:
    last: float
    last_key: bytes
    is_black: bool = False


class Filler:
    """Takes frames in order of time, gives them back with what fills their gaps."""

    def __init__(self, found: Survey, black: Black) -> None:
        self._black = black
        self._audio: dict[TrackKey, _Audio] = {}
        self._video: dict[TrackKey, _Video] = {}
        self._now = found.start
        self._wake = found.start
        self._end = found.pauses[-1].end if found.pauses else 0.0
        self._pauses = deque(found.pauses)
        self._ends_of_share = deque(sorted(found.ends_of_share))

    def fill(self, ordered: Iterable[TimedFrame]) -> Iterator[TimedFrame]:
        for frame in ordered:
            if frame.time >= self._wake:
                yield from self._advance(frame.time)
            if frame.track.content == "audio":
                yield from self._take_audio(frame)
            elif self._take_video(frame):
                yield frame
        if self._end > self._now:
            yield from self._advance(self._end + LAG_SECONDS)

    def _take_audio(self, frame: TimedFrame) -> Iterator[TimedFrame]:
        audio = self._audio.get(frame.track)
        if audio is None:
            audio = self._audio[frame.track] = _Audio(frame.time)
        if frame.time < audio.due - OVERLAP_SECONDS:
            return  # its place is taken
        if frame.time > audio.due + TOLERANCE_SECONDS:
            yield from _silence(frame.track, audio, frame.time - SILENCE_SECONDS / 2)
        audio.due = max(audio.due, frame.time + samples(frame.data) / RATE)
        yield frame

    def _take_video(self, frame: TimedFrame) -> bool:
        """Whether it can be shown: after black, from a key frame on."""
        video = self._video.get(frame.track)
        if video is None:
            video = self._video[frame.track] = _Video(frame.time, frame.data)
        if frame.is_key:
            video.last_key, video.is_black = frame.data, False
        video.last = frame.time
        return not video.is_black

    def _advance(self, to: float) -> Iterator[TimedFrame]:
        if to - self._now > MAX_GAP_SECONDS:
            self._now = to
            for audio in self._audio.values():
                audio.due = to
        while self._now < to:
            start, self._now = self._now, min(self._now + STEP_SECONDS, to)
            yield from self._end_shares()
            yield from self._pause(start)
            for key, audio in self._audio.items():
                if audio.due < self._now - LAG_SECONDS:
                    yield from _silence(key, audio, self._now - LAG_SECONDS)
        self._wake = self._now + LAG_SECONDS / 2
        if self._pauses and self._pauses[0].start > self._now:
            self._wake = min(self._wake, self._pauses[0].start)

    def _pause(self, start: float) -> Iterator[TimedFrame]:
        """Every picture is black in a pause, and until a key frame after it."""
        while self._pauses and self._pauses[0].end <= start:
            self._pauses.popleft()
        if self._pauses and self._pauses[0].start < self._now:
            at = max(self._pauses[0].start, start)
            for key, video in self._video.items():
                yield from self._blacken(key, video, at)

    def _end_shares(self) -> Iterator[TimedFrame]:
        """A screen is black once its owner stopped sharing it, if indeed it came to its end."""
        while self._ends_of_share and self._ends_of_share[0][0] + STEP_SECONDS <= self._now:
            at, leg = self._ends_of_share.popleft()
            for key, video in self._video.items():
                if key[:2] == (leg, "screen") and video.last < at + STEP_SECONDS / 2:
                    yield from self._blacken(key, video, at)

    def _blacken(self, key: TrackKey, video: _Video, at: float) -> Iterator[TimedFrame]:
        video.is_black = True
        if data := self._black(key, video.last_key):
            yield TimedFrame(at, key, (0, 0), True, data)


def _silence(key: TrackKey, audio: _Audio, until: float) -> Iterator[TimedFrame]:
    while audio.due < until:
        yield TimedFrame(audio.due, key, (0, 0), True, SILENCE)
        audio.due += SILENCE_SECONDS
