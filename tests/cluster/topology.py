"""A cluster of real processes on one machine: all programs of docs/cluster.md, in seconds."""

from __future__ import annotations

import csv
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Final

import httpx2
import psycopg

from tests import http_clients
from tests.cluster.auto_failover import AutoFailover
from tests.cluster.bus_network import BusNetwork
from tests.faults.postgresql_pair import PostgresqlPair
from tests.fork_server import fork_server
from tests.nats_servers import DOCUMENT, NatsServers
from tests.object_store import ACCESS_KEY, SECRET_KEY, SeaweedFs
from tests.participants.resuming import PERMISSION
from tests.running import (
    PATIENCE,
    System,
    administer,
    children,
    eventually,
    free_port,
    listens,
)
from visavis.services.people import FIRST_EMAIL

PATH: Final = f"{os.environ['PATH']}:/usr/sbin"
UNLIMITED: Final = (
    *("--calls-per-minute", "0", "--rate-limit", "0", "--socket-rate-limit", "0"),
    *("--waiting-calls-per-address", "0", "--page-rate-limit", "0"),
)
"""All pages of a storm have one address."""


class Balancer:
    """HAProxy with the document's configuration, for two or more nodes and without TLS.

    It closes the sockets of a node that has not answered two checks, as the document says for nodes
    with NATS.
    """

    def __init__(self, directory: Path, apps: list[System], port: int) -> None:
        self.port = port
        self._directory = directory
        self._stats = directory / "stats"
        self._process: subprocess.Popen[bytes] | None = None
        directory.mkdir()
        (directory / "haproxy.cfg").write_text(self._configuration(apps))

    def _configuration(self, apps: list[System]) -> str:
        found = re.search(r"```haproxy\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
        assert found
        server = "    server app1 10.0.0.1:8080 check\n    server app2 10.0.0.2:8080 check\n"
        servers = [f"    server {app.data.name} 127.0.0.1:{app.port} check\n" for app in apps]
        replaced = {
            ":443 ssl crt /etc/ssl/chat.example.com/both.pem": f":{self.port}",
            "X-Forwarded-Proto https": "X-Forwarded-Proto http",
            "127.0.0.1:10000": f"127.0.0.1:{free_port()}",
            "fall 8": "fall 2",
            server: "".join(servers),
        }
        text = found[1]
        for documented, ours in replaced.items():
            assert text.count(documented) == 1, documented
            text = text.replace(documented, ours)
        return f"global\n    stats socket {self._stats}\n{text}"

    def start(self) -> None:
        program = shutil.which("haproxy", path=PATH)
        assert program, "no haproxy here: tests/system-packages installs it"
        file = str(self._directory / "haproxy.cfg")
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [program, "-db", "-f", file, "-L", "lb1"], stdout=log, stderr=log
            )
        eventually(lambda: listens(self.port), pause=0.02)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def states(self) -> dict[str, str]:
        """Return the state of each server, such as `UP`."""
        with socket.socket(socket.AF_UNIX) as stats:
            stats.connect(str(self._stats))
            stats.sendall(b"show stat\n")
            answer = stats.makefile().read()
        rows = csv.DictReader(answer.removeprefix("# ").splitlines())
        return {
            row["svname"]: row["status"]
            for row in rows
            if row["pxname"] == "visavis" and row["svname"] != "BACKEND"
        }


class Topology:
    """App nodes behind HAProxy, media nodes, three NATS servers, two of PostgreSQL, S3.

    A page reaches it by any address of 127.0.0.0/8: each is a host name of its own for HAProxy, so
    the pages of one site are on different nodes. If it `has_manager`, pg_auto_failover promotes
    PostgreSQL's standby, otherwise the fault that kills the primary does.
    """

    def __init__(
        self, directory: Path, *, apps: int = 2, media: int = 2, has_manager: bool = False
    ) -> None:
        self.nats = NatsServers(3)
        self.network = BusNetwork(self.nats)
        """That of the first app node; all others reach the servers directly."""
        self.network.start()
        self.postgresql = AutoFailover() if has_manager else PostgresqlPair(is_synchronous=True)
        self.objects = SeaweedFs()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.metrics_ports = [free_port() for _ in range(media)]
        environment = {
            **os.environ,
            "VISAVIS_BUS": self.nats.url,
            "VISAVIS_STORAGE": self.objects.new_address(),
            "VISAVIS_STORAGE_ACCESS_KEY": ACCESS_KEY,
            "VISAVIS_STORAGE_SECRET_KEY": SECRET_KEY,
        }
        shared = ("--database", self.database, "--public-url", self.url)
        proxied = (*shared, "--trusted-proxy", "127.0.0.1", *UNLIMITED)
        self.apps = [
            System(
                directory / f"app{n}",
                *(*proxied, "--roles", "app"),
                environment={**environment, "VISAVIS_BUS": url},
            )
            for n, url in enumerate([self.network.url(self.nats), *[self.nats.url] * (apps - 1)], 1)
        ]
        self.media = [
            System(
                directory / f"media{n}",
                *(*shared, "--roles", "media,recorder", "--media-host", "127.0.0.1"),
                *("--recorder-address", "127.0.0.1:0"),
                *("--metrics-address", f"127.0.0.1:{port}"),
                environment=environment,
            )
            for n, port in enumerate(self.metrics_ports, 1)
        ]
        self.balancer = Balancer(directory / "balancer", self.apps, self.port)
        self._token = ""
        self._querying = Lock()
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None

    @property
    def nodes(self) -> list[System]:
        return [*self.apps, *self.media]

    @property
    def database(self) -> str:
        # the parameter for several hosts is ours to add
        return self.postgresql.address.partition("&target_session_attrs")[0]

    def start(self) -> None:
        # the object store ends with the thread that has started it
        at_once(self.objects.start, self.postgresql.start, self.nats.start, fork_server)
        at_once(self.balancer.start, *(node.start for node in self.nodes))
        self._token = self.token_of(FIRST_EMAIL)
        eventually(self.is_whole)
        self._configure()

    def _configure(self) -> None:
        answer = http_clients.put(
            f"{self.url}/v4/livechat/audioVideoChatConfig",
            json={
                "isEnabled": True,
                "isAutomaticallyRecordingAudioVideoChatsEnabled": True,
                "recordingServerUrl": f"{self.url}/recordings/",
            },
            headers=self.authorization,
        )
        assert answer.status_code == 200, answer.text

    @property
    def authorization(self) -> dict[str, str]:
        """Header of the first administrator's requests."""
        return {"Authorization": f"Bearer {self._token}"}

    def token_of(self, email: str) -> str:
        return administer("token", "issue", "--email", email, "--database", self.database).strip()

    def add_agent(self, name: str) -> str:
        """Add an agent; return their bearer token."""
        email = f"{name}@example.com"
        add = ("agent", "add", email, "--permission", PERMISSION, "--database", self.database)
        administer(*add)
        return self.token_of(email)

    def node_at(self, media_port: int) -> System:
        """Return the media node of a port."""
        return next(node for node in self.media if node.media_port == media_port)

    def query(self, statement: str) -> list[tuple[object, ...]]:
        """Return the rows of a query at the server that takes writes."""
        with self._querying:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(self.postgresql.address, autocommit=True)
            try:
                return self._connection.execute(statement.encode()).fetchall()
            except psycopg.OperationalError:
                self._connection.close()
                raise

    def bridges(self) -> int:
        """Return the number of bridges that all media workers carry."""
        return sum(int(gauge(port, "visavis_bridges")) for port in self.metrics_ports)

    def is_whole(self) -> bool:
        """Whether all parts run and can be used."""
        if self.balancer.states() != {app.data.name: "UP" for app in self.apps}:
            return False
        ready = [f"{app.url}/readyz" for app in self.apps]
        ready += [f"http://127.0.0.1:{port}/readyz" for port in self.metrics_ports]
        try:
            return all(http_clients.get(url).status_code == 200 for url in ready)
        except httpx2.HTTPError:
            return False

    def stop(self) -> None:
        """End everything at once: what the nodes have left is of no use to anybody."""
        for node in self.nodes:
            kill_machine(node)
        if self._connection:
            self._connection.close()
        self.balancer.kill()
        self.network.stop()
        self.nats.stop()
        self.objects.stop()
        self.postgresql.stop()


@contextmanager
def running(directory: Path, *, apps: int = 2, has_manager: bool = False) -> Iterator[Topology]:
    topology = Topology(directory, apps=apps, has_manager=has_manager)
    try:
        topology.start()
        yield topology
    finally:
        topology.stop()


def at_once(own: Callable[[], object], *others: Callable[[], object]) -> None:
    """Call all of them side by side, and `own` in this thread."""
    with ThreadPoolExecutor(len(others)) as pool:
        started = [pool.submit(other) for other in others]
        own()
        for one in started:
            one.result(PATIENCE)


def gauge(port: int, name: str) -> float:
    text = http_clients.get(f"http://127.0.0.1:{port}/metrics").text
    return float(next(line for line in text.splitlines() if line.startswith(f"{name} ")).split()[1])


def kill_machine(node: System) -> None:
    """Kill all processes of a node at once, as the loss of its machine does."""
    if node not in System.running:
        return
    pids = [node.pid, *children(node.pid)]
    os.kill(node.pid, signal.SIGSTOP)  # it starts nothing again
    for pid in reversed(pids):
        os.kill(pid, signal.SIGKILL)
    node.kill()
