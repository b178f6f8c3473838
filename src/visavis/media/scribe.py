"""The one thread that puts all journals of a process on disk, while there are any."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

from visavis.tasks import start_thread

ROUND_SECONDS: Final = 0.5
SLOW_SECONDS: Final = 0.2
SYNCS_AT_ONCE: Final = 16
"""Once the disk has been slow. Syncs that go on at the same time share its work."""


class Book(Protocol):
    """What has something to be written again and again; its methods do not raise `OSError`."""

    @property
    def is_over(self) -> bool: ...
    def write(self) -> bool:
        """Write what waits; whether it is to be synced."""

    def sync(self) -> None: ...


class Scribe:
    """Writes and syncs every book, in rounds."""

    def __init__(self) -> None:
        self._books: dict[Book, None] = {}
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._is_at_work = False
        self._is_slow = False

    def add(self, book: Book) -> None:
        with self._lock:
            if not self._is_at_work:
                start_thread("scribe", self._work)
                self._is_at_work = True
            self._books[book] = None

    def hurry(self) -> None:
        """Do not wait for the next round."""
        self._news.set()

    def _work(self) -> None:
        books: Collection[Book] = ()
        while self._has_more(books):
            self._news.wait(ROUND_SECONDS)
            self._news.clear()
            books = self._open_books()
            self._sync([book for book in books if book.write()])

    def _has_more(self, done: Collection[Book]) -> bool:
        """Part with those that are over. When none is left the next has another thread."""
        with self._lock:
            for book in done:
                if book.is_over:
                    del self._books[book]
            self._is_at_work = bool(self._books)
            return self._is_at_work

    def _open_books(self) -> Collection[Book]:
        with self._lock:
            return tuple(self._books)

    def _sync(self, written: Collection[Book]) -> None:
        """One by one, which costs least, until that has taken long."""
        if self._is_slow and len(written) > 1:
            with ThreadPoolExecutor(SYNCS_AT_ONCE, "scribe") as pool:
                for synced in [pool.submit(book.sync) for book in written]:
                    synced.result()
            return
        began = time.monotonic()
        for book in written:
            book.sync()
        self._is_slow = len(written) > 1 and time.monotonic() - began > SLOW_SECONDS
