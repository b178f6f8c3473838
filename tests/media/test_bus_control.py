"""Control channels over a bus that loses, delays and repeats messages."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from tests.running import until
from visavis.bus.local import LocalBus
from visavis.domain.leg import BridgeId
from visavis.media import bus_control
from visavis.media.bus_control import BusChannel, BusControl, BusSession, BusTransport
from visavis.media.control_channel import FromWorker
from visavis.media.control_protocol import (
    Close,
    Done,
    LegQualityReport,
    LegUp,
    PingWorker,
    Request,
)
from visavis.media.controllers import Controller
from visavis.rtp.mos import LegReport
from visavis.services.ports import AskTimeoutError
from visavis.tasks import cancelled, run_forever

pytestmark = pytest.mark.anyio

BRIDGE = BridgeId("call", 1)


class UnreliableBus(LocalBus):
    """Loses requests and responses with this probability; requests may also arrive twice."""

    def __init__(self, loss: float = 0.0, seed: int = 1) -> None:
        super().__init__()
        self.loss = loss
        self.is_cut = False
        self._random = random.Random(seed)

    def _loses(self) -> bool:
        return self.is_cut or self._random.random() < self.loss

    async def ask(self, topic: str, message: bytes, seconds: float) -> bytes:
        if self._loses():
            await asyncio.sleep(0.01)
            raise AskTimeoutError(topic)
        if self._random.random() < self.loss:
            await super().ask(topic, message, seconds)
        response = await super().ask(topic, message, seconds)
        if self._loses():
            raise AskTimeoutError(topic)
        return response


class RecordingWorker:
    """Answers every request after a moment, and keeps all of them in order."""

    def __init__(self) -> None:
        self.controllers: dict[str, Controller] = {}
        self.handled: list[Request] = []

    def attach(self, name: str, controller: Controller) -> None:
        if former := self.controllers.get(name):
            former.close()
        self.controllers[name] = controller

    def handle(self, name: str, controller: Controller, request: Request) -> None:
        self.handled.append(request)
        controller.send(Done(request.request_id))


class Harness:
    def __init__(self, bus: UnreliableBus) -> None:
        self.bus = bus
        self.worker = RecordingWorker()
        self.is_bus_connected = True
        self._sessions = 0
        self._control: asyncio.Task[None] | None = None
        self._channels: list[BusChannel] = []

    def start_worker(self) -> None:
        control = BusControl(self.worker)
        self._control = run_forever("control", lambda: control.run(self.bus, "node-0"))

    async def kill_worker(self) -> None:
        if self._control:
            await cancelled(self._control)

    def _new_id(self) -> str:
        self._sessions += 1
        return str(self._sessions)

    async def connect(self, app: str = "app") -> BusChannel:
        transport = BusTransport(
            bus=self.bus,
            worker="node-0",
            app=app,
            new_id=self._new_id,
            is_connected=lambda: self.is_bus_connected,
        )
        while True:
            try:
                channel = await transport.connect()
            except OSError:
                await asyncio.sleep(0.01)
                continue
            assert isinstance(channel, BusChannel)
            self._channels.append(channel)
            return channel

    async def close(self) -> None:
        for channel in self._channels:
            channel.close()
        await self.kill_worker()


@asynccontextmanager
async def harness(bus: UnreliableBus | None = None) -> AsyncIterator[Harness]:
    running = Harness(bus or UnreliableBus())
    running.start_worker()
    try:
        yield running
    finally:
        await running.close()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus_control, "SILENCE_SECONDS", 0.8)
    monkeypatch.setattr(bus_control, "RETRY_SECONDS", 0.01)


@pytest.mark.parametrize("seed", range(5))
async def test_each_request_is_performed_once_and_in_order(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_control, "SILENCE_SECONDS", 60.0)
    async with harness(UnreliableBus(0.3, seed)) as running:
        channel = await running.connect()
        told: list[FromWorker] = []
        for number in range(1, 201):
            channel.send(PingWorker(number))
            if number % 7 == 0:
                await asyncio.sleep(0.001)
            if number % 50 == 0:
                for event in range(3):
                    running.worker.controllers["app"].send(LegUp(BRIDGE, event))
        while len(told) < 212:
            told.append(await channel.receive())
        assert running.worker.handled == [PingWorker(number) for number in range(1, 201)]
        replies = [frame.request_id for frame in told if isinstance(frame, Done)]
        assert replies == list(range(1, 201))
        assert [one.leg for one in told if isinstance(one, LegUp)] == [0, 1, 2] * 4


async def test_an_event_does_not_wait_for_the_next_exchange() -> None:
    async with harness() as running:
        channel = await running.connect()
        await until(lambda: len(channel._exchanges) == 1)
        for number in range(3):
            running.worker.controllers["app"].send(LegUp(BRIDGE, number))
            assert await channel.receive() == LegUp(BRIDGE, number)


async def test_a_worker_that_is_not_heard_has_died() -> None:
    async with harness() as running:
        channel = await running.connect()
        running.bus.is_cut = True
        with pytest.raises(ConnectionError):
            await channel.receive()


async def test_the_silence_of_our_own_bus_does_not_count() -> None:
    async with harness() as running:
        channel = await running.connect()
        running.bus.is_cut, running.is_bus_connected = True, False
        await asyncio.sleep(2 * bus_control.SILENCE_SECONDS)
        channel.send(PingWorker(1))
        running.bus.is_cut, running.is_bus_connected = False, True
        assert await channel.receive() == Done(1)


async def test_a_frozen_app_does_not_take_its_workers_for_dead() -> None:
    async with harness() as running:
        channel = await running.connect()
        loop = asyncio.get_running_loop()
        real, added = loop.time, 0.0
        loop.time = lambda: real() + added  # type: ignore[method-assign]
        try:
            added = 3_600.0
            channel.send(PingWorker(1))
            assert await channel.receive() == Done(1)
        finally:
            loop.time = real  # type: ignore[method-assign]


async def test_the_next_process_of_a_worker_does_not_know_the_session() -> None:
    async with harness() as running:
        channel = await running.connect()
        channel.send(PingWorker(1))
        await channel.receive()
        await running.kill_worker()
        running.start_worker()
        with pytest.raises(ConnectionError):
            await channel.receive()
        successor = await running.connect()
        successor.send(PingWorker(2))
        assert await successor.receive() == Done(2)


async def test_a_worker_that_is_not_there_refuses_the_connection() -> None:
    bus = UnreliableBus()
    transport = BusTransport(
        bus=bus, worker="nobody-0", app="app", new_id=lambda: "1", is_connected=lambda: True
    )
    with pytest.raises(OSError, match="nobody"):
        await transport.connect()


async def test_a_new_process_of_the_app_replaces_the_former_one() -> None:
    async with harness() as running:
        former, other = await running.connect(), await running.connect("other")
        successor = await running.connect()
        with pytest.raises(ConnectionError):
            await former.receive()
        for channel in (successor, other):
            channel.send(Close(1, BRIDGE))
            assert await channel.receive() == Done(1)


async def test_frames_for_an_app_that_is_away_are_limited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bus_control, "MAX_WAITING", 20)
    monkeypatch.setattr(bus_control, "MAX_WAITING_REPORTS", 10)
    session = BusSession("1")
    for _ in range(30):
        session.send(LegQualityReport(BRIDGE, 1, LegReport()))
    assert len(session._frames) == 10
    assert not session.is_lost
    for _ in range(11):
        session.send(LegUp(BRIDGE, 1))
    assert session.is_lost


async def test_requests_to_a_worker_that_is_away_are_limited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bus_control, "MAX_WAITING", 20)
    async with harness() as running:
        channel = await running.connect()
        running.bus.is_cut = True
        for number in range(21):
            channel.send(PingWorker(number))
        with pytest.raises(ConnectionError):
            await channel.receive()


async def test_many_frames_go_in_several_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus_control, "MAX_BATCH_BYTES", 100)
    sizes: list[int] = []

    def measured(ask: Callable[..., object]) -> Callable[..., object]:
        async def count(topic: str, message: bytes, seconds: float) -> object:
            sizes.append(len(message))
            return await ask(topic, message, seconds)  # type: ignore[misc]

        return count

    async with harness() as running:
        channel = await running.connect()
        monkeypatch.setattr(running.bus, "ask", measured(running.bus.ask))
        for number in range(50):
            channel.send(PingWorker(number))
        assert [await channel.receive() for _ in range(50)] == [Done(n) for n in range(50)]
        assert max(sizes) < 300
