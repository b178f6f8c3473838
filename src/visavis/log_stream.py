"""Standard output and error that never block and never fail, whatever their reader does."""

from __future__ import annotations

import atexit
import io
import os
import select
import sys
import threading
from collections import deque
from typing import Final

import msgspec

from visavis.tasks import start_thread

MAX_WAITING_BYTES: Final = 1024 * 1024
"""Maximum size of lines that wait for a stalled reader; more are dropped and counted."""
FLUSH_SECONDS: Final = 1.0
"""Seconds for which the process waits for the reader before it ends."""
STANDARD: Final = {"stdin": 0, "stdout": 1, "stderr": 2}


class LogStream(io.RawIOBase):
    """Binary stream to a descriptor, written by a thread. A line is written whole or not at all.

    After a line was dropped, all further lines are dropped until the reader has read the waiting
    ones. Then one line reports how many are missing at this place.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._lines: deque[bytes] = deque()
        self._size = 0
        self._unfinished = b""
        self._is_dropping = False
        self._is_broken = False
        self._is_within_line = False
        self._unreported = 0
        self._change = threading.Condition()
        self.dropped = 0
        start_thread("log writing", self._run)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, data: object) -> int:
        """Queue the complete lines; an incomplete line waits for its end."""
        content = bytes(data)  # type: ignore[call-overload]
        with self._change:
            whole, end, self._unfinished = (self._unfinished + content).rpartition(b"\n")
            if end:
                self._add(whole + end)
            elif len(self._unfinished) > MAX_WAITING_BYTES:
                self._unfinished = b""
        return len(content)

    def drain(self, seconds: float = FLUSH_SECONDS) -> None:
        """Wait at most `seconds` until the reader has read everything."""
        with self._change:
            if self._unfinished:
                self._add(self._unfinished)
                self._unfinished = b""
            self._change.wait_for(lambda: not self._lines, seconds)

    def _add(self, lines: bytes) -> None:
        if self._is_dropping or self._size + len(lines) > MAX_WAITING_BYTES:
            self._is_dropping = bool(self._lines)
            self._drop(lines)
        else:
            self._lines.append(lines)
            self._size += len(lines)
        self._change.notify_all()

    def _drop(self, lines: bytes) -> None:
        count = lines.count(b"\n")
        self.dropped += count
        self._unreported += count

    # The thread

    def _run(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(self._is_anything_due)
                count = 0 if self._is_dropping else self._unreported
                lines = self._lines[0] if self._lines else b""
            is_reported = self._write(_report(count))
            is_written = is_reported and self._write(lines)
            with self._change:
                self._is_broken = not is_written
                if is_reported:
                    self._unreported -= count
                if lines:
                    self._lines.popleft()
                    self._size -= len(lines)
                if not is_written:
                    self._drop(lines)
                if not self._lines:
                    self._is_dropping = False
                self._change.notify_all()

    def _is_anything_due(self) -> bool:
        is_report_due = self._unreported and not (self._is_dropping or self._is_broken)
        return bool(self._lines or is_report_due)

    def _write(self, data: bytes) -> bool:
        """Write whole lines; return whether that succeeded."""
        if self._is_within_line and data:
            data = b"\n" + data
        written = 0
        try:
            while written < len(data):
                try:
                    written += os.write(self._descriptor, memoryview(data)[written:])
                except BlockingIOError:  # another process made the pipe non-blocking
                    _wait_until_writable(self._descriptor)
        except OSError:  # no reader, or a full disk: the process goes on without the line
            if written:
                self._is_within_line = data[written - 1 : written] != b"\n"
            return False
        if data:
            self._is_within_line = False
        return True


def _report(count: int) -> bytes:
    """Return a line with the number of lines dropped before it; empty if none were."""
    if not count:
        return b""
    note = {"event": "log lines dropped", "level": "warning", "count": count}
    return msgspec.json.encode(note) + b"\n"


def _wait_until_writable(descriptor: int) -> None:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    poll.poll()


_streams: Final[dict[str, LogStream]] = {}


def open_standard_descriptors() -> None:
    """Open closed standard descriptors on `/dev/null`.

    Otherwise the next opened file would get such a number, and a library's output to standard error
    would be written into that file.
    """
    for name, number in STANDARD.items():
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number
        if getattr(sys, name) is None:
            mode = "r" if number == 0 else "w"
            opened = open(number, mode, closefd=False)  # noqa: SIM115
            setattr(sys, name, opened)
            setattr(sys, f"__{name}__", opened)


def protect_standard_streams(*names: str) -> None:
    """Replace `stdout` or `stderr` by streams whose reader cannot block or fail this process."""
    for name in names:
        old = getattr(sys, name)
        if name in _streams or old is not getattr(sys, f"__{name}__"):  # replaced already
            continue
        stream = _streams[name] = LogStream(old.fileno())
        try:
            old.flush()
        except OSError:
            stream.dropped += 1
        protected = io.TextIOWrapper(
            io.BufferedWriter(stream),
            encoding="utf-8",
            errors="backslashreplace",
            line_buffering=True,
        )
        setattr(sys, name, protected)
        atexit.register(_drain, protected, stream)


def dropped_lines() -> int:
    """Return the number of log lines that this process has dropped."""
    return sum(stream.dropped for stream in _streams.values())


def _drain(protected: io.TextIOWrapper, stream: LogStream) -> None:
    protected.flush()
    stream.drain()
