"""Comparison of a recording with what the other browser reported by `getStats` during the call."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Final

import av

from tests.e2e.flow import AGENT, VISITOR, Page
from tests.running import ffprobe
from tests.synthetic.watch import LOUD, loudness

SAMPLE_SECONDS: Final = 0.05
STEP_SECONDS: Final = 0.1
LEAST_FRAMES: Final = 0.99
"""Share of the frames that the receiver decoded."""

MOST_APART: Final = 0.1 + SAMPLE_SECONDS
"""Seconds by which half of the sounds may be elsewhere than the receiver had them, less the delay.

The receiver is sampled by a page that shares a busy machine: single samples come late.
"""

MISPLACED: Final = 0.5
"""Seconds from which a sound counts as missing: no page is so late with a sample."""

MOST_LOST: Final = 0.1
"""Share of the sounds that may have no counterpart: a busy browser samples its sound too seldom."""

MOST_DELAY: Final = 2.0
"""Seconds from a microphone to the other loudspeaker, on the worst network of the tests."""

AUDIBLE: Final = 0.02
"""Level of the receiver's audio (0 to 1) from which it counts as a sound."""

FREEZE_SLACK: Final = 0.5
"""Seconds: a receiver samples its pictures, and smooths their times."""

QUIET_SECONDS: Final = 0.4
"""Silence before a sound that counts as its beginning."""

Sounds = list[float]
OTHER_SIDE: Final = {VISITOR: "Agent", AGENT: "Visitor"}
"""The side of the recording that a page hears and sees."""

_OBSERVE: Final = """void (() => {{
  const samples = window.received = [];
  const frames = new Map(), connections = [];
  let held = 0, before = {{}};
  const sum = (all, what) => all.reduce((total, s) => total + (s[what] ?? 0), 0);
  const sample = async () => {{
    const connection = {name}.peerConnection;
    if (connection && connection.signalingState !== "closed") {{
      if (!connections.includes(connection)) connections.push(connection);
      const report = [...(await connection.getStats()).values()];
      const inbound = report.filter(s => s.type === "inbound-rtp");
      const of = kind => inbound.filter(s => s.kind === kind);
      for (const s of of("video"))
        frames.set(connections.indexOf(connection) + s.id, s.framesDecoded ?? 0);
      let level = 0, at = Date.now() / 1000;
      for (const s of of("audio")) {{
        const last = before[s.id] ?? {{energy: 0, seconds: 0, delay: 0, emitted: 0}};
        const time = (s.totalSamplesDuration ?? 0) - last.seconds;
        if (time > 0)
          level = Math.max(level, Math.sqrt(Math.max(0, s.totalAudioEnergy - last.energy) / time));
        const emitted = (s.jitterBufferEmittedCount ?? 0) - last.emitted;
        if (emitted > 0) held = ((s.jitterBufferDelay ?? 0) - last.delay) / emitted;
        at = s.timestamp / 1000;
        before[s.id] = {{
          energy: s.totalAudioEnergy ?? 0, seconds: s.totalSamplesDuration ?? 0,
          delay: s.jitterBufferDelay ?? 0, emitted: s.jitterBufferEmittedCount ?? 0,
        }};
      }}
      const decoded = [...frames.values()].reduce((total, n) => total + n, 0);
      samples.push([at, decoded, level, held]);
    }}
    setTimeout(sample, {milliseconds});
  }};
  sample();
}})()"""


@dataclass(frozen=True)
class Received:
    """Samples of what a page received: wall-clock time, frames decoded so far, audio level.

    The last of each is how long the jitter buffer held what is heard now: it stretches and shrinks
    the sound, which the recording need not do.
    """

    samples: list[tuple[float, int, float, float]]

    @property
    def frames(self) -> int:
        return self.samples[-1][1]

    @property
    def freeze(self) -> float:
        """The longest time between two decoded frames, in seconds."""
        first = next((at for at, frames, *_ in self.samples if frames), None)
        if first is None:
            return 0.0
        changes = [first]
        for (_, before, *_), (at, frames, *_) in pairwise(self.samples):
            if frames > before and at > first:
                changes.append(at)
        return _longest(changes)

    @property
    def sounds(self) -> Sounds:
        return _beginnings([(at - held, level > AUDIBLE) for at, _, level, held in self.samples])

    @property
    def audible_seconds(self) -> set[int]:
        return {int(at) for at, _, level, _ in self.samples if level > AUDIBLE}


@dataclass(frozen=True)
class Verdict:
    """The figures of one side of a recording beside the receiver's."""

    side: str
    frames: int
    frames_decoded: int
    freeze: float
    receivers_freeze: float
    delay: float
    apart: float
    sounds: int
    lost_sounds: int
    missing_seconds: int

    @property
    def faults(self) -> list[str]:
        checks = {
            "frames are missing": self.frames >= LEAST_FRAMES * self.frames_decoded,
            "it stands still": self.freeze <= self.receivers_freeze + FREEZE_SLACK,
            "the sound is late or early": -MOST_APART <= self.delay <= MOST_DELAY,
            "sounds are misplaced": self.apart <= MOST_APART
            and self.lost_sounds <= MOST_LOST * self.sounds,
            "seconds of sound are missing": self.missing_seconds == 0,
        }
        return [f"{self.side}: {fault}" for fault, holds in checks.items() if not holds]

    def __str__(self) -> str:
        return (
            f"{self.side}: {self.frames} frames of {self.frames_decoded} decoded, "
            f"stands still {self.freeze:.2f} s (receiver {self.receivers_freeze:.2f} s), "
            f"sound delayed {self.delay:+.3f} s, half of it within {self.apart:.3f} s, "
            f"{self.lost_sounds} sounds and {self.missing_seconds} seconds missing"
        )


def observe(page: Page, name: str) -> None:
    """Begin to note what the page receives, for all its connections to come."""
    script = _OBSERVE.format(name=name, milliseconds=round(1000 * SAMPLE_SECONDS))
    page.evaluate(script)


def received(page: Page) -> Received:
    """Return what the page has received since `observe`, during the call or after it."""
    return Received([tuple(sample) for sample in page.evaluate("window.received")])


def compare(
    path: Path, receptions: Mapping[str, Received], steady: frozenset[str] = frozenset()
) -> list[Verdict]:
    """Each side of a recording with what the page that received it says of itself."""
    start = _start(path)
    verdicts = [
        _compare(path, start, OTHER_SIDE[name], reception, is_steady=OTHER_SIDE[name] in steady)
        for name, reception in receptions.items()
    ]
    for verdict in verdicts:
        print(verdict)
    return verdicts


def assert_true(
    path: Path, receptions: Mapping[str, Received], steady: frozenset[str] = frozenset()
) -> None:
    """Compare, without the single sounds of the sides whose sound is `steady`."""
    faults = [fault for one in compare(path, receptions, steady) for fault in one.faults]
    assert faults == []


def _compare(
    path: Path, start: float, side: str, reception: Received, *, is_steady: bool
) -> Verdict:
    times = _frame_times(path, side)
    heard = loudness(path, f"{side} audio")
    begun = _beginnings([(start + at, peak > LOUD) for at, peak in heard])
    expected = [] if is_steady else reception.sounds
    usual = _usual(begun, reception) if begun else 0.0
    differences = [
        min((sound - ours for ours in begun), key=lambda apart: abs(apart - usual))
        for sound in expected
        if begun
    ]
    delay = statistics.median(differences) if differences else 0.0
    apart = [abs(difference - delay) for difference in differences]
    placed = [one for one in apart if one <= MISPLACED]
    audible = {int(start + at + delay) for at, peak in heard if peak > LOUD}
    missing = {
        second
        for second in reception.audible_seconds
        if not {second - 1, second, second + 1} & audible
    }
    return Verdict(
        side=side,
        frames=len(times),
        frames_decoded=reception.frames,
        freeze=_longest(times),
        receivers_freeze=reception.freeze,
        delay=delay,
        apart=statistics.median(placed) if placed else 0.0,
        sounds=len(expected),
        lost_sounds=len(expected) - len(placed),
        missing_seconds=len(missing),
    )


def _usual(ours: Sounds, reception: Received) -> float:
    """The constant delay that fits most sounds, in steps: a nearest sound may be another one."""
    steps = [number * STEP_SECONDS / 2 for number in range(round(2 * MOST_DELAY / STEP_SECONDS))]

    def misfit(delay: float) -> float:
        nearest = [min(abs(s - delay - one) for one in ours) for s in reception.sounds]
        return (statistics.mean(nearest) if nearest else 0.0) + delay / 100

    return min(steps, key=misfit)


def _frame_times(path: Path, side: str) -> list[float]:
    """When each frame of a side's video tracks is shown, in order."""
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


def _start(path: Path) -> float:
    """When the file's time is 0, in seconds since the epoch."""
    return datetime.fromisoformat(ffprobe(path)["format"]["tags"]["DATE_RECORDED"]).timestamp()


def _longest(times: list[float]) -> float:
    return max((later - earlier for earlier, later in pairwise(times)), default=0.0)


def _beginnings(levels: list[tuple[float, bool]]) -> Sounds:
    """When a sound begins after some silence; the first needs the silence too."""
    found: Sounds = []
    last = levels[0][0] if levels else 0.0
    for at, is_audible in levels:
        if is_audible:
            if at - last > QUIET_SECONDS:
                found.append(at)
            last = at
    return found
