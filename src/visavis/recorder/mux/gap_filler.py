"""Gap filling: inserts silence where audio is missing, and black frames where video ended.

An audio track continues without gaps from its first packet to the end, so that all players keep it
in sync. A pause keeps its duration in the file. A camera or a shared screen becomes black when it
is turned off.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from visavis.recorder.mux.depacketize import TimedFrame, TrackKey
from visavis.recorder.mux.scan import Scan
from visavis.rtp.codecs.opus import RATE, SILENCE, SILENCE_SECONDS, samples

STEP_SECONDS: Final = 1.0
"""Tracks are filled in steps of this length; in a pause, a black frame is written once per step."""

LAG_SECONDS: Final = 0.2
"""Audio that is this late compared to the other tracks counts as missing."""

TOLERANCE_SECONDS: Final = 0.03
OVERLAP_SECONDS: Final = 0.01
"""Audio packets may overlap by this much; one that begins earlier is moved after the last one."""

DELAY_SECONDS: Final = 0.08
CATCH_UP_SECONDS: Final = 1.0
"""Audio delayed by more than `DELAY_SECONDS` drops one packet per `CATCH_UP_SECONDS`."""

MAX_DELAY_SECONDS: Final = 1.0
"""Only packets with a wrong duration can delay audio by more than this; they are dropped."""

MAX_GAP_SECONDS: Final = 6 * 3600.0
"""A longer gap means that our clock was set; it is not filled."""

Black = Callable[[TrackKey, bytes], bytes | None]
"""Returns a black key frame for a track, of the same size as its last key frame, or `None`."""


@dataclass(slots=True)
class _Audio:
    """State of an audio track. `due` is the expected capture time of its next packet."""

    due: float
    caught_up: float = 0.0

    def follows(self, time: float) -> bool:
        """Whether a packet captured at `time` neither overlaps the last one nor leaves a gap."""
        return self.due - time <= OVERLAP_SECONDS and time <= self.due + TOLERANCE_SECONDS

    def must_catch_up(self, delay: float, now: float) -> bool:
        """Whether a packet must be dropped because the audio is delayed too much."""
        if delay <= DELAY_SECONDS or (
            delay <= MAX_DELAY_SECONDS and 0 <= now - self.caught_up < CATCH_UP_SECONDS
        ):
            return False
        self.caught_up = now
        return True


@dataclass(slots=True)
class _Video:
    last: float
    last_key: bytes
    is_black: bool = False


class GapFiller:
    """Yields frames in order of time, with silence and black frames inserted into gaps."""

    def __init__(self, scan: Scan, black: Black) -> None:
        self._black = black
        self._audio: dict[TrackKey, _Audio] = {}
        self._video: dict[TrackKey, _Video] = {}
        self._now = scan.start
        self._wake = scan.start
        self._end = scan.pauses[-1].end if scan.pauses else 0.0
        self._pauses = deque(scan.pauses)
        self._ends_of_video = deque(sorted(scan.ends_of_video))

    def fill(self, ordered: Iterable[TimedFrame]) -> Iterator[TimedFrame]:
        """Yield the frames, which are in order of time, and those that fill their gaps."""
        voices = self._audio
        for frame in ordered:
            time, key = frame.time, frame.track
            if time >= self._wake:
                yield from self._advance(time)
            if key.content != "audio":
                if self._is_shown(frame):
                    yield frame
                continue
            audio = voices.get(key)
            if audio and audio.follows(time):
                audio.due = max(audio.due, time + samples(frame.data) / RATE)
                yield frame
            else:
                yield from self._fill_audio(frame)
        if self._end > self._now:
            yield from self._advance(self._end + LAG_SECONDS)

    def _fill_audio(self, frame: TimedFrame) -> Iterator[TimedFrame]:
        audio = self._audio.get(frame.track)
        if audio is None:
            audio = self._audio[frame.track] = _Audio(frame.time)
        delay = audio.due - frame.time
        if delay > OVERLAP_SECONDS:
            if audio.must_catch_up(delay, frame.time):
                return
            frame = frame._replace(time=audio.due)
        if frame.time > audio.due + TOLERANCE_SECONDS:
            yield from _silence(frame.track, audio, frame.time - SILENCE_SECONDS / 2)
        audio.due = max(audio.due, frame.time + samples(frame.data) / RATE)
        yield frame

    def _is_shown(self, frame: TimedFrame) -> bool:
        """Whether a frame can be shown: after a black frame, only from a key frame on."""
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
            yield from self._end_videos()
            yield from self._pause(start)
            for key, audio in self._audio.items():
                if audio.due < self._now - LAG_SECONDS:
                    yield from _silence(key, audio, self._now - LAG_SECONDS)
        self._wake = self._now + LAG_SECONDS / 2
        if self._pauses and self._pauses[0].start > self._now:
            self._wake = min(self._wake, self._pauses[0].start)

    def _pause(self, start: float) -> Iterator[TimedFrame]:
        """Yield black frames for all video tracks in a pause."""
        while self._pauses and self._pauses[0].end <= start:
            self._pauses.popleft()
        if self._pauses and self._pauses[0].start < self._now:
            at = max(self._pauses[0].start, start)
            for key, video in self._video.items():
                yield from self._blacken(key, video, at)

    def _end_videos(self) -> Iterator[TimedFrame]:
        """Yield a black frame for each camera or screen that was turned off and sends no frames."""
        while self._ends_of_video and self._ends_of_video[0][0] + STEP_SECONDS <= self._now:
            at, leg, content = self._ends_of_video.popleft()
            for key, video in self._video.items():
                if key[:2] == (leg, content) and video.last < at + STEP_SECONDS / 2:
                    yield from self._blacken(key, video, at)

    def _blacken(self, key: TrackKey, video: _Video, at: float) -> Iterator[TimedFrame]:
        video.is_black = True
        if data := self._black(key, video.last_key):
            yield TimedFrame(at, key, (0, 0), True, data)


def _silence(key: TrackKey, audio: _Audio, until: float) -> Iterator[TimedFrame]:
    while audio.due < until:
        yield TimedFrame(audio.due, key, (0, 0), True, SILENCE)
        audio.due += SILENCE_SECONDS
