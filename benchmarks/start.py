"""CPU time of a start: of commands, and of `visavis serve` until it is ready.

The data directory exists already, so the first start, which hashes a password, is not measured. The
CPU time of `visavis serve` is the sum of its processes when it prints that it is running. Each
value is the least of the rounds, because other programs on the machine only add to it.

    python benchmarks/start.py [--rounds 5]
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from tests.running import VISAVIS, System  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
COMMANDS = (("--help",), ("agent", "list"))


def cpu_seconds_of(pid: int) -> dict[str, float]:
    """Return the CPU seconds of a process, of its ended children and of each running one."""
    path = Path("/proc") / str(pid)
    fields = (path / "stat").read_text().rpartition(")")[2].split()
    name = (path / "cmdline").read_text().split("\0")[-2]
    found = {name: sum(map(int, fields[11:15])) / TICKS}
    for child in (path / "task" / str(pid) / "children").read_text().split():
        found |= cpu_seconds_of(int(child))
    return found


def measure_command(data: Path, *words: str) -> dict[str, float]:
    options = () if words[0].startswith("-") else ("--data", str(data))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    subprocess.run([VISAVIS, *words, *options], check=True, stdout=subprocess.DEVNULL)
    elapsed = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"CPU": cpu, "wall": elapsed}


class MeasuredSystem(System):
    """System of one supervisor whose process id is known."""

    def measure(self) -> dict[str, float]:
        started = time.monotonic()
        self.start()
        elapsed = time.monotonic() - started
        try:
            if self._process is None:
                raise RuntimeError("the server is not running")
            parts = cpu_seconds_of(self._process.pid)
        finally:
            self.stop()
        parts["supervisor"] = parts.pop(next(iter(parts)))
        return {"CPU": sum(parts.values()), "wall": elapsed, **parts}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory) / "data"
        MeasuredSystem(data).measure()
        measured = {
            " ".join(words): [measure_command(data, *words) for _ in range(rounds)]
            for words in COMMANDS
        }
        measured["serve"] = [MeasuredSystem(data).measure() for _ in range(rounds)]
    for name, results in measured.items():
        least = {key: min(result[key] for result in results) for key in results[0]}
        values = ", ".join(f"{key} {value:.2f} s" for key, value in least.items())
        print(f"visavis {name}: {values}")


if __name__ == "__main__":
    main()
