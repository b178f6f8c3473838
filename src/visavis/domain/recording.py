"""A recording and the layout of its files in the spool.

The spool is a directory on the media worker's machine and the only state of the recorder:

    <spool>/<recording id>/
        manifest.json          Manifest: written and synced before the legs are joined
        clock.json             RecordingClock: one for all journals; old spools have none
        0001.journal           spool.format, one for each recorded bridge, by its number
        recording.mkv          the muxed file, complete as soon as it has this name
        delivery.json          Delivery: where its upload stands
        trouble.json           Trouble: the muxer has failed on it
    <spool>/incomplete/<recording id>/
        manifest.json, clock.json, *.journal
                               kept after the delivery of a file that lacks some of the media

Whoever writes a journal holds a shared lock (flock) on the manifest for as long as it is open, and
the directory appears under its name only when that lock is held. The recorder takes an exclusive
one before it muxes, and only when the call is over by the database: no journal is open, and none
will be, since a writer that cannot have its shared lock at once gives up.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

MANIFEST = "manifest.json"
CLOCK = "clock.json"
MATROSKA = "recording.mkv"
DELIVERY = "delivery.json"
TROUBLE = "trouble.json"
JOURNAL_SUFFIX = ".journal"
INCOMPLETE = "incomplete"
"""Directory of the spool with the journals of delivered recordings whose file lacks media."""


def journal_name(number: int) -> str:
    """The name of the `number`-th journal (from 1) of a recording."""
    return f"{number:04d}{JOURNAL_SUFFIX}"


class Manifest(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Facts of a recording that are known when it starts."""

    recording_id: str
    site_id: int
    call_id: str
    media: str
    visitor_name: str
    agent_name: str
    started_at: datetime


class RecordingClock(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Offset from the monotonic clock of one boot to the wall clock as the recording began.

    Every journal of the recording uses it, so a wall clock that is set between two of them does
    not move them against each other. It means nothing after another boot.
    """

    boot_id: str
    offset_us: int


class Delivery(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """State of a muxed recording's upload, kept beside the file so that a restart resumes it.

    `upload_url` belongs to `server_url`: when the site's address changes, the upload starts anew
    there. `sha256` is in lower-case hexadecimal, `size` in bytes, `duration` in seconds. `missing`
    says in sentences which media were received and are not in the file; empty if none are.
    `is_uploaded` says that the server at `server_url` has acknowledged the whole file.
    """

    sha256: str
    size: int
    duration: float
    missing: tuple[str, ...] = ()
    server_url: str | None = None
    upload_url: str | None = None
    is_uploaded: bool = False


class Trouble(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Number of failures of a version's muxer on a recording, and the last error."""

    failures: int
    reason: str
    version: str


class RecordingState(StrEnum):
    """Delivery state of a recording.

    Whether its file lacks media is no state but told by `Delivery.missing`: an incomplete recording
    is muxed and delivered like others.
    """

    WAITING = "waiting"  # for its call to end, for its turn, or for its next try
    MUXING = "muxing"
    DELIVERING = "delivering"
    DELIVERED = "delivered"
    DELETED = "deleted"  # from the archive, by a person or the retention, after its delivery
    EMPTY = "empty"  # no media ever came: there is nothing to deliver
    FAILED = "failed"  # cannot be muxed: kept in the spool until somebody asks for another try


class DeliveryTrigger(StrEnum):
    """Causes for which a recording's state changes."""

    MUX = "muxing begins"
    MUXED = "muxed"
    NO_MEDIA = "no media"
    PUT_OFF = "put off"
    GIVE_UP = "given up"
    RETRY = "tried again"
    UPLOAD = "upload begins"
    NOT_DELIVERED = "not delivered"
    ACKNOWLEDGED = "acknowledged"
    DELETE = "deleted"


DELIVERY_TRANSITIONS: Final[dict[tuple[RecordingState, DeliveryTrigger], RecordingState]] = {
    (RecordingState.WAITING, DeliveryTrigger.MUX): RecordingState.MUXING,
    (RecordingState.MUXING, DeliveryTrigger.MUXED): RecordingState.WAITING,
    (RecordingState.MUXING, DeliveryTrigger.PUT_OFF): RecordingState.WAITING,
    (RecordingState.MUXING, DeliveryTrigger.NO_MEDIA): RecordingState.EMPTY,
    (RecordingState.MUXING, DeliveryTrigger.GIVE_UP): RecordingState.FAILED,
    (RecordingState.FAILED, DeliveryTrigger.RETRY): RecordingState.WAITING,
    (RecordingState.WAITING, DeliveryTrigger.UPLOAD): RecordingState.DELIVERING,
    (RecordingState.DELIVERING, DeliveryTrigger.NOT_DELIVERED): RecordingState.WAITING,
    (RecordingState.DELIVERING, DeliveryTrigger.ACKNOWLEDGED): RecordingState.DELIVERED,
    (RecordingState.DELIVERED, DeliveryTrigger.DELETE): RecordingState.DELETED,
}
"""The diagram in `docs/protocol.md` is drawn from it."""


def recording_state_after(trigger: DeliveryTrigger) -> RecordingState:
    """Return the state to which a trigger leads, from all states that it is possible in."""
    [state] = {target for (_, cause), target in DELIVERY_TRANSITIONS.items() if cause is trigger}
    return state


def states_before(target: RecordingState) -> frozenset[RecordingState]:
    """Return the states after which a recording may be found in another one, or still in it.

    The recorder's state is its spool. While the database cannot be reached, or when a recorder is
    killed, it misses steps; so every state from which the table leads there, in any number of
    steps, may come before it.
    """
    found = {target}
    while more := {
        state
        for (state, _), following in DELIVERY_TRANSITIONS.items()
        if following in found and state not in found
    }:
        found |= more
    return frozenset(found)


ARRIVED: Final = (RecordingState.DELIVERED, RecordingState.DELETED)
"""The recording server had the whole file."""

NONEXISTENT: Final = (RecordingState.EMPTY, RecordingState.DELETED)
"""There is no recording: there never was one, or there is none any more."""

UNDELIVERED: Final = tuple(
    state
    for state in RecordingState
    if state in states_before(RecordingState.DELIVERED) and state not in ARRIVED
)
"""The recording server may still get it."""
