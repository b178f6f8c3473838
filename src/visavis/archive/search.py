"""Search of the library, read from a query string."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import msgspec

from visavis.archive.storage import Entry
from visavis.protocol.library import LibraryPage, LibraryRecording
from visavis.protocol.query import Paging, Query, wrong_parameter

PAGE_SIZE: Final = 50
MAX_PAGE_SIZE: Final = 500
MAX_TEXT: Final = 256
MAX_SECONDS: Final = 10**7
FILTERS: Final = ("agent", "visitor", "from", "to", "shortest", "longest", "media", "held", "sort")

ORDERS: Final[Mapping[str, Callable[[Entry], Any]]] = {
    "startedAt": lambda entry: entry.started_at,
    "duration": lambda entry: entry.duration,
    "visitor": lambda entry: entry.visitor_name.casefold(),
    "agent": lambda entry: ", ".join(entry.agent_names).casefold(),
    "size": lambda entry: entry.size,
}


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """A search: its filters, its order and the page of the result.

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
    paging: Paging = Paging(1, PAGE_SIZE)
    filters: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Filters as given in the query, for the URLs of the neighbouring pages."""

    def run(self, entries: Iterable[Entry], path: str) -> LibraryPage:
        """Return the page; `path` is the URL of the list."""
        found = sorted(filter(self._matches, entries), key=lambda entry: entry.id)
        found.sort(key=ORDERS[self.order], reverse=self.is_descending)
        start = (self.paging.index - 1) * self.paging.size
        page = found[start : start + self.paging.size]
        place = self.paging.neighbours(path, len(found), self.filters)
        return LibraryPage(*place, recordings=[library_recording(entry) for entry in page])

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


def library_recording(entry: Entry) -> LibraryRecording:
    """Return a recording as it is listed; its time ends in Z, as every other time of the API."""
    recording = msgspec.convert(entry, LibraryRecording, from_attributes=True)
    recording.started_at = entry.started_at.replace("+00:00", "Z")
    return recording


def read_search(query: Query) -> Search:
    """Return a query string as a search; raise the 400 errors.

    `from` and `to` are days (in UTC, both included) or times; `sort` is a field, with a minus
    before it for the greatest first.
    """
    filters = {name: value for name in FILTERS if (value := query.one(name))}
    sort = filters.get("sort", "-startedAt")
    order = sort.removeprefix("-")
    if order not in ORDERS:
        raise wrong_parameter("sort", f"must be one of {', '.join(ORDERS)}, perhaps with a minus.")
    return Search(
        agent=_text(filters, "agent"),
        visitor=_text(filters, "visitor"),
        since=_moment(filters, "from", timedelta()),
        until=_moment(filters, "to", timedelta(days=1)),
        shortest=_seconds(query, filters, "shortest", 0),
        longest=_seconds(query, filters, "longest", MAX_SECONDS),
        media=_choice(filters, "media", {"": "", "audio": "audio", "video": "video"}),
        is_held=_choice(filters, "held", {"": None, "true": True, "false": False}),
        order=order,
        is_descending=sort != order,
        paging=query.paging(PAGE_SIZE, MAX_PAGE_SIZE),
        filters=filters,
    )


def _is_in(part: str, whole: str) -> bool:
    return part.casefold() in whole.casefold()


def _text(filters: Mapping[str, str], name: str) -> str:
    text = filters.get(name, "").strip()
    if len(text) > MAX_TEXT:
        raise wrong_parameter(name, f"is longer than {MAX_TEXT} characters.")
    return text


def _seconds(query: Query, filters: Mapping[str, str], name: str, default: int) -> int:
    return query.number(name, default, 0, MAX_SECONDS) if name in filters else default


def _choice(filters: Mapping[str, str], name: str, choices: Mapping[str, Any]) -> Any:
    if (text := filters.get(name, "").casefold()) not in choices:
        raise wrong_parameter(name, f"must be one of {', '.join(filter(None, choices))}.")
    return choices[text]


def _moment(filters: Mapping[str, str], name: str, day_ends_after: timedelta) -> str:
    text = filters.get(name, "")
    try:
        if not text:
            return ""
        if len(text) == len("2026-01-01"):
            moment = datetime.combine(date.fromisoformat(text), time(), UTC) + day_ends_after
        else:
            moment = datetime.fromisoformat(text)
            moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise wrong_parameter(name, "must be a day such as 2026-01-31, or a time.") from None
    return moment.isoformat(timespec="milliseconds")
