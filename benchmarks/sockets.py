"""500 visitors and 50 agents on WebSockets to one app process: memory, and latency of messages.

Runs `visavis serve` on a new data directory. 500 visitors' pages and the consoles of 50 agents
connect. Then each visitor calls: 50 calls ring at all free consoles, and 450 wait in the queue. Ten
calls are accepted, in which both sides write text; no media flows. All pages run in one process,
whose own CPU time is part of each latency. For comparison, a bare ASGI function under the same
uvicorn only forwards messages between the same number of sockets: its figures are the cost of
sockets and pages alone.

Exits with 1 if the limit is exceeded: each page knows of the switch within a second.

    python benchmarks/sockets.py [--visitors 500] [--agents 50]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

import httpx2  # noqa: E402
import msgspec  # noqa: E402
import uvloop  # noqa: E402
from websockets.asyncio.client import ClientConnection, connect  # noqa: E402
from websockets.exceptions import ConnectionClosed  # noqa: E402

from benchmarks.peers import bare  # noqa: E402
from tests.running import System, eventually, free_port, listens  # noqa: E402

TALKING = 10
WRITTEN = 50
"""Lines that each participant of an accepted call writes, ten per second."""
HANGUPS = 40
SWITCHES = 10
SWITCH_LIMIT = 1.0
NO_LIMITS = (
    *("--calls-per-minute", "0", "--page-views-per-minute", "0", "--queue-length", "0"),
    *("--waiting-calls-per-address", "0", "--sockets-per-address", "0"),
)
"""Settings of the server, because all pages connect from one address."""

OFFER = (ROOT / "tests" / "media" / "data" / "chromium-offer.sdp").read_text(encoding="utf-8")


class Heard(msgspec.Struct, rename="camel"):
    """Fields of a message that a page reads."""

    type: str
    call_id: str | None = None
    text: str = ""
    is_recorded: bool = False
    is_enabled: bool = True


DECODER = msgspec.json.Decoder(Heard)
Moment = asyncio.Future[float]


class Page:
    """Page with one socket. Call `hears` before the message to wait for is caused."""

    def __init__(self) -> None:
        self.call_id = ""
        self.ringing: list[str] = []
        self._socket: ClientConnection | None = None
        self._task: asyncio.Task[None] | None = None
        self._waiting: list[tuple[dict[str, Any], Moment]] = []

    async def open(self, url: str, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._socket = await connect(url, additional_headers=headers, open_timeout=30)
        self._task = asyncio.create_task(self._listen(self._socket))

    async def close(self) -> None:
        if self._socket and self._task:
            await self._socket.close()
            await self._task

    async def send(self, **message: Any) -> None:
        if self._socket:
            await self._socket.send(msgspec.json.encode(message), text=True)

    def hears(self, **what: Any) -> Moment:
        """Return when the next message with these fields arrives."""
        moment: Moment = asyncio.get_running_loop().create_future()
        self._waiting.append((what, moment))
        return moment

    async def _listen(self, socket: ClientConnection) -> None:
        async for text in socket:
            heard, now = DECODER.decode(text), time.perf_counter()
            if heard.type == "ping":
                with contextlib.suppress(ConnectionClosed):
                    await self.send(type="pong")
            else:
                self._hear(heard, now)

    def _hear(self, heard: Heard, now: float) -> None:
        if heard.type == "calling":
            self.call_id = heard.call_id or ""
        elif heard.type == "ring" and heard.call_id:
            self.ringing.append(heard.call_id)
        elif heard.type == "ringStopped" and heard.call_id in self.ringing:
            self.ringing.remove(heard.call_id)
        for entry in list(self._waiting):
            what, moment = entry
            if all(getattr(heard, name) == value for name, value in what.items()):
                self._waiting.remove(entry)
                if not moment.done():
                    moment.set_result(now)


@dataclass
class Times:
    """Milliseconds from causes to their effects."""

    name: str
    all: list[float] = field(default_factory=list)
    causes: int = 0
    cpu: float = 0.0

    def add(self, began: float, moments: Iterable[float]) -> None:
        self.all += [(moment - began) * 1000 for moment in moments]
        self.causes += 1

    def __str__(self) -> str:
        cuts = statistics.quantiles(self.all, n=100, method="inclusive")
        figures = f"{cuts[49]:9.1f}{cuts[98]:9.1f}{max(self.all):9.1f}{len(self.all):9}"
        cpu = f"{self.cpu / self.causes * 1000:9.2f}" if self.cpu else ""
        return f"{self.name:58}{figures}{cpu}"


class Process:
    """Resource usage of a process, from the kernel."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def memory(self) -> int:
        """Return the resident memory in bytes."""
        status = Path(f"/proc/{self._pid}/status").read_text()
        match = re.search(r"VmRSS:\s+(\d+)", status)
        return int(match[1]) * 1024 if match else 0

    def cpu(self) -> float:
        """Return its CPU seconds, by the clock ID of clock_getcpuclockid(3)."""
        return time.clock_gettime((~self._pid << 3) | 2)

    @contextlib.contextmanager
    def counted(self, times: Times) -> Iterator[None]:
        """Add the CPU time of the context to `times`."""
        before = self.cpu()
        yield
        times.cpu += self.cpu() - before

    async def load(self, seconds: float) -> float:
        """Measure for some seconds; return the CPU time as a share of a core."""
        before = self.cpu()
        await asyncio.sleep(seconds)
        return (self.cpu() - before) / seconds


async def all_of(moments: Iterable[Awaitable[float]]) -> list[float]:
    async with asyncio.timeout(30):
        return list(await asyncio.gather(*moments))


def say(what: str) -> None:
    print(f"  {what} …", file=sys.stderr, flush=True)


def header(title: str) -> str:
    return f"{title:58}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}{'count':>9}{'CPU ms':>9}"


# Measurements


class NoPasswords:
    """Fake password hasher: agents sign in by token, and 50 real hashes would take 10 s."""

    async def hash(self, password: str) -> str:
        return "!"

    async def matches(self, password: str, password_hash: str) -> bool:
        return False


async def add_agents(data: Path, count: int) -> list[str]:
    """Add agents who may accept calls; return their bearer tokens."""
    from visavis.app import new_id, new_secret, now
    from visavis.domain.oauth import CredentialKind
    from visavis.domain.people import Permission
    from visavis.services.accounts import Accounts
    from visavis.services.tokens import Tokens
    from visavis.store import open_store

    store = open_store(str(data / "visavis.db"))
    accounts, tokens = (
        Accounts(store, NoPasswords(), now, new_secret, new_id),
        Tokens(store, now, new_secret),
    )
    issued = []
    for number in range(count):
        email, may = f"agent{number}@example.com", [Permission.ACCEPT_CALLS]
        agent, _ = await accounts.add_agent(1, email, permissions=may)
        issued.append(await tokens.issue(agent, CredentialKind.BEARER, timedelta(hours=1)))
    store.close()
    return issued


class Crowd:
    """All pages of the site."""

    def __init__(self, system: System, options: argparse.Namespace) -> None:
        self._system = system
        self._options = options
        self._url = system.url.replace("http", "ws", 1)
        self._process = Process(system.pid_of("app"))
        self._chance = random.Random(1)
        self.visitors = [Page() for _ in range(options.visitors)]
        self.agents = [Page() for _ in range(options.agents)]
        self.is_held = True

    async def measure(self) -> None:
        await self._open()
        print(header("Visavis"), flush=True)
        await self._first_calls()
        await self._queue_up()
        talking = await self._accept(self.agents[:TALKING])
        await self._write(talking, "a line of text, until the other page of the call has it")
        # New calls, because a call without media fails after half a minute.
        await self._refresh(self.agents[TALKING:])
        await self._leave(await self._accept(self.agents[TALKING : 2 * TALKING]))
        await self._switch()

    async def close(self) -> None:
        await asyncio.gather(*(page.close() for page in (*self.visitors, *self.agents)))

    async def _open(self) -> None:
        say("opening the pages")
        tokens = await add_agents(self._system.data, len(self.agents))
        warm = Page()
        await warm.open(f"{self._url}/signaling/visitor?site=1")
        await warm.close()
        empty = self._process.memory()
        for agent, token in zip(self.agents, tokens, strict=True):
            await agent.open(f"{self._url}/signaling/agent", token)
        for number, visitor in enumerate(self.visitors):
            await visitor.open(f"{self._url}/signaling/visitor?site=1")
            await visitor.send(type="here", page=f"Shop, page {number}", name=f"Visitor {number}")
        await asyncio.sleep(2)
        count = len(self.visitors) + len(self.agents)
        self._tell_memory(f"{count} sockets open", empty, count)
        self._open_memory = self._process.memory()

    def _tell_memory(self, what: str, before: int, count: int) -> None:
        after = self._process.memory()
        each = (after - before) / count / 1024
        print(f"{what}: {before / 1e6:.1f} → {after / 1e6:.1f} MB, {each:.1f} KiB each", flush=True)

    async def _call(self, visitor: Page) -> float:
        """Place a call; return the time at which it was sent."""
        began = time.perf_counter()
        await visitor.send(type="call", media="video", offer=OFFER, name="Somebody")
        return began

    async def _first_calls(self) -> None:
        """Place as many calls as there are consoles, one after the other."""
        say("the first calls")
        fan_out = Times("a call placed, until each console has it ringing")
        last = Times("  … until the last of the consoles has")
        with self._process.counted(fan_out):
            for visitor in self.visitors[: len(self.agents)]:
                rings = [agent.hears(type="ring") for agent in self.agents]
                began = await self._call(visitor)
                heard = await all_of(rings)
                fan_out.add(began, heard)
                last.add(began, [max(heard)])
        print(fan_out, last, sep="\n", flush=True)

    async def _queue_up(self) -> None:
        say("the queue")
        queued = Times("a call placed, until its page knows its place in the queue")
        waits = []
        with self._process.counted(queued):
            for visitor in self.visitors[len(self.agents) :]:
                heard = visitor.hears(type="queued")
                waits.append((await self._call(visitor), heard))
                await asyncio.sleep(0.02)
            for began, moment in waits:
                queued.add(began, [await moment])
        print(queued, flush=True)
        await asyncio.sleep(2)
        self._tell_memory("every visitor calling", self._open_memory, len(self.visitors))
        load = await self._process.load(5)
        print(f"app at rest with {len(self.visitors)} waiting: {load:.1%} of a core", flush=True)

    async def _accept(self, agents: list[Page]) -> list[tuple[Page, Page]]:
        say("accepting")
        stopped = Times("a call accepted, until it has stopped ringing at each other console")
        offered = Times("a call accepted, until the agent has the visitor's offer")
        talking = []
        with self._process.counted(stopped):
            for agent in agents:
                call_id = agent.ringing[-1]
                others = [
                    page.hears(type="ringStopped", call_id=call_id)
                    for page in self.agents
                    if page is not agent and call_id in page.ringing
                ]
                offer = agent.hears(type="offer", call_id=call_id)
                began = time.perf_counter()
                await agent.send(type="accept", callId=call_id)
                stopped.add(began, await all_of(others))
                offered.add(began, await all_of([offer]))
                agent.call_id = call_id
                talking.append((self._caller(call_id), agent))
        print(stopped, offered, sep="\n", flush=True)
        return talking

    def _caller(self, call_id: str) -> Page:
        return next(visitor for visitor in self.visitors if visitor.call_id == call_id)

    async def _write(self, talking: list[tuple[Page, Page]], name: str) -> None:
        say("writing")
        written = Times(name)

        async def write(by: Page, to: Page, side: str) -> None:
            await asyncio.sleep(self._chance.random() / 10)
            for number in range(WRITTEN):
                text = f"{side} {number}"
                heard = to.hears(type="said", text=text)
                began = time.perf_counter()
                await by.send(type="say", callId=by.call_id, text=text)
                written.add(began, await all_of([heard]))
                await asyncio.sleep(0.1)

        with self._process.counted(written):
            await asyncio.gather(
                *(write(visitor, agent, "visitor") for visitor, agent in talking),
                *(write(agent, visitor, "agent") for visitor, agent in talking),
            )
        print(written, flush=True)

    async def _leave(self, talking: list[tuple[Page, Page]]) -> None:
        """Let a ringing visitor give up, so that the next one rings, while others write."""
        say("giving up")
        next_rings = Times("a ringing call given up, until the next rings at each free console")
        free = self.agents[2 * TALKING :]
        writing = asyncio.create_task(
            self._write(talking, "a line of text, while calls are given up all the time")
        )
        for _ in range(HANGUPS):
            next_rings.add(*await self._give_up(free))
            await asyncio.sleep(0.1)
        await writing
        print(next_rings, flush=True)

    async def _refresh(self, free: list[Page]) -> None:
        """Let new calls ring instead of old ones: without media, a bridge is lost after a while."""
        for _ in range(TALKING):
            await self._give_up(free)

    async def _give_up(self, free: list[Page]) -> tuple[float, list[float]]:
        """Let a ringing visitor hang up; return when, and when the next call rings at each console.

        The next call may ring before the ended one has stopped, which is awaited too: it could be
        given up once more, after which nothing rings.
        """
        call_id = free[0].ringing[0]
        rings = [agent.hears(type="ring") for agent in free]
        stops = [agent.hears(type="ringStopped", call_id=call_id) for agent in free]
        began = time.perf_counter()
        await self._caller(call_id).send(type="hangUp", callId=call_id)
        heard = await all_of(rings)
        await all_of(stops)
        return began, heard

    async def _switch(self) -> None:
        say("throwing the switch")
        heard = Times("the switch thrown (PUT sent), until each page knows")
        last = Times("  … until the last page knows")
        pages = [*self.visitors, *self.agents]
        async with httpx2.AsyncClient() as client:
            for number in range(SWITCHES):
                is_recorded = number % 2 == 0
                moments = [p.hears(type="availability", is_recorded=is_recorded) for p in pages]
                with self._process.counted(heard):
                    began = time.perf_counter()
                    await self._put(client, is_enabled=True, is_recorded=is_recorded)
                    times = await all_of(moments)
                heard.add(began, times)
                last.add(began, [max(times)])
                await asyncio.sleep(0.3)
            print(heard, last, sep="\n", flush=True)
            self.is_held = max(last.all) < SWITCH_LIMIT * 1000
            await self._switch_off(client, pages)

    async def _switch_off(self, client: httpx2.AsyncClient, pages: list[Page]) -> None:
        off = Times("switched off, until each page knows")
        sent_home = Times("switched off, until each who waited knows that the call is over")
        waiting = self.visitors[2 * len(self.agents) + HANGUPS + TALKING :]
        ends = [page.hears(type="ended") for page in waiting]
        moments = [page.hears(type="availability", is_enabled=False) for page in pages]
        began = time.perf_counter()
        await self._put(client, is_enabled=False, is_recorded=False)
        off.add(began, await all_of(moments))
        sent_home.add(began, await all_of(ends))
        print(off, sent_home, sep="\n", flush=True)
        self.is_held &= max(off.all) < SWITCH_LIMIT * 1000

    async def _put(
        self, client: httpx2.AsyncClient, *, is_enabled: bool, is_recorded: bool
    ) -> None:
        answer = await client.put(
            f"{self._system.url}/v4/livechat/audioVideoChatConfig",
            json={
                "isEnabled": is_enabled,
                "isAutomaticallyRecordingAudioVideoChatsEnabled": is_recorded,
                "recordingServerUrl": f"{self._system.url}/recordings/",
            },
            headers={"Authorization": f"Bearer {self._system.token()}"},
        )
        answer.raise_for_status()


# Peers


def serve_bare(port: int) -> None:
    """Serve a bare function that forwards each message to all other sockets on the same path."""
    rooms: dict[str, set[Any]] = {}

    async def pass_on(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "websocket":
            return
        room = rooms.setdefault(scope["path"], set())
        await receive()
        await send({"type": "websocket.accept"})
        room.add(send)
        while (message := await receive())["type"] == "websocket.receive":
            for other in tuple(room):
                if other is not send:
                    await other({"type": "websocket.send", "text": message["text"]})
        room.discard(send)

    bare.serve(pass_on, port)


async def measure_bare(port: int, pid: int, visitors: int, agents: int) -> None:
    say("a bare ASGI function")
    process, url = Process(pid), f"ws://127.0.0.1:{port}"
    warm = Page()
    await warm.open(f"{url}/warm")
    await warm.close()
    empty = process.memory()
    desks, pages = [Page() for _ in range(agents + 1)], [Page() for _ in range(visitors - 1)]
    for desk in desks:
        await desk.open(f"{url}/desks")
    for number, page in enumerate(pages):
        await page.open(f"{url}/pair{number // 2}")
    await asyncio.sleep(2)
    each = (process.memory() - empty) / (visitors + agents) / 1024
    print(f"a bare ASGI function: {each:.1f} KiB of memory for each socket")
    print(header("a bare ASGI function"))
    await _fan_out(desks)
    await _one_to_one(pages)
    await asyncio.gather(*(page.close() for page in (*desks, *pages)))


async def _fan_out(desks: list[Page]) -> None:
    times = Times("a message, until each of the consoles has it")
    for number in range(len(desks) - 1):
        moments = [desk.hears(text=str(number)) for desk in desks[1:]]
        began = time.perf_counter()
        await desks[0].send(type="ring", text=str(number), padding="x" * 200)
        times.add(began, await all_of(moments))
    print(times)


async def _one_to_one(pages: list[Page]) -> None:
    times = Times("a line of text, until the other page has it")
    for number in range(2 * WRITTEN * TALKING):
        by = number * 2 % (len(pages) - 1)
        heard = pages[by + 1].hears(text=str(number))
        began = time.perf_counter()
        await pages[by].send(type="say", text=str(number))
        times.add(began, await all_of([heard]))
        await asyncio.sleep(0.003)
    print(times, flush=True)


def ring_everywhere(system: System) -> None:
    """Let each call ring at all free agents, so that the cost of a large team is measured.

    It rings until it is accepted or given up. Otherwise the first calls, which began together,
    would end together during a later measurement.
    """
    answer = httpx2.put(
        f"{system.url}/v4/livechat/recordingPolicy",
        json={"ringLimit": None, "ringSeconds": 600},
        headers={"Authorization": f"Bearer {system.token()}"},
        timeout=30,
    )
    answer.raise_for_status()


@contextlib.asynccontextmanager
async def crowd(system: System, options: argparse.Namespace) -> AsyncIterator[Crowd]:
    gathered = Crowd(system, options)
    try:
        yield gathered
    finally:
        await gathered.close()


async def measure(system: System, options: argparse.Namespace) -> bool:
    async with crowd(system, options) as pages:
        await pages.measure()
        return pages.is_held


def run_bare(options: argparse.Namespace) -> None:
    port = free_port()
    process = subprocess.Popen([sys.executable, __file__, "--serve", str(port)])
    try:
        eventually(lambda: listens(port))
        uvloop.run(measure_bare(port, process.pid, options.visitors, options.agents))
    finally:
        process.terminate()
        process.wait()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--visitors", type=int, default=500)
    parser.add_argument("--agents", type=int, default=50)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve_bare(options.serve)
        return 0
    if options.agents <= 2 * TALKING or options.visitors < 3 * options.agents + HANGUPS + TALKING:
        parser.error(f"more than {2 * TALKING} agents and visitors enough for a queue")
    run_bare(options)
    with tempfile.TemporaryDirectory() as directory:
        system = System(Path(directory) / "data", *NO_LIMITS).start()
        try:
            system.configure(on=True)
            ring_everywhere(system)
            is_held = uvloop.run(measure(system, options))
        finally:
            system.stop()
    return 0 if is_held else 1


if __name__ == "__main__":
    sys.exit(main())
