"""Fuzzes every target from real captures: `make fuzz`, or python -m tests.fuzz [target …].

`INPUTS` (a million each) and `SEED` may be set in the environment. Ends with what broke, if
anything did.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from tests.fuzz.mutation import mutants
from tests.fuzz.targets import TARGETS, Target

INPUTS = int(os.environ.get("INPUTS", "1000000"))
SEED = int(os.environ.get("SEED", "1"))
GROWTH_KILOBYTES = 64 * 1024


def fuzz(name: str) -> str:
    """Returns what to print; raises `AssertionError`, with the input, when the target does."""
    target: Target = next(t for t in TARGETS if t.name == name)
    run = target.make()
    before, started = _memory(), time.process_time()
    for data in mutants(SEED, target.corpus, INPUTS):
        try:
            run(data)
        except Exception as error:  # whatever it is, it has escaped
            raise AssertionError(f"{name}: {error!r} on {data.hex()}") from error
    growth = _memory() - before
    assert growth < GROWTH_KILOBYTES, f"{name}: grew by {growth} KB"
    seconds, mebibytes = time.process_time() - started, growth / 1024
    return f"{name:<14} {INPUTS:>9} inputs  {seconds:7.1f} s of CPU  grew by {mebibytes:5.1f} MiB"


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def fuzz_apart(name: str) -> int:
    """In a process of its own, whose memory is its own too."""
    return subprocess.run([sys.executable, "-m", "tests.fuzz", name], check=False).returncode


def main(names: list[str]) -> int:
    if len(names) == 1:
        print(fuzz(names[0]), flush=True)
        return 0
    wanted = names or [target.name for target in TARGETS]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return max(pool.map(fuzz_apart, wanted))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
