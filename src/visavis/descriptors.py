"""File descriptors of a process: raises the limit at start, and keeps a reserve."""

from __future__ import annotations

import contextlib
import os
import resource
from typing import Final

import structlog

log = structlog.get_logger(__name__)

WANTED: Final = 65_536
RESERVE: Final = 256
"""Descriptors that connections leave free for journals, the database, uploads and files."""


def raise_limit() -> int:
    """Raise the soft limit of open files as far as the system permits; return the limit."""
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
    """Return the maximum number of open connections that leaves the reserve free."""
    available = limit()
    return max(available - RESERVE, available // 2)


def try_to_open(count: int) -> None:
    """Open this many files at once and close them; raises `OSError` if that fails."""
    with contextlib.ExitStack() as close:
        for _ in range(count):
            close.callback(os.close, os.open(os.devnull, os.O_RDONLY))
