"""Two nodes on one PostgreSQL behind HAProxy, by the configuration in docs/cluster.md."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests import http_clients
from tests.certificates import write_certificate
from tests.interop.test_proxies import NAME, Browser, haproxy, running
from tests.postgresql import Cluster
from tests.running import System, eventually, free_port

pytestmark = pytest.mark.interop

DOCUMENT = (Path(__file__).parents[2] / "docs/cluster.md").read_text()


class Site:
    """Two nodes, HAProxy in front of them, and a browser."""

    def __init__(self, directory: Path, database: str, stack: ExitStack) -> None:
        proxy = directory / "proxy"
        proxy.mkdir(mode=0o755)
        certificate, _ = write_certificate(proxy, NAME)
        port, self._stats = free_port(), proxy / "stats"
        options = ("--database", database, "--public-url", f"https://{NAME}:{port}")
        self.nodes = [
            System(directory / name, *options, "--trusted-proxy", "127.0.0.1")
            for name in ("app1", "app2")
        ]
        for node in self.nodes:  # one after the other: the first one makes the schema
            stack.callback(node.kill)
            node.start()
        text = self._configuration(proxy, port)
        stack.enter_context(running([*haproxy(proxy, text), "-L", "lb1"], port, proxy))
        self.browser = stack.enter_context(closing(Browser(port, certificate)))

    def _configuration(self, directory: Path, port: int) -> str:
        """Return the document's configuration with this test's ports, and ten times faster."""
        found = re.search(r"```haproxy\n(.*?)```", DOCUMENT, re.DOTALL)
        assert found
        replaced = {
            ":443": f":{port}",
            f"/etc/ssl/{NAME}": str(directory),
            "127.0.0.1:10000": f"127.0.0.1:{free_port()}",
            "10.0.0.1:8080": f"127.0.0.1:{self.nodes[0].port}",
            "10.0.0.2:8080": f"127.0.0.1:{self.nodes[1].port}",
            "inter 1s": "inter 100ms",
        }
        text = found[1]
        for documented, ours in replaced.items():
            assert text.count(documented) == 1, documented
            text = text.replace(documented, ours)
        return f"global\n    stats socket {self._stats}\n{text}"

    def is_up(self, node: System) -> bool:
        """Whether HAProxy takes the node for alive."""
        with socket.socket(socket.AF_UNIX) as stats:
            stats.connect(str(self._stats))
            stats.sendall(b"show stat\n")
            answer = stats.makefile().read()
        rows = [line.split(",") for line in answer.splitlines() if line.startswith("visavis,app")]
        return rows[self.nodes.index(node)][17].startswith("UP")

    def node_that_answers(self) -> System:
        """Return the node that counts a request which was sent through HAProxy."""
        before = {node: misses(node) for node in self.nodes if self.is_up(node)}
        assert self.browser.ask("GET", "/nowhere").status_code == 404
        (answered,) = [node for node, count in before.items() if misses(node) > count]
        return answered


def misses(node: System) -> int:
    """Return how many GET requests the node has answered with 404."""
    text = http_clients.get(f"{node.url}/metrics").text
    found = re.search(
        r'^visavis_http_requests_total{method="GET",status="404"} (\S+)$', text, re.MULTILINE
    )
    return int(float(found[1])) if found else 0


@pytest.fixture
def site(tmp_path: Path, cluster: Cluster) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(tmp_path, cluster.empty_database(), stack)


def test_a_host_name_moves_with_its_pages_when_a_node_dies_and_stays(site: Site) -> None:
    password = next(node.password for node in site.nodes if node.password)
    account = {"email": "admin@localhost", "password": password}
    assert site.browser.ask("POST", "/session", json=account).status_code == 200
    first = site.node_that_answers()
    assert all(site.node_that_answers() is first for _ in range(3))
    second = next(node for node in site.nodes if node is not first)
    first.kill()
    eventually(lambda: not site.is_up(first))
    assert site.node_that_answers() is second
    assert site.browser.ask("GET", "/session").status_code == 200  # signed in there, too
    first.start()
    eventually(lambda: site.is_up(first))
    assert all(site.node_that_answers() is second for _ in range(3))
    assert site.browser.ask("GET", "/metrics").status_code == 404
