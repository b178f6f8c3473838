"""Mux workers that crash, hang or send invalid results."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.recorder.conftest import manifest_of, put_muxed
from tests.recorder.journals import put_journal
from visavis.domain.recording import DELIVERY, MANIFEST, MATROSKA, journal_name
from visavis.recorder import mux_pool
from visavis.recorder.mux import worker
from visavis.recorder.mux.requests import MuxRequest, MuxResult, Outcome
from visavis.recorder.mux.worker import BYTES_PER_CPU_SECOND, perform, serve
from visavis.recorder.mux_pool import MuxCrashError, MuxPool
from visavis.spool import reader as spool_reader

pytestmark = pytest.mark.anyio


def order(directory: Path) -> MuxRequest:
    return MuxRequest(str(directory), None)


def test_a_journal_becomes_a_file_and_a_note_of_it(tmp_path: Path) -> None:
    directory = put_journal(tmp_path, manifest_of("r"), 1.0)
    assert perform(order(directory)).outcome is Outcome.MUXED
    delivery = spool_reader.read_delivery(directory)
    assert delivery
    assert delivery.size == (directory / MATROSKA).stat().st_size
    assert delivery.duration == pytest.approx(1.0, abs=0.05)
    made = (directory / DELIVERY).stat().st_mtime_ns
    assert perform(order(directory)).outcome is Outcome.MUXED
    assert (directory / DELIVERY).stat().st_mtime_ns == made


def test_a_torn_file_is_made_anew(tmp_path: Path) -> None:
    directory = put_journal(tmp_path, manifest_of("r"), 1.0)
    perform(order(directory))
    whole = (directory / MATROSKA).read_bytes()
    (directory / MATROSKA).write_bytes(whole[:100])
    assert perform(order(directory)).outcome is Outcome.MUXED
    assert (directory / MATROSKA).stat().st_size == len(whole)


def test_nothing_was_ever_sent(tmp_path: Path) -> None:
    directory = put_journal(tmp_path, manifest_of("r"), 0.0)
    assert perform(order(directory)) == MuxResult(Outcome.EMPTY)


def test_media_that_nobody_understands_is_not_called_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "mux", lambda *_: None)
    directory = put_journal(tmp_path, manifest_of("r"), 1.0)
    assert perform(order(directory)) == MuxResult(
        Outcome.FAILED, "no media was found in 100 packets"
    )


def test_what_is_still_written_is_left_alone(tmp_path: Path) -> None:
    directory = put_journal(tmp_path, manifest_of("r"), 1.0)
    with spool_reader.claimed(directory) as is_ours:
        assert is_ours
        assert perform(order(directory)) == MuxResult(Outcome.BUSY)


def test_what_is_no_journal_fails(tmp_path: Path) -> None:
    directory = put_journal(tmp_path, manifest_of("r"), 1.0)
    (directory / journal_name(1)).write_bytes(b"x" * 100)
    assert perform(order(directory)) == MuxResult(Outcome.FAILED, "not a Visavis journal")
    (directory / MANIFEST).write_bytes(b"{")
    assert perform(order(directory)).outcome is Outcome.FAILED


def test_a_full_disk_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(worker, "mux", full)
    directory = put_journal(tmp_path, manifest_of("r"), 1.0)
    assert perform(order(directory)).outcome is Outcome.NO_ROOM


def test_orders_and_answers_line_by_line(tmp_path: Path) -> None:
    directory = put_muxed(tmp_path, "r")
    said = io.BytesIO()
    serve(io.BytesIO(b"".join([msgspec.json.encode(order(directory)) + b"\n"] * 2)), said)
    assert said.getvalue() == b'{"outcome":"muxed","reason":"","packets":{}}\n' * 2


async def test_a_process_is_used_again_and_rests(tmp_path: Path) -> None:
    plant = MuxPool()
    for name in ("a", "b"):
        directory = put_journal(tmp_path, manifest_of(name), 0.5)
        assert (await plant.mux(directory, None)).outcome is Outcome.MUXED
    (muxer,) = plant._idle
    assert muxer.requests == 2
    await plant.stop_idle(muxer.idle_since + 1)
    assert plant._idle == [muxer]
    await plant.stop_idle(muxer.idle_since + 31)
    assert muxer.process.returncode == 0
    await plant.stop()


async def test_a_process_makes_room_for_a_fresh_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mux_pool, "MAX_REQUESTS", 1)
    plant = MuxPool()
    assert (await plant.mux(put_muxed(tmp_path, "r"), None)).outcome is Outcome.MUXED
    assert plant._idle == []


async def test_a_process_that_is_killed_takes_nothing_with_it(tmp_path: Path) -> None:
    plant = MuxPool()
    directory = put_muxed(tmp_path, "r")
    await plant.mux(directory, None)
    os.kill(plant._idle[0].process.pid, signal.SIGKILL)
    await plant._idle[0].process.wait()
    with pytest.raises(MuxCrashError, match="died with code -9"):
        await plant.mux(directory, None)
    assert (await plant.mux(directory, None)).outcome is Outcome.MUXED
    await plant.stop()


@pytest.mark.parametrize(
    ("program", "words", "mux_seconds"),
    [
        ("import os, sys; sys.stdin.readline(); os.abort()", "died with code -6", 60.0),
        ("import os; os.kill(os.getpid(), 24)", "more processor time", 60.0),
        ("print('hello', flush=True); input(); input()", "could not be read", 60.0),
        ("import time; time.sleep(600)", "hung for", 0.1),
    ],
)
async def test_processes_that_go_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, words: str, mux_seconds: float
) -> None:
    monkeypatch.setattr(mux_pool, "COMMAND", (sys.executable, "-c", program))
    monkeypatch.setattr(mux_pool, "MUX_SECONDS", mux_seconds)
    plant = MuxPool()
    with pytest.raises(MuxCrashError, match=words):
        await plant.mux(tmp_path, None)
    await plant.stop()


async def test_stopping_ends_what_is_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = "import time; print(1, flush=True); time.sleep(600)"
    monkeypatch.setattr(mux_pool, "COMMAND", (sys.executable, "-c", program))
    monkeypatch.setattr(mux_pool, "STOP_SECONDS", 0.1)
    plant = MuxPool()
    task = asyncio.create_task(plant.mux(tmp_path, None))
    while not plant._busy:
        await asyncio.sleep(0.01)
    (muxer,) = plant._busy
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await plant.stop()
    assert muxer.process.returncode == -signal.SIGKILL


LIMITED = """
import resource, sys
from visavis.recorder.mux import worker
from visavis.recorder.mux.requests import MuxRequest
worker.CPU_SECONDS = float(sys.argv[2])
worker.limit_cpu(MuxRequest(sys.argv[1], None))
print(resource.getrlimit(resource.RLIMIT_CPU)[0], flush=True)
while True:
    pass
"""


def test_a_recording_has_its_share_of_processor_time(tmp_path: Path) -> None:
    """The limit depends on the size of the journals. A worker that exceeds it is killed alone."""
    directory = put_journal(tmp_path, manifest_of("r"), 1.0)
    journal = directory / journal_name(1)
    with journal.open("r+b") as file:
        file.truncate(100 * BYTES_PER_CPU_SECOND)
    command = [sys.executable, "-c", LIMITED, str(directory)]
    done = subprocess.run([*command, "-99"], capture_output=True, check=False)
    assert 1 <= int(done.stdout) <= 5
    assert done.returncode == -signal.SIGXCPU
