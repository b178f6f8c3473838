"""Notices to the pages of a call; `protocol.signaling` has their form on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from visavis.domain.call.model import ChatLine
from visavis.domain.call.states import RecordingSwitch
from visavis.domain.errors import ErrorKind
from visavis.domain.leg import LocalTransport
from visavis.domain.vocabulary import Media, Party


@dataclass(frozen=True, slots=True)
class CallingNotice:
    """To the visitor: the call exists."""

    is_recorded: bool
    secret: str
    resume_seconds: int


@dataclass(frozen=True, slots=True)
class StateNotice:
    """The call has reached `state` at `at`, on this bridge."""

    state: str
    at: datetime
    bridge: int
    agent_name: str
    visitor_name: str


@dataclass(frozen=True, slots=True)
class QueuedNotice:
    place: int


@dataclass(frozen=True, slots=True)
class RingNotice:
    """To an agent: a call rings, or an agent transfers one."""

    media: Media
    visitor_name: str
    visitor_email: str
    is_recorded: bool
    since: datetime
    resume_seconds: int
    transferred_by: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class RingStoppedNotice:
    reason: str


@dataclass(frozen=True, slots=True)
class AssignedNotice:
    """To an agent: this page has the call without having accepted it."""

    media: Media
    visitor_name: str
    visitor_email: str
    is_recorded: bool
    since: datetime
    resume_seconds: int


@dataclass(frozen=True, slots=True)
class RelaysNotice:
    """The TURN servers of the call, with credentials that the sender of this notice adds."""


@dataclass(frozen=True, slots=True)
class ConnectNotice:
    """To the visitor: make a peer connection for this bridge and send its offer."""

    bridge: int


@dataclass(frozen=True, slots=True)
class OfferNotice:
    """The other page's offer, with our transport in its place."""

    bridge: int
    sdp: str
    transport: LocalTransport
    screen_mid: str


@dataclass(frozen=True, slots=True)
class AnswerNotice:
    """The other page's answer, with our transport in its place."""

    bridge: int
    sdp: str
    transport: LocalTransport
    screen_mid: str


@dataclass(frozen=True, slots=True)
class ProvisionalAnswerNotice:
    """Our transport for the visitor's offer, before an agent has answered."""

    bridge: int
    offer: str
    transport: LocalTransport


@dataclass(frozen=True, slots=True)
class FlowingNotice:
    """The bridge carries media: older ones may go."""

    bridge: int


@dataclass(frozen=True, slots=True)
class LineNotice:
    line: ChatLine


@dataclass(frozen=True, slots=True)
class TranscriptNotice:
    lines: tuple[ChatLine, ...]


@dataclass(frozen=True, slots=True)
class RecordingNotice:
    state: RecordingSwitch
    since: datetime
    by: Party


@dataclass(frozen=True, slots=True)
class QualityNotice:
    """Quality of the page's leg; `report` is an `rtp.mos.LegReport` as builtin types."""

    report: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TransferFailedNotice:
    reason: str


@dataclass(frozen=True, slots=True)
class EndNotice:
    """The call is over for this page."""

    reason: str
    by: Party


@dataclass(frozen=True, slots=True)
class RefusalNotice:
    """A request of the page that had to wait was refused."""

    error: ErrorKind
    code: str
    message: str
    parameters: Mapping[str, str | int]


Notice = (
    CallingNotice
    | StateNotice
    | QueuedNotice
    | RingNotice
    | RingStoppedNotice
    | AssignedNotice
    | RelaysNotice
    | ConnectNotice
    | OfferNotice
    | AnswerNotice
    | ProvisionalAnswerNotice
    | FlowingNotice
    | LineNotice
    | TranscriptNotice
    | RecordingNotice
    | QualityNotice
    | TransferFailedNotice
    | EndNotice
    | RefusalNotice
)
