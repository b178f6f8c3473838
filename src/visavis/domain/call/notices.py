"""Notices to the pages of a call; `protocol.signaling` defines their form on the wire."""

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
    """To the visitor: the call exists, and can be resumed with the secret."""

    is_recorded: bool
    secret: str
    resume_seconds: int


@dataclass(frozen=True, slots=True)
class StateNotice:
    """The call has reached `state` at `at`; `bridge` is the active or the newest bridge."""

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
    """To an agent: a call rings, or another agent wants to transfer one."""

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
    """To an agent: this page has the call, although it was not accepted on this page.

    `transferring_to` is the id of the agent to whom this page is transferring the call, 0 if there
    is none.
    """

    media: Media
    visitor_name: str
    visitor_email: str
    is_recorded: bool
    since: datetime
    resume_seconds: int
    transferring_to: int = 0


@dataclass(frozen=True, slots=True)
class RelaysNotice:
    """The TURN servers of the call; the sender of this notice adds the credentials."""


@dataclass(frozen=True, slots=True)
class ConnectNotice:
    """To the visitor: create a peer connection for this bridge and send its offer."""

    bridge: int


@dataclass(frozen=True, slots=True)
class OfferNotice:
    """The other page's offer, with our transport in place of its own."""

    bridge: int
    sdp: str
    transport: LocalTransport
    screen_mid: str


@dataclass(frozen=True, slots=True)
class AnswerNotice:
    """The other page's answer, with our transport in place of its own.

    It `is_repeated` if the page may have received the answer to its first offer already.
    """

    bridge: int
    sdp: str
    transport: LocalTransport
    screen_mid: str
    is_repeated: bool = False


@dataclass(frozen=True, slots=True)
class ProvisionalAnswerNotice:
    """To the visitor: our transport for their offer, before an agent has answered."""

    bridge: int
    offer: str
    transport: LocalTransport


@dataclass(frozen=True, slots=True)
class FlowingNotice:
    """The bridge carries media; the page may close older ones."""

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
    """A request of the page that was deferred has been refused."""

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
