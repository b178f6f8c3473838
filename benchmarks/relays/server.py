"""Process of a relay, bound to its own core."""

from __future__ import annotations

import os
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.load.generator import Generator
from benchmarks.relays.quota import add_process

SERVER_CORE, GENERATOR_CORE = 0, 1
START_SECONDS = 20.0
RECORDINGS = {".journal", ".mjr", ".pcap"}


class Server(ABC):
    """Relay. `calls` is its number of calls; `directory` is for its files and recordings.

    `group` is a control group for its process.
    """

    name: str

    def __init__(
        self, directory: Path, *, is_recording: bool = False, group: Path | None = None
    ) -> None:
        self.group = group
        self.directory = directory
        self.is_recording = is_recording
        self.calls = 0
        self._process: subprocess.Popen[bytes]

    def add_calls(self, count: int, generator: Generator) -> None:
        for _ in range(count):
            self.calls += 1
            self.add_call(self.calls, generator)

    @abstractmethod
    def start(self) -> None:
        """Start the relay and wait until calls can be added; raises `TimeoutError`."""

    @abstractmethod
    def add_call(self, number: int, generator: Generator) -> None:
        """Set up a call of two browsers, and add its transports to the generator."""

    def cpu(self) -> float:
        """Return the CPU seconds of the process, by the clock ID of clock_getcpuclockid(3)."""
        return time.clock_gettime((~self._process.pid << 3) | 2)

    def recorded_bytes(self) -> int:
        files = (path for path in self.directory.rglob("*") if path.suffix in RECORDINGS)
        return sum(path.stat().st_size for path in files)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def _spawn(self, command: Sequence[str | Path], stdin: int = subprocess.DEVNULL) -> None:
        with (self.directory / "log").open("wb") as log:
            self._process = subprocess.Popen(
                ["taskset", "--cpu-list", str(SERVER_CORE), *command],
                stdin=stdin,
                stdout=log,
                stderr=log,
            )
        if self.group:
            add_process(self.group, self._process.pid)

    def _wait_for(self, is_there: Callable[[], bool]) -> None:
        give_up = time.monotonic() + START_SECONDS
        while not is_there():
            if time.monotonic() > give_up or self._process.poll() is not None:
                self._process.kill()
                self._process.wait()
                log = (self.directory / "log").read_text(errors="replace")
                raise TimeoutError(f"{self.name} did not start: {log[-2000:]}")
            time.sleep(0.05)


def use_generator_core() -> None:
    os.sched_setaffinity(0, {GENERATOR_CORE})
