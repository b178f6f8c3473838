"""Recordings of an archive as its library lists them, and searches for them."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec


class Entry(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A recording as the library lists it.

    `size` in bytes, `duration` in seconds, times in ISO 8601 and UTC. A held one stays, whatever
    the retention is. `missing` says in sentences which media were received and are not in the file.
    """

    id: str
    site_id: int
    call_id: str
    media: str
    visitor_name: str
    visitor_email: str = ""
    agent_names: tuple[str, ...] = ()
    started_at: str
    duration: float
    size: int
    sha256: str
    missing: tuple[str, ...] = ()
    is_held: bool = False

    @property
    def visitor_text(self) -> str:
        """The text in which a search for a visitor looks, without regard to case."""
        return f"{self.visitor_name}\n{self.visitor_email}".casefold()

    @property
    def agent_text(self) -> str:
        """The text in which a search for an agent looks, without regard to case."""
        return "\n".join(self.agent_names).casefold()


Order: TypeAlias = Literal["startedAt", "duration", "visitor", "agent", "size"]


class LibrarySearch(msgspec.Struct, frozen=True, kw_only=True):
    """A search of one site's recordings: its filters, its order and the page of the result.

    `since` and `until` are times in ISO 8601 and UTC, the second one exclusive; `shortest` and
    `longest` are seconds; the page begins after `offset` recordings and has at most `limit`.
    """

    agent: str = ""
    visitor: str = ""
    since: str = ""
    until: str = ""
    shortest: float | None = None
    longest: float | None = None
    media: str = ""
    is_held: bool | None = None
    order: Order = "startedAt"
    is_descending: bool = True
    offset: int = 0
    limit: int = 50


class FoundEntries(msgspec.Struct, frozen=True):
    """A page of a search's result.

    `total` is the number of all recordings found, or, unless `is_total_exact`, a number that it
    exceeds.
    """

    entries: list[Entry]
    total: int
    is_total_exact: bool
