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
"""A call that was connected for a shorter time may have sent no media to record."""


@dataclass(frozen=True, slots=True)
class RecordingStatus:
    """A recording as the database knows it. Sizes are in bytes, `duration` in seconds.

    `uploaded` is how much of it `server_url` has been sent; `last_error` is a sentence for people.
    `missing` says in sentences which media were received and are not in the file.
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

    @property
    def is_incomplete(self) -> bool:
        """Whether the file lacks media that were received."""
        return bool(self.missing)


@dataclass(frozen=True, slots=True)
class Backlog:
    """A site's recordings, summed up.

    `pending` counts those that are not delivered yet, `failed` those of them that cannot be muxed;
    `last_error` is the latest of those that are pending. `incomplete` counts the recordings,
    pending or delivered, of which the file lacks some of the media.
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
class ExpectedRecording:
    """A call that was connected and recorded, and is over; and what has become of its recording.

    `recording_id` and `state` are `None` where there is no recording at all.
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
        """Whether a recording ought to be at the recording server and is not."""
        if self.state is RecordingState.EMPTY:
            return self.ended_at - self.connected_at >= SHORT_CALL
        return self.state not in ARRIVED


@dataclass(frozen=True, slots=True)
class DeliveryProgress:
    """Progress of a recording to be saved; `None` leaves a value as it is.

    `next_try` is in seconds from now; `is_attempt` counts one more.
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
        """The state that the recording has reached, if that is new."""
        return recording_state_after(self.trigger) if self.trigger else None


@dataclass(frozen=True, slots=True)
class RecordingServer:
    """A site's recording server: where it is, and the bearer token that it wants, if any."""

    url: str
    secret: str | None = None

    def __repr__(self) -> str:
        return f"RecordingServer({self.url!r})"  # the secret must not be logged


@dataclass(frozen=True, slots=True)
class DeliveryPlan:
    """A site's current recording server, and the recordings to try again at once."""

    server: RecordingServer
    retries: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ServerCheck:
    """Whether a recording server takes recordings, in words for the administrator."""

    is_ok: bool
    message: str
    extensions: tuple[str, ...] = ()
    has_checksums: bool = False
