"""Chapters, tags and the attached report of a recording, made from the events of its call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from math import inf
from typing import Final, NamedTuple

import msgspec

from visavis import __version__
from visavis.domain.call import CallState
from visavis.domain.call_events import CallEvent, CallEventName, CallReport
from visavis.domain.recording import Manifest
from visavis.protocol.attachment import (
    VERSION,
    RecordedCallReport,
    RecordedEvent,
    RecordedParticipant,
    RecordedTrack,
)
from visavis.recorder.mux.scan import Scan, Span

MAX_CHAPTERS: Final = 1000
SNAP_SECONDS: Final = 1.0
"""The chapter of an event this soon after the beginning starts at the beginning."""

PARTING_SECONDS: Final = 1.0
"""A connection lost this shortly before the end is not a chapter.

A page that hangs up may disconnect before its message arrives, which is not a lost connection.
"""

SOFTWARE: Final = f"Visavis {__version__}"


class ChapterMark(NamedTuple):
    """Chapter. `start` and `end` are in seconds from the beginning of the recording."""

    start: float
    end: float
    title: str


def chapters(report: CallReport, scan: Scan) -> list[ChapterMark]:
    """Return the chapters in order; each one ends where the next one begins."""
    events = sorted([*report.events, *_pause_events(report, scan.pauses)], key=_at)
    length = scan.end - scan.start
    marks: list[tuple[float, str]] = []
    for event, title in _titled(events):
        start = event.at.timestamp() - scan.start
        if start >= length:
            continue
        start = start if start > SNAP_SECONDS else 0.0
        if marks and round(start, 3) <= round(marks[-1][0], 3):
            marks.pop()
        marks.append((start, title))
    marks = marks[:MAX_CHAPTERS]
    ends = [*marks, (length, "")]
    return [ChapterMark(start, end, title) for (start, title), (end, _) in pairwise(ends)]


def on_recording_clock(report: CallReport, scan: Scan) -> CallReport:
    """Return the report with the times of its events converted to the clock of the recording.

    The recording's clock gives the packets' arrival times. Events have times of the wall clock,
    which may be set during the call. If the clock was set back, the same time occurred twice; then
    the order of the events decides which of the two is meant.
    """
    if not scan.clock_steps:
        return report
    events: list[CallEvent] = []
    latest = -inf
    for event in report.events:
        latest = max(latest, _recording_time(_at(event), latest, scan.clock_steps))
        events.append(msgspec.structs.replace(event, at=_wall_clock(latest)))
    return msgspec.structs.replace(report, events=tuple(events))


def _recording_time(at: float, latest: float, steps: Sequence[tuple[float, float]]) -> float:
    """Convert a wall-clock time to the recording's clock, all in seconds since the epoch.

    `steps` are the times at which the wall clock was set, and by how much it is ahead from then on.
    The result is the time that fits best between two steps and is not before `latest`.
    """
    spans = [(-inf, 0.0), *steps, (inf, 0.0)]
    candidates: list[tuple[float, float]] = []
    for (since, ahead), (until, _) in pairwise(spans):
        time = at - ahead
        outside = max(since - time, time - until, 0.0)
        candidates.append((max(outside, latest - time), time))
    return min(candidates)[1]


def tags(manifest: Manifest, report: CallReport, scan: Scan) -> dict[str, str]:
    """Return the Matroska tags of the file."""
    agents = ", ".join(report.agent_names) or manifest.agent_name
    return {
        "title": f"Call {manifest.call_id}",
        "SITE": str(manifest.site_id),
        "CALL": manifest.call_id,
        "RECORDING": manifest.recording_id,
        "VISITOR": report.visitor_name or manifest.visitor_name,
        "AGENT": agents,
        "CONSENT": report.consent,
        "DATE_RECORDED": _wall_clock(scan.start).isoformat(),
        "DATE_ENDED": _wall_clock(scan.end).isoformat(),
        "SOFTWARE": SOFTWARE,
    }


def report_of(manifest: Manifest, events: Iterable[CallEvent]) -> CallReport:
    """Return a call report from the recording alone, for a call without one in the database."""
    return CallReport(
        call_id=manifest.call_id,
        site_id=manifest.site_id,
        media="audio" if manifest.media == "audio" else "video",
        visitor_name=manifest.visitor_name,
        agent_names=(manifest.agent_name,),
        events=tuple(sorted(events, key=_at)),
    )


def recorded_report(manifest: Manifest, report: CallReport, scan: Scan) -> RecordedCallReport:
    """Return the content of the attachment `call.json`."""
    return RecordedCallReport(
        call_id=report.call_id,
        site_id=report.site_id,
        media=report.media,
        visitor_name=report.visitor_name,
        visitor_email=report.visitor_email,
        agent_names=report.agent_names,
        consent=report.consent,
        events=tuple(
            RecordedEvent(event.at, event.name, event.by, event.data) for event in report.events
        ),
        quality=report.quality,
        recording_id=manifest.recording_id,
        started_at=_wall_clock(scan.start),
        duration=round(scan.end - scan.start, 3),
        tracks=tuple(
            RecordedTrack(
                track.name,
                "visitor" if scan.role(track.key.leg) == "visitor" else "agent",
                track.key.content,
                track.key.codec,
            )
            for track in scan.tracks
        ),
        participants=_participants(manifest, report, scan),
        pauses=tuple(
            (round(max(0.0, start - scan.start), 3), round(end - scan.start, 3))
            for start, end in scan.pauses
        ),
        lost_records=scan.lost_records,
        software=SOFTWARE,
        version=VERSION,
    )


def _participants(
    manifest: Manifest, report: CallReport, scan: Scan
) -> tuple[RecordedParticipant, ...]:
    """Return the participants, ordered by their numbers in the call.

    Journals of an earlier version do not have their names, and count all agents as one participant.
    """
    names = {
        "visitor": report.visitor_name or manifest.visitor_name,
        "agent": ", ".join(report.agent_names) or manifest.agent_name,
    }
    found: dict[int, RecordedParticipant] = {}
    for leg, of_leg in sorted(scan.participants.items()):
        tracks = tuple(track.name for track in scan.tracks if track.key.leg == leg)
        for number, one in of_leg.items():
            earlier = found[number].tracks if number in found else ()
            name = one.name or names.get(one.role, "")
            found[number] = RecordedParticipant(number, one.role, name, earlier + tracks)
    return tuple(found[number] for number in sorted(found))


def _titled(events: Sequence[CallEvent]) -> Iterator[tuple[CallEvent, str]]:
    was_connected = False
    ended_at = max((_at(event) for event in events if event.name == CallState.ENDED), default=inf)
    for event in events:
        title = _title(event)
        if event.name == CallState.RECONNECTING and ended_at - _at(event) < PARTING_SECONDS:
            continue
        if event.name == CallState.CONNECTED:
            title = "Connected again" if was_connected else "Connected"
            was_connected = True
        if title:
            yield event, title


def _title(event: CallEvent) -> str:
    side = "visitor" if event.data.get("side", event.by) == "visitor" else "agent"
    by = f" by the {event.by}" if event.by != "system" else ""
    titles = {
        CallState.RECONNECTING: "Connection lost",
        CallEventName.UPGRADED: f"Video from the {side}",
        CallEventName.SHARE_STARTED: f"The {side} shares their screen",
        CallEventName.SHARE_STOPPED: f"The {side} stops sharing",
        CallEventName.TRANSFERRED: "Transferred to "
        f"{event.data.get('agentName') or 'another agent'}",
        CallEventName.RECORDING_STARTED: f"Recording started{by}",
        CallEventName.RECORDING_PAUSED: f"Recording paused{by}",
        CallEventName.RECORDING_RESUMED: f"Recording resumed{by}",
    }
    return {str(name): title for name, title in titles.items()}.get(event.name, "")


def _pause_events(report: CallReport, pauses: list[Span]) -> Iterator[CallEvent]:
    """Yield events for the journal's pauses, if the report has none."""
    if any(event.name == CallEventName.RECORDING_PAUSED for event in report.events):
        return
    for start, end in pauses:
        yield CallEvent(_wall_clock(start), CallEventName.RECORDING_PAUSED)
        yield CallEvent(_wall_clock(end), CallEventName.RECORDING_RESUMED)


def _at(event: CallEvent) -> float:
    return event.at.timestamp()


def _wall_clock(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
