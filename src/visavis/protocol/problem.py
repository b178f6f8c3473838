"""The body of every error: one JSON form for existing clients and RFC 9457."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from msgspec import UNSET, Struct, UnsetType

from visavis.domain.errors import VisavisError

PROBLEM: Final = "application/problem+json"


class Problem(Struct):
    """Body of every error: `error`, which existing clients read, and the members of RFC 9457.

    `code` is the name of a specific error, or `error` again; `parameters` are those of its
    sentence.
    """

    # the field names are those on the wire
    # ruff: noqa: N815

    error: str
    message: str
    code: str
    parameters: dict[str, str | int]
    type: str
    title: str
    status: int
    detail: str
    instance: str
    requestId: str
    pointer: str | UnsetType = UNSET


def problem_of(error: VisavisError, instance: str = "", request_id: str = "") -> Problem:
    """Return the body of an error; `instance` is the path of the request."""
    status = error.kind.status
    return Problem(
        error=error.kind.name,
        message=error.message,
        code=error.code,
        parameters=error.parameters,
        type="about:blank",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=error.message,
        instance=instance,
        requestId=request_id,
        pointer=error.pointer or UNSET,
    )
