"""Clock, identifiers and secrets, which the inner packages receive as arguments."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

now: Final[Callable[[], datetime]] = partial(datetime.now, UTC)
new_secret: Final[Callable[[], str]] = partial(secrets.token_urlsafe, 24)
new_id: Final[Callable[[], str]] = partial(secrets.token_hex, 16)


def ensure_node_id(path: Path) -> str:
    """Return the name of this node among those with the same database; create it if missing.

    The app and the recorder may do so at the same time, so the file appears with its content.
    """
    if not path.exists():
        draft = path.with_name(f".{path.name}.{new_id()}")
        draft.write_text(new_id(), encoding="ascii")
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text(encoding="ascii")
