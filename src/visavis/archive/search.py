"""Which recordings somebody looks for, read from a query string and answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import msgspec

from visavis.archive.storage import Entry
from visavis.domain.errors import ErrorKind, VisavisError

PAGE_SIZE: Final = 50
MAX_PAGE_SIZE: Final = 500
MAX_PAGE_INDEX: Final = 1_000_000
MAX_TEXT: Final = 256

_ORDERS: Final[Mapping[str, Callable[[Entry], Any]]] = {
    "startedAt": lambda entry: entry.started_at,
    "duration": lambda entry: entry.duration,
    "visitor": lambda entry: entry.visitor_name.casefold(),
    "agent": lambda entry: ", ".join(entry.agent_names).casefold(),
    "size": lambda entry: entry.size,
}


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What to look for, and which page of it.

    `since` and `until` are times in ISO 8601 and UTC, the second one exclusive; `shortest` and
    `longest` are seconds.
    """

    agent: str = ""
    visitor: str = ""
    since: str = ""
    until: str = ""
    shortest: float = 0.0
    longest: float = float("inf")
    media: str = ""
    is_held: bool | None = None
    order: str = "startedAt"
    is_descending: bool = True
    page_index: int = 1
    page_size: int = PAGE_SIZE

    def run(self, entries: Iterable[Entry]) -> dict[str, Any]:
        """The page as it stands on the wire."""
        found = sorted(filter(self._matches, entries), key=lambda entry: entry.id)
        found.sort(key=_ORDERS[self.order], reverse=self.is_descending)
        start = (self.page_index - 1) * self.page_size
        return {"total": len(found), "recordings": found[start : start + self.page_size]}

    def _matches(self, entry: Entry) -> bool:
        people = f"{entry.visitor_name}\n{entry.visitor_email}"
        return (
            self.shortest <= entry.duration <= self.longest
            and (not self.since or self.since <= entry.started_at)
            and (not self.until or entry.started_at < self.until)
            and self.media in {"", entry.media}
            and self.is_held in {None, entry.is_held}
            and _is_in(self.agent, "\n".join(entry.agent_names))
            and _is_in(self.visitor, people)
        )


def read_search(query: Mapping[str, str]) -> Search:
    """A query string as a search; raises the 400 errors.

    `from` and `to` are days (in UTC, both included) or times; `sort` is a field, with a minus
    before it for the greatest first.
    """
    sort = query.get("sort", "-startedAt")
    order = sort.removeprefix("-")
    if order not in _ORDERS:
        raise _invalid("sort", f"must be one of {', '.join(_ORDERS)}, perhaps with a minus.")
    return Search(
        agent=_text(query, "agent"),
        visitor=_text(query, "visitor"),
        since=_moment(query, "from", timedelta()),
        until=_moment(query, "to", timedelta(days=1)),
        shortest=_number(query, "shortest", 0, 10**7),
        longest=_number(query, "longest", 10**7, 10**7),
        media=_choice(query, "media", {"": "", "audio": "audio", "video": "video"}),
        is_held=_choice(query, "held", {"": None, "true": True, "false": False}),
        order=order,
        is_descending=sort != order,
        page_index=_number(query, "pageIndex", 1, MAX_PAGE_INDEX, least=1),
        page_size=_number(query, "pageSize", PAGE_SIZE, MAX_PAGE_SIZE, least=1),
    )


def _is_in(part: str, whole: str) -> bool:
    return part.casefold() in whole.casefold()


def _text(query: Mapping[str, str], name: str) -> str:
    text = query.get(name, "").strip()
    if len(text) > MAX_TEXT:
        raise _invalid(name, f"is longer than {MAX_TEXT} characters.")
    return text


def _number(query: Mapping[str, str], name: str, default: int, most: int, least: int = 0) -> int:
    text = query.get(name, "") or str(default)
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(most))
    if not is_number or not least <= int(text) <= most:
        raise _invalid(name, f"must be between {least} and {most}.")
    return int(text)


def _choice(query: Mapping[str, str], name: str, choices: Mapping[str, Any]) -> Any:
    if (text := query.get(name, "")) not in choices:
        raise _invalid(name, f"must be one of {', '.join(filter(None, choices))}.")
    return choices[text]


def _moment(query: Mapping[str, str], name: str, day_ends_after: timedelta) -> str:
    text = query.get(name, "")
    try:
        if not text:
            return ""
        if len(text) == len("2026-01-01"):
            moment = datetime.combine(date.fromisoformat(text), time(), UTC) + day_ends_after
        else:
            moment = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _invalid(name, "must be a day such as 2026-01-31, or a time.") from None
    return moment.isoformat(timespec="milliseconds")


def _invalid(name: str, reason: str) -> VisavisError:
    message = f'the parameter "{name}" {reason}'
    return VisavisError(ErrorKind.ParameterInvalid, message, pointer=f"/{name}")
