"""Each rule of the checker holds for a history that keeps its promise, and breaks for another."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.cluster import checker
from tests.cluster.checker import FACTOR, RESUME_SECONDS, SETTLE_SECONDS, figures, violations
from tests.cluster.history import (
    BridgeLeft,
    CallAnswered,
    CallConnected,
    CallOver,
    CallPlaced,
    CallRefused,
    ChangeAcknowledged,
    Event,
    FaultBegun,
    FaultMended,
    History,
    LoggedCall,
    LoggedRecording,
    MediaPaused,
    OwnerSeen,
    RecordingShown,
    Remains,
    SocketLost,
    read_history,
)

LATE = FACTOR * RESUME_SECONDS + 1
KILLED = (FaultBegun(10.0, 1, "app process killed", "1"), FaultMended(14.0, 1))
NO_DATABASE = (FaultBegun(55.0, 3, "PostgreSQL primary killed", "1"), FaultMended(58.0, 3))
UNRECORDED = LoggedCall("c", "ended", "recordingUnavailable", 1)
TWO = (
    *(FaultBegun(10.0, 1, "app process killed", "1"), FaultMended(50.0, 1)),
    *(FaultBegun(12.0, 2, "media node killed", "1"), FaultMended(50.0, 2)),
)
CALL: tuple[Event, ...] = (
    CallPlaced(1.0, "ann", "c"),
    *(CallConnected(2.0, page, "c") for page in ("ann", "bo")),
    *(RecordingShown(2.0, page, "c") for page in ("ann", "bo")),
    *(CallOver(60.0, page, "c", "hungUp") for page in ("ann", "bo")),
)
LOGGED = LoggedCall("c", "ended", "hungUp", 1)
RECORDED = LoggedRecording("c", "delivered")


def history(*events: Event, call: LoggedCall = LOGGED, **remains: object) -> History:
    """Return a history of a call with these events and changed remains."""
    left = Remains(quiet_seconds=3.0, calls=(call,), recordings=(RECORDED,))
    ordered = sorted([*CALL, *events], key=lambda event: event.at)
    return History(tuple(ordered), msgspec.structs.replace(left, **remains))


def unconnected(*events: Event) -> History:
    """Return the history of a call that ended before it was connected: it could not be recorded."""
    placed = CallPlaced(54.0, "ann", "c")
    over = CallOver(56.0, "ann", "c", "recordingUnavailable")
    ordered = sorted([*events, placed, over], key=lambda event: event.at)
    return History(tuple(ordered), Remains(quiet_seconds=3.0, calls=(UNRECORDED,)))


def broken(of: History) -> set[str]:
    return {text.partition(":")[0] for text in violations(of)}


def test_a_history_that_keeps_every_promise(tmp_path: Path) -> None:
    kept = history(
        *KILLED,
        SocketLost(10.1, "ann", "c"),
        CallAnswered(11.0, "ann", "c"),
        MediaPaused(12.0, "bo", "c", 1.5),
        BridgeLeft(60.0, "ann", "c", "media1", 2.0, 0),
        OwnerSeen(3.0, 1, "x", 1),
        OwnerSeen(11.0, 1, "y", 2),
        ChangeAcknowledged(5.0, 1000),
        changes=frozenset({1000}),
    )
    assert violations(kept) == []
    assert figures(kept) == {
        "faults": "1 app process killed",
        "calls": "1 hungUp",
        "refused": "0",
        "answered after": "1.0 s (1)",
        "media after": "1.5 s (1)",
        "owners": "2",
        "recordings": "1 delivered",
        "changes": "1",
        "quiet after": "3 s",
    }
    kept.save(tmp_path / "history.json")
    assert read_history(tmp_path / "history.json") == kept


BROKEN: dict[str, History] = {
    "late_answers": history(
        *KILLED, SocketLost(10.1, "ann", "c"), CallAnswered(10.0 + LATE, "ann", "c")
    ),
    "long_pauses": history(*KILLED, MediaPaused(10.0 + LATE, "ann", "c", LATE)),
    "lost_packets": history(*KILLED, BridgeLeft(60.0, "ann", "c", "media1", 2.0, 1)),
    "fallen_terms": history(OwnerSeen(3.0, 1, "x", 2), OwnerSeen(4.0, 1, "x", 1)),
    "calls_ended_by_us": history(*KILLED, call=LoggedCall("c", "ended", "failed", 1)),
    "refused_calls": history(*KILLED, CallRefused(11.0, "cy", "not now")),
    "wrong_log": history(calls=()),
    "missing_recordings": history(recordings=()),
    "left_over": history(live_calls=("c",)),
    "lost_changes": history(ChangeAcknowledged(5.0, 1000)),
}
"""By rule, a history that breaks this rule and no other."""


@pytest.mark.parametrize("rule", [rule.__name__ for rule in checker.RULES])
def test_a_history_that_breaks_one_promise(rule: str) -> None:
    assert broken(BROKEN[rule]) == {rule}


@pytest.mark.parametrize(
    ("rule", "of"),
    [
        ("late_answers", history(SocketLost(61.0, "ann", "c"))),
        ("fallen_terms", history(OwnerSeen(3.0, 1, "x", 1), OwnerSeen(4.0, 1, "y", 1))),
        ("wrong_log", history(call=LoggedCall("c", "connected", "", 0))),
        ("wrong_log", history(call=LoggedCall("c", "ended", "hungUp", 2))),
        ("missing_recordings", history(recordings=(LoggedRecording("c", "empty"),))),
        ("missing_recordings", history(recordings=(RECORDED, LoggedRecording("c", "failed")))),
        ("missing_recordings", history(recordings=(LoggedRecording("c", "waiting"),))),
        # one fault after the other are not two at once
        (
            "calls_ended_by_us",
            history(*KILLED, *NO_DATABASE, call=LoggedCall("c", "ended", "failed", 1)),
        ),
        ("calls_ended_by_us", unconnected(*KILLED)),
        ("calls_ended_by_us", history(*NO_DATABASE, call=UNRECORDED)),
        ("left_over", history(quiet_seconds=FACTOR * SETTLE_SECONDS + 1)),
        ("left_over", history(spooled=("media1 a.journal",))),
        ("left_over", history(bridges=1)),
        ("left_over", history(CallConnected(30.0, "cy", "c"))),
    ],
)
def test_other_ways_to_break_a_promise(rule: str, of: History) -> None:
    assert broken(of) == {rule}


@pytest.mark.parametrize(
    "of",
    [
        history(*TWO, SocketLost(12.0, "ann", "c"), CallAnswered(12.0 + LATE, "ann", "c")),
        history(*TWO, MediaPaused(12.0 + LATE, "ann", "c", LATE)),
        history(*TWO, call=LoggedCall("c", "ended", "failed", 1)),
        history(*TWO, BridgeLeft(60.0, "ann", "c", "media1", 2.0, 9)),
        history(
            *(FaultBegun(10.0, 1, "PostgreSQL primary killed", "1"), FaultMended(14.0, 1)),
            CallRefused(13.0, "cy", "not now"),
        ),
        history(recordings=(RECORDED, LoggedRecording("c", "waiting", "waits for media1"))),
        history(recordings=(RECORDED, LoggedRecording("c", "empty"))),
        # the call of a page that never knew it: it had lost its socket
        history(calls=(LOGGED, LoggedCall("d", "ended", "abandoned", 1))),
        unconnected(*NO_DATABASE),
        # the page of a cut-off node hears late that the other one hung up
        history(MediaPaused(61.0 + LATE, "ann", "c", LATE)),
        history(SocketLost(59.0, "ann", "c")),  # it is told that its call is over
        history(OwnerSeen(3.0, 1, "x", 1), OwnerSeen(4.0, 2, "y", 1)),
    ],
)
def test_what_the_promises_allow(of: History) -> None:
    assert violations(of) == []


def test_a_wait_begins_with_the_fault_that_the_page_noticed_later() -> None:
    frozen = (FaultBegun(10.0, 1, "app frozen", "1"), FaultMended(18.0, 1))
    of = history(*frozen, SocketLost(12.5, "ann", "c"), CallAnswered(13.0, "ann", "c"))
    assert [seconds for _, seconds in checker.waits(of)] == [3.0]
