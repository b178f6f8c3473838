"""The log on standard error, of our loggers and of libraries: lines of JSON, or text for people."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import msgspec
import structlog

from visavis.log_lines import is_for_people, text_line

_SHARED: tuple[Any, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)


def log_to_stderr(level: str, log_format: str = "auto") -> None:
    """Log events of at least `level`, in the format of the setting.

    Libraries log from warnings on, whatever the level: some would tell secrets.
    """
    render: Any = structlog.processors.JSONRenderer(serializer=_json)
    if is_for_people(log_format, sys.stderr):
        render = _text
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    structlog.configure(
        processors=[*_SHARED, render],
        wrapper_class=structlog.make_filtering_bound_logger(level.upper()),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _text(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> str:
    return text_line(fields)


def _json(value: Any, **_: Any) -> str:
    return msgspec.json.encode(value, enc_hook=str).decode()
