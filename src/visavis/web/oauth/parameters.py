"""The parameters of OAuth requests, however existing clients send them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request

from visavis.protocol.oauth import PARAMETERS
from visavis.web.request import header, read_body

MAX_PARAMETERS: Final = 50

PLAIN: Final = frozenset({"grant_type", "response_type", "client_id", "redirect_uri", "scope"})
"""Parameters that may stand in an `error_description`."""

_PLAIN_TEXT: Final = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]*")  # RFC 6749 appendix A.8


class MalformedError(ValueError):
    """A request that no endpoint could answer; its text is the `error_description`."""


async def read_parameters(request: Request) -> dict[str, str]:
    """Form or JSON, names in small letters; raises `MalformedError`, `PayloadTooLarge`."""
    kind = header(request.scope, b"content-type").partition(";")[0].strip().casefold()
    body = await read_body(request)
    if kind.endswith("json"):
        return _unique(_json_pairs(body))
    return _unique(_form_pairs(body))


def read_query(request: Request) -> dict[str, str]:
    """The query, names in small letters; raises `MalformedError`."""
    return _unique(_form_pairs(request.scope["query_string"]))


def _form_pairs(encoded: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            encoded.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )
    except ValueError:
        raise MalformedError("Send application/x-www-form-urlencoded in UTF-8.") from None


def _json_pairs(body: bytes) -> list[tuple[str, Any]]:
    try:
        return list(msgspec.json.decode(body, type=dict[str, Any]).items())
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise MalformedError("Send a JSON object.") from None


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """Return the known parameters; none may repeat, and one without a value counts as absent."""
    parameters: dict[str, str] = {}
    for given, value in pairs:
        name = given.lower()
        if name not in PARAMETERS or value is None:
            continue
        if not isinstance(value, str) or not _is_text(value):
            raise MalformedError(f"The parameter {name} must be a string.")
        if name in parameters:
            raise MalformedError(f"The parameter {name} is given twice.")
        if name in PLAIN and not _PLAIN_TEXT.fullmatch(value):
            raise MalformedError(f"The parameter {name} contains invalid characters.")
        parameters[name] = value
    return {name: value for name, value in parameters.items() if value}


def _is_text(value: str) -> bool:
    """No database takes the rest."""
    return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)
