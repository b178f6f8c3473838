"""The history of a storm: what pages, faults and the database showed, and what is left at the end.

`checker.py` reads it. As a file it is JSON, one event a line and the remains last, so that a storm
that broke a promise can be read and checked again.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

E = TypeVar("E", bound="HistoryEvent")


class HistoryEvent(msgspec.Struct, frozen=True, tag=True):
    """`at` is in seconds since the storm began."""

    at: float


class FaultBegun(HistoryEvent, frozen=True):
    fault: int
    kind: str
    target: str


class FaultMended(HistoryEvent, frozen=True):
    """All parts run again and can be used."""

    fault: int


class CallPlaced(HistoryEvent, frozen=True):
    """The visitor's page knows the call, so it can resume it from now on."""

    page: str
    call_id: str


class CallRefused(HistoryEvent, frozen=True):
    """The visitor's page was refused a new call."""

    page: str
    error: str


class CallConnected(HistoryEvent, frozen=True):
    page: str
    call_id: str


class RecordingShown(HistoryEvent, frozen=True):
    """The page says for the first time that the call is recorded."""

    page: str
    call_id: str


class CallOver(HistoryEvent, frozen=True):
    """The call is over for this page; others may go on with it."""

    page: str
    call_id: str
    reason: str


class SocketLost(HistoryEvent, frozen=True):
    """The socket of a page in a call is closed."""

    page: str
    call_id: str


class CallAnswered(HistoryEvent, frozen=True):
    """The page was answered after it had resumed its call."""

    page: str
    call_id: str


class MediaPaused(HistoryEvent, frozen=True):
    """The page received no packet for so many seconds until now, in a connected call."""

    page: str
    call_id: str
    seconds: float


class BridgeLeft(HistoryEvent, frozen=True):
    """The page leaves a bridge, or its call. The gap is the longest run of packets it missed."""

    page: str
    call_id: str
    media_node: str
    began_at: float
    longest_gap: int


class OwnerSeen(HistoryEvent, frozen=True):
    """Owner and term of a site, as read from the database."""

    site_id: int
    node_id: str
    term: int


class ChangeAcknowledged(HistoryEvent, frozen=True):
    """A change of the settings, known by its value, was answered with 200."""

    value: int


Event = (
    FaultBegun
    | FaultMended
    | CallPlaced
    | CallRefused
    | CallConnected
    | RecordingShown
    | CallOver
    | SocketLost
    | CallAnswered
    | MediaPaused
    | BridgeLeft
    | OwnerSeen
    | ChangeAcknowledged
)


class LoggedCall(msgspec.Struct, frozen=True):
    """A call of the call log; `endings` is how many times its end is among its events."""

    call_id: str
    state: str
    reason: str
    endings: int


class LoggedRecording(msgspec.Struct, frozen=True):
    """A recording of the database. `visible_cause` is what the settings page shows of a delay."""

    call_id: str
    state: str
    visible_cause: str = ""


class Remains(msgspec.Struct, frozen=True):
    """The state after the last fault, when nothing changed any more or patience was at its end.

    `changes` are the values of the settings in the audit log.
    """

    quiet_seconds: float
    calls: tuple[LoggedCall, ...] = ()
    recordings: tuple[LoggedRecording, ...] = ()
    live_calls: tuple[str, ...] = ()
    bridges: int = 0
    spooled: tuple[str, ...] = ()
    changes: frozenset[int] = frozenset()


class History(msgspec.Struct, frozen=True):
    events: tuple[Event, ...]
    remains: Remains

    def of(self, kind: type[E]) -> Iterator[E]:
        """Return the events of a kind, in their order."""
        return (event for event in self.events if isinstance(event, kind))

    def save(self, path: Path) -> None:
        lines = [*map(msgspec.json.encode, self.events), msgspec.json.encode(self.remains)]
        path.write_bytes(b"\n".join(lines))


def read_history(path: Path) -> History:
    *events, remains = path.read_bytes().splitlines()
    decoder = msgspec.json.Decoder(Event)
    read = tuple(decoder.decode(line) for line in events)
    return History(read, msgspec.json.decode(remains, type=Remains))
