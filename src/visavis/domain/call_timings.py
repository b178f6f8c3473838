"""Time limits of a call."""

from __future__ import annotations

from msgspec import Struct


class CallTimings(Struct, frozen=True):
    """Seconds after which a call gives up waiting.

    `ring`: for an agent to accept. `queue`: for an agent to be free. `connect`: for media after the
    acceptance. `resume`: for a page or a bridge that was lost. `join`: for the visitor of a call
    that another product has created.
    """

    ring: int = 45
    queue: int = 300
    connect: int = 30
    resume: int = 30
    join: int = 3600
