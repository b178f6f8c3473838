"""The one resource an administrator switches: `livechat/audioVideoChatConfig` of a site."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Config:
    """A site's configuration as it is in force.

    `recording_server_url` is `None` while nobody has set one: then the built-in archive's address
    stands for it, which may differ from one start to the next. `version` counts real changes.
    """

    site_id: int
    is_enabled: bool = False
    is_recording: bool = False
    recording_server_url: str | None = None
    version: int = 0
