"""Sources of settings: options, then the environment, then a TOML file, then the defaults."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

import click
import msgspec
from msgspec import Meta, structs

from visavis.cli.setting_checks import CHECKS
from visavis.settings import INTERNAL, Settings, decode_path

PREFIX: Final = "VISAVIS_"
CONFIG_VARIABLE: Final = "VISAVIS_CONFIG"
PASSWORD_VARIABLE: Final = "VISAVIS_PASSWORD"  # noqa: S105  a name
KUBERNETES: Final = re.compile(
    r"VISAVIS_(\w+_)?(SERVICE_(HOST|PORT)(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
"""Variables that Kubernetes sets in every container beside a service called visavis."""
KUBERNETES_PORT: Final = re.compile(r"(tcp|udp|sctp)://")
"""The value of its `<SERVICE>_PORT`, which may have the name of a setting of ours."""
SHORT_NAMES: Final = {
    "data_dir": "data",
    "advertise_addresses": "advertise-address",
    "stun_servers": "stun-server",
    "turn_servers": "turn-server",
    "metrics_networks": "metrics-network",
    "trusted_proxies": "trusted-proxy",
    "cors_origins": "cors-origin",
}


class SettingError(ValueError):
    """A setting that cannot be used; the text names it and says why."""


class Setting(msgspec.Struct, frozen=True):
    """One setting, in all the ways an operator can give it."""

    name: str
    kind: Any
    default: Any
    description: str

    @property
    def option(self) -> str:
        short = SHORT_NAMES.get(self.name, self.name.replace("_", "-"))
        return f"--{short}" + (f"/--no-{short}" if self.kind is bool else "")

    @property
    def variable(self) -> str:
        return PREFIX + self.name.upper()

    @property
    def is_list(self) -> bool:
        return get_origin(self.kind) is tuple


def _settings() -> tuple[Setting, ...]:
    hints = get_type_hints(Settings, include_extras=True)
    return tuple(
        _setting(field.name, hints[field.name], field.default)
        for field in structs.fields(Settings)
        if field.name not in INTERNAL
    )


def _setting(name: str, hint: Any, default: Any) -> Setting:
    if get_origin(hint) is not Annotated:
        raise TypeError(f"the setting {name} has no description")
    kind, meta = get_args(hint)[:2]
    description = meta.description if isinstance(meta, Meta) else None
    return Setting(name, kind, default, description or "")


SETTINGS: Final = _settings()


def with_settings(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command an option for each of these settings, or for every one.

    It gets `None` or `()` where an option was not given.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        for setting in reversed(SETTINGS):
            if not names or setting.name in names:
                command = _option(setting)(command)
        return command

    return decorate


def _option(setting: Setting) -> Callable[[Callable[..., None]], Callable[..., None]]:
    help_text = f"{setting.description}  [{setting.variable}{_shown(setting.default)}]"
    if setting.kind is bool:
        return click.option(setting.option, setting.name, default=None, help=help_text)
    if setting.is_list:
        return click.option(setting.option, setting.name, multiple=True, help=help_text)
    kinds: dict[Any, type] = {int: int}
    return click.option(
        setting.option, setting.name, type=kinds.get(setting.kind, str), help=help_text
    )


def _shown(default: Any) -> str:
    if isinstance(default, tuple):
        default = ", ".join(map(str, default))
    return "" if default == "" else f"; {str(default).lower()}"


def load_settings(
    options: Mapping[str, Any], environment: Mapping[str, str], file: Path | None
) -> dict[str, Any]:
    """The settings that were given, checked one by one; raises `SettingError`."""
    environment = _without_kubernetes(environment)
    _refuse_unknown_variables(environment)
    path = file or (Path(text) if (text := environment.get(CONFIG_VARIABLE)) else None)
    written = _read_file(path) if path else {}
    given: dict[str, Any] = {}
    for setting in SETTINGS:
        for value, where in (
            (_unless_empty(options.get(setting.name)), setting.option),
            (_read_variable(setting, environment), setting.variable),
            (written.get(setting.name), f"{setting.name} in {path}"),
        ):
            if value is not None:
                given[setting.name] = _checked(setting.name, value, where)
                break
    return given


def _without_kubernetes(environment: Mapping[str, str]) -> Mapping[str, str]:
    return {
        name: value
        for name, value in environment.items()
        if not KUBERNETES.fullmatch(name)
        and not (name.endswith("_PORT") and KUBERNETES_PORT.match(value))
    }


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    known = {setting.variable for setting in SETTINGS} | {CONFIG_VARIABLE, PASSWORD_VARIABLE}
    unknown = {name for name in environment if name.startswith(PREFIX)} - known
    if unknown:
        name = min(unknown)
        # without the prefix, which all names share
        close = get_close_matches(
            name.removeprefix(PREFIX), {n.removeprefix(PREFIX) for n in known}, 1
        )
        hint = f" Do you mean {PREFIX}{close[0]}?" if close else ""
        raise SettingError(f"There is no setting {name}.{hint}")


def _unless_empty(value: Any) -> Any:
    """Return the value of an option, `None` for a repeatable one that was not given."""
    return None if value == () else value


def _read_variable(setting: Setting, environment: Mapping[str, str]) -> Any:
    text = environment.get(setting.variable)
    if text is None or not setting.is_list:
        return text
    return [part.strip() for part in text.split(",") if part.strip()]


def _read_file(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            written = tomllib.load(file)
    except OSError as error:
        raise SettingError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise SettingError(f"{path} is not a TOML file: it is not encoded in UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingError(f"{path} is not a TOML file: {error}.") from None
    if unknown := written.keys() - {setting.name for setting in SETTINGS}:
        raise SettingError(f"{path}: there is no setting {min(unknown)}.")
    return written


def _checked(name: str, value: Any, where: str) -> Any:
    hint = get_type_hints(Settings, include_extras=True)[name]
    is_text = isinstance(value, str)
    try:
        found = msgspec.convert(value, hint, strict=not is_text, dec_hook=decode_path)
        if check := CHECKS.get(name):
            check(found)
    except ValueError as error:  # msgspec.ValidationError is one
        raise SettingError(f"{where}: {error}.") from None
    return found
