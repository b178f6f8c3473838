"""The one resource an administrator switches: `livechat/audioVideoChatConfig` of a site."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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


class ConfigField(StrEnum):
    """Names of the settings, in the audit log, in errors and in the API."""

    ENABLED = "isEnabled"
    RECORDING = "isAutomaticallyRecordingAudioVideoChatsEnabled"
    URL = "recordingServerUrl"
    NEW_SECRET = "recordingServerSecret"  # noqa: S105  the name of a field


@dataclass(frozen=True, slots=True)
class ConfigUpdate:
    """A change of the configuration; `None` leaves a value as it is."""

    is_enabled: bool | None = None
    is_recording: bool | None = None
    recording_server_url: str | None = None
    secret: str | None = None
    """The new recording server's secret, empty for none; only with another scheme, host or port."""
