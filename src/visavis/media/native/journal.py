"""Writer of a journal to which the native path appends packets."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from visavis.media.native.library import Core
from visavis.spool.format import RecordKind
from visavis.spool.writer import (
    MAX_WAITING_BYTES,
    WAKE_BYTES,
    BlockParts,
    JournalWriter,
    gap_note,
)


class NativeJournalWriter(JournalWriter):
    """Journal whose records wait in the native path, which knows it by `number`.

    Python appends its notes there too, so all records are in order.
    """

    def __init__(self, core: Core, *files: Any, **clock: Any) -> None:
        self._core = core
        self.number: int = core.add_journal(clock.get("offset_us", 0), MAX_WAITING_BYTES)
        with ExitStack() as undo:
            undo.callback(core.remove_journal, self.number)
            super().__init__(*files, **clock)
            undo.pop_all()

    def append(self, arrival_us: int, kind: RecordKind, leg: int, payload: bytes) -> None:
        if self._is_lost or self._is_stopped:
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

    def _take(self) -> BlockParts:
        records, dropped = self._core.take(self.number)
        parts: BlockParts = [records]
        if dropped:
            parts.append(gap_note(self._now_us(), dropped))
            self.gaps += 1
        self._appended += sum(map(len, parts))
        return parts

    def _lose(self, error: OSError) -> None:
        self._core.stop_journal(self.number)
        self._core.take(self.number)
        super()._lose(error)
