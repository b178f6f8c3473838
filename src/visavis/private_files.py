"""Files that only the user who runs Visavis can read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

UMASK: Final = 0o077
"""New directories get 0700 and new files 0600."""


def make_private(directory: Path) -> tuple[int, list[Path]]:
    """Take every right of others from a directory and all that is in it.

    Return how many files and directories others could reach, and those that could not be changed.
    """
    corrected, refused = 0, []
    for path in (directory, *directory.rglob("*")):
        try:
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode) or not mode & UMASK:
                continue
            path.chmod(stat.S_IMODE(mode) & ~UMASK)
            corrected += 1
        except FileNotFoundError:
            continue
        except OSError:
            refused.append(path)
    return corrected, refused


@contextmanager
def private_new_files() -> Iterator[None]:
    """Make files that nobody else can read in this block."""
    before = os.umask(UMASK)
    try:
        yield
    finally:
        os.umask(before)


def restrict_new_files() -> None:
    """Let this process and its children make files that nobody else can read."""
    os.umask(UMASK)
