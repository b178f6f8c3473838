"""Words that more than one part of a call uses."""

from __future__ import annotations

from typing import Literal

Media = Literal["audio", "video"]
"""The media that a page sends: `video` includes audio."""

Party = Literal["visitor", "agent", "system"]
"""The originator of an event or a message of a call; `system` is the server itself."""
