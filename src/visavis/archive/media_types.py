"""Files that the library and the tus server send and receive, by media type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from visavis.protocol.openapi import Schema

BINARY: Final[Schema] = {"type": "string", "format": "binary"}
MATROSKA_TYPE: Final = "video/x-matroska"
MATROSKA: Final[Mapping[str, Schema]] = {MATROSKA_TYPE: BINARY}
MP4: Final[Mapping[str, Schema]] = {"video/mp4": BINARY}
PLAYABLE: Final[Mapping[str, Schema]] = dict.fromkeys(
    ("video/webm", "video/mp4", "audio/webm", "audio/mp4"), BINARY
)
