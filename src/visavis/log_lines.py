"""Log lines as text for a person at a terminal; elsewhere, log lines are JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TextIO

_LEVEL_WIDTH: Final = 7
_EVENT_WIDTH: Final = 24


def is_for_people(log_format: str, stream: TextIO) -> bool:
    """Whether to write text: as the setting says, or, with `auto`, if the stream is a terminal."""
    return log_format == "text" or (log_format == "auto" and stream.isatty())


def text_line(fields: Mapping[str, Any]) -> str:
    """Return local time, level, event and the other fields; a traceback follows on lines below."""
    rest = dict(fields)
    at = rest.pop("timestamp")
    moment = at if isinstance(at, datetime) else datetime.fromisoformat(at)
    level, event = str(rest.pop("level")), _visible(str(rest.pop("event")))
    traceback = rest.pop("exception", "")
    line = f"{moment.astimezone():%H:%M:%S} {level:{_LEVEL_WIDTH}} {event:{_EVENT_WIDTH}}"
    values = "".join(f" {_visible(name)}={_quoted(value)}" for name, value in rest.items())
    below = "".join(f"\n    {_visible(one)}" for one in str(traceback).splitlines())
    return f"{line}{values}".rstrip() + below


def _quoted(value: object) -> str:
    text = _visible(str(value))
    return repr(text) if not text or " " in text else text


def _visible(text: str) -> str:
    """Escape control characters that a terminal would obey, since clients may have sent them."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
