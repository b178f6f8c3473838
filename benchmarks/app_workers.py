"""Requests that one and two app processes of a machine answer, with the CPU time of each side.

Runs `visavis serve --app-workers 1` and `2` on a PostgreSQL and a NATS server of its own. Rounds
alternate between the two, so that other load on the machine affects both. The load is the
authenticated `GET` of the configuration over kept connections, each with one request at a time,
from one process with as little work as possible: it shares the cores with the app processes.

    python -m benchmarks.app_workers [--seconds 3] [--rounds 5] [--connections 32]
"""

from __future__ import annotations

import argparse
import os
import selectors
import socket
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.nats_servers import NatsServers
from tests.postgresql import Cluster
from tests.running import System, administer
from visavis.services.people import FIRST_EMAIL
from visavis.settings import app_part

PATH = "/v4/livechat/audioVideoChatConfig"
WORKERS = (1, 2)
WARM_UP_SECONDS = 3.0
OPTIONS = ("--no-archive", "--rate-limit", "0", "--log-level", "warning")


@dataclass
class Round:
    """Requests per second, and CPU seconds per request of the app and of the generator."""

    rate: float
    app: float
    generator: float


@dataclass
class Candidate:
    """A running system with this number of app processes."""

    workers: int
    system: System
    token: str
    rounds: list[Round] = field(default_factory=list)

    def cpu_seconds(self) -> float:
        """Return the CPU seconds of the app processes, by their clock ids."""
        pids = [self.system.pid_of(app_part(number)) for number in range(self.workers)]
        return sum(time.clock_gettime((~pid << 3) | 2) for pid in pids)

    def measure(self, connections: int, seconds: float) -> Round:
        app, own, began_at = self.cpu_seconds(), time.process_time(), time.monotonic()
        count = load(self.system.port, self.token, connections, seconds)
        elapsed = time.monotonic() - began_at
        app, own = self.cpu_seconds() - app, time.process_time() - own
        return Round(count / elapsed, app / count, own / count)


def load(port: int, token: str, connections: int, seconds: float) -> int:
    """Send requests for so many seconds; return the number of answers."""
    request = (
        f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n"
        f"Authorization: Bearer {token}\r\n\r\n"
    ).encode()
    selector, count = selectors.EpollSelector(), 0
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    for each in sockets:
        each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(each, selectors.EVENT_READ, each)
        each.send(request)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for key, _ in selector.select(1.0):
            answer = key.data.recv(65_536)
            if answer.startswith(b"HTTP/") and not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"answered {answer!r}")
            if answer.endswith(b"}"):  # head and body may arrive one after the other
                count += 1
                key.data.send(request)
    for each in sockets:
        each.close()
    return count


def start(workers: int, directory: Path, cluster: Cluster, servers: NatsServers) -> Candidate:
    address = cluster.new_database()
    environment = {
        **os.environ,
        "VISAVIS_BUS": servers.url,
        "VISAVIS_BUS_PREFIX": f"workers{workers}",
    }
    options = ("--database", address, "--app-workers", str(workers), *OPTIONS)
    system = System(directory / str(workers), *options, environment=environment).start()
    database = ("--database", address)
    token = administer("token", "issue", "--email", FIRST_EMAIL, *database).strip()
    return Candidate(workers, system, token)


def report(candidates: list[Candidate]) -> None:
    print(f"{'app processes':>14}{'requests/s':>12}{'app CPU':>11}{'generator CPU':>15}")
    for one in candidates:
        rate, app, own = (
            statistics.median(getattr(each, name) for each in one.rounds)
            for name in ("rate", "app", "generator")
        )
        print(f"{one.workers:14}{rate:12.0f}{app * 1e6:8.1f} µs{own * 1e6:12.1f} µs")
    first, second = candidates
    ratios = [b.rate / a.rate for a, b in zip(first.rounds, second.rounds, strict=True)]
    print(f"two / one: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    print(f"cores: {os.cpu_count()}, load of the machine: {os.getloadavg()[0]:.1f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=32)
    options = parser.parse_args()
    cluster, servers = Cluster().start(), NatsServers(1).start()
    candidates: list[Candidate] = []
    try:
        with tempfile.TemporaryDirectory() as directory:
            place = Path(directory)
            candidates += (start(workers, place, cluster, servers) for workers in WORKERS)
            for one in candidates:
                one.measure(options.connections, WARM_UP_SECONDS)
            for _ in range(options.rounds):
                for one in candidates:
                    one.rounds.append(one.measure(options.connections, options.seconds))
            for one in candidates:
                one.system.stop()
    finally:
        for one in candidates:
            one.system.kill()
        servers.stop()
        cluster.stop()
    report(candidates)
    return 0


if __name__ == "__main__":
    sys.exit(main())
