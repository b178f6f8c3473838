"""A recording and the layout of its files in the spool.

The spool is a directory on the media worker's machine and the only state of the recorder:

    <spool>/<recording id>/
        manifest.json          Manifest: written and synced before the legs are joined
        clock.json             RecordingClock of the journals of this node; old spools have none
        0001.journal           packets of one recorded bridge, by its number (spool.format)
        0002-1a2b3c4d.journal  journal from the spool of another node (spool.pieces)
        1a2b3c4d.clock.json    RecordingClock of those journals
        recording.mkv          the muxed file, complete as soon as it has this name
        delivery.json          Delivery: progress of its upload
        trouble.json           Trouble: failures of the muxer, if there were any
    <spool>/incomplete/<recording id>/
        manifest.json, clock.json, *.journal
                               kept after the delivery of a file that lacks some of the media

The writer of a journal holds a shared lock (flock) on the manifest while the journal is open, and
the directory appears under its name only once that lock is held. The recorder takes an exclusive
lock before it muxes, and only after the call has ended according to the database. Then no journal
is open, and none can be opened: a writer that cannot get its shared lock at once gives up.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

MANIFEST = "manifest.json"
CLOCK = "clock.json"
MATROSKA = "recording.mkv"
DELIVERY = "delivery.json"
TROUBLE = "trouble.json"
JOURNAL_SUFFIX = ".journal"
INCOMPLETE = "incomplete"
"""Directory of the spool for the journals of delivered recordings whose file lacks media."""


def journal_name(number: int) -> str:
    """Return the file name of the `number`-th journal (from 1) of a recording."""
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
    """Offset from the monotonic clock to the wall clock when the recording began on a node.

    All journals of the recording on that node use it, so that a change of the wall clock between
    two journals does not shift them against each other. It is valid only until the next boot of the
    machine. `database_ahead_us` is by how much the database's clock is ahead of the recording's
    clock, to within `error_us`. It is `None` until it is measured. Journals of several nodes are
    placed on one timeline by it.
    """

    boot_id: str
    offset_us: int
    database_ahead_us: int | None = None
    error_us: int = 0


class ClockOffset(NamedTuple):
    """By how much the database's clock is ahead of a monotonic clock, to within `error_us`."""

    offset_us: int
    error_us: int


class Delivery(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """State of a muxed recording's upload, stored beside the file so that a restart resumes it.

    `upload_url` is an upload on `server_url`: if the site's recording server changes, a new upload
    begins there. `sha256` is in lower-case hexadecimal, `size` in bytes, `duration` in seconds.
    `missing` lists, in sentences, media that were received and are not in the file. `is_uploaded`
    says that the server at `server_url` has acknowledged the whole file.
    """

    sha256: str
    size: int
    duration: float
    missing: tuple[str, ...] = ()
    server_url: str | None = None
    upload_url: str | None = None
    is_uploaded: bool = False


class Trouble(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Failures of the muxer of one version on a recording: their number, and the last error."""

    failures: int
    reason: str
    version: str


class RecordingState(StrEnum):
    """Delivery state of a recording.

    A recording whose file lacks media is muxed and delivered like any other: `Delivery.missing`
    says so, not a state of its own.
    """

    WAITING = "waiting"  # its call goes on, others are first, or the next attempt is not due
    MUXING = "muxing"
    DELIVERING = "delivering"
    DELIVERED = "delivered"
    DELETED = "deleted"  # from the archive after its delivery, by a person or by retention
    EMPTY = "empty"  # no media arrived, so there is nothing to deliver
    FAILED = "failed"  # cannot be muxed; stays in the spool until somebody requests a retry


class DeliveryTrigger(StrEnum):
    """Events that change the delivery state of a recording."""

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
"""State table of a recording, from which the diagram in `docs/protocol.md` is drawn."""


def recording_state_after(trigger: DeliveryTrigger) -> RecordingState:
    """Return the state to which a trigger leads: the same one from every state that allows it."""
    [state] = {target for (_, cause), target in DELIVERY_TRANSITIONS.items() if cause is trigger}
    return state


def states_before(target: RecordingState) -> frozenset[RecordingState]:
    """Return `target` and all states from which the table leads to it, in any number of steps.

    The recorder works from its spool, and cannot save every step while the database is unreachable
    or when it is killed. So a recording that reaches `target` may be stored in any of these states.
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
"""States in which the recording server has received the whole file."""

NONEXISTENT: Final = (RecordingState.EMPTY, RecordingState.DELETED)
"""States in which there is no recording: it had no media, or it was deleted."""

UNDELIVERED: Final = tuple(
    state
    for state in RecordingState
    if state in states_before(RecordingState.DELIVERED) and state not in ARRIVED
)
"""States from which the recording may still be delivered."""
