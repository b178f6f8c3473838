"""The body of every error: one JSON shape for existing clients and for RFC 9457."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from msgspec import UNSET, Struct, UnsetType

from visavis.domain.errors import VisavisError

PROBLEM: Final = "application/problem+json"


class Problem(Struct):
    """Every error: `error`, which existing clients look at, and the members of RFC 9457.

    `code` names it more precisely where there is a more precise name; `parameters` are those of
    its sentence.
    """

    # the names are the wire's
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
