"""Events that a call handles: requests of pages, reports of media workers, timers."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from visavis.domain.call.commands import MediaCommand
from visavis.domain.call.description import Description
from visavis.domain.call.states import CallTrigger
from visavis.domain.errors import ErrorKind
from visavis.domain.leg import BridgeId, LocalTransport
from visavis.domain.people import Agent, Visitor
from visavis.domain.policy import Consent, Unrecordable
from visavis.domain.vocabulary import Media

RecordingAction = Literal["start", "pause", "resume"]


# Requests of pages. `participant` is the number of the participant whose page sends the request.


class CallStarted(Struct, frozen=True):
    """The call has been created.

    `socket_id` is the visitor's page; it is empty if another product has created the call, whose
    visitor has yet to join.
    """

    socket_id: str = ""


class VisitorJoined(Struct, frozen=True):
    """The visitor of a call that another product has created has opened its join link."""

    socket_id: str


class CallPlaced(Struct, frozen=True, kw_only=True):
    """The visitor's page places the call.

    If it sends no `offer`, it is asked for one after it has received the TURN servers. The page
    receives the `secret`, of which the call keeps only the digest. `required_consent` and
    `unrecordable` come from the site's policy.
    """

    offer: Description | None
    secret: str
    secret_digest: bytes
    media: Media
    visitor: Visitor
    consent: Consent = Consent.NONE
    recording_id: str | None = None
    required_consent: Consent = Consent.NOTICE
    unrecordable: Unrecordable = Unrecordable.REFUSE


class AcceptRequested(Struct, frozen=True):
    """An agent accepts a ringing call, or is assigned a call without being rung (`is_assigned`)."""

    socket_id: str
    agent: Agent
    media: Media
    is_assigned: bool = False


class DeclineRequested(Struct, frozen=True):
    """An agent declines the call."""

    agent_id: int


class OfferReceived(Struct, frozen=True, tag=True):
    """The visitor's first offer for a bridge, or an offer of either page to renegotiate."""

    participant: int
    bridge: int
    description: Description


class AnswerReceived(Struct, frozen=True, tag=True):
    """The answer to the other page's last offer."""

    participant: int
    bridge: int
    description: Description


class RecordingRequested(Struct, frozen=True, tag=True):
    """An agent starts, pauses or resumes the recording.

    `recording_id` becomes the id of the recording if the call has none yet.
    """

    participant: int
    action: RecordingAction
    recording_id: str


class BridgeLost(Struct, frozen=True):
    """A page reports that the bridge no longer carries media."""

    bridge: int


class LineWritten(Struct, frozen=True):
    """A chat line; if its `line_id` was used before, the page has sent the same line again."""

    participant: int
    text: str
    line_id: str


class HungUp(Struct, frozen=True):
    participant: int


class PageResumed(Struct, frozen=True):
    """A participant's page has connected again, on this socket."""

    participant: int
    socket_id: str
    has_media: bool


class PageDisconnected(Struct, frozen=True):
    participant: int


class TransferRequested(Struct, frozen=True):
    """An agent transfers the call to another agent, whose consoles have these sockets.

    `obstacle` is the reason why that agent cannot be rung, empty if there is none.
    """

    participant: int
    agent_id: int
    sockets: tuple[str, ...]
    note: str
    obstacle: Literal["", "away", "busy"] = ""


class TransferRung(Struct, frozen=True):
    """The agent to whom the call is being transferred has these sockets now."""

    sockets: tuple[str, ...]


class TransferAccepted(Struct, frozen=True):
    socket_id: str
    agent: Agent


class TransferStopped(Struct, frozen=True):
    """The second agent does not take the call, for this reason."""

    reason: str


# Decisions of the site


class RingRequested(Struct, frozen=True):
    """The call rings at these sockets, each with its agent, and at no others."""

    sockets: dict[str, int]


class QueueRequested(Struct, frozen=True):
    place: int


class PlaceChanged(Struct, frozen=True):
    place: int


class EndRequested(Struct, frozen=True):
    trigger: CallTrigger


class AppRestarted(Struct, frozen=True):
    """The call was restored after a restart of the app, which had been away since `away_since`.

    A time before the call, or before it was connected, means that the app was away since then.
    """

    away_since: datetime


class NodeChanged(Struct, frozen=True):
    """A node continues the call that does not control the media workers of the former one.

    `recording_id` becomes the id of the recording from now on, if the call is recorded.
    """

    recording_id: str


# Reports of media workers


class LegConnected(Struct, frozen=True):
    bridge: BridgeId
    leg: int


class LegLost(Struct, frozen=True):
    bridge: BridgeId
    leg: int


class LegMeasured(Struct, frozen=True):
    """Quality of a leg; `report` is an `rtp.mos.LegReport` as builtin types."""

    bridge: BridgeId
    leg: int
    report: dict[str, Any]


class JournalLost(Struct, frozen=True):
    """The journal of a bridge can no longer be written."""

    bridge: BridgeId
    why: str


class BridgeFound(Struct, frozen=True):
    """A media worker has kept the bridge while the app was away; `up` are the connected legs."""

    bridge: BridgeId
    up: frozenset[int]
    has_journal: bool
    is_paused: bool


class WorkerLost(Struct, frozen=True):
    """A media worker has died, and these bridges with it."""

    bridges: frozenset[BridgeId]


class WorkerDraining(Struct, frozen=True):
    """A media worker is about to end, and these bridges with it; others take new bridges."""

    bridges: frozenset[BridgeId]


class CommandDone(Struct, frozen=True):
    """A media command was carried out; `transports` are our ends of the legs that it changed."""

    command: MediaCommand
    transports: dict[int, LocalTransport]


class CommandFailed(Struct, frozen=True):
    command: MediaCommand
    error: ErrorKind
    message: str


class TimerFired(Struct, frozen=True):
    name: str


DeferrableEvent = OfferReceived | AnswerReceived | RecordingRequested
"""Events that wait while a media command is being carried out."""

Event = (
    CallStarted
    | VisitorJoined
    | CallPlaced
    | AcceptRequested
    | DeclineRequested
    | DeferrableEvent
    | BridgeLost
    | LineWritten
    | HungUp
    | PageResumed
    | PageDisconnected
    | TransferRequested
    | TransferRung
    | TransferAccepted
    | TransferStopped
    | RingRequested
    | QueueRequested
    | PlaceChanged
    | EndRequested
    | AppRestarted
    | NodeChanged
    | BridgeFound
    | LegConnected
    | LegLost
    | LegMeasured
    | JournalLost
    | WorkerLost
    | WorkerDraining
    | CommandDone
    | CommandFailed
    | TimerFired
)
