"""Messages between the nodes of a cluster."""

from __future__ import annotations

import msgspec


class ChangesWritten(msgspec.Struct, frozen=True):
    """A node has written to the log of changes: the others read it at once."""
