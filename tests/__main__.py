"""Runs every check of the project: quiet when green, exact when red.

python -m tests                 everything
python -m tests -k journal      only the tests, with pytest's own options
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.characters import write_table
from tests.marked_files import ROOT, files_with

BIN = Path(sys.executable).parent
# a wheel brings node and npm beside python
ENVIRONMENT = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
# every process would compile again what it imports, and pytest rewrite every test: seconds each
ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)
STORAGE = ROOT / ".hypothesis"
# tables of characters, which take each process that has no copy some seconds
ENVIRONMENT["HYPOTHESIS_STORAGE_DIRECTORY"] = str(STORAGE)


class Check(NamedTuple):
    name: str
    command: tuple[str, ...]
    before: tuple[str, ...] = ()


YIELDING = ("nice", "-n", "5")
"""Priority of tests that wait for processes: the media of the first lane must be sent on time."""
COMPUTING = ("nice", "-n", "10")
"""Priority of the unit tests, some of which wait for a process.

It must not be much lower: with a nice value of 15, a process for which a test waits gets 3 % of a
processor while two browsers run.
"""
LEFT_OVER = ("nice", "-n", "19")
"""Priority of checks that only compute: they use the time that all others leave."""
QUICK = (
    Check("style", ("ruff", "check", "--quiet", "."), COMPUTING),
    Check("format", ("ruff", "format", "--check", "--quiet", "."), COMPUTING),
    Check("import contracts", ("lint-imports",), COMPUTING),
    Check("pages unit", ("python", "-m", "tests.npm", "test"), COMPUTING),
)
SLOW = (
    Check("types", ("mypy",), LEFT_OVER),
    Check("pages style", ("python", "-m", "tests.npm", "run", "lint"), LEFT_OVER),
    Check("pages types", ("python", "-m", "tests.npm", "run", "check"), LEFT_OVER),
)
STATIC = (*QUICK, *SLOW)
COUNTED = "not (e2e or fault or many or no_cover or interop or postgresql)"
INTEROP = "(interop or postgresql) and not (e2e or fault or many)"
MANY = "(many or no_cover) and not (e2e or fault or interop or postgresql)"
INTEROP_FILES, MANY_FILES = files_with("interop", "postgresql"), files_with("many", "no_cover")
MEASURED = ("python", "-m", "tests.line_coverage")
SIDE_BY_SIDE = ("-n", "auto", "--dist", "worksteal")
FAULTS = "fault and media and not storm"
KILLS = "fault and not (e2e or media)"
TWO_FILES = ("-n", "2", "--dist", "loadfile")
"""Two files at a time: these tests wait for processes, and systems and databases are per file."""
LANES = (
    (
        # the browsers' driver has an event loop of its own: it does not mix with asynchronous tests
        Check("browsers", ("pytest", "-m", "e2e", *files_with("e2e"))),
        Check("faults", ("pytest", "-m", FAULTS, *files_with("media"))),
        Check("kills", ("pytest", *TWO_FILES, "-m", KILLS, *files_with("fault"))),
    ),
    (
        *QUICK,
        Check("unit", (*MEASURED, "run", *SIDE_BY_SIDE, "-m", COUNTED), COMPUTING),
        Check("interop", ("pytest", *SIDE_BY_SIDE, "-m", INTEROP, *INTEROP_FILES), YIELDING),
    ),
    (
        *SLOW,
        Check("many", ("pytest", *SIDE_BY_SIDE, "-m", MANY, *MANY_FILES), LEFT_OVER),
    ),
)
"""Lanes run side by side, and the checks of a lane one after the other.

The tests of the first lane wait most of the time, and those with calls one at a time: their media
must be sent on time. The second lane computes in the time that they leave, and the third one in
what is left then, so that no processor is ever idle. Nothing in the third lane waits for a process
that must answer soon: with a third lane of higher priority, products and pages wait for a processor
for so long that tests fail on a slow machine.

Coverage takes time, so only the unit tests measure it, and of these not the ones that compute much
to try many cases (marker no_cover): they take three times as long under it, and other tests run the
same lines. It counts what the tests' own processes run: a process that a test kills leaves broken
data.
"""
AT_LEAST = {"domain": 100, "services": 100, "": 90}
"""Per cent of lines and branches, of a package or (without a name) of the whole."""
COVERAGE = tuple(
    Check(f"coverage {package}".strip(), (*MEASURED, "report", f"--at-least={least}", package))
    for package, least in AT_LEAST.items()
)


def perform(check: Check) -> bool:
    """Run one check; print one line when it holds, and all that it said when not."""
    started = time.monotonic()
    result = subprocess.run(
        (*check.before, BIN / check.command[0], *check.command[1:]),
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - started
    holds = result.returncode == 0
    summary = "" if check in STATIC else _sum(result.stdout)
    said = f"{'ok ' if holds else 'RED'} {check.name:<19} {seconds:6.1f} s  {summary}\n"
    if not holds:
        said += f"{result.stdout}\n{result.stderr}\n"
    sys.stdout.write(said)  # in one piece: lanes report side by side
    sys.stdout.flush()
    return holds


def perform_all(checks: Iterable[Check]) -> bool:
    """One after the other, also after one that does not hold."""
    held = [perform(check) for check in checks]
    return all(held)


def _sum(said: str) -> str:
    """Coverage's total, or the last line of what pytest says."""
    lines = said.strip().splitlines() or [""]
    totals = [line.split()[-1] for line in lines if line.startswith("TOTAL")]
    return totals[0] if totals else lines[-1]


def main(arguments: list[str]) -> int:
    if arguments:
        return 0 if perform(Check("tests", ("pytest", *arguments))) else 1
    started = time.monotonic()
    write_table(STORAGE)
    with ThreadPoolExecutor(len(LANES)) as pool:
        all_hold = all(list(pool.map(perform_all, LANES)))
    all_hold = perform_all(COVERAGE) and all_hold
    seconds, used = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"in all {seconds:21.1f} s  {used.ru_utime + used.ru_stime:.0f} s of CPU time")
    return 0 if all_hold else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
