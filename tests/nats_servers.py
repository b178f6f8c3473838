"""Real NATS servers for the tests, with the configuration of docs/cluster.md on ports of ours."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nkeys

from visavis.bus.addresses import BusAddress

PROGRAM = str(Path(sys.executable).parent / "nats-server")
DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "cluster.md"
USER, PASSWORD = "visavis", "s3cret/of:the@bus"
WAIT_SECONDS = 30.0


def documented() -> str:
    """Return the configuration of the document."""
    match = re.search(r"<!-- nats.conf -->\n```\n(.*?)```\n", DOCUMENT.read_text(), re.DOTALL)
    assert match
    return match[1]


def free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


class Credentials:
    """An operator, an account and a user as `nsc` makes them: each signs the JWT of the next."""

    def __init__(self) -> None:
        operator, account, user = (
            _new_key(prefix)
            for prefix in (
                nkeys.PREFIX_BYTE_OPERATOR,
                nkeys.PREFIX_BYTE_ACCOUNT,
                nkeys.PREFIX_BYTE_USER,
            )
        )
        account_id = account.public_key.decode()
        operator_jwt = _jwt(operator, operator, {"type": "operator", "version": 2})
        limits = {"conn": -1, "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1}
        account_jwt = _jwt(
            operator, account, {"type": "account", "version": 2, "limits": {**limits, "leaf": -1}}
        )
        user_limits = {"subs": -1, "data": -1, "payload": -1}
        user_jwt = _jwt(account, user, {"type": "user", "version": 2, **user_limits})
        self.configuration = (
            f"operator: {operator_jwt}\nresolver: MEMORY\n"
            f"resolver_preload: {{ {account_id}: {account_jwt} }}\n"
        )
        self.user_file = (
            f"-----BEGIN NATS USER JWT-----\n{user_jwt}\n------END NATS USER JWT------\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{user.seed.decode()}\n"
            "------END USER NKEY SEED------\n"
        )


def _new_key(prefix: int) -> nkeys.KeyPair:
    return nkeys.from_seed(nkeys.encode_seed(os.urandom(32), prefix))


def _jwt(issuer: nkeys.KeyPair, subject: nkeys.KeyPair, claims: dict[str, object]) -> str:
    body = {
        "jti": os.urandom(8).hex(),
        "iat": int(time.time()),
        "iss": issuer.public_key.decode(),
        "sub": subject.public_key.decode(),
        "name": str(claims["type"]),
        "nats": claims,
    }
    header = {"typ": "JWT", "alg": "ed25519-nkey"}
    parts = [_encoded(json.dumps(part).encode()) for part in (header, body)]
    signature = issuer.sign(".".join(parts).encode())
    return ".".join([*parts, _encoded(signature)])


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class NatsServer:
    """One server; `more` is appended to its configuration."""

    def __init__(self, directory: Path, port: int, configuration: str) -> None:
        self.port = port
        self._log = directory / f"{port}.log"
        self._file = directory / f"{port}.conf"
        self._file.write_text(configuration)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [PROGRAM, "-c", str(self._file)],
                stdout=log,
                stderr=log,
                env={**os.environ, "NATS_PASSWORD": f'"{PASSWORD}"'},
            )
        until = time.monotonic() + WAIT_SECONDS
        while not self._answers():
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < until, self._log.read_text()
            time.sleep(0.02)

    def signal(self, number: signal.Signals) -> None:
        assert self._process
        self._process.send_signal(number)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                return connection.recv(4) == b"INFO"
        except OSError:
            return False


class NatsServers:
    """A cluster of three servers by default."""

    def __init__(self, count: int = 3, more: str = "", *, is_open: bool = False) -> None:
        """`is_open` leaves the user of the document out."""
        self.directory = Path(tempfile.mkdtemp(prefix="visavis-nats-"))
        ports, routes = free_ports(count), free_ports(count)
        urls = ", ".join(f"nats://127.0.0.1:{port}" for port in routes)
        self.servers = []
        for number, port in enumerate(ports):
            text = documented().replace("server_name: n1", f"server_name: n{number + 1}")
            text = text.replace("0.0.0.0:4222", f"127.0.0.1:{port}")
            text = text.replace("0.0.0.0:6222", f"127.0.0.1:{routes[number]}")
            text = re.sub(r"routes: \[.*\]", f"routes: [{urls}]", text)
            text = re.sub(r"authorization .*", "", text) if is_open else text
            self.servers.append(NatsServer(self.directory, port, text + more))

    def start(self) -> NatsServers:
        for server in self.servers:
            server.start()
        return self

    def stop(self) -> None:
        for server in self.servers:
            server.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def address(self, *numbers: int) -> BusAddress:
        """Return the address of these servers, by default of all."""
        chosen = [self.servers[number] for number in numbers] or self.servers
        servers = tuple(f"127.0.0.1:{server.port}" for server in chosen)
        return BusAddress(False, servers, USER, PASSWORD)

    @property
    def url(self) -> str:
        """The setting `bus` for all servers."""
        hosts = ",".join(self.address().servers)
        return f"nats://{USER}:{PASSWORD.replace('/', '%2F').replace('@', '%40')}@{hosts}"

    def at(self, port: int) -> NatsServer:
        return next(server for server in self.servers if server.port == port)
