"""Time limits of a call."""

from __future__ import annotations

from msgspec import Struct


class CallTimings(Struct, frozen=True):
    """Time limits in seconds.

    `ring`: for an agent to accept. `queue`: for an agent to become free. `connect`: for media to
    flow after the acceptance. `resume`: for a lost page or bridge to come back. `join`: for the
    visitor to open the join link of a call that another product has created.
    """

    ring: int = 45
    queue: int = 300
    connect: int = 30
    resume: int = 30
    join: int = 3600
