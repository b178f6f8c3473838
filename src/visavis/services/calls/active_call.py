"""An active call: its participants, its bridges and its recording."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, Protocol

from visavis.domain.call import CallRecord, CallState
from visavis.domain.leg import BridgeId, LocalTransport, RemoteTransport, Side
from visavis.domain.people import Agent
from visavis.domain.policy import RecordingPolicy
from visavis.domain.recording import Manifest
from visavis.domain.vocabulary import Party
from visavis.protocol import signaling
from visavis.rtp.sdp import read_transport, restrict_codecs
from visavis.services.presence import AgentSession

MAX_HELD_LINES: Final = 200
MAX_TRANSCRIPT: Final = 100_000
"""Characters of the lines that one `Transcript` repeats."""
_UNTAKEN: Final = frozenset({CallState.REQUESTED, CallState.QUEUED, CallState.RINGING})


class Timer(Protocol):
    def cancel(self) -> None: ...


@dataclass(slots=True, eq=False)
class Participant:
    """A participant of a call. Its page may disconnect, and reconnect on another socket.

    `quality_sent_at` is when the page was last sent its connection's quality, `disconnected_at`
    when it disconnected.
    """

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


@dataclass(frozen=True, slots=True)
class Description:
    """A browser's own words (SDP) of one bridge, and which m-section has its screen.

    `passed_on` is as much of them as the other page is to read, `transport` what we read.
    """

    sdp: str
    screen_mid: str
    passed_on: str
    transport: RemoteTransport


def read_offer(sdp: str, screen_mid: str = "") -> Description:
    """Raises `ParameterInvalid`, also when nothing that it offers could be recorded."""
    restricted = restrict_codecs(sdp)
    return Description(sdp, screen_mid, restricted, read_transport(restricted))


def read_answer(sdp: str, screen_mid: str) -> Description:
    """Raises `ParameterInvalid`."""
    return Description(sdp, screen_mid, sdp, read_transport(sdp))


@dataclass(slots=True, eq=False)
class Bridge:
    """The media session of two joined legs, from the moment it is requested.

    `offered` holds the offers that have no answer yet, `described` the two descriptions that the
    last answer made valid. `is_open` says that a media worker may know of it, `is_relayed` that
    the agent's page has the visitor's first offer.
    """

    id: BridgeId
    participants: dict[Side, Participant]
    offered: dict[Side, Description] = field(default_factory=dict)
    described: dict[Side, Description] = field(default_factory=dict)
    transports: dict[Side, LocalTransport] = field(default_factory=dict)
    remotes: dict[Side, RemoteTransport] = field(default_factory=dict)
    up: set[Side] = field(default_factory=set)
    is_open: bool = False
    is_relayed: bool = False
    is_joined: bool = False

    @property
    def number(self) -> int:
        return self.id.number

    @property
    def is_flowing(self) -> bool:
        return self.is_joined and len(self.up) == len(Side)


@dataclass(slots=True, eq=False)
class PendingTransfer:
    """A transfer in progress: another agent is rung and then, as `participant`, connected."""

    agent_id: int
    ringing_at: dict[str, AgentSession]
    participant: Participant | None = None
    note: str = ""


@dataclass(slots=True, eq=False)
class CallRecording:
    """State of a call's recording: since when it is in it, and who changed it.

    `is_listed` says that the recording is in the database.
    """

    since: datetime
    state: Literal["off", "on", "paused"] = "off"
    by: Party = "system"
    manifest: Manifest | None = None
    is_listed: bool = False


@dataclass(slots=True, eq=False)
class Chat:
    """The text beside the call; the latest lines are held for pages that missed them."""

    count: int = 0
    latest: deque[signaling.TextLine] = field(default_factory=lambda: deque(maxlen=MAX_HELD_LINES))

    def add(self, line: signaling.TextLine) -> None:
        self.count += 1
        self.latest.append(line)

    def find(self, by: Party, line_id: str) -> signaling.TextLine | None:
        """Return a line that was sent under this name before."""
        named = (line for line in self.latest if line_id and (line.by, line.id) == (by, line_id))
        return next(named, None)

    def recent(self) -> list[signaling.TextLine]:
        """Return the latest lines, oldest first, as many as fit into one message."""
        room, lines = MAX_TRANSCRIPT, list[signaling.TextLine]()
        for line in reversed(self.latest):
            room -= len(line.text)
            if room < 0:
                break
            lines.append(line)
        return lines[::-1]


@dataclass(slots=True, eq=False)
class ActiveCall:
    """A call in progress: its record, and what only matters while it lasts.

    `desk_of` is the agent who alone may have it, by a join address. Calls of a lower `rank` are
    served first. `lock` keeps in order what the call asks of the media worker.
    """

    record: CallRecord
    visitor: Participant
    secret: str
    policy: RecordingPolicy
    recording: CallRecording
    agent: Participant | None = None
    chat: Chat = field(default_factory=Chat)
    rank: int = 0
    reserved_for: Agent | None = None
    ringing_at: dict[str, AgentSession] = field(default_factory=dict)
    declined: set[int] = field(default_factory=set)
    place: int = 0
    bridges: dict[int, Bridge] = field(default_factory=dict)
    active_bridge: Bridge | None = None
    last_bridge_number: int = 0
    transfer: PendingTransfer | None = None
    with_video: set[Side] = field(default_factory=set)
    sharing: set[Side] = field(default_factory=set)
    timers: dict[str, Timer] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

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
        return self.record.state in _UNTAKEN and bool(self.bridges)

    def participants(self) -> list[Participant]:
        second = self.transfer.participant if self.transfer else None
        return [participant for participant in (self.visitor, self.agent, second) if participant]

    def participant_of_agent(self, agent_id: int) -> Participant | None:
        return next(
            (
                participant
                for participant in self.participants()
                if participant.agent_id == agent_id
            ),
            None,
        )

    def add_bridge(self) -> Bridge:
        """Add the next bridge, of the visitor and the agent who has the call or is to get it."""
        self.last_bridge_number += 1
        participants = {participant.side: participant for participant in self.participants()}
        bridge = self.bridges[self.last_bridge_number] = Bridge(
            BridgeId(self.id, self.last_bridge_number), participants
        )
        return bridge

    def transcript(self) -> signaling.Transcript:
        return signaling.Transcript(call_id=self.id, lines=self.chat.recent())

    def state_message(self, state: str, at: datetime) -> signaling.CallStateChanged:
        """Return the message that tells a page the state of the call."""
        record = self.record
        return signaling.CallStateChanged(
            call_id=self.id,
            state=state,
            at=at,
            link=self.active_bridge.number
            if self.active_bridge
            else max(1, self.last_bridge_number),
            agent_name=record.agent.name if record.agent else "",
            visitor_name=record.visitor.name,
        )
