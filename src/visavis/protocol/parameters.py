"""Parameters, errors and headers that many operations share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from visavis.protocol.openapi import STRING, DocumentedAnswer, Schema
from visavis.protocol.query import MAX_PAGE_INDEX, MAX_PAGE_SIZE, PAGE_SIZE

TIME: Final[Schema] = {"type": "string", "format": "date-time"}
ID_TEXT: Final = "Also as a GUID with dashes and in capitals."
IF_MATCH: Final[Schema] = {
    "name": "If-Match",
    "in": "header",
    "description": "Change only what still has this tag (RFC 9110 §13.1.1).",
    "schema": STRING,
}
IF_NONE_MATCH: Final[Schema] = {
    "name": "If-None-Match",
    "in": "header",
    "description": "Answer 304 while it has this tag (RFC 9110 §13.1.2).",
    "schema": STRING,
}
TAGGED: Final = {"ETag": "Changes with the resource (RFC 9110 §8.8.3)"}
NOT_MODIFIED: Final = DocumentedAnswer("It still has the tag of If-None-Match", headers=TAGGED)


def query(name: str, description: str, **schema: Any) -> Schema:
    """Return an optional query parameter: a string, unless `schema` says otherwise."""
    kind = {"type": "string", **schema}
    return {"name": name, "in": "query", "description": description, "schema": kind}


def path_parameter(name: str, description: str) -> Schema:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": STRING,
    }


def paging(size: int = PAGE_SIZE, most: int = MAX_PAGE_SIZE) -> tuple[Schema, ...]:
    index = {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_INDEX, "default": 1}
    length = {"type": "integer", "minimum": 1, "maximum": most, "default": size}
    return (
        query("pageIndex", "Counts from 1.", **index),
        query("pageSize", "How many at most.", **length),
    )


def list_parameter(name: str, description: str, values: Iterable[str]) -> Schema:
    return query(
        name,
        f"{description} Repeat the parameter, or separate values by commas.",
        type="array",
        minItems=1,
        items={"type": "string", "enum": list(values)},
    )


SITE: Final = (
    query(
        "siteId",
        "Your own site; an API key needs it, here or in the header of that name.",
        type="integer",
    ),
)
