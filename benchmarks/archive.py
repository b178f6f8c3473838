"""Uploading to the archive and playing from it, compared with npm @tus/server.

A file is uploaded to each server in PATCHes of 64 MiB over loopback, then read back: as a whole,
and from our server also in pieces of 1 MiB like a player (the peer does not support ranges). Rounds
alternate between the servers; a ratio is the median of the rounds' ratios. CPU is that of the
serving process. Our server does more: it syncs what it acknowledges, verifies the SHA-256 of the
whole file, reads the file's metadata, authenticates the reader and writes the audit log.
`@tus/file-store` does none of this.

    python benchmarks/archive.py [--megabytes 256] [--rounds 5]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

MEBIBYTE = 1024 * 1024
PATCH_BYTES = 64 * MEBIBYTE
PIECES = 400
KEEP_ALIVE = 'data:text/javascript,process.on("uncaughtException", () => {})'
"""Ignores an exception that the peer raises under Node 24 after each GET and that would end it."""


def serve_visavis(directory: Path) -> None:
    """Print the port, the archive's key and a bearer token; then serve."""
    from datetime import timedelta

    import structlog

    from visavis.app import App, freeze_garbage_collector
    from visavis.domain.oauth import CredentialKind
    from visavis.http_server import http_server
    from visavis.listener import listen
    from visavis.settings import Settings
    from visavis.store import open_store

    log = (directory / "log").open("w", encoding="utf-8")
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(log))
    settings = Settings(data_dir=directory, log_level="warning")
    app = App(settings, open_store(settings.database_address))
    listener = listen("127.0.0.1", 0)

    async def issue() -> str:
        await app.people.create_first_site()
        agent = await app.people.by_email("admin@localhost")
        return await app.tokens.issue(agent, CredentialKind.BEARER, timedelta(hours=1))

    token = asyncio.run(issue())
    key = settings.archive_key_file.read_text()
    print(listener.getsockname()[1], key, token, flush=True)
    freeze_garbage_collector()
    http_server(app.web, settings).run([listener])


Slice = tuple[int, int, int]
"""Part of a file: its descriptor, an offset and a length."""


class Connection:
    """Minimal HTTP/1.1 client, which takes little CPU as it shares the machine with the servers."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._buffer = bytearray(MEBIBYTE)

    def ask(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: tuple[int, int, int] = (0, 0, 0),
    ) -> tuple[dict[str, str], int]:
        """Send a request with a slice of a file; return the response's headers and length."""
        file, offset, length = body
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {length}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
        while length:
            sent = os.sendfile(self._socket.fileno(), file, offset, length)
            offset, length = offset + sent, length - sent
        return self._answer()

    def _answer(self) -> tuple[dict[str, str], int]:
        head = b""
        while b"\r\n\r\n" not in head:
            received = self._socket.recv(65536)
            if not received:
                raise RuntimeError(f"the server hung up: {head!r}")
            head += received
        head, _, rest = head.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        if status.split()[1] not in {"200", "201", "204", "206"}:
            raise RuntimeError(f"{status} {rest!r}")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        read = len(rest)
        while read < length:
            read += self._socket.recv_into(self._buffer, min(MEBIBYTE, length - read))
        return headers, read


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@dataclass
class Server:
    name: str
    process: subprocess.Popen[str]
    port: int
    base: str
    upload_headers: dict[str, str]
    read_headers: dict[str, str]
    results: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def cpu(self) -> float:
        """Return the CPU seconds of the process and its children.

        The `node` of a wheel starts the real one as a child. The clock ID is that of
        clock_getcpuclockid(3).
        """
        family = (self.process.pid, *children(self.process.pid))
        return sum(time.clock_gettime((~pid << 3) | 2) for pid in family)

    @contextlib.contextmanager
    def measured(self, what: str, size: int) -> Iterator[None]:
        """Record megabytes per second, and CPU milliseconds per gigabyte."""
        cpu, started = self.cpu(), time.perf_counter()
        yield
        seconds, cpu = time.perf_counter() - started, self.cpu() - cpu
        self.results.setdefault(what, []).append((size / seconds / 1e6, cpu / size * 1e12))

    def round(self, file: int, size: int, sha256: str, number: int) -> None:
        recording = f"r{number}"
        url = self.upload(file, size, sha256, recording)
        path = f"/library/recordings/{recording}/original.mkv" if self.read_headers else url
        connection = Connection(self.port)
        with self.measured("whole file read", size):
            connection.ask("GET", path, self.read_headers or self.upload_headers)
        if self.read_headers:
            with self.measured("1 MiB ranges read", PIECES * MEBIBYTE):
                for piece in range(PIECES):
                    start = piece * 7919 * 4096 % (size - MEBIBYTE)
                    wanted = {"Range": f"bytes={start}-{start + MEBIBYTE - 1}"}
                    connection.ask("GET", path, {**self.read_headers, **wanted})

    def upload(self, file: int, size: int, sha256: str, recording: str) -> str:
        from visavis.archive.tus_headers import BODY_TYPE, write_metadata

        connection = Connection(self.port)
        metadata = write_metadata({"site": "1", "recording": recording, "sha256": sha256})
        tus = {"Tus-Resumable": "1.0.0", **self.upload_headers}
        with self.measured("upload", size):
            sized = {"Upload-Length": str(size), "Upload-Metadata": metadata}
            headers, _ = connection.ask("POST", self.base, {**tus, **sized})
            url = self.base.rstrip("/") + "/" + headers["location"].rpartition("/")[2]
            for offset in range(0, size, PATCH_BYTES):
                more = {"Upload-Offset": str(offset), "Content-Type": BODY_TYPE}
                body = (file, offset, min(PATCH_BYTES, size - offset))
                headers, _ = connection.ask("PATCH", url, {**tus, **more}, body)
            if headers["upload-offset"] != str(size):
                raise RuntimeError(f"{self.name} has not all of it: {headers}")
        return url


@contextlib.contextmanager
def started(name: str, directory: Path) -> Iterator[Server]:
    from tests.npm import ENVIRONMENT, NODE, npm

    directory.mkdir()
    if name == "visavis":
        command = [sys.executable, __file__, "--serve", str(directory)]
    else:
        peers = ROOT / "tests" / "interop" / "tus"
        npm(peers, "ci", "--no-progress")
        command = [NODE, "--import", KEEP_ALIVE, str(peers / "server.js"), str(directory)]
    process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)
    try:
        said = process.stdout.readline().split() if process.stdout else []
        port, base = int(said[0]), "/files"
        upload_headers: dict[str, str] = {}
        read_headers: dict[str, str] = {}
        if name == "visavis":
            base = "/recordings/"
            upload_headers = {"Authorization": f"Bearer {said[1]}"}
            read_headers = {"Authorization": f"Bearer {said[2]}"}
        yield Server(name, process, port, base, upload_headers, read_headers)
    finally:
        for pid in (*children(process.pid), process.pid):
            os.kill(pid, signal.SIGKILL)
        process.wait()


def report(ours: Server, peer: Server) -> None:
    print(f"{'':30}{'MB/s':>8}{'CPU ms/GB':>12}")
    for server in (ours, peer):
        for what, results in server.results.items():
            speed, cpu = (statistics.median(values) for values in zip(*results, strict=True))
            print(f"{server.name:12}{what:18}{speed:8.0f}{cpu:12.0f}")
    for what in peer.results:
        pairs = list(zip(ours.results[what], peer.results[what], strict=True))
        speed = statistics.median(a[0] / b[0] for a, b in pairs)
        cpu = statistics.median(a[1] / b[1] for a, b in pairs)
        print(
            f"visavis / {peer.name}, {what}: {speed:.2f} times the speed, {cpu:.2f} times the CPU"
        )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve_visavis(options.serve)
        return 0
    size = options.megabytes * MEBIBYTE
    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
        source = Path(directory) / "source"
        source.write_bytes(os.urandom(MEBIBYTE) * options.megabytes)
        sha256 = hashlib.sha256(source.read_bytes()).hexdigest()
        file = os.open(source, os.O_RDONLY)
        servers = [
            stack.enter_context(started(name, Path(directory) / name.strip("@").replace("/", "-")))
            for name in ("visavis", "@tus/server")
        ]
        for number in range(options.rounds + 1):
            print(f"  round {number} of {options.rounds}", file=sys.stderr, flush=True)
            for server in servers:
                server.round(file, size, sha256, number)
                if number == 0:  # The first round only warms up.
                    server.results.clear()
        os.close(file)
        report(*servers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
