"""Common parts of the HTTP API's bodies: base class, times and encoding."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from visavis.domain.errors import ErrorCode, ErrorKind, VisavisError

MAX_SECRET_LENGTH: Final = 1024
SECRET_PATTERN: Final = r"[A-Za-z0-9._~+/-]+=*"  # noqa: S105
"""Syntax of a bearer token (RFC 6750 §2.1)."""

Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
"""A time in UTC, as `format_time` writes it."""

Secret = Annotated[
    str,
    Meta(
        pattern=f"^({SECRET_PATTERN})?$",
        max_length=MAX_SECRET_LENGTH,
        description="The bearer token that the recording server wants (RFC 6750 §2.1).",
    ),
]


class JsonBody(Struct, rename="camel"):
    """A body of the HTTP API; its keys are the names of its fields in camelCase."""


class Page(JsonBody):
    """A page of a list, with the URLs of the previous and the next page."""

    total: int
    previous_page: str
    next_page: str


encode: Final = msgspec.json.Encoder().encode
"""Return a message or a body as JSON."""


def format_time(moment: datetime) -> str:
    """Return a time in ISO 8601, in UTC with milliseconds."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def format_optional_time(moment: datetime | None) -> str | None:
    return format_time(moment) if moment else None


def wrong_field(name: str, must: str, kind: ErrorKind = ErrorKind.ParameterInvalid) -> VisavisError:
    """Return the error for a field with a wrong value; `must` says what is right."""
    return VisavisError(kind, f'the parameter "{name}" {must}', pointer=f"/{name}")


def read_choice(values: Mapping[str, Any], name: str, choices: Iterable[Any]) -> Any:
    """Return one of `choices`, matched in upper or lower case; raise `ParameterInvalid`."""
    value, known = values[name.casefold()], list(choices)
    for choice in known:
        if isinstance(value, str) and value.casefold() == choice:
            return choice
    listed = " or ".join(f'"{choice}"' for choice in known)
    raise wrong_field(name, f"must be {listed}.")


def read_secret(value: Any, name: str = "secret") -> str | None:
    """Return a recording server's bearer token, `None` if empty; raise the 400 errors."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not re.fullmatch(SECRET_PATTERN, value):
        raise VisavisError(ErrorCode.SecretMalformed, field=name)
    if len(value) > MAX_SECRET_LENGTH:
        raise VisavisError(ErrorCode.FieldTooLong, field=name, most=MAX_SECRET_LENGTH)
    return value
