"""Reading of a file's media info by libav, in a confined process."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import av
import msgspec

from visavis.archive.media_info import (
    Chapter,
    ListedParticipant,
    MediaInfo,
    Moment,
    Track,
    read_time,
)
from visavis.archive.sandbox import open_matroska
from visavis.domain.call_events import CallEventName
from visavis.protocol.attachment import (
    CALL_JSON,
    RecordedCallReport,
    RecordedEvent,
    RecordedParticipant,
)

START_TAG: Final = "DATE_RECORDED"
"""Tag with the wall-clock time of the timeline's zero, ISO 8601."""

_EPOCH: Final = datetime.fromtimestamp(0, UTC)


def read_media_info(path: Path) -> MediaInfo:
    """Read the head of the file only; for a confined process."""
    try:
        with open_matroska(path) as container:
            return _described(container)
    except (av.FFmpegError, UnicodeDecodeError):
        return MediaInfo()


def tracks_of(container: Any) -> tuple[Track, ...]:
    """Return the audio and video tracks; never raises on malformed ones."""
    return _tracks(container, _report(container))


def _tracks(container: Any, report: RecordedCallReport | None) -> tuple[Track, ...]:
    """Return the tracks; the attachment says by their titles whose they are and what they show."""
    recorded = {track.name: track for track in report.tracks} if report else {}
    participants = _participants(report) if report else ()
    numbers, tracks = Counter[tuple[str, tuple[int, ...], str]](), list[Track]()
    for stream in (*container.streams.audio, *container.streams.video):
        known = recorded.get(stream.metadata.get("title", ""))
        side, kind = (known.side, known.content) if known else ("", stream.type)
        ids = tuple(one.id for one in participants if known and known.name in one.tracks)
        numbers[side, ids, kind] += 1
        number = numbers[side, ids, kind] if known else 1
        tracks.append(_track(stream, side, kind, number, ids))
    return tuple(tracks)


def _participants(report: RecordedCallReport) -> tuple[RecordedParticipant, ...]:
    """Return the participants; attachments of version 1 tell them by the sides of the tracks."""
    if report.version >= 2:
        return report.participants
    names = {"visitor": report.visitor_name, "agent": ", ".join(report.agent_names)}
    sides = {side: [t.name for t in report.tracks if t.side == side] for side in names}
    return tuple(
        RecordedParticipant(number, side, names[side], tuple(tracks))
        for number, (side, tracks) in enumerate(sides.items(), start=1)
        if tracks
    )


def _described(container: Any) -> MediaInfo:
    report = _report(container)
    moments = _moments(report, _zero(container, report)) if report else ()
    return MediaInfo(
        duration=(container.duration or 0) / av.time_base,
        tracks=_tracks(container, report),
        chapters=tuple(
            Chapter(float(c["start"] * (c["time_base"] or 0)), c["metadata"].get("title", ""))
            for c in container.chapters()
        ),
        texts=tuple(m for m in moments if m.name == CallEventName.TEXT),
        events=tuple(m for m in moments if m.name != CallEventName.TEXT),
        quality=report.quality if report else {},
        consent=report.consent if report else "",
        visitor_name=report.visitor_name if report else "",
        visitor_email=report.visitor_email if report else "",
        agent_names=report.agent_names if report else (),
        participants=tuple(
            ListedParticipant(one.id, one.role, one.name) for one in _participants(report)
        )
        if report
        else (),
    )


def _track(stream: Any, side: str, kind: str, number: int, participants: tuple[int, ...]) -> Track:
    is_video = stream.type == "video"
    return Track(
        index=stream.index,
        side=side,
        kind=kind,
        number=number,
        codec=stream.codec_context.codec.canonical_name if stream.codec_context else "",
        width=stream.width if is_video else 0,
        height=stream.height if is_video else 0,
        participants=participants,
    )


def _report(container: Any) -> RecordedCallReport | None:
    for stream in container.streams.attachments:
        if stream.metadata.get("filename") == CALL_JSON:
            try:
                return msgspec.json.decode(stream.data, type=RecordedCallReport)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                return None
    return None


def _zero(container: Any, report: RecordedCallReport) -> datetime:
    """Return the wall-clock time of the timeline's zero; without a tag, that of the first event."""
    said = read_time(container.metadata.get(START_TAG, ""))
    return said or min((event.at for event in report.events), default=_EPOCH)


def _moments(report: RecordedCallReport, zero: datetime) -> tuple[Moment, ...]:
    return tuple(_moment(event, zero) for event in sorted(report.events, key=lambda e: e.at))


def _moment(event: RecordedEvent, zero: datetime) -> Moment:
    at = max(0.0, (event.at - zero).total_seconds())
    return Moment(round(at, 3), event.name, event.by, event.data)
