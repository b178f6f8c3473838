"""The control protocol between the app and a media worker, over a Unix stream socket.

Each frame is a u32 length in bytes (big-endian) and a JSON object told apart by `type`. The app
sends requests with a `request_id`; the worker answers each once with `Done`, `OurEnd` or
`Failed`, in any order, and tells events of its own accord. The app's first request on every
connection is `ListBridges`: bridges outlive the app, and its next process takes them over. While no
app is connected, a bridge whose browsers have all been silent for `SILENT_SECONDS` is closed.
"""

from __future__ import annotations

import struct
from typing import Any, Final

import msgspec

from visavis.domain.leg import BridgeId, BridgeStatus, LocalTransport, RemoteTransport
from visavis.domain.recording import Manifest
from visavis.media.limits import Limit
from visavis.rtp.mos import LegReport

SILENT_SECONDS: Final = 60.0
MAX_FRAME_BYTES: Final = 256 * 1024
LENGTH: Final = struct.Struct("!I")


# names on the control socket, as older workers and apps know them
WIRE_NAMES: Final = {"bridge": "link", "bridges": "links"}


class ControlFrame(msgspec.Struct, frozen=True, tag_field="type", tag=True, rename=WIRE_NAMES):
    """Anything that crosses the control socket."""


class ListBridges(ControlFrame, frozen=True):
    """Answered with a `BridgeList` of all bridges."""

    request_id: int


class Tap(ControlFrame, frozen=True):
    request_id: int
    bridge: BridgeId
    manifest: Manifest


class AppendNote(ControlFrame, frozen=True, tag="Note"):
    request_id: int
    bridge: BridgeId
    note: dict[str, Any]


class Pause(ControlFrame, frozen=True):
    request_id: int
    bridge: BridgeId
    is_paused: bool


class OpenLeg(ControlFrame, frozen=True):
    request_id: int
    bridge: BridgeId
    leg: int


class SetRemote(ControlFrame, frozen=True):
    request_id: int
    bridge: BridgeId
    leg: int
    remote: RemoteTransport


class Join(ControlFrame, frozen=True):
    request_id: int
    bridge: BridgeId


class Close(ControlFrame, frozen=True):
    request_id: int
    bridge: BridgeId


class PingWorker(ControlFrame, frozen=True, tag="Ping"):
    """Answered at once by a worker whose event loop turns over."""

    request_id: int


class CheckRecording(ControlFrame, frozen=True):
    """Answered with `Done` if the worker could begin a recording now, otherwise with `Failed`."""

    request_id: int


class Done(ControlFrame, frozen=True):
    request_id: int


class OurEnd(ControlFrame, frozen=True):
    """The reply to `OpenLeg` and `SetRemote`."""

    request_id: int
    transport: LocalTransport


class BridgeList(ControlFrame, frozen=True):
    """The reply to `ListBridges`."""

    request_id: int
    bridges: list[BridgeStatus]


class Failed(ControlFrame, frozen=True):
    """`error` is a name of `ErrorKind`."""

    request_id: int
    error: str
    message: str


class LegUp(ControlFrame, frozen=True):
    """The leg's DTLS handshake is done: media flows."""

    bridge: BridgeId
    leg: int


class LegDown(ControlFrame, frozen=True):
    bridge: BridgeId
    leg: int
    why: str


class TapLost(ControlFrame, frozen=True):
    """The journal can no longer be written."""

    bridge: BridgeId
    why: str


class LegQualityReport(ControlFrame, frozen=True, tag="LegQuality"):
    bridge: BridgeId
    leg: int
    report: LegReport


class LimitReached(ControlFrame, frozen=True):
    """A recording was stopped, or packets of a leg are dropped, because of a limit."""

    limit: Limit


class PortReport(ControlFrame, frozen=True):
    """The worker's media port: datagrams of strangers refused since its start, legs that flood.

    `refused_connections` counts connections over TCP that were closed because of a limit,
    `events_dropped` what found the queue of the native packet path full.
    """

    refused: int = 0
    excessive_legs: int = 0
    refused_connections: int = 0
    is_native: bool = False
    events_dropped: int = 0


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
Reply = Done | OurEnd | BridgeList | Failed
AboutBridge = LegUp | LegDown | LegQualityReport | TapLost
Event = AboutBridge | LimitReached | PortReport
