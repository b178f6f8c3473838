"""Long lists in pages: `pageIndex` from 1, `pageSize`, and the addresses of the neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request

from visavis.domain.errors import ErrorKind, VisavisError

PAGE_SIZE: Final = 50
MAX_PAGE_SIZE: Final = 100
MAX_PAGE_INDEX: Final = 1_000_000
PARAMETERS: Final[tuple[dict[str, Any], ...]] = (
    {
        "name": "pageIndex",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_INDEX, "default": 1},
    },
    {
        "name": "pageSize",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": PAGE_SIZE},
    },
)
"""As OpenAPI describes them."""


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page is asked for."""

    index: int
    size: int

    def neighbours(self, path: str, total: int, **query: str) -> dict[str, Any]:
        """`total`, and where the pages before and after are; empty where there is none."""
        pages = -(-total // self.size)
        before = min(self.index - 1, pages) if self.index > 1 and pages else 0
        after = self.index + 1 if self.index < pages else 0
        return {
            "total": total,
            "previousPage": self._address(path, before, query),
            "nextPage": self._address(path, after, query),
        }

    def _address(self, path: str, index: int, query: dict[str, str]) -> str:
        if not index:
            return ""
        return f"{path}?{urlencode({**query, 'pageIndex': index, 'pageSize': self.size})}"


def read_paging(request: Request) -> Paging:
    """Raises the 400 errors."""
    return Paging(
        _number(request, "pageIndex", 1, MAX_PAGE_INDEX),
        _number(request, "pageSize", PAGE_SIZE, MAX_PAGE_SIZE),
    )


def given(request: Request, name: str) -> str | None:
    """The last value of a parameter of the query, its name in any case."""
    values = [v for k, v in request.query_params.multi_items() if k.casefold() == name.casefold()]
    return values[-1] if values else None


def written_time(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _number(request: Request, name: str, default: int, most: int) -> int:
    text = given(request, name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()):
        kind, reason = ErrorKind.ParameterFormatIncorrect, "must be a whole number."
    elif len(text) > len(str(most)) or not 1 <= int(text) <= most:
        kind, reason = ErrorKind.ParameterInvalid, f"must be between 1 and {most}."
    else:
        return int(text)
    raise VisavisError(kind, f'the parameter "{name}" {reason}', pointer=f"/{name}")
