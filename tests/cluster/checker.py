"""The promises of docs/cluster.md, as rules over the history of a storm.

The promised times are those of a machine with room: the tests share two processors with six nodes,
so a rule allows `FACTOR` times as much. `figures` returns the measured times themselves.

Most promises are about one fault. If two are there at once, a call may end for a reason that is
ours, and a page may wait longer; what is lost for ever stays forbidden.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from tests.cluster.history import (
    BridgeLeft,
    CallAnswered,
    CallConnected,
    CallOver,
    CallPlaced,
    CallRefused,
    ChangeAcknowledged,
    FaultBegun,
    FaultMended,
    History,
    MediaPaused,
    OwnerSeen,
    RecordingShown,
    SocketLost,
)

RESUME_SECONDS: Final = 5.0
"""Time in which a page that lost its socket is answered, and its media are there again."""
SETTLE_SECONDS: Final = 60.0
"""Time after the last fault after which nothing may be stuck."""
FACTOR: Final = 4.0
RECOVERY_SECONDS: Final = 5.0
"""A fault still has consequences for so long after it was mended."""
GIVE_UP_SECONDS: Final = 40.0
"""A call ends at the latest so long after the fault that it did not survive."""
UNNOTICED_SECONDS: Final = 5.0
"""A socket closes at the latest so long after the fault which it is lost by."""

PEOPLES_REASONS: Final = frozenset({"hungUp", "transferred"})
"""Reasons for which the calls of a storm should end; all others are ours."""
UNRECORDABLE: Final = "recordingUnavailable"
DATABASE_FAULTS: Final = frozenset({"PostgreSQL primary killed"})
MEDIA_FAULTS: Final = frozenset({"media process killed", "media node killed"})
TIMELY: Final = FACTOR * RESUME_SECONDS


@dataclass(frozen=True, slots=True)
class FaultSpan:
    """A fault from its beginning until all parts ran again."""

    kind: str
    began_at: float
    mended_at: float

    def overlaps(self, since: float, until: float) -> bool:
        """Whether the fault or its consequences were there between these times."""
        return self.began_at <= until and since <= self.mended_at + RECOVERY_SECONDS


def fault_spans(history: History) -> list[FaultSpan]:
    mended = {event.fault: event.at for event in history.of(FaultMended)}
    return [
        FaultSpan(event.kind, event.at, mended.get(event.fault, float("inf")))
        for event in history.of(FaultBegun)
    ]


def two_at_once(history: History, since: float, until: float) -> bool:
    """Whether two faults, neither of them mended yet, were there at once between these times."""
    spans = [span for span in fault_spans(history) if span.overlaps(since, until)]
    return any(
        one.began_at <= other.mended_at and other.began_at <= one.mended_at
        for number, one in enumerate(spans)
        for other in spans[:number]
    )


def has_fault(history: History, kinds: frozenset[str], since: float, until: float) -> bool:
    """Whether a fault of one of these kinds was there between these times."""
    spans = fault_spans(history)
    return any(span.kind in kinds and span.overlaps(since, until) for span in spans)


def waits(history: History) -> Iterator[tuple[SocketLost, float | None]]:
    """Return each lost socket with the seconds until the page was answered, None for never.

    The wait begins with the fault, if the page noticed it later, as when a node is frozen.
    """
    answers: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for event in history.events:
        if isinstance(event, CallAnswered | CallOver):
            answers[event.page, event.call_id].append(event.at)
    spans = fault_spans(history)
    for lost in history.of(SocketLost):
        later = [at for at in answers[lost.page, lost.call_id] if at >= lost.at]
        causes = [s.began_at for s in spans if 0 <= lost.at - s.began_at <= UNNOTICED_SECONDS]
        yield lost, later[0] - max(causes, default=lost.at) if later else None


def pauses(history: History) -> Iterator[tuple[MediaPaused, float]]:
    """Return each pause with its seconds until the other page hung up, if this one heard late."""
    hung_up: dict[str, float] = {}
    for event in history.of(CallOver):
        if event.reason == "hungUp":
            hung_up.setdefault(event.call_id, event.at)
    for pause in history.of(MediaPaused):
        end = min(pause.at, hung_up.get(pause.call_id, pause.at))
        yield pause, max(0.0, end - pause.at + pause.seconds)


# Rules


def late_answers(history: History) -> Iterator[str]:
    for lost, seconds in waits(history):
        if seconds is None:
            yield f"{lost.page} lost {lost.call_id} at {lost.at:.1f} s and was never answered"
        elif seconds > TIMELY and not two_at_once(history, lost.at, lost.at + seconds):
            yield f"{lost.page} waited for {seconds:.1f} s for {lost.call_id}"


def long_pauses(history: History) -> Iterator[str]:
    for pause, seconds in pauses(history):
        if seconds > TIMELY and not two_at_once(history, pause.at - pause.seconds, pause.at):
            yield f"{pause.page} received nothing of {pause.call_id} for {seconds:.1f} s"


def lost_packets(history: History) -> Iterator[str]:
    """Only the death of a media worker may lose packets of a bridge."""
    for left in history.of(BridgeLeft):
        if left.longest_gap and not has_fault(history, MEDIA_FAULTS, left.began_at, left.at):
            yield (
                f"{left.page} missed {left.longest_gap} packets of {left.call_id} at"
                f" {left.media_node}, {left.began_at:.1f} to {left.at:.1f} s"
            )


def fallen_terms(history: History) -> Iterator[str]:
    last: dict[int, OwnerSeen] = {}
    for seen in history.of(OwnerSeen):
        before = last.get(seen.site_id)
        if before and seen.term < before.term:
            yield f"the term of site {seen.site_id} fell from {before.term} to {seen.term}"
        if before and seen.term == before.term and seen.node_id != before.node_id:
            yield f"two nodes own site {seen.site_id} with the term {seen.term}"
        last[seen.site_id] = seen


def calls_ended_by_us(history: History) -> Iterator[str]:
    """Without the database a call may end before it is connected, if it is to be recorded."""
    ended_at = {event.call_id: event.at for event in history.of(CallOver)}
    placed = {event.call_id for event in history.of(CallPlaced)}
    connected = {event.call_id for event in history.of(CallConnected)}
    for call in history.remains.calls:
        at = ended_at.get(call.call_id)
        if at is None or call.call_id not in placed or call.state != "ended":
            continue
        is_refused = call.reason == UNRECORDABLE and call.call_id not in connected
        if is_refused and has_fault(history, DATABASE_FAULTS, at, at):
            continue
        if call.reason not in PEOPLES_REASONS and not two_at_once(
            history, at - GIVE_UP_SECONDS, at
        ):
            yield f"{call.call_id} ended as {call.reason} at {at:.1f} s"


def refused_calls(history: History) -> Iterator[str]:
    """A call that cannot be recorded is refused, which only the database may cause."""
    for refused in history.of(CallRefused):
        if not has_fault(history, DATABASE_FAULTS, refused.at, refused.at):
            yield f"{refused.page} was refused a call at {refused.at:.1f} s: {refused.error}"


def wrong_log(history: History) -> Iterator[str]:
    """Each call that a page knew is in the call log exactly once, and has ended once."""
    logged = Counter(call.call_id for call in history.remains.calls)
    for placed in history.of(CallPlaced):
        if logged[placed.call_id] != 1:
            yield f"{placed.call_id} is {logged[placed.call_id]} times in the call log"
    for call in history.remains.calls:
        if call.state != "ended":
            yield f"{call.call_id} is {call.state} in the call log"
        elif call.endings != 1:
            yield f"{call.call_id} has ended {call.endings} times"


def missing_recordings(history: History) -> Iterator[str]:
    """Each recorded call has a recording that is delivered, or waits for a cause that is shown."""
    states: defaultdict[str, list[str]] = defaultdict(list)
    for recording in history.remains.recordings:
        is_told = recording.state == "waiting" and recording.visible_cause
        states[recording.call_id].append("waits visibly" if is_told else recording.state)
        if not is_told and recording.state not in {"delivered", "empty"}:
            yield f"a recording of {recording.call_id} is {recording.state}"
    for call_id in sorted({event.call_id for event in history.of(RecordingShown)}):
        if not {"delivered", "waits visibly"} & set(states[call_id]):
            yield f"{call_id} was recorded, and its recordings are {states[call_id]}"


def left_over(history: History) -> Iterator[str]:
    remains = history.remains
    if remains.quiet_seconds > FACTOR * SETTLE_SECONDS:
        yield f"not quiet after {remains.quiet_seconds:.0f} s"
    yield from (f"{call_id} is still a live call" for call_id in remains.live_calls)
    yield from (f"{name} is still in a spool" for name in remains.spooled)
    if remains.bridges:
        yield f"media workers still carry {remains.bridges} bridges"
    over = {(event.page, event.call_id) for event in history.of(CallOver)}
    for event in history.of(CallConnected):
        if (event.page, event.call_id) not in over:
            yield f"{event.page} is still in {event.call_id}"


def lost_changes(history: History) -> Iterator[str]:
    for event in history.of(ChangeAcknowledged):
        if event.value not in history.remains.changes:
            yield f"the change {event.value}, acknowledged at {event.at:.1f} s, is lost"


RULES: Final[tuple[Callable[[History], Iterator[str]], ...]] = (
    late_answers,
    long_pauses,
    lost_packets,
    fallen_terms,
    calls_ended_by_us,
    refused_calls,
    wrong_log,
    missing_recordings,
    left_over,
    lost_changes,
)


def violations(history: History) -> list[str]:
    """Return a sentence for each promise that was broken."""
    return [f"{rule.__name__}: {text}" for rule in RULES for text in rule(history)]


def figures(history: History) -> dict[str, str]:
    """Return what was measured, as cells of a table."""
    placed = {event.call_id for event in history.of(CallPlaced)}
    reasons = Counter(call.reason for call in history.remains.calls if call.call_id in placed)
    states = Counter(recording.state for recording in history.remains.recordings)
    answered = [seconds for _, seconds in waits(history) if seconds is not None]
    silences = [seconds for _, seconds in pauses(history) if seconds]
    takes = {(event.site_id, event.term) for event in history.of(OwnerSeen)}
    return {
        "faults": counted(Counter(event.kind for event in history.of(FaultBegun))),
        "calls": counted(reasons),
        "refused": str(len(list(history.of(CallRefused)))),
        "answered after": f"{max(answered, default=0.0):.1f} s ({len(answered)})",
        "media after": f"{max(silences, default=0.0):.1f} s ({len(silences)})",
        "owners": str(len(takes)),
        "recordings": counted(states),
        "changes": str(len(list(history.of(ChangeAcknowledged)))),
        "quiet after": f"{history.remains.quiet_seconds:.0f} s",
    }


def counted(names: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(names.items())) or "0"
