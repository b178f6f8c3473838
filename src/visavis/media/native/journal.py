"""Writer of a journal to which the native path appends the packets."""

from __future__ import annotations

from typing import Any

from visavis.spool.format import RecordKind
from visavis.spool.writer import MAX_WAITING_BYTES, WAKE_BYTES, JournalWriter


class NativeJournalWriter(JournalWriter):
    """Journal whose waiting records are the native path's, under `number`.

    Notes go the same way as packets, so that all are in their order.
    """

    def __init__(self, core: Any, *files: Any, **clock: Any) -> None:
        self._core = core
        self.number: int = core.add_journal(clock.get("offset_us", 0), MAX_WAITING_BYTES)
        super().__init__(*files, **clock)

    def append(self, arrival_us: int, kind: RecordKind, leg: int, payload: bytes) -> None:
        if self._is_lost or (self._is_stopped and kind is not RecordKind.SEAL):
            return
        waiting = self._core.append(self.number, arrival_us, int(kind), leg, payload)
        if waiting >= WAKE_BYTES:
            self._sync_thread.wake()

    def stop(self, why: str) -> None:
        self._core.stop_journal(self.number)
        super().stop(why)

    def close(self) -> None:
        super().close()
        self._core.remove_journal(self.number)

    def _take(self) -> bytes:
        body, gaps = self._core.take(self.number)
        self._appended += len(body)
        self.gaps += gaps
        return bytes(body)

    def _lose(self, error: OSError) -> None:
        self._core.stop_journal(self.number)
        self._core.take(self.number)
        super()._lose(error)
