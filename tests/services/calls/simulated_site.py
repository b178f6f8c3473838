"""A site in simulated time: its calls, a fake media plane, and the messages to every page."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from tests.legs import LEGS
from visavis.domain.call_events import CallReport
from visavis.domain.call_history import PastCall
from visavis.domain.call_timings import CallTimings
from visavis.domain.config import Config
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import (
    AGENT_LEG,
    VISITOR_LEG,
    BridgeId,
    BridgeStatus,
    Candidate,
    LocalTransport,
    RemoteTransport,
)
from visavis.domain.ownership import SiteTerm
from visavis.domain.people import Agent, Visitor
from visavis.domain.policy import RecordingPolicy
from visavis.domain.recording import Manifest
from visavis.domain.site_settings import SiteSettings
from visavis.protocol import signaling
from visavis.protocol.signaling import Message
from visavis.protocol.wire import encode
from visavis.services.calls import Calls
from visavis.services.ports import Transaction
from visavis.services.presence import AgentSession
from visavis.store.sql import SqlStore

LEG_NAMES = {VISITOR_LEG: "visitor", AGENT_LEG: "agent"}
DATA = Path(__file__).resolve().parents[2] / "rtp" / "data"
OFFER = (DATA / "chromium-offer.sdp").read_bytes().decode()
ANSWER = (DATA / "chromium-answer.sdp").read_bytes().decode()
NOW = datetime(2026, 1, 1, tzinfo=UTC)

TIMINGS = CallTimings()
RING_SECONDS = TIMINGS.ring
QUEUE_SECONDS = TIMINGS.queue
CONNECT_SECONDS = TIMINGS.connect
RESUME_SECONDS = TIMINGS.resume
JOIN_SECONDS = TIMINGS.join


def without_video(sdp: str) -> str:
    return sdp[: sdp.index("m=video")].replace("a=group:BUNDLE 0 1", "a=group:BUNDLE 0")


def with_screen(sdp: str) -> str:
    """The description with another video section, whose mid is 2."""
    screen = sdp[sdp.index("m=video") :].replace("a=mid:1", "a=mid:2")
    return sdp.replace("a=group:BUNDLE 0 1", "a=group:BUNDLE 0 1 2") + screen


WORKER = "media/media-0"


class FakeMediaPlane:
    """Simulates the media workers: records the requests in order, and refuses some of them."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.open_bridges: set[BridgeId] = set()
        self.notes: list[Mapping[str, Any]] = []
        self.manifests: list[Manifest] = []
        self.journal_node = "node"
        self.refuses: dict[str, ErrorKind] = {}
        self.restarts = ""
        self.is_shared = False
        self.carried: list[BridgeStatus] = []
        """Bridges of another app process."""
        self.on_claim: Callable[[], Awaitable[None]] | None = None
        self.on_close: Callable[[BridgeId], Awaitable[None]] | None = None

    def _record(self, what: str) -> None:
        self.asked.append(what)
        kind = self.refuses.get(what) or self.refuses.get(what.split()[0])
        if kind:
            raise VisavisError(kind)

    async def claim(
        self, bridges: Mapping[BridgeId, str], term: SiteTerm
    ) -> Collection[BridgeStatus]:
        if self.on_claim:
            await self.on_claim()
        return [one for one in self.carried if bridges.get(one.bridge) == WORKER]

    async def tap(self, bridge: BridgeId, manifest: Manifest) -> str:
        self.manifests.append(manifest)
        self._record(f"tap {bridge.number}")
        return self.journal_node

    async def note(self, bridge: BridgeId, note: Mapping[str, Any]) -> None:
        self.notes.append(note)
        self._record(f"note {bridge.number} {note['type']}")

    async def open_leg(self, bridge: BridgeId, leg: int) -> LocalTransport:
        self._record(f"open {bridge.number} {LEG_NAMES[leg]}")
        self.open_bridges.add(bridge)
        return self._transport(bridge, leg)

    def _transport(self, bridge: BridgeId, leg: int, mark: str = "") -> LocalTransport:
        candidates = (Candidate("192.0.2.1", bridge.number),)
        fingerprint = "sha-256 " + ":".join(["AB"] * 32)
        return LocalTransport(
            f"{LEG_NAMES[leg][:3]}{bridge.number}{mark}",
            "p" * 24,
            fingerprint,
            candidates,
            WORKER,
        )

    async def set_remote(
        self, bridge: BridgeId, leg: int, remote: RemoteTransport
    ) -> LocalTransport:
        self._record(f"remote {bridge.number} {LEG_NAMES[leg]}")
        return self._transport(bridge, leg, self.restarts)

    async def join(self, bridge: BridgeId) -> None:
        self._record(f"join {bridge.number}")

    async def pause(self, bridge: BridgeId, *, paused: bool) -> None:
        self._record(f"{'pause' if paused else 'resume'} {bridge.number}")

    async def close(self, bridge: BridgeId) -> None:
        if self.on_close:
            await self.on_close(bridge)
        self._record(f"close {bridge.number}")
        self.open_bridges.discard(bridge)


@dataclass
class FakeTimer:
    at: float
    ring: Callable[[], None]
    is_cancelled: bool = False

    def cancel(self) -> None:
        self.is_cancelled = True


@dataclass
class SimulatedSite:
    """Simulates a site around the real `Calls`; `told` holds the messages of each topic."""

    store: SqlStore
    config: Config = field(default_factory=lambda: Config(1, is_enabled=True))
    policy: RecordingPolicy = field(default_factory=lambda: RecordingPolicy(1))
    media: FakeMediaPlane = field(default_factory=FakeMediaPlane)
    told: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    alarms: list[FakeTimer] = field(default_factory=list)
    time: float = 0.0
    is_staffed: bool = True
    announced: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ids, self.boots = itertools.count(), itertools.count()
        self.calls = self._new_calls()
        if self.is_staffed:  # the last agent has just left
            self.calls.site(1).is_staffed = True

    def _new_calls(self) -> Calls:
        return Calls(
            settings_of=self._settings_of,
            store=self.store,
            bus=self,  # type: ignore[arg-type]  # only publishes
            media=self.media,
            clock=lambda: NOW + timedelta(seconds=self.time),
            schedule=self._schedule,
            new_id=lambda: f"id{next(self.ids)}",
            node_id="node",
            boot=f"boot{next(self.boots)}",
            announce=self._announce,
        )

    async def restart(
        self, away_seconds: float = 2.0, lost: Collection[BridgeId] = (), **changes: Any
    ) -> None:
        """Kill the app after its last write, and start the next process.

        Media workers have kept the bridges as they were, except for the `lost` bridges and for the
        `changes` of their statuses.
        """
        await self.calls.call_log.flush()
        calls = [call for site in self.calls._sites.values() for call in site.calls.values()]
        statuses = [
            replace(
                BridgeStatus(
                    bridge.id,
                    frozenset(bridge.up),
                    has_journal=bridge.has_journal,
                    is_paused=bridge.is_journal_paused,
                ),
                **changes,
            )
            for call in calls
            for bridge in call.bridges.values()
            if bridge.is_open and bridge.id not in lost
        ]
        self.alarms.clear()
        self.time += away_seconds
        self.calls = self._new_calls()
        await self.calls.restore()
        await self.calls.media_events.bridges_found(statuses)
        self.calls.resume([status.bridge for status in statuses])
        await self.wait_idle()

    async def _settings_of(self, site_id: int) -> SiteSettings:
        return self.settings

    @property
    def settings(self) -> SiteSettings:
        return SiteSettings(self.config, self.policy)

    async def _announce(self, site_id: int) -> None:
        self.announced.append(self.calls.is_staffed(site_id))

    def publish(self, topic: str, message: Message) -> None:
        decoded = msgspec.json.decode(encode(message))
        self.told.setdefault(topic.removeprefix("socket."), []).append(decoded)

    def _schedule(self, seconds: float, ring: Callable[[], None]) -> FakeTimer:
        self.alarms.append(FakeTimer(self.time + seconds, ring))
        return self.alarms[-1]

    async def pass_time(self, seconds: float) -> None:
        """Fire the timers that are due, in order, and run the work that they start."""
        until = self.time + seconds
        while due := [a for a in self.alarms if not a.is_cancelled and a.at <= until]:
            alarm = min(due, key=lambda a: a.at)
            self.time = max(self.time, alarm.at)
            alarm.cancel()
            alarm.ring()
            await self.wait_idle()
        self.time = until

    async def wait_idle(self) -> None:
        await self.calls.wait_idle()

    # Messages to the pages

    def heard(self, socket_id: str, *, but: tuple[str, ...] = ()) -> list[str]:
        """Return the types of a page's messages, without the feed that all consoles receive."""
        news = {"team", "queue", "visitors", "pastCalls", *but}
        types = [message["type"] for message in self.told.get(socket_id, [])]
        return [name for name in types if name not in news]

    def last(self, socket_id: str, kind: str = "") -> dict[str, Any]:
        messages = self.told.get(socket_id, [])
        return next(m for m in reversed(messages) if kind in {"", m["type"]})

    def forget(self) -> None:
        self.told.clear()
        self.media.asked.clear()

    # Actions of the pages

    async def visitor(self, message: signaling.FromVisitor, socket_id: str = "v") -> None:
        await self.calls.from_visitor(Visitor(socket_id, 1), message)
        await self.wait_idle()

    async def agent(self, message: signaling.FromAgent, at: AgentSession | None = None) -> None:
        await self.calls.from_agent(at or agent_session("a"), message)
        await self.wait_idle()

    async def ring(self, socket_id: str = "v", **options: Any) -> str:
        """Place a visitor's call; return its id."""
        call = signaling.PlaceCall("video", OFFER, "Ann", "a@example.com", **options)
        await self.visitor(call, socket_id)
        return str(self.last(socket_id, "calling")["callId"])

    async def answer(self, call_id: str, at: AgentSession | None = None, bridge: int = 1) -> None:
        await self.agent(signaling.Answer(call_id, bridge, ANSWER), at)

    async def up(self, call_id: str, bridge: int = 1) -> None:
        for leg in LEGS:
            await self.calls.media_events.leg_up(BridgeId(call_id, bridge), leg)
        await self.wait_idle()

    async def connect(
        self, socket_id: str = "v", at: AgentSession | None = None, **options: Any
    ) -> str:
        """Connect a visitor and an agent in a call; return its id."""
        at = at or agent_session("a")
        self.calls.agent_arrived(at)
        call_id = await self.ring(socket_id, **options)
        await self.agent(signaling.Accept(call_id), at)
        await self.answer(call_id, at)
        await self.up(call_id)
        return call_id

    # Content of the database

    async def past(self, call_id: str) -> PastCall:
        await self.calls.call_log.flush()
        found = await self.store.read(lambda rows: rows.calls.get(1, call_id))
        assert found
        return found

    async def state(self, call_id: str) -> tuple[str, str | None]:
        found = await self.past(call_id)
        return found.state, found.reason

    async def report(self, call_id: str) -> CallReport:
        await self.calls.call_log.flush()
        report = await self.store.read(lambda rows: rows.calls.report(1, call_id))
        assert report
        return report

    async def events(self, call_id: str) -> list[str]:
        return [event.name for event in (await self.report(call_id)).events]


def agent_session(
    socket_id: str, agent_id: int = 1, site_id: int = 1, call_id: str = ""
) -> AgentSession:
    names = {1: "Bo", 2: "Cy"}
    agent = Agent(
        agent_id,
        site_id,
        f"{agent_id}@example.com",
        names.get(agent_id, "Di"),
        is_administrator=True,
    )
    return AgentSession(socket_id, agent, call_id)


def create_sites(rows: Transaction) -> None:
    rows.nodes.save("node", "", NOW)
    for _ in range(2):
        rows.sites.add("Site", NOW)
    for number, name in ((1, "Bo"), (2, "Cy")):
        rows.agents.add(1, f"{number}@example.com", name, "-", is_administrator=True)


async def refused(doing: Any) -> ErrorKind:
    """Return the kind of error that the awaitable raises."""
    try:
        await doing
    except VisavisError as error:
        return error.kind
    raise AssertionError("was not refused")
