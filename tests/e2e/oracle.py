"""Comparison of a recording with what the other browser saw and heard during the call.

The other browser tells how many pictures it decoded and when they were captured (by their RTP
timestamps), and the level of what it heard. Its jitter buffer delays a sound by up to more than a
second and stretches it, so a sound's place is taken from the log of the page that sent it too: the
file must have every sound that was heard, as far from the others as it was made or heard.
"""

from __future__ import annotations

import array
import json
import shutil
import statistics
import sys
import tempfile
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from operator import mul
from pathlib import Path
from typing import Any, Final

import av

from tests.e2e.flow import AGENT, VISITOR
from tests.e2e.reception import (
    BIN_SECONDS,
    QUIET_SECONDS,
    Level,
    Levels,
    Reception,
    Sound,
    Stream,
    audible_times,
    count_between,
    covers,
    onsets,
    reception,
)
from tests.running import ffprobe

SIDES: Final = {"Visitor": (VISITOR, AGENT), "Agent": (AGENT, VISITOR)}
"""Sides of a recording: by which name their own page and the other page have their connection."""

LEAST_FRAMES: Final = 0.99
"""Share of the pictures that the receiver decoded."""

MOST_OFFSET: Final = 0.1
"""Seconds by which a sound may be elsewhere than the receiver had it, less the receiver's delay."""

RESOLUTION: Final = 0.03
"""Seconds by which a stand-still may be measured longer than the receiver's own.

A file's times are whole milliseconds, and a capture time is taken from two sender reports, which
browsers write with an error of about 10 ms.
"""

MISPLACED: Final = 2 * RESOLUTION
"""Seconds by which a stand-still's place may be measured wrong: twice that, for both its ends."""

ALIGNED: Final = 100
"""Pictures that are aligned with those of the file at once: clocks drift, and break."""

FITTING: Final = 0.5
"""Share of some pictures that another offset than the one before must fit to be believed.

Of pictures that the file lacks, as in a pause, chance fits up to 45 % to others.
"""

NEARLY: Final = 0.9
"""Share of the best offset's pictures from which another offset fits equally."""

ALIGNED_STEP: Final = 0.01
"""Seconds between the alignments that are tried."""

MOST_DELAY: Final = 3.0
"""Seconds from a microphone to the other loudspeaker, on the worst network of the tests."""

STEP: Final = 0.02
"""Seconds between the constant delays that are tried."""

MATCH: Final = 0.35
"""Seconds from a heard sound, less the delay of its time, to the sound that was sent."""

FOLLOWED: Final = 0.7
"""Share of the heard sounds to be found in the sender's log, or of the sent ones in the file.

With less of both the comparison is blind. A jitter buffer that holds sounds for seconds tells only
an average of its delay: of the sounds that were heard so only half were found in the sender's log.
"""

JUDGED: Final = 0.5
"""Share of the heard sounds that the pages' logs must tell the place of.

A page that had no processor time for more than two seconds has a hole in its log, and an audio
thread that had none has lost time: nobody can tell where the sounds around it belong.
"""

UNCERTAIN: Final = 0.5
"""Share of the sounds, and always one, that a busy machine's pages may log in a wrong place."""

CERTAINLY_FOLLOWED: Final = 0.5
"""Share as `FOLLOWED`, of pages that wait for the processor: less was found of no true recording
but on a machine so busy that the logs had holes for most of the call."""

MOST_UNCERTAIN_OFFSET: Final = 0.23
"""Seconds by which such a page's sounds may all seem to be early or late; 0.21 were measured."""

MOST_UNCERTAIN_STEP: Final = 0.06
"""Seconds as `RESOLUTION`, of browsers that write their sender reports late; 0.04 were measured."""

MOST_UNCERTAIN_STILL: Final = 0.3
"""Seconds of a stand-still that such a page may log elsewhere; 0.13 were measured."""

LONG: Final = 0.5
"""Seconds of a sound that must not be missing; sounds that begin are compared one by one."""

AROUND_PAUSE: Final = 1.0
"""Seconds around a pause in which nothing is compared: what is on its way belongs to neither."""

RATE: Final = 8000

Span = tuple[float, float]
Logs = Mapping[str, Iterable[Mapping[str, Any]]]
"""The logs of the pages, by the name of their connection."""


@dataclass(frozen=True)
class Verdict:
    """The figures of one side of a recording beside the receiver's."""

    side: str
    frames: int = 0
    decoded: int = 0
    still: float = 0.0
    receivers_still: float = 0.0
    strange_still: float = 0.0
    """The longest stand-still in which the receiver had a picture."""

    delay: float = 0.0
    """Seconds from the microphone to the file's time: the shortest way through the network."""

    offset: float = 0.0
    """The worst of a sound that is found, in seconds."""

    sent: int = 0
    in_place: int = 0
    unlogged: int = 0
    heard: int = 0
    followed: int = 0
    lost: int = 0
    """Sounds that were sent; of these in their place in the file; heard, but in a hole of a log;
    heard otherwise; of these in the sender's log; of these not in their place."""

    missing: float = 0.0
    """Seconds of sound that was heard and is not in the file."""

    receivers_delay: float = 0.0
    errors: tuple[str, ...] = ()

    @property
    def faults(self) -> list[str]:
        checks = {
            "frames are missing": self.frames >= LEAST_FRAMES * self.decoded,
            "it stands still": self.still <= self.receivers_still + RESOLUTION,
            f"it stands still for {self.strange_still:.3f} s alone": not self.strange_still,
            "the sound is late or early": -MOST_OFFSET
            <= self.delay
            <= self.receivers_delay + MOST_OFFSET,
            "sounds are misplaced": self.lost == 0,
            "sound is missing": self.missing == 0,
            "its sounds were not followed": self.followed >= FOLLOWED * self.heard
            or self.in_place >= FOLLOWED * self.sent,
            "the logs have holes": self.heard >= JUDGED * (self.heard + self.unlogged),
            "no sound was heard": self.sent == 0 or self.heard + self.unlogged > 0,
            "no picture was seen": self.frames == 0 or self.decoded > 0,
            f"the page's log has errors {self.errors}": not self.errors,
        }
        return [f"{self.side}: {fault}" for fault, holds in checks.items() if not holds]

    @property
    def certain_faults(self) -> list[str]:
        """The faults that do not rest upon when a page without processor time logged a sound."""
        few = max(1, UNCERTAIN * self.heard)
        checks = {
            "frames are missing": self.frames >= LEAST_FRAMES * self.decoded,
            "it stands still": self.still <= self.receivers_still + MOST_UNCERTAIN_STEP,
            f"it stands still for {self.strange_still:.3f} s alone": (
                self.strange_still <= MOST_UNCERTAIN_STILL
            ),
            "the sound is late or early": -MOST_UNCERTAIN_OFFSET
            <= self.delay
            <= self.receivers_delay + MOST_UNCERTAIN_OFFSET,
            "sounds are misplaced": self.lost <= few,
            "sound is missing": self.missing == 0,
            "its sounds were not followed": self.heard - self.followed
            <= max(1, CERTAINLY_FOLLOWED * self.heard)
            or self.in_place >= CERTAINLY_FOLLOWED * self.sent,
        }
        return [f"{self.side}: {fault}" for fault, holds in checks.items() if not holds]

    def __str__(self) -> str:
        return (
            f"{self.side}: {self.frames} frames of {self.decoded} decoded, "
            f"stands still {self.still:.3f} s (receiver {self.receivers_still:.3f} s), "
            f"{self.followed} of {self.heard} sounds followed, "
            f"{self.unlogged} in holes of the logs, {self.lost} misplaced, "
            f"worst {1000 * self.offset:.0f} ms off, {self.missing:.1f} s missing, "
            f"{self.delay:+.3f} s late (receiver {self.receivers_delay:+.3f} s)"
        )


def compare(path: Path, logs: Logs, lost: Sequence[Span] = ()) -> list[Verdict]:
    """Each side of a recording with what the page that received it logged.

    Nothing is compared in its pauses and in the spans of the wall clock that are `lost`.
    """
    receptions = {name: reception(one) for name, one in logs.items()}
    probed = ffprobe(path)
    start = datetime.fromisoformat(probed["format"]["tags"]["DATE_RECORDED"]).timestamp()
    end = start + float(probed["format"]["duration"])
    pauses = [*_pauses(probed, start, end), *lost]
    verdicts = [
        _compare(path, (start, end), side, receptions[own], receptions[other], pauses)
        for side, (own, other) in SIDES.items()
    ]
    for verdict in verdicts:
        print(verdict)
    return verdicts


def assert_true(path: Path, logs: Logs, lost: Sequence[Span] = ()) -> None:
    """Fail if a recording is certainly not what its receivers saw and heard.

    The other tests run beside it, so that a page may log late; `make soak` judges every fault.
    """
    faults = [fault for verdict in compare(path, logs, lost) for fault in verdict.certain_faults]
    assert faults == [], keep(path, logs)


def keep(path: Path, logs: Logs) -> str:
    """Keep a recording and its logs: `python -m tests.e2e.oracle FILE` compares them again."""
    copy = Path(shutil.copy(path, Path(tempfile.mkdtemp(prefix="untrue-"))))
    copy.with_suffix(".json").write_text(
        json.dumps({name: list(one) for name, one in logs.items()})
    )
    return f"kept as {copy}"


def _compare(
    path: Path, span: Span, side: str, sender: Reception, receiver: Reception, pauses: list[Span]
) -> Verdict:
    start = span[0]
    times = [start + at for at in _frame_times(path, side)]
    pictures = _pictures(times, span, receiver, pauses)
    sounds = _sounds(_file_levels(path, side, start), span, sender, receiver, pauses)
    return Verdict(side=side, errors=tuple(sender.errors + receiver.errors), **pictures, **sounds)


def _pictures(
    times: list[float], span: Span, receiver: Reception, pauses: list[Span]
) -> dict[str, Any]:
    start, end = span
    decoded = sum(
        frames
        for since, until, frames in receiver.decoded
        if start <= until <= end + MOST_DELAY and not _overlaps(pauses, since, until)
    )
    seen = sorted(at for stream in receiver.streams for at in _aligned(stream, times))
    first, last = (seen[0], seen[-1]) if seen else (end, end)
    stills = [
        (one, other)
        for one, other in pairwise(times)
        if first - RESOLUTION <= one
        and other <= last + RESOLUTION
        and not _overlaps(pauses, one, other)
    ]
    strange = (
        other - one for one, other in stills if _overlap(seen, one, other) < other - one - MISPLACED
    )
    return {
        "frames": len(times),
        "decoded": decoded,
        "still": max((other - one for one, other in stills), default=0.0),
        "receivers_still": max((other - one for one, other in pairwise(seen)), default=0.0),
        "strange_still": max(strange, default=0.0),
    }


def _overlap(seen: list[float], start: float, end: float) -> float:
    """Return how much of a span lies between two pictures that were seen one after the other."""
    near = seen[max(0, bisect_right(seen, start) - 1) : bisect_left(seen, end) + 1]
    return max((min(end, other) - max(start, one) for one, other in pairwise(near)), default=0.0)


def _aligned(stream: Stream, times: list[float]) -> Iterator[float]:
    """Yield when each picture of a stream is shown in the file, by the offset that fits most.

    The intervals of pictures are mostly so irregular that no other offset fits nearly as many; of
    offsets that fit equally, the nearest to the one before is right.
    """
    usual = _offset(stream, times)
    for first in range(0, len(stream), ALIGNED):
        part = stream[first : first + ALIGNED]
        usual = _offset(part, times, usual)
        if usual is None:
            return  # it is of another call
        yield from (captured + usual for _, captured in part)


def _offset(part: Stream, times: list[float], usual: float | None = None) -> float | None:
    offsets = [
        one - captured
        for at, captured in part
        for one in times[bisect_left(times, at - MOST_DELAY) : bisect_right(times, at)]
    ]
    counts = Counter(round(one / ALIGNED_STEP) for one in offsets)
    if not counts:
        return usual
    most = max(counts.values())
    if usual is not None and most < FITTING * len(part):
        return usual
    steps = [step for step, count in counts.items() if count >= NEARLY * most]
    if usual is None:
        step = max(steps, key=lambda one: counts[one])
    else:
        step = min(steps, key=lambda one: abs(one * ALIGNED_STEP - usual))
    near = [one for one in offsets if abs(one - step * ALIGNED_STEP) < ALIGNED_STEP]
    return statistics.median(near)


def _sounds(
    levels: Levels, span: Span, sender: Reception, receiver: Reception, pauses: list[Span]
) -> dict[str, Any]:
    start, end = span
    sent = [
        one
        for one in onsets(sender.sent)
        if start - MOST_DELAY <= one.at <= end and not _overlaps(pauses, one.at, one.at)
    ]
    heard = [one for one in onsets(receiver.heard) if start <= one.at <= end + MOST_DELAY]
    found = [one.at for one in onsets([Level(start - 1.0, 0.0, start), *levels])]
    certain = [one.at for one in sent if one.is_certain]
    delay = _constant(certain, found, low=-0.3, high=1.0)
    undelayed = [one.at - receiver.delay(one.at) for one in heard]
    rest = _constant(certain, undelayed, low=0.0, high=MOST_DELAY)
    judged = [
        at - rest
        for at, one in zip(undelayed, heard, strict=True)
        if one.is_certain and _is_logged(sender, sent, at - rest)
    ]
    followed = [(one, at) for at in judged if (one := _nearest(sent, at)) is not None]
    offsets = [
        _offset_of(one, at, found, delay)
        for one, at in dict(reversed(followed)).items()
        if start <= one.at + delay <= end - MOST_OFFSET
    ]
    expected = [at for at in certain if start <= at + delay <= end - MOST_OFFSET]
    in_place = sum(any(abs(at + delay - one) <= MOST_OFFSET for one in found) for at in expected)
    usual = statistics.median(receiver.delay(one.at) for one in heard) if heard else 0.0
    return {
        "delay": delay,
        "offset": max((one for one in offsets if one <= MOST_OFFSET), default=0.0),
        "sent": len(expected) if not pauses else 0,
        "in_place": in_place,
        "unlogged": len(heard) - len(judged) if not pauses else 0,
        "heard": len(judged) if not pauses else 0,
        "followed": len(followed),
        "lost": sum(one > MOST_OFFSET for one in offsets),
        "missing": _missing(levels, (start, end), delay, rest, sender, receiver, pauses),
        "receivers_delay": rest + usual if heard else MOST_DELAY,
    }


def _is_logged(sender: Reception, sent: list[Sound], at: float) -> bool:
    """Whether the sender's log tells which sound began at a moment, or nearly."""
    nearest = _nearest(sent, at)
    return covers(sender.sent, at - MATCH - QUIET_SECONDS, at + MATCH) and (
        nearest is None or nearest.is_certain
    )


def _offset_of(sound: Sound, heard: float, found: list[float], delay: float) -> float:
    """Return how far from its place a sound is in the file; `heard` is when its receiver had it.

    The sender's log has the sound late if the thread that samples it waited, and whole if its first
    packets were lost before the server; the receiver's jitter buffer gives its delay as an average.
    A sound is in its place if one of them had it there: neither knows of the file.
    """
    return min(
        (min(sound.distance(at - delay), abs(at - delay - heard)) for at in found), default=1.0
    )


def _missing(
    levels: Levels,
    span: Span,
    delay: float,
    rest: float,
    sender: Reception,
    receiver: Reception,
    pauses: list[Span],
) -> float:
    """Return for how many seconds a sound was sent and heard that the file does not have."""
    ours = audible_times(levels)
    heard = audible_times(receiver.heard)
    runs: list[list[float]] = []
    for at in audible_times(sender.sent):
        place = at + delay
        if not span[0] <= place <= span[1] or _overlaps(pauses, at, at):
            continue
        if count_between(ours, place - MOST_OFFSET, place + MOST_OFFSET):
            continue
        if runs and at - runs[-1][1] <= 2 * BIN_SECONDS:
            runs[-1][1] = at
        else:
            runs.append([at, at])
    total = 0.0
    for first, last in runs:
        late = rest + receiver.delay(first + rest)
        was_heard = count_between(heard, first + late, last + late) * BIN_SECONDS
        if last - first >= LONG and was_heard >= (last - first) / 2:
            total += last - first
    return total


def _constant(sent: list[float], found: list[float], low: float, high: float) -> float:
    """Return the delay that fits most sounds: of a nearest sound one cannot say which it is."""
    if not sent or not found:
        return 0.0
    steps = [low + number * STEP for number in range(round((high - low) / STEP))]
    ordered = sorted(sent)

    def misfit(delay: float) -> float:
        misses = (min(MATCH, _distance(ordered, one - delay)) for one in found)
        # of two delays that fit a periodic sound, the shorter
        return sum(misses) + 0.1 * abs(delay) * len(found)

    best = min(steps, key=misfit)
    near = [
        difference
        for one in found
        if abs(difference := min((one - at for at in sent), key=lambda d: abs(d - best)) - best)
        <= MOST_OFFSET
    ]
    return best + (statistics.median(near) if near else 0.0)


def _distance(ordered: list[float], at: float) -> float:
    """Return how far the nearest of the moments is."""
    index = bisect_left(ordered, at)
    return min(abs(at - near) for near in ordered[max(0, index - 1) : index + 1])


def _nearest(sounds: list[Sound], at: float) -> Sound | None:
    nearest = min(sounds, key=lambda one: one.distance(at), default=None)
    return nearest if nearest and nearest.distance(at) <= MATCH else None


def _overlaps(spans: list[Span], start: float, end: float) -> bool:
    return any(start <= until + AROUND_PAUSE and end >= since for since, until in spans)


def _pauses(probed: Mapping[str, Any], start: float, end: float) -> Iterator[Span]:
    """Yield the pauses that the file's chapters tell of."""
    since: float | None = None
    for chapter in probed["chapters"]:
        title, at = chapter["tags"]["title"], start + float(chapter["start_time"])
        if title.startswith("Recording paused"):
            since = at
        elif since is not None and title.startswith("Recording resumed"):
            yield since - AROUND_PAUSE, at
            since = None
    if since is not None:
        yield since - AROUND_PAUSE, end


def _frame_times(path: Path, side: str) -> list[float]:
    """When each picture of a side's video tracks is shown, in order."""
    with av.open(str(path)) as container:
        videos = [
            stream.index
            for stream in container.streams.video
            if stream.metadata.get("title", "").startswith(f"{side} ")
        ]
        return sorted(
            float(packet.pts * packet.time_base)
            for packet in container.demux()
            if packet.stream.index in videos and packet.pts is not None and packet.size
        )


def _file_levels(path: Path, side: str, start: float) -> Levels:
    """Return the level of every 10 ms of a side's voice, by the wall clock."""
    size = round(RATE * BIN_SECONDS)
    found: Levels = []
    with av.open(str(path)) as container:
        streams = [
            stream
            for stream in container.streams.audio
            if stream.metadata.get("title", "").startswith(f"{side} audio")
        ]
        if not streams:
            return []
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        for frame in container.decode(streams[0]):
            for part in resampler.resample(frame):
                samples = array.array("h", bytes(part.planes[0])[: 2 * part.samples])
                at = start + float((part.pts or 0) * (part.time_base or 0))
                for first in range(0, len(samples), size):
                    some = samples[first : first + size]
                    level = (sum(map(mul, some, some)) / len(some)) ** 0.5 / 2**15
                    found.append(Level(at + first / RATE, level, at + first / RATE))
    return found


if __name__ == "__main__":
    for name in sys.argv[1:]:
        file = Path(name)
        for one in compare(file, json.loads(file.with_suffix(".json").read_text())):
            print(*one.faults, sep="\n")
