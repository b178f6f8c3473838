from __future__ import annotations

import fcntl
import itertools
import json
import os
import resource
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.running import eventually
from visavis.domain.leg import AGENT_LEG, VISITOR_LEG
from visavis.domain.recording import Manifest
from visavis.spool import clocks
from visavis.spool import sync_thread as sync_thread_module
from visavis.spool import writer as journal_module
from visavis.spool.format import MAGIC, JournalRecord, RecordKind, read_journal
from visavis.spool.notes import WallClock, parse_note
from visavis.spool.writer import JournalWriter, create_journal

MANIFEST = Manifest(
    recording_id="rec",
    site_id=1,
    call_id="call",
    media="video",
    visitor_name="Ann",
    agent_name="Bo",
    started_at=datetime(2026, 1, 1, tzinfo=UTC),
)


def records(spool: Path, number: int = 1) -> list[JournalRecord]:
    with (spool / "rec" / f"{number:04}.journal").open("rb") as file:
        return list(read_journal(file))


def new_journal(spool: Path) -> JournalWriter:
    return create_journal(spool, MANIFEST, 1, pytest.fail)


def test_what_was_appended_is_read_back_and_sealed(tmp_path: Path) -> None:
    journal = new_journal(tmp_path)
    for number in range(1000):
        journal.append(number, RecordKind.RTP, AGENT_LEG, b"x" * 200)
    journal.note({"type": "event"})
    journal.close()
    found = records(tmp_path)
    assert [r.arrival_us - journal.offset_us for r in found[:1000]] == list(range(1000))
    assert [r.kind for r in found[1000:]] == [RecordKind.NOTE, RecordKind.SEAL]


def test_a_journal_that_could_not_be_created_is_in_nobody_s_way(
    tmp_path: Path,
) -> None:
    (tmp_path / ".rec").mkdir()  # Left by a killed process.
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = {int(path.name) for path in Path("/proc/self/fd").iterdir()}
    first = next(number for number in itertools.count() if number not in used)
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (first + 1, limits[1])
    )  # One more descriptor is available.
    try:
        with pytest.raises(OSError, match="Too many open files"):
            new_journal(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert [path.name for path in tmp_path.iterdir()] == [".rec"]
    new_journal(tmp_path).close()
    assert len(records(tmp_path)) == 1


@pytest.mark.parametrize("step", [-3600, 7200])
def test_a_wall_clock_that_is_set_moves_no_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """The recording does not seem to be longer, either."""
    journal = new_journal(tmp_path)
    began = journal.started_at
    journal.note({"type": "event"})
    monkeypatch.setattr(time, "time_ns", lambda: 1_800_000_000_000_000_000 + step * 10**9)
    monkeypatch.setattr(time, "time", lambda: 1_800_000_000.0 + step)
    journal.note({"type": "event"})
    journal.append(time.monotonic_ns() // 1000, RecordKind.RTP, AGENT_LEG, b"x" * 200)
    journal.close()
    arrivals = [record.arrival_us for record in records(tmp_path)]
    assert arrivals == sorted(arrivals)
    assert arrivals[-1] - arrivals[0] < 60_000_000
    assert journal.started_at == began


def with_clock_set(monkeypatch: pytest.MonkeyPatch, seconds: int) -> int:
    """Set the wall clock; return its offset from the monotonic clock, in microseconds."""
    offset = time.time_ns() - time.monotonic_ns() + seconds * 10**9
    monkeypatch.setattr(time, "time_ns", lambda: time.monotonic_ns() + offset)
    return offset // 1000


@pytest.mark.parametrize("step", [-60, 60])
def test_journals_of_one_recording_have_one_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    first = new_journal(tmp_path)
    with_clock_set(monkeypatch, step)
    second = create_journal(tmp_path, MANIFEST, 2, pytest.fail)
    assert second.offset_us == first.offset_us
    assert second.started_at == first.started_at
    first.close()
    second.close()


@pytest.mark.parametrize("step", [-60, 60])
def test_a_wall_clock_that_is_set_is_noted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    journal = new_journal(tmp_path)
    with_clock_set(monkeypatch, step)
    journal.append(1, RecordKind.RTP, VISITOR_LEG, b"packet")
    eventually(lambda: b"wallClock" in (tmp_path / "rec" / "0001.journal").read_bytes())
    journal.close()
    notes = [parse_note(r.payload) for r in records(tmp_path) if r.kind is RecordKind.NOTE]
    [note] = [note for note in notes if isinstance(note, WallClock)]
    assert note.ahead_us / 1e6 == pytest.approx(step, abs=1.0)


OTHER_BOOT = json.dumps({"bootId": "8fd3e0ae-0000-4000-8000-000000000000", "offsetUs": 1})


@pytest.mark.parametrize("kept", [None, "", "{", "[]", '{"bootId": 1}', OTHER_BOOT])
def test_the_wall_clock_is_used_where_no_clock_of_this_boot_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str | None
) -> None:
    """This applies after a power failure, and to a recording that an older version has begun."""
    new_journal(tmp_path).close()
    path = tmp_path / "rec" / "clock.json"
    path.unlink()
    if kept is not None:
        path.write_text(kept)
    offset_us = with_clock_set(monkeypatch, 60)
    second = create_journal(tmp_path, MANIFEST, 2, pytest.fail)
    assert second.offset_us == pytest.approx(offset_us, abs=1000)
    second.close()


def test_a_boot_that_is_not_known_prevents_no_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clocks, "BOOT_ID", tmp_path / "missing")
    new_journal(tmp_path).close()
    offset_us = with_clock_set(monkeypatch, 60)
    second = create_journal(tmp_path, MANIFEST, 2, pytest.fail)
    assert second.offset_us == pytest.approx(offset_us, abs=1000)
    second.close()


def create_and_die(spool: Path, turn: int) -> bool:
    """Create a journal in a process killed at its `turn`-th system call; return whether it was."""
    process = os.fork()
    if process:
        return os.WIFSIGNALED(os.waitpid(process, 0)[1])
    left = itertools.count(turn, -1)

    def step(frame: object, event: str, called: object) -> None:
        module = getattr(called, "__module__", None)
        if event == "c_call" and module in {"posix", "_io", "fcntl"} and next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    journal_module.JournalWriter = lambda *_, **__: os._exit(0)  # type: ignore[assignment, misc]
    sys.setprofile(step)
    create_journal(spool, MANIFEST, 1, lambda why: None)
    os._exit(1)


def test_kill_9_at_any_step_blocks_no_recording(tmp_path: Path) -> None:
    """The next attempt always gets its journal, and recordings in the spool are complete."""
    for turn in itertools.count():
        spool = tmp_path / str(turn)
        was_killed = create_and_die(spool, turn)
        if (spool / "rec").exists():
            assert json.loads((spool / "rec" / "clock.json").read_bytes())["offsetUs"]
            assert (spool / "rec" / "0001.journal").stat().st_size == len(MAGIC)
        journal = create_journal(spool, MANIFEST, 2, pytest.fail)
        journal.append(1, RecordKind.RTP, AGENT_LEG, b"x")
        journal.close()
        assert [record.payload for record in records(spool, 2)] == [b"x", b""]
        if not was_killed:
            break
    assert turn > 15
    assert (spool / "rec" / "0001.journal").exists()


def test_it_is_locked_until_it_is_closed(tmp_path: Path) -> None:
    journal = new_journal(tmp_path)
    with (tmp_path / "rec" / "0001.journal").open("rb") as file:
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        journal.close()
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)


def test_a_torn_tail_is_left_out(tmp_path: Path) -> None:
    journal = new_journal(tmp_path)
    journal.append(1, RecordKind.RTP, AGENT_LEG, b"whole")
    journal.close()
    path = tmp_path / "rec" / "0001.journal"
    whole = path.read_bytes()
    for cut in range(17, len(whole)):
        path.write_bytes(whole[:cut])
        assert records(tmp_path) == []
    path.write_bytes(whole + b"\0\0\0\x05torn")
    assert len(records(tmp_path)) == 2


def test_a_disk_that_fails_is_told(tmp_path: Path) -> None:
    lost: list[str] = []
    journal = create_journal(tmp_path, MANIFEST, 1, lost.append)
    other = create_journal(tmp_path, MANIFEST, 2, pytest.fail)
    os.dup2(os.open("/dev/full", os.O_WRONLY), journal._file)
    journal.append(1, RecordKind.RTP, AGENT_LEG, b"x")
    eventually(lambda: journal.is_over)
    assert lost == ["the journal cannot be written: No space left on device"]
    journal.append(2, RecordKind.RTP, AGENT_LEG, b"kept by nobody")
    other.append(1, RecordKind.RTP, AGENT_LEG, b"not harmed")
    journal.close()
    other.close()
    assert [r.payload for r in records(tmp_path, 2)] == [b"not harmed", b""]


def test_a_disk_that_fails_to_sync_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lost: list[str] = []
    journal = create_journal(tmp_path, MANIFEST, 1, lost.append)
    os.dup2(os.pipe()[1], journal._file)  # Syncing a pipe fails with EINVAL.
    journal.append(1, RecordKind.RTP, AGENT_LEG, b"x")
    journal.close()
    assert lost == ["the journal cannot be written: Invalid argument"]


def test_a_closed_journal_is_whole_and_the_others_go_on(tmp_path: Path) -> None:
    journals = [create_journal(tmp_path, MANIFEST, number, pytest.fail) for number in range(1, 9)]
    for turn, closing in enumerate(journals):
        for journal in journals[turn:]:
            journal.append(turn, RecordKind.RTP, AGENT_LEG, b"x" * 1000)
        closing.close()
        closing.close()
        assert [r.kind for r in records(tmp_path, turn + 1)] == [
            *[RecordKind.RTP] * (turn + 1),
            RecordKind.SEAL,
        ]


def test_every_link_has_a_journal_of_its_own(tmp_path: Path) -> None:
    first = create_journal(tmp_path, MANIFEST, 3, pytest.fail)
    second = create_journal(tmp_path, MANIFEST, 4, pytest.fail)
    with pytest.raises(FileExistsError):
        create_journal(tmp_path, MANIFEST, 4, pytest.fail)
    first.close()
    second.close()
    names = sorted(path.name for path in (tmp_path / "rec").iterdir())
    assert names == ["0003.journal", "0004.journal", "clock.json", "manifest.json"]


def test_the_recorder_waits_for_every_writer_and_no_writer_waits_for_it(tmp_path: Path) -> None:
    first = create_journal(tmp_path, MANIFEST, 1, pytest.fail)
    second = create_journal(tmp_path, MANIFEST, 2, pytest.fail)
    exclusive = fcntl.LOCK_EX | fcntl.LOCK_NB
    with (tmp_path / "rec" / "manifest.json").open("rb") as manifest:
        for journal in (first, second):
            with pytest.raises(BlockingIOError):
                fcntl.flock(manifest, exclusive)
            journal.close()
        fcntl.flock(manifest, exclusive)
        with pytest.raises(BlockingIOError):
            create_journal(tmp_path, MANIFEST, 3, pytest.fail)


def test_a_recording_that_was_taken_out_of_the_spool_is_not_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_journal(tmp_path, MANIFEST, 1, pytest.fail).close()
    directory = tmp_path / "rec"
    really_lock = fcntl.flock

    def lock_late(file: int, operation: int) -> None:
        """Replace the manifest between opening and locking it, like the recorder."""
        manifest = directory / "manifest.json"
        copy = manifest.read_bytes()
        manifest.rename(tmp_path / "taken")
        manifest.write_bytes(copy)
        really_lock(file, operation)

    monkeypatch.setattr(fcntl, "flock", lock_late)
    with pytest.raises(OSError, match="taken out"):
        create_journal(tmp_path, MANIFEST, 2, pytest.fail)
    assert not (directory / "0002.journal").exists()


def test_a_stopped_journal_says_why_and_is_sealed(tmp_path: Path) -> None:
    lost: list[str] = []
    journal = create_journal(tmp_path, MANIFEST, 1, lost.append)
    journal.append(1, RecordKind.RTP, AGENT_LEG, b"x" * 200)
    before = journal.size
    journal.stop("the disk is nearly full")
    journal.stop("again")
    assert not journal.is_written
    journal.append(2, RecordKind.RTP, AGENT_LEG, b"x" * 200)
    journal.note({"type": "resumed"})
    journal.close()
    assert lost == ["The recording was stopped: the disk is nearly full."]
    packet, note, seal = records(tmp_path)
    assert (packet.arrival_us - journal.offset_us, seal.kind) == (1, RecordKind.SEAL)
    assert note.payload == b'{"type":"stopped","why":"the disk is nearly full"}'
    later = create_journal(tmp_path, MANIFEST, 2, pytest.fail)
    assert later.size > before > 200  # The size includes earlier journals.
    age = time.monotonic() - later.started_at
    assert age == pytest.approx(time.time() - MANIFEST.started_at.timestamp(), abs=1.0)
    later.close()


def test_a_disk_that_is_nearly_full_is_not_begun_on(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nearly full"):
        create_journal(tmp_path, MANIFEST, 1, pytest.fail, reserve_bytes=1 << 62)
    assert not (tmp_path / "rec").exists()


def test_a_block_that_is_written_in_pieces_is_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = new_journal(tmp_path)
    write = os.write
    monkeypatch.setattr(os, "writev", lambda file, parts: write(file, b"".join(parts)[:20]))
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:30]))
    for number in range(10):
        journal.append(number, RecordKind.RTP, AGENT_LEG, b"x" * 100)
    journal.close()
    packets = [r.payload for r in records(tmp_path) if r.kind is RecordKind.RTP]
    assert packets == [b"x" * 100] * 10


def test_a_slow_disk_costs_a_gap_that_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "MAX_WAITING_BYTES", 1000)
    monkeypatch.setattr(sync_thread_module, "ROUND_SECONDS", 3600.0)
    journal = new_journal(tmp_path)
    for number in range(100):
        journal.append(number, RecordKind.RTP, AGENT_LEG, b"x" * 100)
    journal.write()
    journal.append(100, RecordKind.RTP, AGENT_LEG, b"after")
    journal.close()
    notes = [r.payload for r in records(tmp_path) if r.kind is RecordKind.NOTE]
    assert len(notes) == 1
    assert notes[0].startswith(b'{"type":"gap","records":')


WRITER = """
import itertools, os, sys, time
from pathlib import Path
from tests.spool.test_writer import MANIFEST
from visavis.spool.notes import WallClock, parse_note
from visavis.spool.writer import create_journal
from visavis.domain.leg import AGENT_LEG
from visavis.spool.format import RecordKind

journal = create_journal(Path(sys.argv[1]), MANIFEST, 1, print)
clock = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)
for number in itertools.count():
    now = time.time_ns() // 1000
    payload = number.to_bytes(8) * 20
    journal.append(now - journal.offset_us, RecordKind.RTP, AGENT_LEG, payload)
    os.pwrite(clock, now.to_bytes(8), 0)
    time.sleep(0.001)
"""


@pytest.mark.fault
def test_kill_9_loses_less_than_a_second(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    last = tmp_path / "last"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, tmp_path, last], cwd=root)
    path = tmp_path / "rec" / "0001.journal"
    eventually(lambda: path.exists() and path.stat().st_size > 100_000)
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    found = records(tmp_path)
    assert [int.from_bytes(r.payload[:8]) for r in found] == list(range(len(found)))
    assert int.from_bytes(last.read_bytes()) - found[-1].arrival_us < 1_000_000


def test_a_writer_that_cannot_be_made_keeps_no_lock(tmp_path: Path) -> None:
    def fails(*_: object, **__: object) -> JournalWriter:
        raise OverflowError

    with pytest.raises(OverflowError):
        create_journal(tmp_path, MANIFEST, 1, pytest.fail, new_writer=fails)
    with (tmp_path / "rec" / "manifest.json").open("rb") as manifest:
        fcntl.flock(manifest, fcntl.LOCK_EX | fcntl.LOCK_NB)
