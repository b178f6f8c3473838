"""The control protocol between the app and a media worker, over a Unix stream socket.

Each frame is a u32 length in bytes (big-endian) and a JSON object told apart by `type`. The app
sends requests with a `request_id`; the worker answers each once with `Done`, `OurEnd` or
`Failed`, in any order, and tells events of its own accord. The app's first request on every
connection is `Keep`. When the app has been gone for `GRACE_SECONDS`, the worker closes every
bridge.
"""

from __future__ import annotations

import struct
from typing import Any, Final

import msgspec

from visavis.domain.leg import BridgeId, LocalTransport, RemoteTransport, Side
from visavis.domain.recording import Manifest
from visavis.media.limits import Limit
from visavis.rtp.mos import LegReport

GRACE_SECONDS: Final = 10.0
MAX_FRAME_BYTES: Final = 256 * 1024
LENGTH: Final = struct.Struct("!I")


# names on the control socket, as older workers and apps know them
WIRE_NAMES: Final = {"bridge": "link", "bridges": "links"}


class Frame(msgspec.Struct, frozen=True, tag_field="type", tag=True, rename=WIRE_NAMES):
    """Anything that crosses the control socket."""


class Keep(Frame, frozen=True):
    """Close every bridge but these."""

    request_id: int
    bridges: list[BridgeId]


class Tap(Frame, frozen=True):
    request_id: int
    bridge: BridgeId
    manifest: Manifest


class Note(Frame, frozen=True):
    request_id: int
    bridge: BridgeId
    note: dict[str, Any]


class Pause(Frame, frozen=True):
    request_id: int
    bridge: BridgeId
    is_paused: bool


class OpenLeg(Frame, frozen=True):
    request_id: int
    bridge: BridgeId
    side: Side


class SetRemote(Frame, frozen=True):
    request_id: int
    bridge: BridgeId
    side: Side
    remote: RemoteTransport


class Join(Frame, frozen=True):
    request_id: int
    bridge: BridgeId


class Close(Frame, frozen=True):
    request_id: int
    bridge: BridgeId


class Ping(Frame, frozen=True):
    """Answered at once by a worker whose event loop turns over."""

    request_id: int


class CheckRecording(Frame, frozen=True):
    """Answered with `Done` if the worker could begin a recording now, otherwise with `Failed`."""

    request_id: int


class Done(Frame, frozen=True):
    request_id: int


class OurEnd(Frame, frozen=True):
    """The reply to `OpenLeg` and `SetRemote`."""

    request_id: int
    transport: LocalTransport


class Failed(Frame, frozen=True):
    """`error` is a name of `ErrorKind`."""

    request_id: int
    error: str
    message: str


class LegUp(Frame, frozen=True):
    """The leg's DTLS handshake is done: media flows."""

    bridge: BridgeId
    side: Side


class LegDown(Frame, frozen=True):
    bridge: BridgeId
    side: Side
    why: str


class TapLost(Frame, frozen=True):
    """The journal can no longer be written."""

    bridge: BridgeId
    why: str


class LegQuality(Frame, frozen=True):
    bridge: BridgeId
    side: Side
    report: LegReport


class LimitReached(Frame, frozen=True):
    """A recording was stopped, or packets of a leg are dropped, because of a limit."""

    limit: Limit


class PortReport(Frame, frozen=True):
    """The worker's media port: datagrams of strangers refused since its start, legs that flood.

    `refused_connections` counts connections over TCP that were closed because of a limit.
    """

    refused: int = 0
    excessive_legs: int = 0
    refused_connections: int = 0


Request = Ping | CheckRecording | Keep | Tap | Note | Pause | OpenLeg | SetRemote | Join | Close
Reply = Done | OurEnd | Failed
AboutBridge = LegUp | LegDown | LegQuality | TapLost
Event = AboutBridge | LimitReached | PortReport
