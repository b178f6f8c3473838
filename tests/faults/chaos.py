"""Many short calls while everything dies: what was connected must be in the archive, once.

As a program it is the long form: `python -m tests.faults.chaos --calls 200 --seed 1`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import re
import signal
import sqlite3
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from click.testing import CliRunner

from tests import http_clients
from tests.faults.proxy import Proxy
from tests.fork_server import ForkedProcess, fork_server
from tests.participants.people import Agent, Visitor, present
from tests.running import (
    PATIENCE,
    VISAVIS,
    System,
    administer,
    decoding_errors,
    eventually,
    ffprobe,
    free_port,
    listens,
)
from visavis.cli import main as visavis

PARTS: Final = ("app", "media", "recorder")
CALL_SECONDS: Final = (1.0, 4.0)
CALM_SECONDS: Final = (0.4, 2.0)
PATIENCE_SECONDS: Final = 20.0
SPOOL_MEGABYTES: Final = 400
LOST_SECONDS: Final = 1.0
"""Media that may be missing before each kill of the media worker."""


@dataclass
class ChaosOutcome:
    """Observations: calls that were connected, and the times when the media worker died."""

    connected: set[str] = field(default_factory=set)
    reasons: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)


class Disk:
    """A directory on a small file system of its own, which can be filled up."""

    def __init__(self, directory: Path, megabytes: int = SPOOL_MEGABYTES) -> None:
        self._directory = directory
        self._megabytes = megabytes
        self.is_small = os.geteuid() == 0  # only root may mount one

    def mount(self) -> None:
        self._directory.mkdir(parents=True)
        if self.is_small:
            size = f"size={self._megabytes}m"
            command = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(self._directory)]
            self.is_small = (
                subprocess.run(command, check=False, capture_output=True).returncode == 0
            )

    def unmount(self) -> None:
        if self.is_small:
            subprocess.run(["umount", "--lazy", str(self._directory)], check=True)

    @contextlib.contextmanager
    def full(self) -> Iterator[None]:
        ballast = self._directory / ".ballast"
        with ballast.open("wb") as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(1024 * 1024))
                file.flush()
        try:
            yield
        finally:
            ballast.unlink(missing_ok=True)


class ArchiveProcess:
    """`visavis archive` on its own, started again whenever it was killed."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self.port = free_port()
        self._process: ForkedProcess | None = None

    def start(self) -> None:
        with (self._data.parent / "archive.log").open("ab") as log:
            command = [VISAVIS, "archive", "--data", str(self._data), "--port", str(self.port)]
            self._process = fork_server().start(command, log.fileno())

    def add_key(self) -> str:
        place = ("--data", self._data)
        return administer("archive", "upload-key", "add", "chaos", *place).strip()

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
        self.start()

    def stop(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(PATIENCE)

    def entries(self) -> list[tuple[Path, dict[str, Any]]]:
        """Every recording that it has, and what it knows of it."""
        library = self._data / "archive" / "library" / "1"
        return [
            (sidecar.with_suffix(".mkv"), msgspec.json.decode(sidecar.read_bytes()))
            for sidecar in library.glob("[!.]*.json")
            if sidecar.with_suffix(".mkv").exists()
        ]


class ChaosRun:
    """One system, its callers and the faults injected into it, all drawn from a seed."""

    def __init__(self, directory: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        reserve = ("--disk-reserve-megabytes", str(SPOOL_MEGABYTES // 8))
        self.system = System(directory / "data", "--allow-private-recording-servers", *reserve)
        self.server = ArchiveProcess(directory / "archive")
        self.disk = Disk(self.system.spool)
        self.outcome = ChaosOutcome()
        self._is_running = True

    def hold(self, calls: int, desks: int) -> ChaosOutcome:
        """Place so many calls at so many desks while faults are injected, and wait."""
        self.disk.mount()
        try:
            self.server.start()
            self.system.start()
            asyncio.run(self._hold(calls, desks))
        finally:
            self.system.stop()
            self.server.stop()
            self.disk.unmount()
        return self.outcome

    async def _hold(self, calls: int, desks: int) -> None:
        await asyncio.to_thread(eventually, lambda: listens(self.server.port))
        async with Proxy(self.server.port) as self.network:
            await asyncio.to_thread(self._configure)
            await self._place_all(calls, desks)
            await asyncio.to_thread(self._settle)
            await asyncio.to_thread(self._verify)

    def _configure(self) -> None:
        url = f"http://127.0.0.1:{self.network.port}/recordings/"
        self.system.configure(on=True, recording=True, url=url)
        answer = http_clients.put(
            f"{self.system.url}/v4/livechat/recordingPolicy",
            json={"secret": self.server.add_key()},
            headers={"Authorization": f"Bearer {self.system.token()}"},
        )
        assert answer.status_code == 200, answer.text

    # The people

    async def _place_all(self, calls: int, desks: int) -> None:
        url = self.system.url.replace("http", "ws", 1)
        tokens = await asyncio.to_thread(self._tokens, desks)
        agents = [Agent(f"{url}/signaling/agent", token) for token in tokens]
        turns = iter(range(calls))
        async with present(*agents):
            await asyncio.gather(*(agent.is_on_duty.wait() for agent in agents))
            injecting = asyncio.create_task(self._inject_faults())
            callers = [self._place(f"{url}/signaling/visitor?site=1", turns) for _ in agents]
            await asyncio.gather(*callers)
            self._is_running = False
            await injecting

    def _tokens(self, desks: int) -> list[str]:
        data = ("--data", str(self.system.data))
        tokens = []
        for number in range(desks):
            email = f"agent{number}@example.com"
            permission = "Accept Audio & Video Chats"
            administer("agent", "add", email, "--permission", permission, *data)
            tokens.append(administer("token", "issue", "--email", email, *data).strip())
        return tokens

    async def _place(self, url: str, turns: Iterator[int]) -> None:
        """One caller after the other, while there are turns left."""
        for number in turns:
            visitor = Visitor(url, has_video=self.chance.random() < 0.7)
            async with present(visitor):
                await self._talk(visitor, f"Visitor {number}")
            self.outcome.reasons[visitor.reason or "gave up"] += 1

    async def _talk(self, visitor: Visitor, name: str) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await visitor.call(name)
                await visitor.is_connected.wait()
                self.outcome.connected.add(visitor.known_as)
                await asyncio.sleep(self.chance.uniform(*CALL_SECONDS))
                while not visitor.is_over.is_set():
                    await visitor.hang_up()
                    await asyncio.sleep(0.2)

    # Faults

    async def _inject_faults(self) -> None:
        while self._is_running:
            await asyncio.sleep(self.chance.uniform(*CALM_SECONDS))
            name, inject = self.chance.choice(self._faults())
            await inject()
            self.outcome.faults[name] += 1

    def _faults(self) -> list[tuple[str, Any]]:
        kills = [(f"kill {part}", lambda part=part: self._kill(part)) for part in PARTS]
        others = [("kill archive", self._kill_archive), ("cut network", self._cut)]
        disk = [("full disk", self._fill)] if self.disk.is_small else []
        return [*kills, *others, *disk]

    async def _kill_archive(self) -> None:
        await asyncio.to_thread(self.server.kill)

    async def _cut(self) -> None:
        """In mid-PATCH, if one comes soon enough."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                while not self.network.cut():
                    await asyncio.sleep(0.005)

    async def _kill(self, part: str) -> None:
        with contextlib.suppress(AssertionError, ProcessLookupError):  # it is dead already
            self.system.kill_part(part)

    async def _fill(self) -> None:
        with self.disk.full():
            await asyncio.sleep(self.chance.uniform(0.3, 1.5))

    # Verification

    def _settle(self) -> None:
        eventually(lambda: not self.system.undelivered())

    def _verify(self) -> None:
        calls = self._calls()
        assert self.outcome.connected <= {call["id"] for call in calls}
        entries = self.server.entries()
        delivered = Counter(entry["callId"] for _, entry in entries)
        ought = {call["id"]: call["seconds"] for call in calls if call["connected_at"]}
        missing, twice = ought.keys() - delivered.keys(), [c for c, n in delivered.items() if n > 1]
        lasting = {call["id"] for call in calls if call["stretch"] > LOST_SECONDS}
        assert not missing & lasting, f"never delivered: {missing & lasting}"
        assert not twice, f"delivered twice: {twice}"
        for path, entry in entries:
            self._verify_file(path, ought.get(entry["callId"], 0.0))
        # a call of less than what a kill may take is in the list, since nothing is kept quiet
        assert self._listed_as_missing() <= ought.keys() - lasting

    def _listed_as_missing(self) -> set[str]:
        command = ("recordings", "verify", "--json", "--data", str(self.system.data))
        result = CliRunner().invoke(visavis, command)
        assert isinstance(result.exception, SystemExit | None), result.exception
        assert result.exit_code in {0, 1}, result.stderr
        return set(re.findall(r'"callId": ?"(\w+)"', result.stdout))

    def _verify_file(self, path: Path, seconds: float) -> None:
        errors = decoding_errors(path)
        assert errors == "", (path, errors)
        duration = float(ffprobe(path)["format"]["duration"])
        lost = LOST_SECONDS * (1 + self.outcome.faults["kill media"])
        assert duration >= seconds - lost - 0.5, (path, duration, seconds)

    def _calls(self) -> list[dict[str, Any]]:
        """Return the database's calls: `seconds` of talk in a call, and its best `stretch`."""
        with contextlib.closing(sqlite3.connect(self.system.data / "visavis.db")) as connection:
            connection.row_factory = sqlite3.Row
            rows = [dict(row) for row in connection.execute("SELECT * FROM calls")]
            for row in rows:
                query = "SELECT name, at FROM call_events WHERE call_id = ? ORDER BY id"
                told = connection.execute(query, (row["id"],)).fetchall()
                row["stretch"] = longest([(name, at) for name, at in told], row["ended_at"])
                row["seconds"] = 0.0
                if row["connected_at"] and row["ended_by"] != "system":
                    row["seconds"] = seconds_between(row["connected_at"], row["talk_ended_at"])
        return rows


def seconds_between(earlier: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


def longest(events: list[tuple[str, str]], ended_at: str) -> float:
    """Return the longest time in seconds that media flowed without an interruption."""
    stretches, since = [0.0], ""
    for name, at in [*events, ("ended", ended_at)]:
        if name == "connected":
            since = at
        elif name in {"reconnecting", "ended"} and since:
            stretches.append(seconds_between(since, at))
            since = ""
    return max(stretches)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--desks", type=int, default=6, help="calls at a time")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        outcome = ChaosRun(Path(directory), options.seed).hold(options.calls, options.desks)
    print(msgspec.json.encode(outcome).decode())
    print(f"{len(outcome.connected)} calls were connected; each has exactly one recording")


if __name__ == "__main__":
    main()
