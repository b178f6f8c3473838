"""Topics of the bus: each is a prefix followed by the id of a socket or the number of a site."""

from __future__ import annotations

from typing import Final

SOCKET_TOPIC: Final = "socket."
"""Messages sent to one page."""

CONFIG_TOPIC: Final = "config."
"""`Availability` of a site, sent whenever it changes."""

CONSOLES_TOPIC: Final = "consoles."
"""Messages sent to every agent console of a site."""
