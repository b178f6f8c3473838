"""Data of a call in progress: participants, bridges, transfer, recording, chat and timers.

All of it is plain data, so that a snapshot of it can be stored and restored. Participants and
bridges refer to each other by number.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct, field

from visavis.domain.call.commands import MediaCommand
from visavis.domain.call.description import Description
from visavis.domain.call.inputs import DeferrableEvent
from visavis.domain.call.record import CallRecord
from visavis.domain.call.states import (
    BRIDGE_TRANSITIONS,
    RECORDING_TRANSITIONS,
    TRANSFER_TRANSITIONS,
    BridgeState,
    BridgeTrigger,
    CallState,
    RecordingSwitch,
    RecordingTrigger,
    TransferState,
    TransferTrigger,
)
from visavis.domain.call_timings import CallTimings
from visavis.domain.leg import BridgeId, LocalTransport, RemoteTransport, Side
from visavis.domain.people import Agent
from visavis.domain.policy import Consent, Unrecordable
from visavis.domain.recording import Manifest
from visavis.domain.vocabulary import Party

MAX_HELD_LINES: Final = 200
MAX_TRANSCRIPT: Final = 100_000
"""Characters of the lines that one transcript repeats."""

VISITOR: Final = 1
"""Number of the visitor among the participants of a call."""

_WAITING: Final = frozenset({CallState.REQUESTED, CallState.QUEUED, CallState.RINGING})


class Participant(Struct, eq=False):
    """A participant of a call. Its page may disconnect, and reconnect on another socket.

    `quality_sent_at` is the time at which the page was last sent its connection's quality,
    `disconnected_at` the time at which it disconnected.
    """

    id: int
    side: Side
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
        return "agent" if self.side is Side.AGENT else "visitor"


class Bridge(Struct, eq=False):
    """Two joined legs, from the moment at which they are requested.

    `legs` holds the number of the participant at each leg. `offered` holds the offers that have no
    answer yet, `described` the two descriptions that the last answer made valid. `answered` is the
    side whose answer is being carried out. `has_journal` says that its packets are recorded, unless
    `is_journal_paused`. `journal_loss` says why the journal was lost while one of its commands was
    in progress: the loss is handled after the command's answer.
    """

    id: BridgeId
    legs: dict[Side, int]
    state: BridgeState = BridgeState.REQUESTED
    offered: dict[Side, Description] = field(default_factory=dict)
    described: dict[Side, Description] = field(default_factory=dict)
    answered: Side | None = None
    transports: dict[Side, LocalTransport] = field(default_factory=dict)
    remotes: dict[Side, RemoteTransport] = field(default_factory=dict)
    up: set[Side] = field(default_factory=set)
    has_journal: bool = False
    is_journal_paused: bool = False
    journal_loss: str = ""
    is_unrecorded: bool = False

    @property
    def number(self) -> int:
        return self.id.number

    @property
    def is_open(self) -> bool:
        """Whether a media worker may know of it."""
        return self.state not in {BridgeState.REQUESTED, BridgeState.CLOSED}

    @property
    def is_joined(self) -> bool:
        return self.state in {BridgeState.JOINED, BridgeState.FLOWING}

    def apply(self, trigger: BridgeTrigger) -> None:
        """Move to the next state; a trigger that the state does not know changes nothing."""
        self.state = BRIDGE_TRANSITIONS.get((self.state, trigger), self.state)


class PendingTransfer(Struct, eq=False):
    """A transfer in progress: another agent is rung and then, as `participant`, connected."""

    agent_id: int
    ringing_at: set[str]
    state: TransferState = TransferState.RINGING
    participant: int | None = None
    note: str = ""

    def apply(self, trigger: TransferTrigger) -> None:
        self.state = TRANSFER_TRANSITIONS[self.state, trigger]


class CallRecording(Struct, eq=False):
    """The recording of a call: its state, since when, and the party that changed it.

    `is_listed` says that the recording is in the database.
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
    """A line of text beside the call; `id` is the name that the page gave it."""

    by: Party
    text: str
    at: datetime
    id: str = ""


class Chat(Struct, eq=False):
    """The text beside the call; the latest lines are kept for pages that missed them."""

    count: int = 0
    latest: list[ChatLine] = field(default_factory=list)

    def add(self, line: ChatLine) -> None:
        self.count += 1
        self.latest.append(line)
        del self.latest[:-MAX_HELD_LINES]

    def find(self, by: Party, line_id: str) -> ChatLine | None:
        """Return a line that was sent under this name before."""
        named = (line for line in self.latest if line_id and (line.by, line.id) == (by, line_id))
        return next(named, None)

    def recent(self) -> list[ChatLine]:
        """Return the latest lines, oldest first, as many as fit into one message."""
        room, lines = MAX_TRANSCRIPT, list[ChatLine]()
        for line in reversed(self.latest):
            room -= len(line.text)
            if room < 0:
                break
            lines.append(line)
        return lines[::-1]


class CallData(Struct, eq=False, kw_only=True):
    """All that is known of a call in progress.

    `secret` lets the visitor's page resume it. Calls of a lower `rank` are served first.
    `reserved_for` is the agent to whom a join link reserves it. `ringing_at` maps the sockets at
    which it rings to their agents. `command` is the media command that is being carried out, and
    `deferred` holds the events that wait for its end. `closing` holds the bridges that are being
    closed after the end.
    """

    record: CallRecord
    secret: str
    recording: CallRecording
    timings: CallTimings = CallTimings()
    required_consent: Consent = Consent.NOTICE
    unrecordable: Unrecordable = Unrecordable.REFUSE
    participants: dict[int, Participant] = field(default_factory=dict)
    agent: int | None = None
    chat: Chat = field(default_factory=Chat)
    rank: int = 0
    reserved_for: Agent | None = None
    ringing_at: dict[str, int] = field(default_factory=dict)
    declined: set[int] = field(default_factory=set)
    place: int = 0
    bridges: dict[int, Bridge] = field(default_factory=dict)
    active_bridge: int | None = None
    last_bridge: int = 0
    last_participant: int = VISITOR
    transfer: PendingTransfer | None = None
    with_video: set[Side] = field(default_factory=set)
    sharing: set[Side] = field(default_factory=set)
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

    @property
    def open_bridges(self) -> list[BridgeId]:
        """The bridges that a media worker must not close."""
        return [bridge.id for bridge in self.bridges.values() if bridge.is_open]

    def participant_of_page(self, socket_id: str) -> Participant | None:
        return next((p for p in self.participants.values() if p.socket_id == socket_id), None)

    def participant_of_agent(self, agent_id: int) -> Participant | None:
        return next((p for p in self.participants.values() if p.agent_id == agent_id), None)

    def snapshot(self) -> bytes:
        """Return everything that `restore` requires, as MessagePack."""
        return msgspec.msgpack.encode(self)
