"""Whether a cluster of nodes grows linearly: costs of a call, and the engines that all nodes share.

Each part stands alone; a part that two cores cannot carry says how much they did carry.

- `costs`: processor time of a call at the owner of its site and at the node of its pages, in this
  process, with 100 to 1,000 calls in progress. It should not depend on their number.
- `nats`: one server of the bus alone, at the rates that 10,000, 30,000 and 100,000 concurrent calls
  need. The payloads have the mean size of the messages, and each node has a subscription.
- `postgresql`: one server of the database alone, with the statements of the call log: each
  transaction fences its sites and writes calls, events and snapshots.
- `simulation`: 60 nodes in simulated time (tests/simulation), undisturbed and with each failure.

    python -m benchmarks.cluster [--parts costs,nats,postgresql,simulation] [--seconds 10]
        [--simulated-calls 1000,3000,10000] [--fault-calls 300] [--seed 1]

The simulation takes long, so it runs only if it is named: about 30 ms of processor time for each
call, and a minute for what 60 nodes do without calls.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import psycopg
import structlog
from sqlalchemy import Engine, event

from benchmarks.call_engine import ANSWER, OFFER, NoMedia, NoStore, own
from tests.nats_servers import NatsServer, free_ports
from tests.postgresql import SETTINGS, USER, Cluster, programs
from tests.simulation.faults import ONE, TWO
from tests.simulation.simulation import Load, Result, Simulation
from visavis.bus.local import LocalBus
from visavis.domain.call import CallRecord
from visavis.domain.call.model import SNAPSHOT_VERSION
from visavis.domain.call_events import CallEvent
from visavis.domain.config import Config
from visavis.domain.leg import AGENT_LEG, VISITOR_LEG, BridgeId
from visavis.domain.ownership import SiteOwner
from visavis.domain.people import Agent, Visitor
from visavis.domain.policy import RecordingPolicy
from visavis.domain.site_settings import SiteSettings
from visavis.protocol import signaling
from visavis.protocol.signaling import Message
from visavis.services.calls import Calls
from visavis.services.cluster.edge import Edge
from visavis.services.cluster.owner import OwnerService
from visavis.services.ownership import Ownership
from visavis.services.ports import CallSnapshot, Transaction
from visavis.services.presence import AgentSession
from visavis.services.topics import SOCKET_TOPIC
from visavis.services.visitor_limits import VisitorLimits
from visavis.store import open_store

NODES: Final = 60
LOADS: Final = (10_000, 30_000, 100_000)
DELIVERIES_PER_CALL: Final = 1.3
"""Deliveries of the bus a second for each concurrent call: 130,000 for 100,000 calls."""
TRANSITIONS_PER_CALL: Final = 0.027
"""Written transitions a second for each concurrent call: 2,700 for 100,000 calls."""
MESSAGE_BYTES: Final = 460
TICK_SECONDS: Final = 0.01
SNAPSHOT_BYTES: Final = 600
BATCH: Final = 4
"""Transitions that a node writes at a time: 45 a second at each of 60 nodes, ten times a second."""
SITE: Final = 77
CALL: Final = "the-call-"
IN_PROGRESS: Final = (100, 300, 1_000)
CALLS_PER_SITE: Final = 10
ROUNDS: Final = 5
ENOUGH: Final = 0.95
"""Share of a rate from which it counts as carried."""


@dataclass
class Measured:
    """A rate that was asked for, and what became of it. Times are in milliseconds."""

    calls: int
    asked: float
    reached: float
    milliseconds: list[float] = field(default_factory=list)
    server_seconds: float = 0.0
    seconds: float = 0.0

    def row(self) -> str:
        times = sorted(self.milliseconds) or [0.0]
        median, late = times[len(times) // 2], times[int(len(times) * 0.99)]
        says = "yes" if self.reached >= ENOUGH * self.asked else "no"
        core = self.server_seconds / self.seconds * 100
        return (
            f"{self.calls:>10,} {self.asked:>10,.0f} {self.reached:>10,.0f} {says:>8}"
            f" {median:>8.1f} {late:>8.1f} {core:>8.0f} %"
        )


HEADER: Final = (
    f"{'calls':>10} {'a second':>10} {'reached':>10} {'carried':>8} {'p50 ms':>8} {'p99 ms':>8}"
    f" {'of a core':>10}"
)


def processor_seconds(*pids: int) -> float:
    """Return the processor time that these processes and their children have used."""
    ticks = os.sysconf("SC_CLK_TCK")
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            continue
        total += sum(int(value) for value in fields[11:15])
    return total / ticks


# The bus


class Subscriber(asyncio.Protocol):
    """A node's connection: counts what arrives, and how long a marked message took."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.count = 0
        self.milliseconds: list[float] = []
        self.is_ready = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(b'CONNECT {"verbose":false}\r\nSUB node.%d.> 1\r\nPING\r\n' % self.number)

    def data_received(self, data: bytes) -> None:
        self.count += data.count(b"MSG node.")
        if not self.is_ready.done() and b"PONG" in data:
            self.is_ready.set_result(None)
        if b"PING\r\n" in data:
            self.transport.write(b"PONG\r\n")
        place = data.rfind(b"@")
        if place >= 0 and len(data) >= place + 20:
            sent_at = int(data[place + 1 : place + 20])
            self.milliseconds.append((time.monotonic_ns() - sent_at) / 1e6)


async def measure_bus(rate: float, calls: int, seconds: float, server: NatsServer) -> Measured:
    """Publish at a rate to one node after the other, from as many connections."""
    loop = asyncio.get_running_loop()
    nodes = [
        (await loop.create_connection(lambda n=n: Subscriber(n), "127.0.0.1", server.port))[1]
        for n in range(NODES)
    ]
    await asyncio.gather(*(node.is_ready for node in nodes))
    pid = server._process.pid if server._process else 0
    used, began = processor_seconds(pid), time.monotonic()
    sent, turns = 0, itertools.count()
    body = b"x" * (MESSAGE_BYTES - 20)
    lines = [b"PUB node.%d.socket %d\r\n" % (n, MESSAGE_BYTES) for n in range(NODES)]
    # building each message would take this process longer than the server needs to pass it on
    to_all = b"".join(line + b"." * 20 + body + b"\r\n" for line in lines)
    while (elapsed := time.monotonic() - began) < seconds:
        rounds = int((rate * min(elapsed + TICK_SECONDS, seconds) - sent) / NODES)
        if rounds > 0:
            turn = next(turns) % NODES
            mark = b"@%019d" % time.monotonic_ns()
            marked = b"".join((lines[turn], mark, body, b"\r\n"))
            nodes[turn].transport.write(marked + to_all * rounds)
            sent += 1 + rounds * NODES
        await asyncio.sleep(TICK_SECONDS)
    took = time.monotonic() - began
    received = sum(node.count for node in nodes)
    found = Measured(
        calls,
        rate,
        received / took,
        [one for node in nodes for one in node.milliseconds],
        processor_seconds(pid) - used,
        took,
    )
    for node in nodes:
        node.transport.abort()
    return found


async def show_bus(loads: Sequence[int], seconds: float) -> None:
    print("\nNATS alone: deliveries")
    print(HEADER)
    with tempfile.TemporaryDirectory(prefix="visavis-nats-") as directory:
        port = free_ports(1)[0]
        server = NatsServer(Path(directory), port, f"listen: 127.0.0.1:{port}\n")
        server.start()
        try:
            for calls in loads:
                rate = calls * DELIVERIES_PER_CALL
                print((await measure_bus(rate, calls, seconds, server)).row(), flush=True)
        finally:
            server.kill()


# The database


def statements(address: str) -> list[str]:
    """Return the statements with which the call log writes a batch, as `pgbench` sends them.

    They are those that the store has really sent, for the call `:call` of the site `:site`.
    """
    sent: list[tuple[str, Any]] = []
    store = open_store(address)

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        sent.append((statement, parameters))

    async def write() -> None:
        for number in range(SITE):
            owner = SiteOwner(number + 1, "n0", "boot0", 1)
            await store.write(lambda rows: rows.sites.add("Site", datetime.now(UTC)))
            await store.write(lambda rows, owner=owner: rows.site_owners.take("bench", owner, 0))
        event.listen(Engine, "before_cursor_execute", note)
        try:
            await store.write(_write_batch)
        finally:
            event.remove(Engine, "before_cursor_execute", note)

    asyncio.run(write())
    store.close()
    with psycopg.connect(address) as connection, psycopg.ClientCursor(connection) as cursor:
        texts = [cursor.mogrify(statement, parameters) for statement, parameters in sent]
    lines = [" ".join(text.split()) for text in texts]
    return [
        re.sub(rf"\\b{SITE}\\b", ":site", line).replace(CALL, "n:client_id-:call") for line in lines
    ]


def _write_batch(rows: Transaction) -> None:
    """Write transitions as `CallLogWriter` does: calls' rows and snapshots, and 1.5 events each."""
    now = datetime.now(UTC)
    ownership = Ownership("n0", "boot0", lambda _: None, "bench")
    ownership.fence(rows, [SITE])
    state = os.urandom(SNAPSHOT_BYTES).hex().encode()
    for number in range(BATCH):
        call_id = f"{CALL}{number}"
        record = CallRecord(
            id=call_id,
            site_id=SITE,
            visitor=Visitor("socket", SITE, "Ann"),
            media="video",
            is_recorded=False,
            requested_at=now,
        )
        rows.calls.save(record, "n0")
        for _ in range(1 + number % 2):
            rows.calls.add_event(SITE, call_id, CallEvent(now, "text"))
        rows.live_calls.save(CallSnapshot(call_id, SITE, SNAPSHOT_VERSION, state), "n0", 1)


def measure_database(calls: int, seconds: float, address: str, script: Path, pid: int) -> Measured:
    rate = calls * TRANSITIONS_PER_CALL
    parts = urlsplit(address)
    socket_directory = parse_qs(parts.query)["host"][0]
    with tempfile.TemporaryDirectory(prefix="visavis-pgbench-") as directory:
        command = [
            *(str(programs() / "pgbench"), "-n", "-f", str(script)),
            *("-h", socket_directory, "-U", USER, "-c", str(NODES), "-j", "2"),
            *("-T", str(round(seconds)), "-R", f"{rate / BATCH:.1f}", "-l", parts.path[1:]),
        ]
        used = processor_seconds(*children_of(pid))
        subprocess.run(command, cwd=directory, check=True, capture_output=True)
        used = processor_seconds(*children_of(pid)) - used
        lines = [line for log in Path(directory).iterdir() for line in log.read_text().splitlines()]
    times = [int(line.split()[2]) / 1e3 for line in lines]
    return Measured(calls, rate, len(times) * BATCH / seconds, times, used, seconds)


def children_of(pid: int) -> list[int]:
    """Return a process and its present children."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [pid, *(int(child) for child in path.read_text().split())]


def show_database(loads: Sequence[int], seconds: float) -> None:
    print("\nPostgreSQL alone: transitions, every commit synced to disk")
    print(HEADER)
    cluster = Cluster({**SETTINGS, "fsync": "on", "synchronous_commit": "on"}).start()
    try:
        address = cluster.new_database()
        script = cluster.directory / "batch.sql"
        lines = [f"{line};" for line in statements(address)]
        begin = ["\\set site :client_id + 1", "\\set call random(1, 200)", "BEGIN;"]
        script.write_text("\n".join([*begin, *lines, "END;", ""]))
        for calls in loads:
            found = measure_database(calls, seconds, address, script, cluster.process_id)
            print(found.row(), flush=True)
    finally:
        cluster.stop()


# Costs of a call


class Terms(NoStore):
    """Fake database that stores nothing, in which this node owns every site."""

    async def write(self, work: Callable[[Any], Any]) -> Any:
        if isinstance(work, partial) and work.args:
            return dict.fromkeys(work.args[0], 1)
        return None


class OneOwner:
    """One node owns every site; implements `services.ports.SiteOwners` for another node."""

    def __init__(self, node_id: str) -> None:
        self._node_id = node_id

    async def owner_of(self, _: int) -> str:
        return "owner"

    def owns(self, _: int) -> bool:
        return self._node_id == "owner"

    def forget(self, site_id: int) -> None: ...


class TwoNodes:
    """The owner of some sites, and a node whose pages are in calls of these sites."""

    def __init__(self) -> None:
        self.bus = LocalBus()
        numbers = itertools.count()
        self.inbox: dict[str, str] = {}
        self.calls = Calls(
            settings_of=self._settings_of,
            store=Terms(),  # type: ignore[arg-type]
            bus=self,  # type: ignore[arg-type]  # only publishes
            media=NoMedia(),
            clock=lambda: datetime.now(UTC),
            new_id=lambda: f"{next(numbers):032x}",
            node_id="owner",
            boot="boot",
            announce=self._announce,
            limits=VisitorLimits(
                calls=0, checks=0, pages=0, messages=0, waiting_calls=0, queue_length=0
            ),
        )
        self.owner = OwnerService(
            calls=self.calls,
            bus=self.bus,
            owners=OneOwner("owner"),
            node_id="owner",
            new_id=lambda: f"{next(numbers):x}",
            elapsed=time.monotonic,
        )
        self.edge = Edge(
            calls=self.calls,
            bus=self.bus,
            owners=OneOwner("edge"),
            node_id="edge",
            new_id=lambda: f"{next(numbers):x}",
            staffing_changed=self._announce,
            has_site=self._has_site,
        )
        self.is_passed_on = False

    async def _settings_of(self, site_id: int) -> SiteSettings:
        return SiteSettings(Config(site_id, is_enabled=True), RecordingPolicy(site_id))

    async def _announce(self, site_id: int) -> None: ...
    async def _has_site(self, site_id: int) -> bool:
        return True

    def publish(self, topic: str, message: Message) -> None:
        """Note the call of a visitor; the other messages are encoded and dropped."""
        if isinstance(message, signaling.Calling):
            self.inbox[topic.removeprefix(SOCKET_TOPIC)] = message.call_id
        self.bus.publish(topic, message)

    async def begin(self, number: int, site_id: int, agent: AgentSession) -> tuple[Visitor, str]:
        """Connect a call that goes on."""
        calls = self.edge if self.is_passed_on else self.calls
        visitor = Visitor(f"v{number}", site_id)
        await calls.welcome(agent)
        calls.agent_arrived(agent)
        place = signaling.PlaceCall("video", own(OFFER, visitor.id), "Ann")
        await calls.from_visitor(visitor, signaling.Here("/"))
        await calls.from_visitor(visitor, place)
        await self.settle()
        call_id = self.inbox.pop(visitor.id)
        await calls.from_agent(agent, signaling.Accept(call_id))
        await self.settle()
        await calls.from_agent(agent, signaling.Answer(call_id, 1, own(ANSWER, visitor.id)))
        await self.settle()
        for leg in (VISITOR_LEG, AGENT_LEG):
            await self.calls.media_events.leg_up(BridgeId(call_id, 1), leg)
        return visitor, call_id

    async def call(self, number: int, site_id: int) -> None:
        """Make one whole call, with three lines of text."""
        agent = session(-number, site_id)
        visitor, call_id = await self.begin(number, site_id, agent)
        calls = self.edge if self.is_passed_on else self.calls
        for line in range(3):
            await calls.from_visitor(visitor, signaling.Say(call_id, "Hello", f"{line}"))
        await calls.from_visitor(visitor, signaling.HangUp(call_id))
        calls.visitor_left(visitor)
        calls.agent_left(agent)
        await self.settle()

    async def settle(self) -> None:
        await self.edge.wait_idle()
        await self.calls.wait_idle()


def session(number: int, site_id: int) -> AgentSession:
    agent = Agent(abs(number) + 1, site_id, "a@example.com", "Bo", is_administrator=True)
    return AgentSession(f"a{number}", agent)


async def measure_costs(in_progress: int, calls: int) -> tuple[float, float]:
    """Return the processor time of a call at its owner, and with pages at another node, in ms."""
    nodes = TwoNodes()
    sites = in_progress // CALLS_PER_SITE
    async with nodes.owner.answering():
        for number in range(in_progress):
            site_id = number % sites + 1
            await nodes.begin(1_000_000 + number, site_id, session(1_000_000 + number, site_id))
        found: dict[bool, list[float]] = {False: [], True: []}
        numbers = itertools.count(1)
        for turn in range(2 * ROUNDS + 2):
            nodes.is_passed_on = bool(turn % 2)
            before = time.process_time()
            for _ in range(calls // ROUNDS):
                number = next(numbers)
                await nodes.call(number, number % sites + 1)
            if turn > 1:  # the first round of each warms up
                spent = time.process_time() - before
                found[nodes.is_passed_on].append(spent / (calls // ROUNDS) * 1e3)
        await nodes.calls.shut_down()
    return statistics.median(found[False]), statistics.median(found[True])


async def show_costs(calls: int) -> None:
    print("\nCosts of a call, in milliseconds of processor time")
    print(f"{'in progress':>12} {'owner':>8} {'owner and edge':>16}")
    rows = []
    for in_progress in IN_PROGRESS:
        rows.append(await measure_costs(in_progress, calls))
        print(f"{in_progress:>12,} {rows[-1][0]:>8.2f} {rows[-1][1]:>16.2f}", flush=True)
    for name, column in (("owner", 0), ("owner and edge", 1)):
        values = [row[column] for row in rows]
        print(f"{name}: the highest is {max(values) / min(values):.2f} times the lowest")


# The simulation


def load_of(calls: int) -> Load:
    """Return 60 nodes with as many calls in each site, so that a call rings at as many agents."""
    return Load(
        nodes=NODES,
        sites=calls // CALLS_PER_SITE,
        calls=calls,
        talk_seconds=120.0,
        ramp_seconds=60.0,
        hold_seconds=60.0,
    )


def show_simulation(loads: Sequence[int], fault_calls: int, seed: int) -> int:
    """Print the counts of undisturbed clusters, then what each failure did; return the failures."""
    print(f"\nSimulated: {NODES} nodes, {CALLS_PER_SITE} calls at a time in each site")
    print(
        f"{'calls':>10} {'messages':>9} {'deliveries':>11} {'transactions':>13}"
        f" {'background/s':>13} {'CPU s':>7}"
    )
    rows, failed = [], 0
    for calls in loads:
        before = time.process_time()
        result = Simulation(load_of(calls), seed).run()
        failed += bool(result.violations)
        rows.append(result.per_call)
        print(
            f"{calls:>10,} {rows[-1][0]:>9.1f} {rows[-1][1]:>11.1f} {rows[-1][2]:>13.2f}"
            f" {result.background:>13,.0f} {time.process_time() - before:>7.0f}",
            flush=True,
        )
    for name, column in (("messages", 0), ("deliveries", 1), ("transactions", 2)):
        values = [row[column] for row in rows]
        print(f"{name} of a call: the highest is {max(values) / min(values):.2f} times the lowest")
    columns = f"{'longest silence':>15} {'takes':>7} {'lost':>6} {'stale':>6} {'violations':>11}"
    print(f"\n{'failure':<34} {columns}")
    for name, fault in {**ONE, **TWO}.items():
        result = Simulation(load_of(fault_calls), seed).run(fault)
        failed += bool(result.violations)
        _print_fault(name, result)
    return failed


def _print_fault(name: str, result: Result) -> None:
    print(
        f"{name:<34} {result.longest_silence:>13.1f} s {result.takes:>7,}"
        f" {len(result.seen.lost):>6,} {len(result.stale_acts):>6,} {len(result.violations):>11,}",
        flush=True,
    )
    for violation in result.violations[:3]:
        print(f"    {violation}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", default="costs,nats,postgresql")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--simulated-calls", default="1000,3000,10000")
    parser.add_argument("--fault-calls", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    simulated = [int(calls) for calls in options.simulated_calls.split(",")]
    failed = 0
    for part in options.parts.split(","):
        match part:
            case "costs":
                asyncio.run(show_costs(100))
            case "nats":
                asyncio.run(show_bus(LOADS, options.seconds))
            case "postgresql":
                show_database(LOADS, options.seconds)
            case "simulation":
                failed += show_simulation(simulated, options.fault_calls, options.seed)
            case _:
                parser.error(f"there is no part {part}")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
