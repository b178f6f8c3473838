from __future__ import annotations

import threading

import pytest

from tests.running import PATIENCE
from visavis.spool import sync_thread as sync_thread_module
from visavis.spool.sync_thread import SyncThread


class FakeFile:
    """Fake file that counts its syncs; setting `is_over` closes it."""

    waits: threading.Barrier | None = None

    def __init__(self) -> None:
        self.synced = threading.Semaphore(0)
        self.is_over = False

    def write(self) -> bool:
        return True

    def sync(self) -> None:
        if self.waits:
            self.waits.wait(PATIENCE)
        self.synced.release()


STRANGERS: set[threading.Thread] = set()
"""Threads of earlier tests that may not have ended yet."""


def threads() -> list[threading.Thread]:
    sync_threads = [t for t in threading.enumerate() if t.name.startswith("journal sync")]
    return [thread for thread in sync_threads if thread not in STRANGERS]


@pytest.fixture(autouse=True)
def _rounds_follow_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync_thread_module, "ROUND_SECONDS", 0.001)
    STRANGERS.clear()
    STRANGERS.update(threading.enumerate())


def finish(*files: FakeFile) -> None:
    """Close the files and wait until the thread has ended."""
    for file in files:
        file.is_over = True
    for thread in threads():
        thread.join(PATIENCE)
    assert not threads()


def test_one_thread_serves_every_file_while_there_is_one() -> None:
    sync_thread, files = SyncThread(), [FakeFile(), FakeFile()]
    for _ in range(2):  # A new thread starts when there is a file again.
        for file in files:
            file.is_over = False
            sync_thread.add(file)
        for file in files:
            assert file.synced.acquire(timeout=PATIENCE)
        assert len(threads()) == 1
        finish(*files)


def test_a_file_that_comes_late_is_served_and_one_that_is_over_is_not() -> None:
    sync_thread, first, second = SyncThread(), FakeFile(), FakeFile()
    sync_thread.add(first)
    assert first.synced.acquire(timeout=PATIENCE)
    sync_thread.add(second)
    assert second.synced.acquire(timeout=PATIENCE)
    first.is_over = True
    for _ in range(3):
        assert second.synced.acquire(timeout=PATIENCE)
    while first.synced.acquire(blocking=False):
        pass
    assert second.synced.acquire(timeout=PATIENCE)
    assert not first.synced.acquire(blocking=False)
    finish(second)


def test_who_is_in_a_hurry_does_not_wait_for_the_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync_thread_module, "ROUND_SECONDS", 3600.0)
    sync_thread, file = SyncThread(), FakeFile()
    sync_thread.add(file)
    for _ in range(2):
        sync_thread.wake()
        assert file.synced.acquire(timeout=PATIENCE)
    file.is_over = True
    sync_thread.wake()
    finish()


def test_on_a_slow_disk_syncs_go_on_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync_thread_module, "ROUND_SECONDS", 3600.0)
    monkeypatch.setattr(sync_thread_module, "SLOW_SECONDS", 0.0)
    sync_thread, files = SyncThread(), [FakeFile(), FakeFile()]
    for file in files:
        sync_thread.add(file)
    for waits in (None, threading.Barrier(2), threading.Barrier(2)):
        for file in files:
            file.waits = waits
        sync_thread.wake()
        for file in files:
            assert file.synced.acquire(timeout=PATIENCE)
    for file in files:
        file.is_over = True
    sync_thread.wake()
    finish()
