"""The control protocol between an app and a media worker.

Each frame is a JSON object with a `type`. On a Unix stream socket, its length in bytes precedes it
as a u32 (big-endian), and an app process first sends `Attach`; `bus_control` carries the other
frames between nodes. The app sends requests with a `request_id`. The worker answers each of them
once, in any order, with `Done`, `OurEnd`, `BridgeList`, `Failed` or `Fenced`, and sends events at
any time. The app's first request on each connection is `ListBridges`: if the app process dies, its
bridges continue and the next process takes them over. While the app of a bridge is not connected,
the worker closes the bridge once its browsers have all been silent for `SILENT_SECONDS`.

A worker keeps the newest term of each site that it has received. It refuses a command with an older
one: another process owns the site by now, and the sender, which may have been frozen, does not know
that yet. But an app may always close a bridge that it controls.
"""

from __future__ import annotations

import struct
from typing import Any, Final

import msgspec

from visavis.domain.leg import BridgeId, BridgeStatus, LocalTransport, RemoteTransport
from visavis.domain.ownership import SiteTerm
from visavis.domain.recording import Manifest
from visavis.media.limits import Limit
from visavis.rtp.mos import LegReport

SILENT_SECONDS: Final = 60.0
MAX_FRAME_BYTES: Final = 256 * 1024
LENGTH: Final = struct.Struct("!I")


# Field names on the control socket, which workers and apps of earlier versions expect.
WIRE_NAMES: Final = {"bridge": "link", "bridges": "links"}


class ControlFrame(msgspec.Struct, frozen=True, tag_field="type", tag=True, rename=WIRE_NAMES):
    """Base class of all messages on the control socket."""


class Attach(ControlFrame, frozen=True):
    """First frame on a Unix socket: the name of the app process among those of its machine.

    A process replaces a former one of the same name, and no other.
    """

    app: str


class ListBridges(ControlFrame, frozen=True):
    """Request for the bridges that this app controls, which are returned in a `BridgeList`.

    First it takes over the `claimed` bridges of other apps, all of the site of `term` if it is set.
    """

    request_id: int
    claimed: list[BridgeId] = []
    term: SiteTerm | None = None


class Tap(ControlFrame, frozen=True):
    """Request to record a bridge in a journal."""

    request_id: int
    bridge: BridgeId
    manifest: Manifest
    term: SiteTerm | None = None


class AppendNote(ControlFrame, frozen=True, tag="Note"):
    """Request to append a note to a bridge's journal."""

    request_id: int
    bridge: BridgeId
    note: dict[str, Any]
    term: SiteTerm | None = None


class Pause(ControlFrame, frozen=True):
    """Request to pause or resume the recording of a bridge."""

    request_id: int
    bridge: BridgeId
    is_paused: bool
    term: SiteTerm | None = None


class OpenLeg(ControlFrame, frozen=True):
    """Request to open a leg, answered with our transport parameters."""

    request_id: int
    bridge: BridgeId
    leg: int
    term: SiteTerm | None = None


class SetRemote(ControlFrame, frozen=True):
    """Request to set the browser's transport parameters of a leg, answered with ours."""

    request_id: int
    bridge: BridgeId
    leg: int
    remote: RemoteTransport
    term: SiteTerm | None = None


class Join(ControlFrame, frozen=True):
    """Request to relay media between the legs of a bridge."""

    request_id: int
    bridge: BridgeId
    term: SiteTerm | None = None


class Close(ControlFrame, frozen=True):
    """Request to close a bridge and seal its journal."""

    request_id: int
    bridge: BridgeId
    term: SiteTerm | None = None


class PingWorker(ControlFrame, frozen=True, tag="Ping"):
    """Request that the worker answers at once, unless its event loop is blocked."""

    request_id: int


class CheckRecording(ControlFrame, frozen=True):
    """Request answered with `Done` if the worker could start a recording, else with `Failed`."""

    request_id: int


class Done(ControlFrame, frozen=True):
    """Reply to a request that succeeded and returns nothing."""

    request_id: int


class OurEnd(ControlFrame, frozen=True):
    """Reply to `OpenLeg` and `SetRemote`: our transport parameters."""

    request_id: int
    transport: LocalTransport


class BridgeList(ControlFrame, frozen=True):
    """Reply to `ListBridges`."""

    request_id: int
    bridges: list[BridgeStatus]


class Failed(ControlFrame, frozen=True):
    """Reply to a request that failed. `error` is the name of an `ErrorKind`."""

    request_id: int
    error: str
    message: str


class Fenced(ControlFrame, frozen=True):
    """Reply to a request that was refused because the site has a newer owner."""

    request_id: int


class LegUp(ControlFrame, frozen=True):
    """The leg's DTLS handshake is complete, so media can flow."""

    bridge: BridgeId
    leg: int


class LegDown(ControlFrame, frozen=True):
    """The leg's transport has failed or was closed by the browser."""

    bridge: BridgeId
    leg: int
    why: str


class BridgeTaken(ControlFrame, frozen=True):
    """Another app process has taken the bridge over; this one hears no more of it."""

    bridge: BridgeId


class TapLost(ControlFrame, frozen=True):
    """The journal can no longer be written."""

    bridge: BridgeId
    why: str


class LegQualityReport(ControlFrame, frozen=True, tag="LegQuality"):
    """Periodic quality report of a leg."""

    bridge: BridgeId
    leg: int
    report: LegReport


class LimitReached(ControlFrame, frozen=True):
    """A recording was stopped, or packets of a leg are dropped, because of a limit."""

    limit: Limit


class PortReport(ControlFrame, frozen=True):
    """Counters of the worker's media port since its start, and the worker's present state.

    `refused` counts the dropped datagrams from sources that belong to no leg. `excessive_legs` is
    the number of legs that currently send far more than their limit. `refused_connections` counts
    TCP connections that were closed because of a limit. `events_dropped` counts the datagrams and
    reports that were dropped because the queue of the native packet path was full.

    `bridges` are those of all apps. The others are of a media node: whether the worker is
    `is_draining`, whether it `is_on_bus`, and its counts of connections and lost messages there.
    """

    refused: int = 0
    excessive_legs: int = 0
    refused_connections: int = 0
    is_native: bool = False
    events_dropped: int = 0
    bridges: int = 0
    is_draining: bool = False
    is_on_bus: bool = False
    bus_reconnects: int = 0
    bus_dropped: int = 0


Request = (
    PingWorker
    | CheckRecording
    | ListBridges
    | Tap
    | AppendNote
    | Pause
    | OpenLeg
    | SetRemote
    | Join
    | Close
)
OnBridge = Tap | AppendNote | Pause | OpenLeg | SetRemote | Join
"""Requests on a bridge that continues: the app that sends them controls the bridge."""
Command = OnBridge | Close
"""Requests that only the owner of the bridge's site may make, with its `term`."""
Reply = Done | OurEnd | BridgeList | Failed | Fenced
AboutBridge = LegUp | LegDown | LegQualityReport | TapLost
Event = AboutBridge | BridgeTaken | LimitReached | PortReport
