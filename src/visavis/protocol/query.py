"""Parameters of a query string, and the page of a list that they request.

The rules are the same for every list. Names match in upper or lower case. A list parameter may be
repeated, have `[]` or `[0]` after its name, or contain commas. Unknown parameters are ignored, like
unknown keys of a JSON body.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple
from urllib.parse import urlencode

from visavis.domain.errors import ErrorKind, VisavisError

PAGE_SIZE: Final = 10
MAX_PAGE_SIZE: Final = 100
MAX_PAGE_INDEX: Final = 1_000_000

_INDEX: Final = re.compile(r"\[[0-9]{0,4}\]$", re.ASCII)


class Query:
    """Parameters by name, each with all its values."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(_INDEX.sub("", name.casefold()), []).append(value)

    def one(self, name: str) -> str | None:
        """Return the value of a parameter; raise `ParameterInvalid` if it has several."""
        values = self._values.get(name.casefold(), [])
        if len(set(values)) > 1:
            raise wrong_parameter(name, "has several values, but takes one.")
        return values[0] if values else None

    def many(self, name: str) -> list[str]:
        """Return the values of a list parameter in order, without repetitions."""
        given = self._values.get(name.casefold(), [])
        return list(dict.fromkeys(part.strip() for value in given for part in value.split(",")))

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """Return a parameter as a whole number; raise the 400 errors."""
        text = self.one(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit()):
            kind = ErrorKind.ParameterFormatIncorrect
            raise wrong_parameter(name, "must be a whole number.", kind)
        if len(text) > len(str(most)) or not least <= int(text) <= most:
            raise wrong_parameter(name, f"must be between {least} and {most}.")
        return int(text)

    def time(self, name: str) -> datetime | None:
        """Return a parameter as a time (ISO 8601), by default in UTC; raise the 400 errors."""
        text = self.one(name)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text.upper())
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            kind = ErrorKind.ParameterFormatIncorrect
            must = "must be a time such as 2026-01-31T09:00:00Z."
            raise wrong_parameter(name, must, kind) from None

    def paging(self, size: int = PAGE_SIZE, max_size: int = MAX_PAGE_SIZE) -> Paging:
        """Return the page that `pageIndex` and `pageSize` request; raise the 400 errors."""
        return Paging(
            self.number("pageIndex", 1, 1, MAX_PAGE_INDEX),
            self.number("pageSize", size, 1, max_size),
        )


class Place(NamedTuple):
    """Length of a list, and the URLs of the pages before and after one page; empty if none."""

    total: int
    previous_page: str
    next_page: str


@dataclass(frozen=True, slots=True)
class Paging:
    """A page of a list: its index, counted from 1, and its size."""

    index: int
    size: int

    def neighbours(self, path: str, total: int, query: Mapping[str, str]) -> Place:
        """Return the place of this page in a list of `total` items; `query` has the filters."""
        pages = -(-total // self.size)
        before = min(self.index - 1, pages) if self.index > 1 and pages else 0
        after = self.index + 1 if self.index < pages else 0
        return Place(total, self._url(path, before, query), self._url(path, after, query))

    def _url(self, path: str, index: int, query: Mapping[str, str]) -> str:
        if not index:
            return ""
        return f"{path}?{urlencode({**query, 'pageIndex': index, 'pageSize': self.size})}"


def wrong_parameter(
    name: str, must: str, kind: ErrorKind = ErrorKind.ParameterInvalid
) -> VisavisError:
    """Return the error for a parameter with a wrong value; `must` says what is right."""
    return VisavisError(kind, f'the parameter "{name}" {must}', pointer=f"/{name}")
