"""The resource `livechat/recordings`, and the test of a recording server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import UNSET, UnsetType

from visavis.domain.config import ConfigField
from visavis.domain.delivery_status import Backlog, RecordingStatus, ServerCheck
from visavis.domain.policy import PolicyField
from visavis.domain.recording import RecordingState
from visavis.protocol.configuration import Url, read_url
from visavis.protocol.query import Place
from visavis.protocol.wire import (
    JsonBody,
    Secret,
    Time,
    format_optional_time,
    format_time,
    read_secret,
)


class RecordingServerTrial(JsonBody):
    """A recording server to test; absent fields default to the stored ones."""

    recording_server_url: Url | UnsetType = UNSET
    secret: Secret | UnsetType | None = UNSET


class RecordingServerVerdict(JsonBody):
    """Result of the test: a sentence, and the server's tus 1.0 extensions."""

    ok: bool
    message: str
    extensions: list[str]
    has_checksums: bool


class RecordingNode(JsonBody):
    """A node whose disk has packets of a recording.

    isSilent: the node does not run, or does not reach the database. isStopped: it was stopped.
    """

    id: str
    machine: str
    is_silent: bool
    is_stopped: bool


class Recording(JsonBody):
    """A recording and its delivery; sizes in bytes, duration in seconds.

    isIncomplete: the file lacks media that were received; missingMedia says which and why. nodes:
    the nodes that have its packets until it is delivered; it waits for those that are silent.
    """

    id: str
    call_id: str
    state: RecordingState
    started_at: Time
    duration: float | None
    size: int | None
    sha256: str | None
    uploaded: int
    attempts: int
    tried_at: Time | None
    next_try_at: Time | None
    last_error: str | None
    is_incomplete: bool
    missing_media: list[str]
    nodes: list[RecordingNode]
    recording_server_url: str | None
    delivered_at: Time | None


class RecordingPage(JsonBody):
    """A page of recordings, newest first, with figures over all of them.

    missing is the number of calls of the last 30 days whose recording should be at the recording
    server and is not. incomplete is the number of recordings whose file lacks received media.
    """

    pending: int
    failed: int
    incomplete: int
    missing: int
    oldest_pending: Time | None
    last_success: Time | None
    last_error: str | None
    last_error_time: Time | None
    total: int
    previous_page: str
    next_page: str
    recordings: list[Recording]


def recording_of(status: RecordingStatus) -> Recording:
    return Recording(
        id=status.id,
        call_id=status.call_id,
        state=status.state,
        started_at=format_time(status.started_at),
        duration=status.duration,
        size=status.size,
        sha256=status.sha256,
        uploaded=status.uploaded,
        attempts=status.attempts,
        tried_at=format_optional_time(status.tried_at),
        next_try_at=format_optional_time(status.next_try_at),
        last_error=status.last_error,
        is_incomplete=status.is_incomplete,
        missing_media=list(status.missing),
        nodes=[
            RecordingNode(node.id, node.machine, node.is_silent, node.is_stopped)
            for node in status.nodes
        ],
        recording_server_url=status.server_url,
        delivered_at=format_optional_time(status.delivered_at),
    )


def page_of(
    statuses: Sequence[RecordingStatus], backlog: Backlog, missing: int, place: Place
) -> RecordingPage:
    """Return a page of recordings; `place` is its position in the list."""
    return RecordingPage(
        pending=backlog.pending,
        failed=backlog.failed,
        incomplete=backlog.incomplete,
        missing=missing,
        oldest_pending=format_optional_time(backlog.oldest_at),
        last_success=format_optional_time(backlog.last_delivered_at),
        last_error=backlog.last_error,
        last_error_time=format_optional_time(backlog.last_error_at),
        recordings=[recording_of(status) for status in statuses],
        **place._asdict(),
    )


def read_server(values: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return URL and secret of a `RecordingServerTrial`, `None` for the stored ones."""
    url = ConfigField.URL.casefold()
    secret = read_secret(values.get(PolicyField.SECRET.casefold()))
    return read_url(values[url]) if url in values else None, secret


def verdict_of(check: ServerCheck) -> RecordingServerVerdict:
    return RecordingServerVerdict(
        check.is_ok, check.message, list(check.extensions), check.has_checksums
    )
