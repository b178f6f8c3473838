"""Storms in a whole cluster of real processes, as a table.

python -m tests.cluster                         storms with the seeds 1, 2, ... for ten minutes
python -m tests.cluster --seed 7 --minutes 60   the seeds 7, 8, ... for an hour
python -m tests.cluster --pairs 0.3             with every third fault another one comes along
python -m tests.cluster --fail-over-manager     pg_auto_failover promotes PostgreSQL's standby
python -m tests.cluster --check FILE            check a saved history again

Ctrl-C ends it. The result is 1 if a promise was broken; the history is then saved.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.cluster.checker import figures, violations
from tests.cluster.history import History, read_history
from tests.cluster.storm import Storm
from tests.cluster.topology import running

ROOT: Final = Path(__file__).resolve().parents[2]
NAMES: Final = ("an", "bo", "cy", "di", "ed")


def soak(options: argparse.Namespace) -> int:
    """Let one storm after the other rage; return how many broke a promise."""
    broken, seed = 0, options.seed
    with (
        tempfile.TemporaryDirectory(prefix="visavis-storm-") as directory,
        running(
            Path(directory), apps=options.apps, has_manager=options.fail_over_manager
        ) as topology,
    ):
        tokens = [topology.add_agent(name) for name in NAMES]
        end = time.monotonic() + 60 * options.minutes
        while time.monotonic() < end:
            storm = Storm(topology, seed, callers=options.callers, pairs=options.pairs)
            history = asyncio.run(storm.run(options.faults, tokens))
            if options.save:
                history.save(options.save / f"{seed}.json")
            broken += report(history, seed, is_first=seed == options.seed)
            seed += 1
    print(f"{broken} of {seed - options.seed} storms broke a promise.")
    return broken


def report(history: History, seed: int, *, is_first: bool) -> bool:
    """Print a line of the table, and what was broken; return whether anything was."""
    cells = {"seed": str(seed), **figures(history)}
    if is_first:
        print("| " + " | ".join(cells) + " |")
        print("|" + "---|" * len(cells))
    print("| " + " | ".join(cells.values()) + " |", flush=True)
    broken = violations(history)
    if broken:
        path = Path(tempfile.gettempdir()) / f"visavis-storm-{seed}.json"
        history.save(path)
        print(*broken, f"the history is {path}", sep="\n", flush=True)
    return bool(broken)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--faults", type=int, default=6, help="faults of each storm")
    parser.add_argument("--apps", type=int, default=2, help="app nodes")
    parser.add_argument("--callers", type=int, default=3, help="calls at a time")
    parser.add_argument("--pairs", type=float, default=0.0, help="share of double faults")
    parser.add_argument("--fail-over-manager", action="store_true", help="run pg_auto_failover")
    parser.add_argument("--save", type=Path, metavar="DIRECTORY", help="save every history")
    parser.add_argument("--check", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    if options.check:
        return int(report(read_history(options.check), options.seed, is_first=True))
    subprocess.run(["sh", ROOT / "tests" / "system-packages"], check=True)
    if options.fail_over_manager:
        subprocess.run(["sh", ROOT / "tests" / "cluster" / "system-packages"], check=True)
    return 1 if soak(options) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
