"""Clock, identifiers and secrets, which the inner packages receive as arguments."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from visavis.durable import write_atomically

now: Final[Callable[[], datetime]] = partial(datetime.now, UTC)
new_secret: Final[Callable[[], str]] = partial(secrets.token_urlsafe, 24)
new_id: Final[Callable[[], str]] = partial(secrets.token_hex, 16)


def ensure_node_id(path: Path) -> str:
    """Return the name of this node among those with the same database; create it if missing.

    The app and the recorder may do so at the same time, so one of them at a time looks and creates.
    An empty file, which a full disk or a loss of power may have left, counts as missing.
    """
    if not _node_id(path):
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(directory, fcntl.LOCK_EX)
            if not _node_id(path):
                write_atomically(path, new_id().encode("ascii"))
        finally:
            os.close(directory)
    return _node_id(path)


def _node_id(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""
