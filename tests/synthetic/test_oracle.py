"""The comparison of recordings with their receivers finds what it is there to find."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.archive.recording_files import TrackSpec, make_recording
from tests.e2e.flow import AGENT, VISITOR
from tests.e2e.oracle import _aligned, compare
from tests.e2e.reception import WRAP, reception

START = datetime.fromisoformat("2026-01-01T10:00:00+00:00").timestamp()
SECONDS = 6
HELD, AFTER = 0.3, 0.1
"""Seconds in the receiver's jitter buffer, and from there to its loudspeaker."""

PICTURE = 0.04
TAKES = (
    TrackSpec("Visitor audio", ends=SECONDS),
    TrackSpec("Visitor video", "vp8", ends=SECONDS),
    TrackSpec("Agent audio", ends=SECONDS, tone=880.0),
    TrackSpec("Agent video", "vp8", ends=SECONDS),
)
Sounds = list[tuple[float, float]]
"""Beginnings and ends, in seconds of the file."""

BEEPS: Sounds = [(at, at + 0.1) for at in range(SECONDS)]


def rows(sounds: Sounds, delay: float = 0.0, *, lost: float = 0.0) -> list[Any]:
    """Polls of levels, ten a second; the audio thread loses time at second 3, as if starved."""
    found = []
    for poll in range(-10, 10 * (SECONDS + 1)):
        clock = poll / 10
        wall = START + clock + (lost if clock > 3 else 0.0)
        bins = range(10 * poll - 10, 10 * poll)
        is_loud = [
            any(a <= b / 100 + wall - START - clock - delay < z for a, z in sounds) for b in bins
        ]
        found.append([1000 * wall, clock, 10 * poll - 10, [500 * loud for loud in is_loud]])
    return found


def log(
    sent: Sounds = BEEPS,
    heard: Sounds = BEEPS,
    pictures: Iterable[float] | None = None,
    *,
    starved: float = 0.0,
    decoded: float = 1.0,
) -> dict[str, Any]:
    """The log of a page that sent and received these, in seconds of the file."""
    seen = list(pictures or (n * PICTURE for n in range(round(SECONDS / PICTURE))))
    frames = [
        [1000 * (START + at + HELD), (WRAP - 90_000 + round(90_000 * at)) % WRAP, 1] for at in seen
    ]
    polls = [
        [
            ["audio", "a", 1000 * (START + n), 0, HELD * 48_000 * n, 48_000 * n],
            ["video", "v", 1000 * (START + n), round(decoded * sum(at < n for at in seen)), 0, 0],
        ]
        for n in range(SECONDS + 2)
    ]
    return {
        "opened": 1000 * START,
        "sent": rows(sent, lost=starved),
        "heard": rows(heard, HELD + AFTER),
        "frames": frames,
        "polls": polls,
        "errors": [],
    }


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_recording(tmp_path_factory.mktemp("oracle") / "call.mkv", TAKES)


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of its pictures is missing."""
    tracks = [TrackSpec("Visitor video", "vp8", ends=SECONDS, lost=[(2.0, 3.0)])]
    return make_recording(tmp_path_factory.mktemp("oracle") / "still.mkv", tracks)


def faults(path: Path, visitor: dict[str, Any], agent: dict[str, Any]) -> list[str]:
    verdicts = compare(path, {VISITOR: [visitor], AGENT: [agent]})
    return [fault for verdict in verdicts for fault in verdict.faults]


def test_a_true_recording_has_no_faults(path: Path) -> None:
    first, other = compare(path, {VISITOR: [log()], AGENT: [log()]})
    assert first.faults == other.faults == []
    assert (first.frames, first.decoded) == (150, 150)
    assert first.heard == first.followed == SECONDS
    assert first.offset < 0.03
    assert first.receivers_delay == pytest.approx(HELD + AFTER, abs=0.03)
    assert first.receivers_still == pytest.approx(PICTURE, abs=0.001)


def test_a_sound_in_another_place_is_found(path: Path) -> None:
    moved = [*BEEPS[:3], (3.15, 3.25), *BEEPS[4:]]
    assert faults(path, log(moved), log(heard=moved)) == ["Visitor: sounds are misplaced"]
    near = [*BEEPS[:3], (3.07, 3.17), *BEEPS[4:]]
    assert faults(path, log(near), log(heard=near)) == []


def test_a_sound_that_is_not_in_the_file_is_found(path: Path) -> None:
    more = sorted([*BEEPS, (2.5, 2.6)])
    assert faults(path, log(more), log(heard=more)) == ["Visitor: sounds are misplaced"]
    assert faults(path, log(more), log()) == []  # nobody heard it


def test_a_sound_that_was_cut_on_its_way_is_in_its_place(path: Path) -> None:
    """Its first packets were lost before the server: neither file nor receiver has them."""
    longer = [*BEEPS[:3], (2.85, 3.1), *BEEPS[4:]]
    assert faults(path, log(longer), log()) == []
    assert faults(path, log(longer), log(heard=longer)) == ["Visitor: sounds are misplaced"]


def test_a_sound_that_its_sender_logged_late_is_where_it_was_heard(path: Path) -> None:
    late = [*BEEPS[:3], (3.2, 3.3), *BEEPS[4:]]
    assert faults(path, log(late), log()) == []


def test_sounds_that_a_jitter_buffer_held_for_unknown_times_are_compared_as_sent(
    path: Path,
) -> None:
    """It tells an average of its delay, so that most of them cannot be followed."""
    heard: Sounds = [(at + 0.2 + (0.5 if at % 2 else 0.0), at + 0.8) for at in range(SECONDS)]
    sent: Sounds = [(at, at + 0.1) for at in range(0, SECONDS, 2)]
    assert faults(path, log(), log(heard=heard)) == []
    assert faults(path, log(sent), log(heard=heard)) == []
    few: Sounds = [(at + 0.45, at + 0.55) for at in range(SECONDS)]
    assert "Visitor: its sounds were not followed" in faults(path, log(few[:1] + BEEPS[5:]), log())


def test_a_sound_in_a_hole_of_the_log_is_not_judged(path: Path) -> None:
    def cut(one: dict[str, Any], first: int, end: int) -> dict[str, Any]:
        return {**one, "sent": [row for row in one["sent"] if not first <= row[1] < end]}

    moved = [*BEEPS[:3], (3.15, 3.25), *BEEPS[4:]]
    assert faults(path, cut(log(moved), 3, 4), log(heard=moved)) == []
    assert faults(path, cut(log(), 1, 5), log()) == ["Visitor: the logs have holes"]


def test_a_receiver_that_logged_nothing_is_found(path: Path) -> None:
    mute = {**log(), "heard": [], "frames": [], "polls": []}
    assert faults(path, log(), mute) == [
        "Visitor: no sound was heard",
        "Visitor: no picture was seen",
    ]


def test_seconds_that_are_missing_are_found(path: Path) -> None:
    long = [*BEEPS[:3], (3.0, 4.1), *BEEPS[5:]]
    assert faults(path, log(long), log(heard=long)) == ["Visitor: sound is missing"]
    assert faults(path, log(long), log()) == []


def test_a_starved_audio_thread_is_no_fault(path: Path) -> None:
    """Until its next poll it is not known when the thread lost time."""
    assert faults(path, log(starved=0.4), log()) == []


def test_pictures_that_are_missing_are_found(path: Path) -> None:
    assert faults(path, log(), log(decoded=1.05)) == ["Visitor: frames are missing"]


def test_a_stand_still_at_another_place_is_no_excuse(still: Path) -> None:
    other = [n * PICTURE for n in range(round(SECONDS / PICTURE)) if not 3.5 <= n * PICTURE < 4.7]
    found = faults(still, log(), log(pictures=other))
    assert "Visitor: it stands still" not in found
    assert any(fault.startswith("Visitor: it stands still for") for fault in found)


def test_a_stand_still_of_the_file_alone_is_found(still: Path) -> None:
    found = faults(still, log(), log())
    assert "Visitor: it stands still" in found
    assert any(fault.endswith(" s alone") for fault in found)
    both = [n * PICTURE for n in range(round(SECONDS / PICTURE)) if not 2.0 <= n * PICTURE < 3.0]
    found = faults(still, log(), log(pictures=both))
    assert not any("stands still" in fault for fault in found)


def test_a_stand_still_may_be_measured_beside_its_place(still: Path) -> None:
    """The pictures after a stand-still may fit those of the file nearly as well one later."""
    early = [n * PICTURE for n in range(round(SECONDS / PICTURE)) if not 1.94 <= n * PICTURE < 2.94]
    found = faults(still, log(), log(pictures=early))
    assert not any("stands still" in fault for fault in found)


def test_pictures_that_the_file_lacks_are_aligned_as_those_before() -> None:
    chance = random.Random(1)
    seen, at = [], 0.0
    for _ in range(300):
        at += chance.choice((0.033, 0.05, 0.067, 0.1))
        seen.append(at)
    times = [START + one for one in (*seen[:100], *seen[200:])]
    stream = [(START + one + HELD, one) for one in seen]
    aligned = list(_aligned(stream, times))
    assert aligned == pytest.approx([START + one for one in seen], abs=0.01)


def test_what_is_certain_on_a_busy_machine_is_found_there(still: Path, path: Path) -> None:
    first, _ = compare(still, {VISITOR: [log()], AGENT: [log()]})
    assert any(fault.endswith(" s alone") for fault in first.certain_faults)
    late: Sounds = [(at + 0.25, at + 0.35) for at in range(SECONDS)]
    first, _ = compare(path, {VISITOR: [log(late)], AGENT: [log(heard=late)]})
    assert "Visitor: the sound is late or early" in first.certain_faults
    first, _ = compare(path, {VISITOR: [log()], AGENT: [log()]})
    assert first.certain_faults == []


def test_the_clock_of_a_page_is_tied_to_the_wall_clock_by_its_next_polls() -> None:
    late = rows(BEEPS)
    late[4][0] += 120  # the page was busy
    one = reception([{**log(), "heard": late}])
    assert max(level.at - level.earliest for level in one.heard) < 0.001


def test_a_receiver_that_counts_from_0_again_is_counted_on() -> None:
    def poll(at: float, frames: int, sounds: int) -> list[Any]:
        return [["video", "v", at, frames, 0, 0], ["audio", "a", at, 0, HELD * sounds, sounds]]

    polls = [poll(1000, 50, 900), poll(2000, 115, 2000), poll(3000, 6, 300), poll(4000, 30, 1400)]
    one = reception([{**log(), "polls": polls}])
    assert [frames for _, _, frames in one.decoded] == [50, 65, 6, 24]
    assert [delay for _, delay in one.delays] == pytest.approx([HELD] * 4)
