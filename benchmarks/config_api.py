"""Cost of reading the configuration over the API, compared with a bare ASGI function and FastAPI.

Each candidate is served by uvicorn (uvloop, httptools, without uvicorn's access log) in its own
process. Rounds alternate between the candidates, so that other load on the machine affects all of
them; a ratio is the median of the rounds' ratios. CPU per request is measured with the CPU clock of
the serving process, and latencies by the client.

Exits with 1 if a limit is exceeded: 1.6 times the bare function, or 0.45 times FastAPI.

    python benchmarks/config_api.py [--requests 8000] [--rounds 9]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PATH = "/v4/livechat/audioVideoChatConfig"
CONNECTIONS = 8
MOST_TIMES_BARE = 1.6
MOST_TIMES_FASTAPI = 0.45
ANSWER = {
    "isEnabled": False,
    "isAutomaticallyRecordingAudioVideoChatsEnabled": False,
    "recordingServerUrl": "http://google.com",
}


# Candidates. Each runs in a child process, which prints a bearer token and then serves requests.


def serve_bare(listener: socket.socket) -> None:
    body = json.dumps(ANSWER, separators=(",", ":")).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]

    async def bare(scope, receive, send):  # type: ignore[no-untyped-def]
        if scope["type"] != "http":
            return
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    _serve(bare, listener)


def serve_fastapi(listener: socket.socket) -> None:
    from peers.config_fastapi import app

    _serve(app, listener)


def serve_visavis(listener: socket.socket) -> None:
    from datetime import timedelta

    import structlog

    from visavis.app import App, freeze_garbage_collector
    from visavis.domain.oauth import CredentialKind
    from visavis.settings import Settings
    from visavis.store import open_store

    with tempfile.TemporaryDirectory() as data_dir:
        sys.stderr = log = (Path(data_dir) / "log").open("w", encoding="utf-8")
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(log))
        settings = Settings(data_dir=Path(data_dir))
        app = App(settings, open_store(settings.database_address))

        async def issue() -> str:
            await app.people.create_first_site()
            agent = await app.people.by_email("admin@localhost")
            return await app.tokens.issue(agent, CredentialKind.BEARER, timedelta(hours=1))

        print(asyncio.run(issue()), flush=True)
        freeze_garbage_collector()
        _serve(app.web, listener)


def _serve(app: object, listener: socket.socket) -> None:
    import uvicorn

    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        loop="uvloop",
        http="httptools",
        lifespan="off",
    )
    uvicorn.Server(config).run([listener])


SERVERS = {"bare": serve_bare, "fastapi": serve_fastapi, "visavis": serve_visavis}


# Measurement.


@dataclass
class Candidate:
    name: str
    process: subprocess.Popen[str]
    port: int
    token: str = "benchmark"
    cpu: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)

    def cpu_seconds(self) -> float:
        """Return the CPU seconds of the process, by the clock ID of clock_getcpuclockid(3)."""
        return time.clock_gettime((~self.process.pid << 3) | 2)

    async def measure(self, requests: int) -> None:
        connections = [await self._connect() for _ in range(CONNECTIONS)]
        before = self.cpu_seconds()
        await asyncio.gather(*(self._load(c, requests // CONNECTIONS) for c in connections))
        self.cpu.append((self.cpu_seconds() - before) / requests * 1e6)
        for _, writer in connections:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def _load(
        self, connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], requests: int
    ) -> None:
        reader, writer = connection
        request = (
            f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n"
            f"Authorization: Bearer {self.token}\r\n\r\n"
        ).encode()
        expected = len(json.dumps(ANSWER, separators=(",", ":")))
        for _ in range(requests):
            started = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            body = await reader.readexactly(length)
            self.latencies.append(time.perf_counter() - started)
            if not head.startswith(b"HTTP/1.1 200") or length < expected - 40:
                raise RuntimeError(f"{self.name} answered {head!r} {body!r}")


@contextlib.contextmanager
def started(name: str) -> Iterator[Candidate]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, __file__, "--serve", name, "--fd", str(listener.fileno())],
            pass_fds=[listener.fileno()],
            stdout=subprocess.PIPE,
            text=True,
        )
    candidate = Candidate(name, process, port)
    if name == "visavis" and process.stdout:
        candidate.token = process.stdout.readline().strip()
    try:
        yield candidate
    finally:
        process.terminate()
        process.wait()


async def compare(candidates: list[Candidate], requests: int, rounds: int) -> None:
    for candidate in candidates:
        await candidate.measure(requests // 4)  # warm-up
        candidate.cpu.clear()
        candidate.latencies.clear()
    for _ in range(rounds):
        for candidate in candidates:
            await candidate.measure(requests)


def report(candidates: list[Candidate]) -> int:
    cpu = {c.name: c.cpu for c in candidates}
    print(f"{'':10}{'CPU/request':>12}{'p50':>10}{'p99':>10}")
    for c in candidates:
        percentiles = statistics.quantiles(c.latencies, n=100)
        p50, p99 = percentiles[49] * 1e6, percentiles[98] * 1e6
        print(f"{c.name:10}{statistics.median(c.cpu):9.1f} µs{p50:7.0f} µs{p99:7.0f} µs")
    is_met = True
    for peer, most in (("bare", MOST_TIMES_BARE), ("fastapi", MOST_TIMES_FASTAPI)):
        ratio = statistics.median(
            ours / theirs for ours, theirs in zip(cpu["visavis"], cpu[peer], strict=True)
        )
        is_met &= ratio <= most
        print(f"visavis / {peer}: {ratio:.2f} (at most {most}) {'ok' if ratio <= most else 'RED'}")
    return 0 if is_met else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=8000, help="per candidate and round")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--serve", choices=SERVERS, help=argparse.SUPPRESS)
    parser.add_argument("--fd", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        SERVERS[options.serve](socket.socket(fileno=options.fd))
        return 0
    with contextlib.ExitStack() as stack:
        candidates = [stack.enter_context(started(name)) for name in SERVERS]
        asyncio.run(compare(candidates, options.requests, options.rounds))
        return report(candidates)


if __name__ == "__main__":
    sys.exit(main())
