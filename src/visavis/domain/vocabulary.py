"""Literal types that several parts of a call share."""

from __future__ import annotations

from typing import Literal

Media = Literal["audio", "video"]
"""Media of a call: `video` includes audio."""

Party = Literal["visitor", "agent", "system"]
"""Originator of an event or a message of a call; `system` is the server itself."""
