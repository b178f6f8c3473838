"""The resource `livechat/audioVideoChatConfig`: its bodies, and reading them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from msgspec import UNSET, Meta, UnsetType

from visavis.domain.config import Config, ConfigField, ConfigUpdate
from visavis.domain.errors import ErrorCode, ErrorKind, VisavisError
from visavis.protocol.wire import JsonBody, Secret, read_secret, wrong_field

NEW_SECRET: Final = ConfigField.NEW_SECRET
MAX_URL_LENGTH: Final = 2048
_URL: Final = ConfigField.URL.value

Word = Annotated[
    str,
    Meta(
        pattern="^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$",
        description="As existing clients send it.",
    ),
]
Url = Annotated[
    str,
    Meta(
        pattern="^([Hh][Tt][Tt][Pp][Ss]?://.+)?$",
        max_length=MAX_URL_LENGTH,
        description="An absolute http or https URL without user name and password; empty only "
        "while automatic recording is off.",
        examples=["http://google.com"],
    ),
]


class Configuration(JsonBody):
    """The configuration of Audio & Video Chat of one site."""

    is_enabled: bool
    is_automatically_recording_audio_video_chats_enabled: bool
    recording_server_url: str


class ConfigChange(JsonBody):
    """A change of the settings. Keys match in upper or lower case; unknown keys are ignored."""

    recording_server_url: Url
    is_enabled: bool | Word | UnsetType = UNSET
    is_automatically_recording_audio_video_chats_enabled: bool | Word | UnsetType = UNSET
    recording_server_secret: Secret | UnsetType = UNSET


class ConfigEvent(JsonBody):
    """Data of a server-sent event: the current configuration, and its ETag for If-Match."""

    etag: str
    config: Configuration


def configuration_of(config: Config, url: str) -> Configuration:
    """Return the body of a site's configuration; `url` is that of its recording server."""
    return Configuration(config.is_enabled, config.is_recording, url)


def read_change(values: Mapping[str, Any]) -> ConfigUpdate:
    """Return the change that the body of a PUT describes; raise the 400 errors."""
    return ConfigUpdate(
        _boolean(values, ConfigField.ENABLED),
        _boolean(values, ConfigField.RECORDING),
        read_url(values.get(ConfigField.URL.casefold())),
        read_new_secret(values.get(NEW_SECRET.casefold())),
    )


def read_new_secret(value: Any) -> str | None:
    """Return a new recording server's secret, empty if it needs none; raise the 400 errors."""
    return None if value is None else read_secret(value, NEW_SECRET) or ""


def _boolean(values: Mapping[str, Any], name: str) -> bool | None:
    if name.casefold() not in values:
        return None
    match values[name.casefold()]:
        case bool(value):
            return value
        case str(word) if word.casefold() in {"true", "false"}:
            return word.casefold() == "true"
    raise wrong_field(name, "must be true or false.", ErrorKind.ParameterFormatIncorrect)


def read_url(value: Any) -> str:
    """Return the URL of a recording server; raise the 400 errors."""
    match value:
        case None:
            raise VisavisError(ErrorCode.FieldMissing, field=_URL)
        case "":
            return ""
        case str() if len(value) > MAX_URL_LENGTH:
            raise VisavisError(ErrorCode.FieldTooLong, field=_URL, most=MAX_URL_LENGTH)
        case str():
            return _checked_url(value)
    raise wrong_field(_URL, "must be a string.")


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_url, parts = False, urlsplit("")
    if not is_url or any(not c.isprintable() or c.isspace() for c in url):
        raise VisavisError(ErrorCode.UrlMalformed, field=_URL)
    if parts.username is not None or parts.password is not None:
        raise VisavisError(ErrorCode.UrlWithPassword, field=_URL)
    return url
