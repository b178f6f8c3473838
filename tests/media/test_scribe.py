from __future__ import annotations

import threading

import pytest

from visavis.media import scribe as scribe_module
from visavis.media.scribe import Scribe

SOON = 10.0


class Book:
    """Counts what is done to it, and is over when it is told to be."""

    waits: threading.Barrier | None = None

    def __init__(self) -> None:
        self.synced = threading.Semaphore(0)
        self.is_over = False

    def write(self) -> bool:
        return True

    def sync(self) -> None:
        if self.waits:
            self.waits.wait(SOON)
        self.synced.release()


STRANGERS: set[threading.Thread] = set()
"""Those of other tests, which may still be about to end."""


def threads() -> list[threading.Thread]:
    scribes = [t for t in threading.enumerate() if t.name.startswith("scribe")]
    return [thread for thread in scribes if thread not in STRANGERS]


@pytest.fixture(autouse=True)
def _rounds_follow_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scribe_module, "ROUND_SECONDS", 0.001)
    STRANGERS.clear()
    STRANGERS.update(threading.enumerate())


def finish(*books: Book) -> None:
    """Until the scribe's thread is gone."""
    for book in books:
        book.is_over = True
    for thread in threads():
        thread.join(SOON)
    assert not threads()


def test_one_thread_serves_every_book_while_there_is_one() -> None:
    scribe, books = Scribe(), [Book(), Book()]
    for _ in range(2):  # and another one when there is one again
        for book in books:
            book.is_over = False
            scribe.add(book)
        for book in books:
            assert book.synced.acquire(timeout=SOON)
        assert len(threads()) == 1
        finish(*books)


def test_a_book_that_comes_late_is_served_and_one_that_is_over_is_not() -> None:
    scribe, first, second = Scribe(), Book(), Book()
    scribe.add(first)
    assert first.synced.acquire(timeout=SOON)
    scribe.add(second)
    assert second.synced.acquire(timeout=SOON)
    first.is_over = True
    for _ in range(3):
        assert second.synced.acquire(timeout=SOON)
    while first.synced.acquire(blocking=False):
        pass
    assert second.synced.acquire(timeout=SOON)
    assert not first.synced.acquire(blocking=False)
    finish(second)


def test_who_is_in_a_hurry_does_not_wait_for_the_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scribe_module, "ROUND_SECONDS", 3600.0)
    scribe, book = Scribe(), Book()
    scribe.add(book)
    for _ in range(2):
        scribe.hurry()
        assert book.synced.acquire(timeout=SOON)
    book.is_over = True
    scribe.hurry()
    finish()


def test_on_a_slow_disk_syncs_go_on_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scribe_module, "ROUND_SECONDS", 3600.0)
    monkeypatch.setattr(scribe_module, "SLOW_SECONDS", 0.0)
    scribe, books = Scribe(), [Book(), Book()]
    for book in books:
        scribe.add(book)
    for waits in (None, threading.Barrier(2), threading.Barrier(2)):
        for book in books:
            book.waits = waits
        scribe.hurry()
        for book in books:
            assert book.synced.acquire(timeout=SOON)
    for book in books:
        book.is_over = True
    scribe.hurry()
    finish()
