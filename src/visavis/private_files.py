"""Files that only the user who runs Visavis can read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

UMASK: Final = 0o077
"""Mask with which new directories get mode 0700 and new files 0600."""


def make_private(directory: Path) -> tuple[int, list[Path]]:
    """Remove all rights of other users from a directory and its contents.

    Return the number of files and directories that other users could access, and those that could
    not be changed.
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
    """Create files in this block that no other user can read."""
    before = os.umask(UMASK)
    try:
        yield
    finally:
        os.umask(before)


def restrict_new_files() -> None:
    """Let this process and its children create files that no other user can read."""
    os.umask(UMASK)
