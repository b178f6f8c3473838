"""Audio/video chat configuration of a site: the resource `livechat/audioVideoChatConfig`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Config:
    """Current configuration of a site.

    `recording_server_url` is `None` until an administrator sets one. Recordings then go to the
    built-in archive, whose URL may differ from one start of the server to the next. `version` rises
    when a value changes.
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
    """Bearer token of the new recording server, empty if it requires none.

    It is used only if the URL changes to another scheme, host or port.
    """
