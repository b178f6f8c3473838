"""Runs all benchmarks, as `make bench` does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> int:
    codes = []
    for script in sorted(HERE.glob("[a-z]*.py")):
        print(f"# {script.stem}", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{script.stem}"]
        codes.append(subprocess.run(command, cwd=HERE.parent, check=False).returncode)
    return max(codes, default=0)


if __name__ == "__main__":
    sys.exit(main())
