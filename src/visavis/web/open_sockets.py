"""Count of the open signalling sockets, by network and by site."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from visavis.domain.errors import ErrorKind, VisavisError

K = TypeVar("K")


class OpenSockets:
    """Refuses a socket when its network or its site has too many open. 0 switches a limit off."""

    def __init__(self, per_source: int, per_site: int) -> None:
        self._per_source = per_source
        self._per_site = per_site
        self._of_source: Counter[str] = Counter()
        self._of_site: Counter[int] = Counter()
        self.count = 0
        self.refused = 0

    def reserve(self, source: str, site_id: int = 0) -> AbstractContextManager[None]:
        """Reserve a place until the context ends; raises `TooManyRequests`.

        `site_id` is 0 for an agent's socket: agents do not compete with visitors for places.
        """
        if source and 0 < self._per_source <= self._of_source[source]:
            self.refused += 1
            raise VisavisError(
                ErrorKind.TooManyRequests, "Too many pages are open on your network: close some."
            )
        if site_id and 0 < self._per_site <= self._of_site[site_id]:
            self.refused += 1
            raise VisavisError(ErrorKind.TooManyRequests, "Too many visitors: try again later.")
        self._add(source, site_id, 1)
        return self._place(source, site_id)

    @contextmanager
    def _place(self, source: str, site_id: int) -> Iterator[None]:
        try:
            yield
        finally:
            self._add(source, site_id, -1)

    def _add(self, source: str, site_id: int, number: int) -> None:
        self.count += number
        _count(self._of_source, source, number)
        _count(self._of_site, site_id, number)


def _count(counter: Counter[K], key: K, number: int) -> None:
    counter[key] += number
    if not counter[key]:
        del counter[key]
