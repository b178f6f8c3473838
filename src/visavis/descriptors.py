"""File descriptors of a process: the limit is raised at start, and a reserve is kept."""

from __future__ import annotations

import contextlib
import os
import resource
from typing import Final

import structlog

log = structlog.get_logger(__name__)

WANTED: Final = 65_536
RESERVE: Final = 256
"""Descriptors that connections leave for journals, the database, uploads and files."""


def raise_limit() -> int:
    """Raise the soft limit of open files as far as the system lets us; return the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError) as error:
            log.warning("the limit of open files was not raised", limit=soft, reason=str(error))
    return limit()


def limit() -> int:
    """Return the soft limit of open files, at most `WANTED`."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return WANTED if soft == resource.RLIM_INFINITY else min(WANTED, soft)


def for_connections() -> int:
    """Return how many connections may be open at once, so that the reserve stays free."""
    available = limit()
    return max(available - RESERVE, available // 2)


def try_to_open(count: int) -> None:
    """Open and close this many files at once; raises `OSError` if they cannot be opened."""
    with contextlib.ExitStack() as close:
        for _ in range(count):
            close.callback(os.close, os.open(os.devnull, os.O_RDONLY))
