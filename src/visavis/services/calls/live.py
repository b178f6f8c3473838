"""A call while it lasts: its seats, its links, and what rings for it."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, Protocol

from visavis.domain import signaling
from visavis.domain.call import CallRecord, State
from visavis.domain.leg import Link, LocalTransport, RemoteTransport, Side
from visavis.domain.people import Agent
from visavis.domain.policy import RecordingPolicy
from visavis.domain.recording import Manifest
from visavis.domain.signaling import Party
from visavis.rtp.sdp import read_transport, restrict_codecs
from visavis.services.presence import Desk

MAX_HELD_LINES: Final = 200
MAX_TRANSCRIPT: Final = 100_000
"""Characters of the lines that one `Transcript` repeats."""
_UNTAKEN: Final = frozenset({State.REQUESTED, State.QUEUED, State.RINGING})


class Timer(Protocol):
    def cancel(self) -> None: ...


@dataclass(slots=True, eq=False)
class Seat:
    """A party's place in a call. Its page may go, and come back on another socket.

    `told_at` is when the page last heard how good its connection is, `left_at` when it went.
    """

    side: Side
    socket_id: str
    agent: Agent | None = None
    is_open: bool = True
    told_at: datetime | None = None
    left_at: datetime | None = None

    @property
    def agent_id(self) -> int:
        return self.agent.id if self.agent else 0

    @property
    def agent_name(self) -> str:
        return self.agent.name if self.agent else ""


@dataclass(frozen=True, slots=True)
class Description:
    """A browser's own words (SDP) of one link, and which m-section has its screen.

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
class LiveLink:
    """A link from the moment it is asked for.

    `offered` holds the offers that nobody has answered, `described` the two descriptions that the
    last answer made valid. `is_open` says that a media worker may know of it, `is_relayed` that
    the agent's page has the visitor's first offer.
    """

    link: Link
    seats: dict[Side, Seat]
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
        return self.link.number

    @property
    def flows(self) -> bool:
        return self.is_joined and len(self.up) == len(Side)


@dataclass(slots=True, eq=False)
class Transfer:
    """Another agent is rung for a call, and then, with a `seat`, linked to its visitor."""

    agent_id: int
    rung: dict[str, Desk]
    seat: Seat | None = None
    note: str = ""


@dataclass(slots=True, eq=False)
class Tape:
    """Whether the call is being recorded, since when, and who had it so.

    `is_listed` says that the database knows of the recording.
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
class LiveCall:
    """A call in progress: its record, and what only matters while it lasts.

    `desk_of` is the agent who alone may have it, by a join address. Calls of a lower `rank` are
    served first. `lock` keeps in order what the call asks of the media worker.
    """

    record: CallRecord
    visitor: Seat
    secret: str
    policy: RecordingPolicy
    tape: Tape
    agent: Seat | None = None
    chat: Chat = field(default_factory=Chat)
    rank: int = 0
    desk_of: Agent | None = None
    rung: dict[str, Desk] = field(default_factory=dict)
    declined: set[int] = field(default_factory=set)
    place: int = 0
    links: dict[int, LiveLink] = field(default_factory=dict)
    present: LiveLink | None = None
    newest: int = 0
    transfer: Transfer | None = None
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
        """Whether a visitor waits for somebody to take it."""
        return self.record.state in _UNTAKEN and bool(self.links)

    def seats(self) -> list[Seat]:
        second = self.transfer.seat if self.transfer else None
        return [seat for seat in (self.visitor, self.agent, second) if seat]

    def seat_of_agent(self, agent_id: int) -> Seat | None:
        return next((seat for seat in self.seats() if seat.agent_id == agent_id), None)

    def add_link(self) -> LiveLink:
        """The next link: of the visitor, and of the agent who has the call or is to have it."""
        self.newest += 1
        seats = {seat.side: seat for seat in self.seats()}
        link = self.links[self.newest] = LiveLink(Link(self.id, self.newest), seats)
        return link

    def transcript(self) -> signaling.Transcript:
        return signaling.Transcript(call_id=self.id, lines=self.chat.recent())

    def state(self, state: str, at: datetime) -> signaling.CallState:
        """What a page is told of where the call stands."""
        record = self.record
        return signaling.CallState(
            call_id=self.id,
            state=state,
            at=at,
            link=self.present.number if self.present else max(1, self.newest),
            agent_name=record.agent.name if record.agent else "",
            visitor_name=record.visitor.name,
        )
