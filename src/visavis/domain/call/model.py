"""Data of a call: its record, participants, bridges, transfer, recording, chat and timers.

The record is stored as a row of the database, from the request of the call to its end. All data are
plain, so that a snapshot of a call can be stored and restored. Participants and bridges refer to
each other by number.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct, field

from visavis.domain.call.commands import MediaCommand
from visavis.domain.call.description import Description
from visavis.domain.call.inputs import DeferrableEvent
from visavis.domain.call.states import (
    BRIDGE_TRANSITIONS,
    ENDED_BY,
    RECORDING_TRANSITIONS,
    TRANSFER_TRANSITIONS,
    TRANSITIONS,
    BridgeState,
    BridgeTrigger,
    CallState,
    CallTrigger,
    EndReason,
    RecordingSwitch,
    RecordingTrigger,
    TransferState,
    TransferTrigger,
)
from visavis.domain.call_timings import CallTimings
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import BridgeId, CallRole, LocalTransport, RemoteTransport
from visavis.domain.people import Agent, Visitor
from visavis.domain.policy import Consent, Unrecordable
from visavis.domain.recording import Manifest
from visavis.domain.vocabulary import Media, Party

Origin = Literal["widget", "invitation", "api"]
"""Origin of a call: the visitor's widget, an agent's invitation, another product over the API."""

MAX_HELD_LINES: Final = 200
"""Number of the latest chat lines that are kept."""
MAX_TRANSCRIPT: Final = 100_000
"""Maximum number of characters of the lines in one transcript."""

VISITOR: Final = 1
"""Number of the visitor among the participants of a call."""

SNAPSHOT_VERSION: Final = 1
"""Format of the snapshots; it is raised when older snapshots can no longer be read."""

_WAITING: Final = frozenset({CallState.REQUESTED, CallState.QUEUED, CallState.RINGING})


@dataclasses.dataclass(slots=True)
class CallRecord:
    """The stored facts of one call. Times are wall clock, UTC.

    `interrupted_at` is the time at which a party of a connected call was lost; it is `None` again
    once that party is back. `talk_ended_at` is the end of the talk: earlier than `ended_at` if a
    lost party did not return. `quality` holds the last report of each side (`rtp.mos.LegReport`) as
    JSON types. `is_unrecorded` says that the call should have been recorded and, at least in part,
    was not.
    """

    id: str
    site_id: int
    visitor: Visitor
    media: Media
    is_recorded: bool
    requested_at: datetime
    state: CallState = CallState.REQUESTED
    agent: Agent | None = None
    accepted_at: datetime | None = None
    connected_at: datetime | None = None
    ended_at: datetime | None = None
    talk_ended_at: datetime | None = None
    interrupted_at: datetime | None = None
    reason: EndReason | None = None
    ended_by: Party = "system"
    recording_id: str | None = None
    is_unrecorded: bool = False
    consent: Consent = Consent.NONE
    origin: Origin = "widget"
    quality: dict[str, Any] = dataclasses.field(default_factory=dict)

    def apply(self, event: CallTrigger, now: datetime) -> None:
        """Move to the next state; raise `CallNotPossible`, without a change, if there is none."""
        self.state, reason = self.next_state(event)
        if self.state is CallState.ACCEPTED:
            self.accepted_at = now
        elif self.state is CallState.CONNECTED:
            self.connected_at = self.connected_at or now
            self.interrupted_at = None
        elif self.state is CallState.RECONNECTING:
            self.interrupted_at = now
        elif self.state is CallState.ENDED:
            self.ended_at, self.reason = now, reason
            self.talk_ended_at = (self.interrupted_at or now) if self.connected_at else None
            self.ended_by = ENDED_BY.get(event, "system")

    def next_state(self, event: CallTrigger) -> tuple[CallState, EndReason | None]:
        """Return the next state, and the reason for an end; raise `CallNotPossible` if none."""
        try:
            return TRANSITIONS[self.state, event]
        except KeyError:
            raise VisavisError(
                ErrorKind.CallNotPossible, f'A call that is {self.state} cannot take "{event}".'
            ) from None

    def interrupt(self, at: datetime) -> None:
        """Do not count the time after `at` as talk: a party was lost then and is not back."""
        self.interrupted_at = min(at, self.interrupted_at or at)

    def allows(self, event: CallTrigger) -> bool:
        return (self.state, event) in TRANSITIONS

    @property
    def is_over(self) -> bool:
        return self.state is CallState.ENDED


class Participant(Struct, eq=False):
    """A participant of a call. Its page may disconnect, and reconnect on another socket.

    `quality_sent_at` is the time of the last quality notice to the page, `disconnected_at` the time
    at which the page disconnected.
    """

    id: int
    role: CallRole
    socket_id: str
    agent: Agent | None = None
    is_open: bool = True
    quality_sent_at: datetime | None = None
    disconnected_at: datetime | None = None

    @property
    def agent_id(self) -> int:
        return self.agent.id if self.agent else 0

    @property
    def agent_name(self) -> str:
        return self.agent.name if self.agent else ""

    @property
    def party(self) -> Party:
        return "agent" if self.role is CallRole.AGENT else "visitor"


class BridgeLeg(Struct, eq=False):
    """A leg of a bridge: its role, and its participant's number; 0 while agents are being rung."""

    role: CallRole
    participant: int = 0


class Bridge(Struct, eq=False):
    """The legs of two participants, which a media worker joins.

    Dictionaries and sets have the numbers of legs as keys. `offered` holds offers that have no
    answer yet, `described` the descriptions of the last completed exchange. `answered` is the leg
    whose answer is being applied. `transports` are our ends of the legs, `remotes` the browsers'
    ends, `up` the connected legs. `has_journal` says that packets are recorded, except while
    `is_journal_paused`. `journal_loss` is the reason for which the journal was lost while a command
    for it was in progress: the loss is handled once that command has reported back.
    """

    id: BridgeId
    legs: dict[int, BridgeLeg]
    state: BridgeState = BridgeState.REQUESTED
    offered: dict[int, Description] = field(default_factory=dict)
    described: dict[int, Description] = field(default_factory=dict)
    answered: int | None = None
    transports: dict[int, LocalTransport] = field(default_factory=dict)
    remotes: dict[int, RemoteTransport] = field(default_factory=dict)
    up: set[int] = field(default_factory=set)
    has_journal: bool = False
    is_journal_paused: bool = False
    journal_loss: str = ""
    is_unrecorded: bool = False

    @property
    def number(self) -> int:
        return self.id.number

    @property
    def is_assigned(self) -> bool:
        """Whether the participants at all legs are known."""
        return all(leg.participant for leg in self.legs.values())

    def leg_of(self, participant: int) -> int:
        """Return the number of a participant's leg; 0 if they have none."""
        return next((n for n, leg in self.legs.items() if leg.participant == participant), 0)

    def others(self, number: int) -> list[int]:
        """Return the numbers of all other legs."""
        return [other for other in self.legs if other != number]

    @property
    def is_open(self) -> bool:
        """Whether a media worker may have this bridge."""
        return self.state not in {BridgeState.REQUESTED, BridgeState.CLOSED}

    @property
    def is_joined(self) -> bool:
        return self.state in {BridgeState.JOINED, BridgeState.FLOWING}

    def apply(self, trigger: BridgeTrigger) -> None:
        """Move to the next state; a trigger that the state does not allow changes nothing."""
        self.state = BRIDGE_TRANSITIONS.get((self.state, trigger), self.state)


class PendingTransfer(Struct, eq=False):
    """A transfer in progress: the second agent is rung and then, as `participant`, connected.

    `ringing_at` holds the sockets of that agent's consoles.
    """

    agent_id: int
    ringing_at: set[str]
    state: TransferState = TransferState.RINGING
    participant: int | None = None
    note: str = ""

    def apply(self, trigger: TransferTrigger) -> None:
        self.state = TRANSFER_TRANSITIONS[self.state, trigger]


class CallRecording(Struct, eq=False):
    """The recording of a call: its state, the time of the last change, the party that made it.

    `is_listed` says that the database has a row for the recording.
    """

    since: datetime
    state: RecordingSwitch = RecordingSwitch.OFF
    by: Party = "system"
    manifest: Manifest | None = None
    is_listed: bool = False

    def apply(self, trigger: RecordingTrigger, by: Party, now: datetime) -> None:
        self.state = RECORDING_TRANSITIONS[self.state, trigger]
        self.by, self.since = by, now


class ChatLine(Struct, frozen=True):
    """A chat line of a call; `id` is chosen by the page that sends it."""

    by: Party
    text: str
    at: datetime
    id: str = ""


class Chat(Struct, eq=False):
    """The chat of a call; the latest lines are kept for pages that missed them."""

    count: int = 0
    latest: list[ChatLine] = field(default_factory=list)

    def add(self, line: ChatLine) -> None:
        self.count += 1
        self.latest.append(line)
        del self.latest[:-MAX_HELD_LINES]

    def find(self, by: Party, line_id: str) -> ChatLine | None:
        """Return the line that a party has already sent under this id."""
        named = (line for line in self.latest if line_id and (line.by, line.id) == (by, line_id))
        return next(named, None)

    def recent(self) -> list[ChatLine]:
        """Return the latest lines, oldest first, as many as fit into one transcript."""
        room, lines = MAX_TRANSCRIPT, list[ChatLine]()
        for line in reversed(self.latest):
            room -= len(line.text)
            if room < 0:
                break
            lines.append(line)
        return lines[::-1]


class CallData(Struct, eq=False, kw_only=True):
    """All data of a call in progress.

    `secret_digest` is the digest of the secret with which the visitor's page resumes the call.
    Calls of a lower `rank` are served first. `reserved_for` is the agent for whom a join link
    reserves the call, and `join_links` holds the digests of the join links' tokens. `ringing_at`
    maps the sockets at which the call rings to their agents' ids, and `declined` holds the ids of
    agents who declined. `agent` is the participant's number of the agent who has the call, and
    `place` the last known place in the queue. `with_video` and `sharing` are the legs that send a
    camera and a screen. `command` is the media command in progress, and `deferred` holds the events
    that wait for its end. `closing` holds the numbers of the bridges that are being closed after
    the end of the call.
    """

    record: CallRecord
    recording: CallRecording
    secret_digest: bytes = b""
    timings: CallTimings = CallTimings()
    required_consent: Consent = Consent.NOTICE
    unrecordable: Unrecordable = Unrecordable.REFUSE
    participants: dict[int, Participant] = field(default_factory=dict)
    agent: int | None = None
    chat: Chat = field(default_factory=Chat)
    rank: int = 0
    reserved_for: Agent | None = None
    join_links: dict[CallRole, bytes] = field(default_factory=dict)
    ringing_at: dict[str, int] = field(default_factory=dict)
    declined: set[int] = field(default_factory=set)
    place: int = 0
    bridges: dict[int, Bridge] = field(default_factory=dict)
    active_bridge: int | None = None
    last_bridge: int = 0
    last_participant: int = VISITOR
    transfer: PendingTransfer | None = None
    with_video: set[int] = field(default_factory=set)
    sharing: set[int] = field(default_factory=set)
    timers: dict[str, datetime] = field(default_factory=dict)
    command: MediaCommand | None = None
    deferred: list[DeferrableEvent] = field(default_factory=list)
    closing: set[int] = field(default_factory=set)

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def site_id(self) -> int:
        return self.record.site_id

    @property
    def is_over(self) -> bool:
        return self.record.is_over

    @property
    def is_waiting(self) -> bool:
        """Whether a visitor is waiting for an agent."""
        return self.record.state in _WAITING and bool(self.bridges)

    @property
    def is_idle(self) -> bool:
        """Whether no media command is being carried out."""
        return self.command is None and not self.closing

    @property
    def visitor(self) -> Participant:
        return self.participants[VISITOR]

    @property
    def current_agent(self) -> Participant | None:
        """The agent who has the call."""
        return self.participants.get(self.agent) if self.agent else None

    @property
    def second_agent(self) -> Participant | None:
        """The agent to whom the call is being transferred, once they have accepted."""
        number = self.transfer.participant if self.transfer else None
        return self.participants.get(number) if number else None

    @property
    def newest_bridge(self) -> Bridge | None:
        return self.bridges.get(self.last_bridge)

    def participant_of_page(self, socket_id: str) -> Participant | None:
        return next((p for p in self.participants.values() if p.socket_id == socket_id), None)

    def participant_of_agent(self, agent_id: int) -> Participant | None:
        return next((p for p in self.participants.values() if p.agent_id == agent_id), None)

    def snapshot(self) -> bytes:
        """Return the call as MessagePack, for `Call.restore`."""
        return msgspec.msgpack.encode(self)
