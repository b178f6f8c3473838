"""Group commit: one thread writes and syncs all open journals of a process."""

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
"""Number of concurrent syncs once the disk has been slow: it can then combine their writes."""


class SyncedFile(Protocol):
    """File that is written and synced in rounds. Its methods do not raise `OSError`."""

    @property
    def is_over(self) -> bool: ...
    def write(self) -> bool:
        """Write the waiting data; return whether a sync is needed."""

    def sync(self) -> None: ...


class SyncThread:
    """Thread that writes and syncs all files in rounds. It runs while there are files."""

    def __init__(self) -> None:
        self._files: dict[SyncedFile, None] = {}
        self._lock = threading.Lock()
        self._wake_event = threading.Event()
        self._is_at_work = False
        self._is_slow = False

    def add(self, file: SyncedFile) -> None:
        with self._lock:
            if not self._is_at_work:
                start_thread("journal sync", self._work)
                self._is_at_work = True
            self._files[file] = None

    def wake(self) -> None:
        """Start the next round at once."""
        self._wake_event.set()

    def _work(self) -> None:
        files: Collection[SyncedFile] = ()
        while self._has_more(files):
            self._wake_event.wait(ROUND_SECONDS)
            self._wake_event.clear()
            files = self._open_files()
            self._sync([file for file in files if file.write()])

    def _has_more(self, done: Collection[SyncedFile]) -> bool:
        """Remove files that are closed; return false, which ends the thread, if none is left."""
        with self._lock:
            for file in done:
                if file.is_over:
                    del self._files[file]
            self._is_at_work = bool(self._files)
            return self._is_at_work

    def _open_files(self) -> Collection[SyncedFile]:
        with self._lock:
            return tuple(self._files)

    def _sync(self, written: Collection[SyncedFile]) -> None:
        """Sync one by one, which takes the least CPU, or concurrently if the disk has been slow."""
        if self._is_slow and len(written) > 1:
            with ThreadPoolExecutor(SYNCS_AT_ONCE, "journal sync") as pool:
                for synced in [pool.submit(file.sync) for file in written]:
                    synced.result()
            return
        began = time.monotonic()
        for file in written:
            file.sync()
        self._is_slow = len(written) > 1 and time.monotonic() - began > SLOW_SECONDS
