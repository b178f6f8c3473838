"""Clock, identifiers and secrets, which the inner packages receive as arguments."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final

now: Final[Callable[[], datetime]] = partial(datetime.now, UTC)
new_secret: Final[Callable[[], str]] = partial(secrets.token_urlsafe, 24)
new_id: Final[Callable[[], str]] = partial(secrets.token_hex, 16)
