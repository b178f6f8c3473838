"""Runs every check of the project: quiet when green, exact when red.

python -m tests                 everything
python -m tests -k journal      only the tests, with pytest's own options
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

BIN = Path(sys.executable).parent
ROOT = Path(__file__).resolve().parent.parent


class Check(NamedTuple):
    name: str
    command: tuple[str, ...]


STATIC = (
    Check("style", ("ruff", "check", "--quiet", ".")),
    Check("format", ("ruff", "format", "--check", "--quiet", ".")),
    Check("import contracts", ("lint-imports",)),
    Check("types", ("mypy",)),
)
PYTEST = ("coverage", "run", "-m", "pytest")
SIDE_BY_SIDE = ("-n", "auto", "--dist", "worksteal")
# the browsers' driver keeps an event loop of its own: its tests do not mix with asynchronous ones
TESTS = (
    Check("unit and interop", (*PYTEST, *SIDE_BY_SIDE, "-m", "not e2e and not fault")),
    Check("faults", (*PYTEST, "-m", "fault and not e2e")),
    Check("browsers", (*PYTEST, "-m", "e2e")),
)
AT_LEAST = {"domain": 100, "services": 100, "": 90}
"""Per cent of lines and branches, of a room or (without a name) of the whole."""
COVERAGE = (
    Check("coverage data", ("coverage", "combine", "--quiet")),
    *(
        Check(
            f"coverage {room}".strip(),
            (
                "coverage",
                "report",
                f"--include=src/visavis/{room}/**".replace("//", "/"),
                f"--fail-under={least}",
            ),
        )
        for room, least in AT_LEAST.items()
    ),
)


def perform(check: Check) -> bool:
    """Run one check; print one line when it holds, and all that it said when not."""
    started = time.monotonic()
    # a wheel brings node and npm beside python
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    result = subprocess.run(
        (BIN / check.command[0], *check.command[1:]),
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - started
    holds = result.returncode == 0
    summary = _sum(result.stdout) if check in (*TESTS, *COVERAGE) else ""
    print(f"{'ok ' if holds else 'RED'} {check.name:<19} {seconds:6.1f} s  {summary}", flush=True)
    if not holds:
        print(result.stdout, result.stderr, sep="\n", flush=True)
    return holds


def _sum(said: str) -> str:
    """Coverage's total, or the last line of what pytest says."""
    lines = said.strip().splitlines() or [""]
    totals = [line.split()[-1] for line in lines if line.startswith("TOTAL")]
    return totals[0] if totals else lines[-1]


def main(arguments: list[str]) -> int:
    if arguments:
        pytest = Check("tests", (*PYTEST, *arguments))
        return 0 if perform(pytest) else 1
    with ThreadPoolExecutor(2) as pool:
        all_hold = all(list(pool.map(perform, STATIC)))
    for check in (*TESTS, *COVERAGE):
        all_hold &= perform(check)
    return 0 if all_hold else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
