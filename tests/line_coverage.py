"""Measures and reports the lines and branches of the product that the tests' processes run.

python -m tests.line_coverage run tests/domain tests/services    with pytest's own options
python -m tests.line_coverage report services --at-least 100     and exit with 1 if it is less
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from slipcover import merge_coverage, print_coverage
from slipcover.slipcover import add_summaries

import tests
from tests.probes import SOURCE

DIRECTORY = Path(__file__).resolve().parents[1] / ".coverage-of-lines"


def run(options: list[str]) -> int:
    """Run tests in workers that have probes, and return the exit status of pytest."""
    DIRECTORY.mkdir(exist_ok=True)
    for former in DIRECTORY.iterdir():
        former.unlink()
    command = [sys.executable, "-m", "pytest", "-n", "auto", *options]
    environment = {**os.environ, tests.COVERAGE: str(DIRECTORY)}
    return subprocess.run(command, env=environment, check=False).returncode


def merged() -> dict[str, Any]:
    """Return what all workers ran, in the format of Slipcover; raises `SystemExit` if none did."""
    parts = [json.loads(path.read_text()) for path in sorted(DIRECTORY.glob("*.json"))]
    if not parts:
        raise SystemExit("Nothing was measured: `python -m tests.line_coverage run …` does.")
    whole: dict[str, Any] = parts[0]
    for part in parts[1:]:
        merge_coverage(whole, part)
    return whole


def report(package: str, at_least: float) -> int:
    """Print what no test ran of a package; return 1 if its percentage is less than `at_least`."""
    whole, inside = merged(), SOURCE / package
    files = whole["files"].items()
    whole["files"] = {
        name: one for name, one in files if Path(name).resolve().is_relative_to(inside)
    }
    add_summaries(whole)
    covered = float(whole["summary"]["percent_covered"])
    if covered < 100:
        print_coverage(whole, skip_covered=True)
    print(f"TOTAL {int(covered)}%")  # rounded down: 99.9 is not all
    return int(covered < at_least)


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["run"]:
        return run(arguments[1:])
    parser = argparse.ArgumentParser(
        prog="python -m tests.line_coverage",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=["run", "report"])
    parser.add_argument("package", nargs="?", default="", help="of src/visavis; without it all")
    parser.add_argument("--at-least", type=float, default=0.0, help="per cent")
    chosen = parser.parse_intermixed_args(arguments)
    return report(chosen.package, chosen.at_least)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
