"""The call's rules, in simulated time and with a media worker that only takes notes."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from visavis.domain import signaling
from visavis.domain.call import RING_SECONDS
from visavis.domain.config import Config
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import Candidate, Link, LocalTransport, RemoteTransport, Side
from visavis.domain.people import Agent, Visitor
from visavis.domain.recording import Manifest
from visavis.services.calls import Calls
from visavis.services.presence import Desk
from visavis.store import open_store
from visavis.store.sql import SqlStore

pytestmark = pytest.mark.anyio

DATA = Path(__file__).resolve().parents[1] / "rtp" / "data"
OFFER = (DATA / "chromium-offer.sdp").read_bytes().decode()
ANSWER = (DATA / "chromium-answer.sdp").read_bytes().decode()
NOW = datetime(2026, 1, 1, tzinfo=UTC)
OURS = LocalTransport(
    "ufra", "p" * 24, "sha-256 " + ":".join(["AB"] * 32), (Candidate("192.0.2.1", 1),)
)


class Notebook:
    """Stands for the media worker: what it was asked, in order, and what it refuses."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.refuses: dict[str, ErrorKind] = {}

    def _note(self, what: str) -> None:
        self.asked.append(what)
        if kind := self.refuses.get(what):
            raise VisavisError(kind)

    async def tap(self, link: Link, manifest: Manifest) -> None:
        self._note("tap")

    async def note(self, link: Link, note: Mapping[str, Any]) -> None:
        self._note(f"note {note['type']}")

    async def pause(self, link: Link, *, paused: bool) -> None:
        self._note(f"pause {paused}")

    async def open_leg(self, link: Link, side: Side) -> LocalTransport:
        self._note(f"open {side}")
        return OURS

    async def set_remote(self, link: Link, side: Side, remote: RemoteTransport) -> LocalTransport:
        self._note(f"remote {side}")
        return OURS

    async def join(self, link: Link) -> None:
        self._note("join")

    async def close(self, link: Link) -> None:
        self._note("close")


@dataclass
class Alarm:
    at: float
    ring: Callable[[], None]
    is_cancelled: bool = False

    def cancel(self) -> None:
        self.is_cancelled = True


@dataclass
class House:
    """Calls, their surroundings, and what every page has been told."""

    store: SqlStore
    config: Config = field(default_factory=lambda: Config(1, is_enabled=True, is_recording=True))
    media: Notebook = field(default_factory=Notebook)
    told: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    alarms: list[Alarm] = field(default_factory=list)
    time: float = 0.0

    def __post_init__(self) -> None:
        ids = itertools.count()
        self.calls = Calls(
            config_of=self._config_of,
            store=self.store,
            bus=self,  # type: ignore[arg-type]  # only publishes
            media=self.media,
            clock=lambda: NOW,
            schedule=self._schedule,
            new_id=lambda: f"id{next(ids)}",
            node_id="node",
        )

    async def _config_of(self, site_id: int) -> Config:
        return self.config

    def publish(self, topic: str, message: bytes) -> None:
        self.told.setdefault(topic.removeprefix("socket."), []).append(msgspec.json.decode(message))

    def _schedule(self, seconds: float, ring: Callable[[], None]) -> Alarm:
        self.alarms.append(Alarm(self.time + seconds, ring))
        return self.alarms[-1]

    def pass_time(self, seconds: float) -> None:
        self.time += seconds
        for alarm in self.alarms:
            if alarm.at <= self.time and not alarm.is_cancelled:
                alarm.cancel()
                alarm.ring()

    def heard(self, socket_id: str) -> list[str]:
        return [message["type"] for message in self.told.get(socket_id, [])]

    def last(self, socket_id: str) -> dict[str, Any]:
        return self.told[socket_id][-1]

    async def ring(self, visitor_id: str = "v") -> str:
        visitor = Visitor(visitor_id, 1)
        await self.calls.call(visitor, signaling.Call("video", OFFER, "Ann", "a@example.com"))
        calling = next(m for m in self.told[visitor_id] if m["type"] == "calling")
        return str(calling["callId"])

    async def states(self) -> list[tuple[str, str | None]]:
        await self.calls.shut_down()
        with self.store._database.engine.connect() as connection:
            rows = connection.exec_driver_sql("SELECT state, reason FROM calls ORDER BY id")
            return [(row[0], row[1]) for row in rows]


def desk(socket_id: str, agent_id: int = 1, site_id: int = 1) -> Desk:
    agent = Agent(agent_id, site_id, f"{agent_id}@example.com", "Bo", is_administrator=True)
    return Desk(socket_id, agent)


@pytest.fixture
async def house(tmp_path: Path, anyio_backend: str) -> AsyncIterator[House]:
    store = open_store(str(tmp_path / "visavis.db"))
    for _ in range(2):
        await store.write(lambda rows: rows.sites.add("Site", NOW))
    for number in (1, 2):
        await store.write(
            lambda rows, n=number: rows.agents.add(  # type: ignore[misc]
                1, f"{n}@example.com", "Bo", "-", is_administrator=True
            )
        )
    yield House(store)
    store.close()


async def test_a_recorded_call_in_its_order(house: House) -> None:
    house.calls.agent_arrived(desk("a"))
    call_id = await house.ring()
    assert house.last("a")["type"] == "ring"
    await house.calls.accept(desk("a"), call_id)
    await house.calls.answer(desk("a"), signaling.Answer(call_id, 1, ANSWER))
    for side in Side:
        await house.calls.leg_up(Link(call_id, 1), side)
    assert house.last("v")["state"] == "connected"
    house.calls.hang_up(Side.VISITOR, 1, "v", call_id)

    assert house.last("a") == {
        "type": "ended",
        "callId": call_id,
        "reason": "hungUp",
        "by": "visitor",
    }
    assert await house.states() == [("ended", "hungUp")]
    assert house.media.asked == [
        "tap",
        "open visitor",
        "open agent",
        "remote visitor",
        "remote agent",
        "note descriptions",
        "join",
        "note event",
        "close",
    ]


async def test_the_first_agent_to_accept_has_it(house: House) -> None:
    first, second = desk("a", 1), desk("b", 2)
    house.calls.agent_arrived(first)
    house.calls.agent_arrived(second)
    call_id = await house.ring()
    await house.calls.accept(second, call_id)
    assert house.last("a")["type"] == "ringStopped"
    with pytest.raises(VisavisError) as caught:
        await house.calls.accept(first, call_id)
    assert caught.value.kind is ErrorKind.CallNotPossible


async def test_disabled_means_refused(house: House) -> None:
    house.config = Config(1)
    with pytest.raises(VisavisError) as caught:
        await house.ring()
    assert caught.value.kind is ErrorKind.AudioVideoChatDisabled


async def test_nobody_there_nobody_answers_everybody_declines(house: House) -> None:
    await house.ring("v1")
    assert house.last("v1")["reason"] == "missed"

    house.calls.agent_arrived(desk("a"))
    await house.ring("v2")
    house.pass_time(RING_SECONDS)
    assert house.last("v2")["reason"] == "missed"
    assert house.last("a") == {"type": "ringStopped", "callId": "id2", "reason": "missed"}

    house.calls.decline(desk("a"), await house.ring("v3"))
    assert house.last("v3")["reason"] == "declined"


async def test_an_agent_who_comes_late_hears_it_ring(house: House) -> None:
    house.calls.agent_arrived(desk("a"))
    await house.ring()
    house.calls.agent_arrived(desk("b", 2))
    assert house.heard("b") == ["ring"]


async def test_one_call_per_agent(house: House) -> None:
    house.calls.agent_arrived(desk("a"))
    first, second = await house.ring("v1"), await house.ring("v2")
    await house.calls.accept(desk("a"), first)
    assert house.last("a")["type"] in {"offer", "callState"}
    assert {"type": "ringStopped", "callId": second, "reason": "busy"} in house.told["a"]
    with pytest.raises(VisavisError):
        await house.calls.accept(desk("a"), second)
    house.calls.hang_up(Side.AGENT, 1, "a", first)
    assert house.last("a")["callId"] == second  # rings again


async def test_what_cannot_be_recorded_does_not_start(house: House) -> None:
    house.media.refuses["tap"] = ErrorKind.RecordingUnavailable
    house.calls.agent_arrived(desk("a"))
    await house.calls.accept(desk("a"), await house.ring())
    assert house.last("v")["reason"] == "recordingUnavailable"
    assert "open visitor" not in house.media.asked


async def test_a_lost_worker_ends_what_it_carried_and_nothing_else(house: House) -> None:
    house.calls.agent_arrived(desk("a", 1))
    house.calls.agent_arrived(desk("b", 2))
    taken, _ = await house.ring("v1"), await house.ring("v2")
    await house.calls.accept(desk("a"), taken)
    await house.calls.worker_lost([Link(taken, 1)])
    assert house.last("v1")["reason"] == "failed"
    assert house.last("v2")["type"] == "callState"


async def test_leaving_pages(house: House) -> None:
    house.calls.agent_arrived(desk("a"))
    await house.ring("v1")
    house.calls.visitor_left(Visitor("v1", 1))
    assert house.last("a")["reason"] == "abandoned"
    await house.ring("v2")
    house.calls.agent_left(desk("a"))
    assert house.last("v2")["reason"] == "missed"


async def test_another_site_s_call_and_another_s_call_are_out_of_reach(house: House) -> None:
    house.calls.agent_arrived(desk("a"))
    call_id = await house.ring()
    stranger = desk("x", 9, site_id=2)
    with pytest.raises(VisavisError) as caught:
        await house.calls.accept(stranger, call_id)
    assert caught.value.kind is ErrorKind.EntityNotFound
    with pytest.raises(VisavisError) as caught:
        house.calls.hang_up(Side.VISITOR, 1, "other", call_id)
    assert caught.value.kind is ErrorKind.PermissionDenied
    assert house.heard("x") == []


async def test_what_a_visitor_says_of_themselves_is_made_printable(house: House) -> None:
    house.calls.agent_arrived(desk("a"))
    visitor = Visitor("v", 1)
    message = signaling.Call("video", OFFER, "An\0n\n", "a\ud800@example.com")
    await house.calls.call(visitor, message)
    said = str(house.told["a"])
    assert "'Ann'" in said
