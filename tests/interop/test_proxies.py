"""The configurations for proxies in docs/operations.md, with other ports and paths."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.typing import Origin

from tests import http_clients
from tests.certificates import write_certificate
from tests.running import PATIENCE, System, eventually, free_port, listens
from visavis.archive.tus_headers import BODY_TYPE

pytestmark = pytest.mark.interop

NAME = "chat.example.com"
DOCUMENT = (Path(__file__).parents[2] / "docs/operations.md").read_text()
PATH = f"{os.environ['PATH']}:/usr/sbin"
UPLOAD_BYTES = 3_000_000
"""More than nginx takes if it is not told otherwise."""
CONFIG_PATH = "/v4/livechat/audioVideoChatConfig"


def configuration(language: str, directory: Path, port: int, app_port: int) -> str:
    """The document's configuration for this test's ports and files."""
    found = re.search(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    assert found
    text = found[1].replace("127.0.0.1:8080", f"127.0.0.1:{app_port}")
    assert text.count("443") == 1
    return text.replace("443", str(port)).replace(f"/etc/ssl/{NAME}", str(directory))


def nginx(directory: Path, text: str) -> list[str]:
    paths = [f"{kind}_temp_path {directory}/{kind};" for kind in ("client_body", "proxy")]
    paths += [f"{kind}_temp_path {directory}/{kind};" for kind in ("fastcgi", "uwsgi", "scgi")]
    file = directory / "nginx.conf"
    file.write_text(
        f"daemon off; pid {directory}/nginx.pid; error_log stderr;\n"
        f"events {{}}\nhttp {{ access_log off; {' '.join(paths)}\n{text}}}\n"
    )
    return ["nginx", "-p", str(directory), "-e", "stderr", "-c", str(file)]


def haproxy(directory: Path, text: str) -> list[str]:
    both = (directory / "cert.pem").read_text() + (directory / "key.pem").read_text()
    (directory / "both.pem").write_text(both)
    file = directory / "haproxy.cfg"
    file.write_text(text)
    return ["haproxy", "-db", "-f", str(file)]


def caddy(directory: Path, text: str) -> list[str]:
    file = directory / "Caddyfile"
    file.write_text(f"{{\n    admin off\n    auto_https disable_redirects\n}}\n{text}")
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(file)]


PROXIES = {"nginx": nginx, "haproxy": haproxy, "caddyfile": caddy}


@contextmanager
def running(command: list[str], port: int, directory: Path) -> Iterator[None]:
    program = shutil.which(command[0], path=PATH)
    assert program, f"no {command[0]} here: tests/system-packages installs it"
    environment = {**os.environ, "HOME": str(directory), "XDG_DATA_HOME": str(directory)}
    with (directory / "proxy.log").open("wb") as log:
        process = subprocess.Popen(
            [program, *command[1:]], stdout=log, stderr=log, env=environment, cwd=directory
        )
    try:

        def is_up() -> bool:
            assert process.poll() is None, (directory / "proxy.log").read_text()
            return listens(port)

        eventually(is_up)
        yield
    finally:
        process.kill()  # some wait for connections to end before they stop
        process.wait(PATIENCE)


class Browser:
    """Requests to the public name, which leads to the proxy on this machine."""

    def __init__(self, port: int, certificate: Path) -> None:
        self._port = port
        self.origin = f"https://{NAME}:{port}"
        self._trust = ssl.create_default_context(cafile=str(certificate))
        self._client = http_clients.Client(
            base_url=f"https://127.0.0.1:{port}",
            verify=self._trust,
            headers={"Host": f"{NAME}:{port}", "Origin": self.origin},
        )

    def close(self) -> None:
        self._client.close()

    def ask(self, method: str, path: str, **options: Any) -> httpx2.Response:
        return self._client.request(method, path, extensions={"sni_hostname": NAME}, **options)

    def first_event(self, headers: dict[str, str]) -> str:
        with self._client.stream(
            "GET", f"{CONFIG_PATH}/events", headers=headers, extensions={"sni_hostname": NAME}
        ) as response:
            assert response.status_code == 200
            return next(line for line in response.iter_lines() if line)

    async def first_message(self, path: str) -> str:
        # on an event loop: the library's threads would read and write one TLS connection at once
        async with (
            asyncio.timeout(PATIENCE),
            http_clients.websocket(
                f"wss://{NAME}:{self._port}{path}",
                host="127.0.0.1",
                port=self._port,
                ssl=self._trust,
                origin=Origin(self.origin),
                proxy=None,
            ) as websocket,
        ):
            return str(await websocket.recv())


@pytest.mark.parametrize("language", PROXIES)
def test_the_whole_product_works_behind_a_proxy(language: str, tmp_path: Path) -> None:
    directory = tmp_path / "proxy"
    directory.mkdir(mode=0o755)
    cert, _ = write_certificate(directory, NAME)
    port = free_port()
    options = ("--public-url", f"https://{NAME}:{port}", "--trusted-proxy", "127.0.0.1")
    system = System(tmp_path / "data", *options).start()
    command = PROXIES[language](directory, configuration(language, directory, port, system.port))
    with running(command, port, directory), closing(Browser(port, cert)) as browser:
        signed_in = browser.ask(
            "POST", "/session", json={"email": "admin@localhost", "password": system.password}
        )
        assert signed_in.status_code == 200, signed_in.text
        assert "Secure" in signed_in.headers["set-cookie"]  # it knows that the page is HTTPS
        assert browser.ask("GET", "/metrics").status_code == 404
        token = {"Authorization": f"Bearer {system.token()}"}
        config = browser.ask("GET", CONFIG_PATH, headers=token).json()
        assert config["recordingServerUrl"] == f"https://{NAME}:{port}/recordings/"
        assert browser.first_event(token)
        message = asyncio.run(browser.first_message("/signaling/visitor?site=1"))
        assert '"type"' in message
        uploaded = browser.ask(
            "POST",
            "/recordings/",
            headers={
                "Authorization": f"Bearer {(system.data / 'archive.key').read_text()}",
                "Tus-Resumable": "1.0.0",
                "Upload-Length": str(UPLOAD_BYTES),
                "Content-Type": BODY_TYPE,
            },
            content=bytes(UPLOAD_BYTES),
        )
        assert uploaded.status_code == 201, uploaded.text
        assert uploaded.headers["upload-offset"] == str(UPLOAD_BYTES)
    system.stop()
