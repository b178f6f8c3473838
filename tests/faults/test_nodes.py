"""Two `visavis serve` on one PostgreSQL: what one changes the other knows."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import http_clients
from tests.nats_servers import PASSWORD, NatsServers
from tests.postgresql import Cluster
from tests.running import System, administer, eventually

pytestmark = pytest.mark.fault

PATH = "/v4/livechat/audioVideoChatConfig"


@pytest.fixture(scope="module")
def address(cluster: Cluster) -> str:
    return cluster.new_database()


@pytest.fixture(scope="module")
def nodes(
    address: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[System, System]]:
    data, database = tmp_path_factory.mktemp("nodes"), ("--database", address)
    both = tuple(System(data / name, *database).start() for name in ("a", "b"))
    yield both[0], both[1]
    for node in both:
        node.stop()


def token(address: str, email: str = "admin@localhost") -> str:
    return administer("token", "issue", "--database", address, "--email", email).strip()


def seconds_until(question: Callable[[], bool]) -> float:
    started = time.monotonic()
    eventually(question)
    return time.monotonic() - started


def test_one_switch_two_nodes(nodes: tuple[System, System], address: str) -> None:
    one, other = nodes
    headers = {"Authorization": f"Bearer {token(address)}"}
    with http_clients.Client(headers=headers) as client:

        def is_enabled() -> bool:
            return bool(client.get(other.url + PATH).json()["isEnabled"])

        assert not is_enabled()
        client.post(f"{one.url}{PATH}:enable").raise_for_status()
        print(f"the other node answers a change after {seconds_until(is_enabled) * 1000:.0f} ms")

        # the connection that listens is lost: the next change is noticed all the same
        with psycopg.connect(address, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        eventually(lambda: client.post(f"{one.url}{PATH}:disable").status_code == 200)
        eventually(lambda: not is_enabled())


def nodes_of(address: str) -> list[dict[str, Any]]:
    return list(json.loads(administer("nodes", "--database", address, "--json")))


def states(address: str) -> list[str]:
    return sorted(str(node["state"]) for node in nodes_of(address))


def test_each_node_knows_of_the_others(
    nodes: tuple[System, System], address: str, tmp_path: Path
) -> None:
    assert states(address) == ["ready", "ready"]
    third = System(tmp_path / "c", "--database", address).start()
    gauge = re.compile(r"^visavis_nodes (\S+)$", re.MULTILINE)

    def alive() -> list[float]:
        pages = [http_clients.get(f"{node.url}/metrics").text for node in nodes]
        return [float(found[1]) for page in pages if (found := gauge.search(page))]

    eventually(lambda: alive() == [3, 3])
    with third.nobody_started_again():
        third.kill_part("app")
        eventually(lambda: alive() == [2, 2])
        assert states(address) == ["ready", "ready", "silent"]
    eventually(lambda: alive() == [3, 3])
    third.stop()
    assert states(address) == ["ready", "ready", "stopped"]


def test_what_is_revoked_on_one_is_dead_on_the_other(
    nodes: tuple[System, System], address: str
) -> None:
    one, other = nodes
    with http_clients.Client() as client:
        names = {"email": "admin@localhost", "password": one.password or other.password}
        listed = administer("client", "list", "--database", address)
        first = listed.splitlines()[1].split()[0]
        form = {"grant_type": "password", "client_id": first, **names}
        issued = client.post(f"{one.url}/oauth/token", data=form).json()["access_token"]
        headers = {"Authorization": f"Bearer {issued}"}

        def status() -> int:
            return client.get(other.url + PATH, headers=headers).status_code

        assert status() == 200
        client.post(f"{one.url}/oauth/revoke", data={"client_id": first, "token": issued})
        taken = seconds_until(lambda: status() == 401)
        print(f"the other node refuses a revoked token after {taken * 1000:.0f} ms")


@pytest.fixture
def connected_nodes(
    cluster: Cluster, tmp_path: Path
) -> Iterator[tuple[System, System, NatsServers, str]]:
    """Two nodes on one PostgreSQL and three NATS servers."""
    address, servers = cluster.new_database(), NatsServers().start()
    environment = {**os.environ, "VISAVIS_BUS": servers.url}
    options = ("--database", address)
    both = [System(tmp_path / name, *options, environment=environment) for name in ("a", "b")]
    try:
        for node in both:
            node.start()
        yield both[0], both[1], servers, address
        for node in both:
            node.stop()
    finally:
        servers.stop()


def test_a_change_goes_over_nats_and_nothing_depends_on_it(
    connected_nodes: tuple[System, System, NatsServers, str],
) -> None:
    one, other, servers, address = connected_nodes
    headers = {"Authorization": f"Bearer {token(address)}"}
    with http_clients.Client(headers=headers) as client:

        def is_enabled() -> bool:
            return bool(client.get(other.url + PATH).json()["isEnabled"])

        def gauge(node: System, name: str) -> float:
            text = client.get(f"{node.url}/metrics").text
            return float(
                next(line for line in text.splitlines() if line.startswith(name)).split()[1]
            )

        def is_connected() -> bool:
            return all(gauge(node, "visavis_bus_connected") for node in (one, other))

        def switch(action: str) -> float:
            client.post(f"{one.url}{PATH}:{action}").raise_for_status()
            return seconds_until(lambda: is_enabled() == (action == "enable"))

        eventually(is_connected)
        taken = [switch(action) for action in ("enable", "disable") * 5]
        print(f"over NATS after {sorted(taken)[5] * 1000:.0f} ms, at most {max(taken) * 1000:.0f}")

        servers.servers[0].kill()
        eventually(is_connected)
        switch("enable")
        for server in servers.servers[1:]:
            server.kill()
        eventually(lambda: not is_connected())
        assert [client.get(f"{node.url}/readyz").status_code for node in (one, other)] == [200, 200]
        switch("disable")  # by the database alone
        servers.servers[2].start()
        eventually(is_connected)
        switch("enable")
    logs = [node.data.parent / f"{node.data.name}.log" for node in (one, other)]
    assert all(PASSWORD not in log.read_text() for log in logs)
    assert all("s3cret" not in log.read_text() for log in logs)
