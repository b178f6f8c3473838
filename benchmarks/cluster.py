"""What the engines carry that all nodes of a cluster share, each alone.

A rate that two cores cannot carry is printed with what was reached.

- `nats`: one server of the bus alone, at the rates that 10,000, 30,000 and 100,000 concurrent calls
  need. The payloads have the mean size of the messages, and each node has a subscription.
- `postgresql`: one server of the database alone, with the statements of the call log: each
  transaction fences its sites and writes calls, events and snapshots.

    python -m benchmarks.cluster [--parts nats,postgresql] [--seconds 10]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import psycopg
import structlog
from sqlalchemy import Engine, event

from tests.nats_servers import NatsServer, free_ports
from tests.postgresql import SETTINGS, USER, Cluster, programs
from visavis.domain.call import CallRecord
from visavis.domain.call.model import SNAPSHOT_VERSION
from visavis.domain.call_events import CallEvent
from visavis.domain.ownership import SiteOwner
from visavis.domain.people import Visitor
from visavis.services.ownership import Ownership
from visavis.services.ports import CallSnapshot, Transaction
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", default="nats,postgresql")
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    for part in options.parts.split(","):
        match part:
            case "nats":
                asyncio.run(show_bus(LOADS, options.seconds))
            case "postgresql":
                show_database(LOADS, options.seconds)
            case _:
                parser.error(f"there is no part {part}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
