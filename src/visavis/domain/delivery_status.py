"""Delivery status of recordings, from the end of the call to the recording server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from visavis.domain.recording import (
    ARRIVED,
    DeliveryTrigger,
    RecordingState,
    recording_state_after,
)

SHORT_CALL: Final = timedelta(seconds=2)
"""A call that was connected for less than this may have sent no media to record."""


@dataclass(frozen=True, slots=True)
class SpoolNode:
    """Node whose spool has journals of a recording. `machine` is the name of its host.

    `is_silent` says that it reports no beats, so that it may deliver nothing, and `is_stopped` that
    it has been stopped. `is_draining` says that others are to take over what it has. `recorder_url`
    is the URL at which its recorder hands journals over, with the certificate (PEM) of that, empty
    if it does not.
    """

    id: str
    machine: str
    is_silent: bool
    recorder_url: str = ""
    recorder_certificate: str = ""
    is_stopped: bool = False
    is_draining: bool = False


@dataclass(frozen=True, slots=True)
class RecordingStatus:
    """A recording as the database has it. Sizes are in bytes, `duration` is in seconds.

    `uploaded` is the size of the part that `server_url` has received. `last_error` is a sentence
    for people. `missing` lists, in sentences, media that were received and are not in the file.
    `nodes` are the nodes whose journals are needed for its file, empty once it is delivered or if
    they are not known. The first one makes the file.
    """

    id: str
    site_id: int
    call_id: str
    started_at: datetime
    state: RecordingState
    size: int | None = None
    sha256: str | None = None
    duration: float | None = None
    uploaded: int = 0
    attempts: int = 0
    tried_at: datetime | None = None
    next_try_at: datetime | None = None
    last_error: str | None = None
    server_url: str | None = None
    delivered_at: datetime | None = None
    retry_asked_at: datetime | None = None
    missing: tuple[str, ...] = ()
    nodes: tuple[SpoolNode, ...] = ()

    @property
    def awaited_nodes(self) -> tuple[SpoolNode, ...]:
        """The silent nodes for which the recording waits."""
        return tuple(node for node in self.nodes if node.is_silent)

    @property
    def is_incomplete(self) -> bool:
        """Whether the file lacks media that were received."""
        return bool(self.missing)


@dataclass(frozen=True, slots=True)
class Backlog:
    """Summary of a site's recordings.

    `pending` is the number of recordings that are not delivered yet, `failed` the number of these
    that cannot be muxed, and `last_error` the latest error of a pending one. `incomplete` is the
    number of recordings, pending or delivered, whose file lacks media.
    """

    total: int
    pending: int
    failed: int
    incomplete: int
    oldest_at: datetime | None
    last_delivered_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None


@dataclass(frozen=True, slots=True)
class BacklogCounts:
    """The counts of `Backlog`, added up over several sites."""

    pending: int = 0
    failed: int = 0
    incomplete: int = 0
    oldest_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ExpectedRecording:
    """A finished call that was connected and recorded, with the state of its recording.

    `recording_id` and `state` are `None` if there is no recording at all.
    """

    site_id: int
    call_id: str
    connected_at: datetime
    ended_at: datetime
    recording_id: str | None
    state: RecordingState | None
    last_error: str | None

    @property
    def is_missing(self) -> bool:
        """Whether the recording server should have the recording and does not."""
        if self.state is RecordingState.EMPTY:
            return self.ended_at - self.connected_at >= SHORT_CALL
        return self.state not in ARRIVED


@dataclass(frozen=True, slots=True)
class DeliveryProgress:
    """Progress of a recording to be saved; a field that is `None` is not changed.

    `next_try` is the number of seconds until the next attempt. `is_attempt` adds one to the
    recording's number of attempts.
    """

    trigger: DeliveryTrigger | None = None
    uploaded: int | None = None
    size: int | None = None
    sha256: str | None = None
    duration: float | None = None
    missing: tuple[str, ...] | None = None
    server_url: str | None = None
    error: str | None = None
    next_try: float | None = None
    is_attempt: bool = False

    @property
    def state(self) -> RecordingState | None:
        """The state to which the trigger leads, `None` without a trigger."""
        return recording_state_after(self.trigger) if self.trigger else None


@dataclass(frozen=True, slots=True)
class RecordingServer:
    """A site's recording server: its URL and, if it requires one, its bearer token."""

    url: str
    secret: str | None = None

    def __repr__(self) -> str:
        return f"RecordingServer({self.url!r})"  # the secret must not be logged


@dataclass(frozen=True, slots=True)
class DeliveryPlan:
    """A site's current recording server, and the ids of the recordings to deliver again at once."""

    server: RecordingServer
    retries: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ServerCheck:
    """Result of a test of a recording server; `message` is for the administrator."""

    is_ok: bool
    message: str
    extensions: tuple[str, ...] = ()
    has_checksums: bool = False
