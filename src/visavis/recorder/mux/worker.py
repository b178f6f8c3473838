"""Mux worker process, separate from the recorder, which thus survives a crash in libav.

It reads a `MuxRequest` from each line of its standard input and writes a `MuxResult` as one line to
its standard output, until its input ends. While it muxes, it claims the recording itself. So if the
recorder is restarted, the new one does not disturb a worker of the old one.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

import av
import msgspec

from visavis.domain.recording import MATROSKA, Delivery
from visavis.recorder.mux.matroska import mux
from visavis.recorder.mux.requests import MuxRequest, MuxResult, Outcome
from visavis.spool import reader as spool_reader
from visavis.spool.format import RecordKind, read_journal

NICENESS: Final = 10  # The media workers, which serve calls, have priority.
MAX_STRAY_PACKETS: Final = 50  # one second of audio
CPU_SECONDS: Final = 120.0
BYTES_PER_CPU_SECOND: Final = 250_000
"""Limit of the processor time: a hundred times what the journals of an ordinary call take."""

_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.ENOMEM})


def perform(request: MuxRequest) -> MuxResult:
    """Mux a recording and write its `Delivery`; both are on disk when this returns."""
    directory = Path(request.directory)
    with spool_reader.claimed(directory) as is_ours:
        if not is_ours:
            return MuxResult(Outcome.BUSY)
        try:
            return _mux(directory, request)
        except (OSError, ValueError, msgspec.MsgspecError, av.FFmpegError) as error:
            (directory / f"{MATROSKA}.part").unlink(missing_ok=True)
            is_room = getattr(error, "errno", None) not in _NO_ROOM
            return MuxResult(Outcome.FAILED if is_room else Outcome.NO_ROOM, f"{error}")


def _mux(directory: Path, request: MuxRequest) -> MuxResult:
    if spool_reader.read_delivery(directory):
        return MuxResult(Outcome.MUXED)
    muxed = mux(directory, spool_reader.read_manifest(directory), request.report)
    if muxed is None:
        _require_emptiness(directory)
        return MuxResult(Outcome.EMPTY)
    with (directory / MATROSKA).open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    size = muxed.path.stat().st_size
    missing = (*request.missing, *muxed.missing)
    delivery = Delivery(sha256=sha256, size=size, duration=muxed.duration, missing=missing)
    spool_reader.write_delivery(directory, delivery)
    return MuxResult(Outcome.MUXED, packets=muxed.packets)


def _require_emptiness(directory: Path) -> None:
    """Raise `ValueError` if the journals have media, because an empty recording is removed."""
    packets = 0
    for journal in spool_reader.journals(directory):
        with journal.open("rb") as file:
            packets += sum(record.kind is RecordKind.RTP for record in read_journal(file))
    if packets > MAX_STRAY_PACKETS:
        raise ValueError(f"no media was found in {packets} packets")


def limit_cpu(request: MuxRequest) -> None:
    """Limit the processor time of this process in proportion to the size of the journals.

    The kernel ends the process with SIGXCPU if it exceeds the limit.
    """
    size = sum(path.stat().st_size for path in spool_reader.journals(Path(request.directory)))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = usage.ru_utime + usage.ru_stime
    limit = int(used + CPU_SECONDS + size / BYTES_PER_CPU_SECOND)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    if hard == resource.RLIM_INFINITY or limit < hard:
        resource.setrlimit(resource.RLIMIT_CPU, (limit, hard))


def serve(
    requests: BinaryIO, results: BinaryIO, prepare: Callable[[MuxRequest], None] = lambda _: None
) -> None:
    """Answer each request with a result; `prepare` is called before each is performed."""
    for line in requests:
        request = msgspec.json.decode(line, type=MuxRequest)
        prepare(request)
        result = perform(request)
        results.write(msgspec.json.encode(result) + b"\n")
        results.flush()


def main() -> None:
    os.nice(NICENESS)
    # Redirect standard output, so that output of a library is not mistaken for a result.
    results = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    # If the recorder was killed, nobody reads the result, but the next recorder finds the file.
    with contextlib.suppress(BrokenPipeError):
        serve(sys.stdin.buffer, results, limit_cpu)


if __name__ == "__main__":
    main()
