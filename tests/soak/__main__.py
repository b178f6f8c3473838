"""Soak of the recorder: real calls over bad networks, each compared with what was received.

python -m tests.soak                        every row once
python -m tests.soak --only Firefox         rows whose name contains this; several: any of them
python -m tests.soak --full --seed 2        each network with each event, another seed

Ctrl-C ends it with what there is. The result is 1 if a recording was not true.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Final

import httpx2
from playwright.sync_api import Browser, Error, expect, sync_playwright

from tests.e2e.conftest import COLLEAGUE, PASSWORD
from tests.e2e.oracle import Verdict
from tests.running import CHROMIUM, FAKE_DEVICES, PATIENCE, System
from tests.soak.call import SoakCall
from tests.soak.matrix import Row, matrix

HEADER: Final = (
    "browsers",
    "network",
    "event",
    "side",
    "frames file/decoded",
    "worst sound",
    "missing",
    "still file/receiver",
    "verdict",
)
ROOT: Final = Path(__file__).resolve().parents[2]
FAILURES: Final = (AssertionError, Error, OSError, httpx2.HTTPError)
WIDTHS: Final = (17, 11, 17, 7, 19, 11, 7, 19, 0)


def line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(c.ljust(w) for c, w in zip(cells, WIDTHS, strict=True)) + " |"


def lines(row: Row, verdicts: Sequence[Verdict]) -> list[str]:
    """Two lines of the table, one for each side of the recording."""
    return [
        line(
            (
                f"{row.visitor}-{row.agent}",
                row.network,
                row.event,
                one.side,
                f"{one.frames}/{one.decoded}",
                f"{1000 * one.offset:.0f} ms",
                f"{one.missing:.1f} s",
                f"{one.still:.2f}/{one.receivers_still:.2f} s",
                "; ".join(one.faults) or "true",
            )
        )
        for one in verdicts
    ]


def call(system: System, browser: Browser, row: Row, seed: int) -> tuple[list[str], bool]:
    """Make the call of a row; return its lines, and whether the recording is true."""
    details = StringIO()
    try:
        with redirect_stdout(details):
            verdicts = SoakCall(system, browser, row, seed).run()
    except FAILURES as error:  # the other rows are worth their figures all the same
        words = str(error).strip().splitlines() or [type(error).__name__]
        cells = (f"{row.visitor}-{row.agent}", row.network, row.event, "", "", "", "", "")
        return [line((*cells, f"failed: {words[0][:120]}"))], False
    is_true = not any(verdict.faults for verdict in verdicts)
    kept = [text for text in details.getvalue().splitlines() if text.startswith("kept as")]
    return lines(row, verdicts) + kept, is_true


def soak(rows: Sequence[tuple[int, Row]], seed: int) -> int:
    """Print the table as it grows; return how many rows were not true or not run.

    A row has its number in the whole matrix, so that its call is the same when it is run alone.
    """
    true = 0
    with tempfile.TemporaryDirectory(prefix="soak-") as directory, sync_playwright() as playwright:
        expect.set_options(timeout=1000 * PATIENCE)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FAKE_DEVICES])
        system = System(Path(directory) / "data", "--calls-per-minute", "0").start()
        try:
            system.add_agent(COLLEAGUE, PASSWORD, "--name", "Bea", "--administrator")
            print(line(HEADER), flush=True)
            for count, (number, row) in enumerate(rows, 1):
                started = time.monotonic()
                progress(f"{count} of {len(rows)}: {row.name} ...")
                said, is_true = call(system, browser, row, seed + number)
                true += is_true
                progress(f"{count} of {len(rows)}: {time.monotonic() - started:.0f} s", end="\n")
                print(*said, sep="\n", flush=True)
        except KeyboardInterrupt:
            progress("stopped", end="\n")
        finally:
            browser.close()
            system.stop()
    print(f"{true} of {len(rows)} calls have a true recording (seed {seed}).")
    return len(rows) - true


def progress(text: str, end: str = "\r") -> None:
    """On a terminal only, beside the table."""
    if sys.stderr.isatty():
        print(text.ljust(79), end=end, file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--only", action="append", default=[], metavar="TEXT")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--list", action="store_true", help="print the rows and end")
    options = parser.parse_args(arguments)
    rows = [
        (number, row)
        for number, row in enumerate(matrix(is_full=options.full), 1)
        if not options.only or any(text in row.name for text in options.only)
    ]
    if options.list:
        print(*(row.name for _, row in rows), sep="\n")
        return 0
    subprocess.run(["sh", ROOT / "tests" / "system-packages"], check=True)
    return 1 if soak(rows, options.seed) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
