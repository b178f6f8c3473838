"""Writing of journals without ever making the packet path wait for the disk."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from visavis.domain.recording import (
    CLOCK,
    JOURNAL_SUFFIX,
    MANIFEST,
    Manifest,
    RecordingClock,
    journal_name,
)
from visavis.durable import start_write_out, sync_directory, write_synced
from visavis.spool.clocks import current_clock, read_clock
from visavis.spool.format import MAGIC, NO_LEG, RecordKind, block_header, encode_record
from visavis.spool.sync_thread import SyncThread

WAKE_BYTES: Final = 2 * 1024 * 1024
MAX_WAITING_BYTES: Final = 8 * 1024 * 1024
CLOCK_STEP_US: Final = 50_000
"""A change of the wall clock against the recording's clock is noted if it is at least this."""

BlockParts = list[bytes | memoryview]
"""Body of a block in parts, which are written together without being copied."""

SYNC_THREAD: Final = SyncThread()
"""Shared by all journals of the process: one thread per journal would compete for the GIL."""


class JournalWriter:
    """Journal of one bridge: the event loop appends records, and the sync thread writes them.

    `file` and `manifest` are file descriptors. The manifest is locked (shared) until the journal is
    closed. `on_lost` is called with a reason, possibly from the sync thread, if nothing more can be
    written. `started_at` is when the recording began, in seconds of the monotonic clock. `earlier`
    is the size of its other journals when this one was opened, in bytes. `offset_us` is the offset
    from the monotonic to the wall clock when the recording's first journal began, so setting the
    wall clock during the call moves no packet. `gaps` counts how often records were dropped because
    the disk was too slow.
    """

    def __init__(
        self,
        file: int,
        manifest: int,
        on_lost: Callable[[str], None],
        sync_thread: SyncThread = SYNC_THREAD,
        *,
        started_at: float = 0.0,
        earlier: int = 0,
        offset_us: int = 0,
    ) -> None:
        self.started_at = started_at
        self.offset_us = offset_us
        self._earlier = earlier
        self._is_stopped = False
        self._file = file
        self._manifest = manifest
        self._on_lost = on_lost
        self._sync_thread = sync_thread
        # These fields need no lock: each counter is changed by only one of the two threads, and the
        # `append` and `popleft` of a deque are thread-safe.
        self._waiting: deque[bytes] = deque()
        self._appended = self._taken = 0
        self._dropped = 0
        self._ahead_us = 0
        self.gaps = 0
        self._is_closing = False
        self._is_complete = False
        self._is_lost = False
        self._over = threading.Event()
        sync_thread.add(self)

    @property
    def is_over(self) -> bool:
        """Whether nothing will be written any more: the journal is sealed and on disk, or lost."""
        return self._over.is_set()

    @property
    def size(self) -> int:
        """Size of the recording so far in bytes, including its earlier journals."""
        return self._earlier + self._appended

    @property
    def is_written(self) -> bool:
        """Whether records are still accepted."""
        return not (self._is_stopped or self._is_lost or self._is_closing)

    def append(self, arrival_us: int, kind: RecordKind, leg: int, payload: bytes) -> None:
        """Append a record. `arrival_us` is in microseconds of the monotonic clock.

        The record is on disk within a second. If too many bytes are waiting for the disk, it is
        dropped and a gap is noted.
        """
        if self._is_stopped:
            return
        arrival_us += self.offset_us
        record = encode_record(arrival_us, kind, leg, payload)
        waiting = self._appended - self._taken + len(record)
        if waiting > MAX_WAITING_BYTES or self._is_lost:
            self._dropped += 1
            return
        self._note_gap()
        self._put(record)
        if waiting >= WAKE_BYTES:
            self._sync_thread.wake()

    def note(self, note: Mapping[str, Any]) -> None:
        """Append a note, which is encoded as JSON, with the current time."""
        payload = msgspec.json.encode(note)
        self.append(time.monotonic_ns() // 1000, RecordKind.NOTE, NO_LEG, payload)

    def stop(self, why: str) -> None:
        """Stop recording: note the reason, report the journal as lost, accept no more records."""
        if self.is_written:
            self.note({"type": "stopped", "why": why})
            self._is_stopped = True
            self._on_lost(f"The recording was stopped: {why}.")

    def close(self) -> None:
        """Seal the journal, wait until it is on disk, and release its locks. Blocks."""
        if self._is_closing:
            return
        self._note_gap()
        self._is_closing = True
        self._sync_thread.wake()
        self._over.wait()
        os.close(self._file)
        os.close(self._manifest)  # Releases its lock: the recorder may now claim the recording.

    # Methods for the sync thread

    def write(self) -> bool:
        """Write the waiting records as one block; return whether a sync is needed."""
        # This must be read before the records are taken: the flag is set after the last of them was
        # appended. The seal follows them, so it needs no room among the waiting records.
        self._is_complete = self._is_closing
        last = self._seal() if self._is_complete else self._clock_step()
        parts = [part for part in (*self._take(), last) if part]
        try:
            if parts:
                _write_all(self._file, [block_header(parts), *parts])
                start_write_out(self._file)
        except OSError as error:
            self._lose(error)
            return False
        return bool(parts) or self._is_complete

    def sync(self) -> None:
        """Sync the file to disk; after the seal, the journal is over."""
        try:
            os.fdatasync(self._file)
        except OSError as error:
            self._lose(error)
        else:
            if self._is_complete:
                self._over.set()

    def _note_gap(self) -> None:
        """Append a note if records were dropped since the last one."""
        if self._dropped:
            self._put(gap_note(self._now_us(), self._dropped))
            self._dropped = 0
            self.gaps += 1

    def _put(self, record: bytes) -> None:
        self._waiting.append(record)
        self._appended += len(record)

    def _now_us(self) -> int:
        """Return the current time by the recording's clock."""
        return time.monotonic_ns() // 1000 + self.offset_us

    def _seal(self) -> bytes:
        return encode_record(self._now_us(), RecordKind.SEAL, NO_LEG, b"")

    def _take(self) -> BlockParts:
        body = b"".join([self._waiting.popleft() for _ in range(len(self._waiting))])
        self._taken += len(body)
        return [body]

    def _clock_step(self) -> bytes:
        """Return a note if the wall clock was set. It corrects the times of the call's events."""
        now_us = self._now_us()
        ahead_us = time.time_ns() // 1000 - now_us
        if abs(ahead_us - self._ahead_us) < CLOCK_STEP_US or self._is_stopped:
            return b""
        self._ahead_us = ahead_us
        return _note(now_us, {"type": "wallClock", "aheadUs": ahead_us})

    def _lose(self, error: OSError) -> None:
        self._is_lost = True
        self._waiting.clear()
        self._over.set()
        self._on_lost(f"the journal cannot be written: {error.strerror}")


def create_journal(
    spool: Path,
    manifest: Manifest,
    number: int,
    on_lost: Callable[[str], None],
    reserve_bytes: int = 0,
    new_writer: Callable[..., JournalWriter] = JournalWriter,
) -> JournalWriter:
    """Create a recording in the spool with its journal `number`, or add that journal to it.

    The journal is on disk and locked when this returns. Raises `OSError`, also if the recorder has
    claimed the recording, or if less than `reserve_bytes` of the disk are free. `on_lost` is called
    with a reason, possibly from another thread, if nothing more can be written.
    """
    _prepare(spool, reserve_bytes)
    directory = spool / manifest.recording_id
    earlier = sum(path.stat().st_size for path in directory.glob(f"*{JOURNAL_SUFFIX}"))
    with ExitStack() as undo:
        if directory.exists():
            lock = _lock_manifest(directory, undo)
            clock = _read_clock(directory)
            file = _create(directory / journal_name(number), undo)
        else:
            clock = current_clock()
            hidden = _make_hidden(spool, manifest.recording_id, number, undo)
            lock, file = _begin(hidden, msgspec.json.encode(manifest), clock, number, undo)
            hidden.rename(directory)
            sync_directory(spool)
        offset_us = clock.offset_us
        started_at = manifest.started_at.timestamp() - offset_us / 1e6
        writer = new_writer(
            file, lock, on_lost, started_at=started_at, earlier=earlier, offset_us=offset_us
        )
        undo.pop_all()
    return writer


def try_to_create_journal(spool: Path, reserve_bytes: int) -> None:
    """Create and remove an empty journal; raises `OSError` if a recording could not start."""
    _prepare(spool, reserve_bytes)
    with ExitStack() as undo:
        _begin(_make_hidden(spool, "check", 0, undo), b"", current_clock(), 0, undo)


def _make_hidden(spool: Path, name: str, number: int, undo: ExitStack) -> Path:
    """Create a hidden directory for `_begin`, which the recorder ignores.

    Its name is unique, so the remains of an earlier attempt do not matter. The recorder removes
    those later.
    """
    directory = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=spool))
    undo.callback(_remove_hidden, directory, number)
    return directory


def _remove_hidden(directory: Path, number: int) -> None:
    """Remove a hidden directory without opening a file.

    The journal may have failed because the process has no file descriptor left.
    """
    with suppress(OSError):
        for name in (MANIFEST, CLOCK, journal_name(number)):
            (directory / name).unlink(missing_ok=True)
        directory.rmdir()


def _begin(
    directory: Path, manifest: bytes, clock: RecordingClock, number: int, undo: ExitStack
) -> tuple[int, int]:
    """Write the files of a new recording.

    Returns the file descriptors of its manifest, which is locked, and of its journal.
    """
    write_synced(directory / MANIFEST, manifest)
    write_synced(directory / CLOCK, msgspec.json.encode(clock))
    lock = _lock_manifest(directory, undo)
    return lock, _create(directory / journal_name(number), undo)


def _read_clock(directory: Path) -> RecordingClock:
    """Return the clock of a recording's first journal.

    Returns the current clock if the first journal was written before a reboot or by a version
    without this file, or if the file cannot be read: that never prevents a recording.
    """
    current = current_clock()
    kept = read_clock(directory)
    return kept if kept and current.boot_id and kept.boot_id == current.boot_id else current


def _prepare(spool: Path, reserve_bytes: int) -> None:
    spool.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(spool).free < reserve_bytes:
        raise OSError("the disk is nearly full")


def _lock_manifest(directory: Path, undo: ExitStack) -> int:
    """Lock a recording's manifest, so that the recorder cannot claim the recording.

    Raises `OSError` if the recorder has claimed or removed it already.
    """
    path = directory / MANIFEST
    manifest = os.open(path, os.O_RDONLY)
    undo.callback(os.close, manifest)
    fcntl.flock(manifest, fcntl.LOCK_SH | fcntl.LOCK_NB)
    if not os.path.samestat(os.fstat(manifest), path.stat()):
        raise OSError("the recording was taken out of the spool")
    return manifest


def _create(path: Path, undo: ExitStack) -> int:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    undo.callback(os.close, file)
    fcntl.flock(file, fcntl.LOCK_EX)
    _write_all(file, [MAGIC])
    os.fsync(file)
    sync_directory(path.parent)
    return file


def _note(arrival_us: int, note: Mapping[str, Any]) -> bytes:
    return encode_record(arrival_us, RecordKind.NOTE, NO_LEG, msgspec.json.encode(note))


def gap_note(arrival_us: int, records: int) -> bytes:
    """Return the note that this many records were dropped because the disk was too slow."""
    return _note(arrival_us, {"type": "gap", "records": records})


def _write_all(file: int, parts: BlockParts) -> None:
    written = os.writev(file, parts)
    if written < sum(map(len, parts)):  # The disk is nearly full, or a signal interrupted the call.
        rest = memoryview(b"".join(parts))[written:]
        while rest:
            rest = rest[os.write(file, rest) :]
