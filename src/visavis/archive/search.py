"""Search of the library, read from a query string."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, get_args

import msgspec

from visavis.domain.library import Entry, FoundEntries, LibrarySearch, Order
from visavis.protocol.library import LibraryPage, LibraryRecording
from visavis.protocol.query import Paging, Query, wrong_parameter

PAGE_SIZE: Final = 50
MAX_PAGE_SIZE: Final = 500
MAX_TEXT: Final = 256
MAX_SECONDS: Final = 10**7
FILTERS: Final = ("agent", "visitor", "from", "to", "shortest", "longest", "media", "held", "sort")
ORDERS: Final[tuple[Order, ...]] = get_args(Order)


class AskedSearch(msgspec.Struct, frozen=True):
    """A search, the page that was asked for, and its filters as they were given."""

    search: LibrarySearch
    paging: Paging
    filters: Mapping[str, str]

    def page(self, found: FoundEntries, path: str) -> LibraryPage:
        """Return the page; `path` is the URL of the list."""
        shown = self.search.offset + len(found.entries)
        # another page follows if more were counted, or if the count ends before this page does
        is_full = len(found.entries) == self.paging.size
        total = max(found.total, shown + (is_full and not found.is_total_exact))
        _, before, after = self.paging.neighbours(path, total, self.filters)
        recordings = [library_recording(entry) for entry in found.entries]
        return LibraryPage(
            found.total, before, after, recordings=recordings, is_total_exact=found.is_total_exact
        )


def library_recording(entry: Entry) -> LibraryRecording:
    """Return a recording as it is listed; its time ends in Z, as every other time of the API."""
    recording = msgspec.convert(entry, LibraryRecording, from_attributes=True)
    recording.started_at = entry.started_at.replace("+00:00", "Z")
    return recording


def read_search(query: Query) -> AskedSearch:
    """Return a query string as a search; raise the 400 errors.

    `from` and `to` are days (in UTC, both included) or times; `sort` is a field, with a minus
    before it for the greatest first.
    """
    filters = {name: value for name in FILTERS if (value := query.one(name))}
    sort = filters.get("sort", "-startedAt")
    order = next((one for one in ORDERS if one == sort.removeprefix("-")), None)
    if order is None:
        raise wrong_parameter("sort", f"must be one of {', '.join(ORDERS)}, perhaps with a minus.")
    paging = query.paging(PAGE_SIZE, MAX_PAGE_SIZE)
    search = LibrarySearch(
        agent=_text(filters, "agent"),
        visitor=_text(filters, "visitor"),
        since=_moment(filters, "from", timedelta()),
        until=_moment(filters, "to", timedelta(days=1)),
        shortest=_seconds(query, filters, "shortest"),
        longest=_seconds(query, filters, "longest"),
        media=_choice(filters, "media", {"": "", "audio": "audio", "video": "video"}),
        is_held=_choice(filters, "held", {"": None, "true": True, "false": False}),
        order=order,
        is_descending=sort != order,
        offset=(paging.index - 1) * paging.size,
        limit=paging.size,
    )
    return AskedSearch(search, paging, filters)


def _text(filters: Mapping[str, str], name: str) -> str:
    text = filters.get(name, "").strip()
    if len(text) > MAX_TEXT:
        raise wrong_parameter(name, f"is longer than {MAX_TEXT} characters.")
    return text


def _seconds(query: Query, filters: Mapping[str, str], name: str) -> float | None:
    return query.number(name, 0, 0, MAX_SECONDS) if name in filters else None


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
