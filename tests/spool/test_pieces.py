"""Pieces of a recording: their names, clocks, and how they are merged after any crash."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recorder.conftest import manifest_of, put_muxed
from tests.recorder.journals import put_clock, put_journal
from visavis.domain.recording import CLOCK, DELIVERY, MATROSKA, RecordingClock, journal_name
from visavis.spool import pieces
from visavis.spool import reader as spool_reader
from visavis.spool.adoption import move_into
from visavis.spool.clocks import read_clock
from visavis.spool.pieces import PieceName

TIMES = st.integers(min_value=-(10**15), max_value=10**15)


def piece(directory: Path, number: int, seconds: float, boot_id: str) -> Path:
    """Return a recording with one journal, as a node has it."""
    found = put_journal(directory, manifest_of("r"), seconds)
    (found / journal_name(1)).rename(found / journal_name(number))
    put_clock(found, boot_id, 1_000 * number, 0)
    return found


def names(directory: Path) -> list[str]:
    return [path.name for path in spool_reader.journals(directory)]


@given(TIMES, TIMES, TIMES, TIMES)
def test_clocks_of_two_machines_are_compared_by_the_database_s(
    tmp_path_factory: pytest.TempPathFactory, at: int, ours: int, theirs: int, offset: int
) -> None:
    """An event has the same time in both journals, whatever the clocks of the machines show."""
    directory = tmp_path_factory.mktemp("r")
    put_clock(directory, "a", offset, ours)
    clock = RecordingClock(boot_id="b", offset_us=-offset, database_ahead_us=theirs)
    name = PieceName("0002", pieces.piece_of(clock))
    pieces.write_clock(directory, name, clock)
    shift = pieces.shift_us(pieces.place_of(directory, name))
    assert at - theirs + shift == at - ours


@given(TIMES, TIMES, TIMES)
def test_two_clocks_of_one_boot_are_compared_exactly(
    tmp_path_factory: pytest.TempPathFactory, monotonic: int, ours: int, theirs: int
) -> None:
    """Nothing is measured then: both are an offset from the same monotonic clock."""
    directory = tmp_path_factory.mktemp("r")
    put_clock(directory, "a", ours, 5)
    clock = RecordingClock(boot_id="a", offset_us=theirs, database_ahead_us=77)
    name = PieceName("0002", pieces.piece_of(clock))
    pieces.write_clock(directory, name, clock)
    shift = pieces.shift_us(pieces.place_of(directory, name))
    assert monotonic + theirs + shift == monotonic + ours


@pytest.mark.parametrize(("ours", "theirs"), [(None, 9), (9, None)])
def test_clocks_that_were_not_compared_count_as_equal(
    tmp_path: Path, ours: int | None, theirs: int | None
) -> None:
    put_clock(tmp_path, "a", 1, ours)
    clock = RecordingClock(boot_id="b", offset_us=2, database_ahead_us=theirs)
    name = PieceName("0002", pieces.piece_of(clock))
    pieces.write_clock(tmp_path, name, clock)
    assert pieces.shift_us(pieces.place_of(tmp_path, name)) == 0
    (tmp_path / CLOCK).unlink()  # a spool of an old version
    assert pieces.shift_us(pieces.place_of(tmp_path, name)) == 0


def test_a_journal_of_this_node_is_not_shifted(tmp_path: Path) -> None:
    put_clock(tmp_path, "a", 1, 2)
    assert pieces.shift_us(tmp_path / journal_name(1)) == 0
    assert pieces.shift_us(tmp_path / "odd.journal") == 0
    with pytest.raises(ValueError, match=r"odd\.journal"):
        pieces.name_of(tmp_path / "odd.journal")
    assert pieces.clock_of(tmp_path / "odd.journal") == read_clock(tmp_path)


def test_the_names_of_two_nodes_differ_and_are_known_again_at_home(tmp_path: Path) -> None:
    one, other = piece(tmp_path / "a", 1, 1.0, "a"), piece(tmp_path / "b", 1, 2.0, "b")
    pieces.merge(other, one)
    (foreign,) = set(names(one)) - {journal_name(1)}
    assert (one / foreign).read_bytes() == (other / journal_name(1)).read_bytes()
    assert pieces.clock_of(one / foreign) == read_clock(other)
    before = names(one), names(other)
    pieces.merge(other, one)
    assert (names(one), names(other)) == before
    pieces.merge(one, other)  # everything goes back: the own journal keeps its own name
    assert len(names(other)) == 2
    assert journal_name(1) in names(other)
    assert pieces.is_merged(one, other)
    assert pieces.is_merged(other, one)


def test_journals_of_an_old_version_have_a_piece_of_their_own(tmp_path: Path) -> None:
    old = put_journal(tmp_path / "a", manifest_of("r"), 1.0)
    new = piece(tmp_path / "b", 2, 1.0, "b")
    pieces.merge(old, new)
    assert names(new) == ["0001-00000000.journal", journal_name(2)]
    assert pieces.clock_of(new / "0001-00000000.journal") is None


def test_another_journal_of_the_same_name_is_not_replaced(tmp_path: Path) -> None:
    one, other = piece(tmp_path / "a", 1, 1.0, "a"), piece(tmp_path / "b", 1, 2.0, "a")
    with pytest.raises(FileExistsError, match=r"its 0001\.journal differs"):
        pieces.merge(other, one)


def test_a_full_disk_leaves_nothing_that_fills_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = piece(tmp_path / "a", 1, 1.0, "a"), piece(tmp_path / "b", 2, 1.0, "b")

    def full(source: Path, target: Path) -> None:
        target.write_bytes(source.read_bytes()[:100])
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(OSError, match="full"):
        pieces.merge(other, one)
    assert list(one.glob("*.part")) == []
    assert names(one) == [journal_name(1)]


def test_a_file_that_lacks_the_piece_is_removed(tmp_path: Path) -> None:
    one, other = put_muxed(tmp_path / "a", "r"), piece(tmp_path / "b", 2, 1.0, "b")
    pieces.merge(other, one)
    assert not (one / MATROSKA).exists()
    assert not (one / DELIVERY).exists()


def test_a_recording_in_two_spools_is_adopted_into_one(tmp_path: Path) -> None:
    dead, home = piece(tmp_path / "dead", 1, 1.0, "a"), piece(tmp_path / "spool", 2, 1.0, "b")
    with spool_reader.claimed(home), pytest.raises(BlockingIOError, match="is working"):
        move_into(tmp_path / "spool", dead)
    move_into(tmp_path / "spool", dead)
    assert len(names(home)) == 2
    assert not dead.exists()


DIES = """
import os, shutil, signal, sys
from pathlib import Path
from visavis.spool import adoption, pieces, reader

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

step, spool, directory = sys.argv[1:]
owners = {"copyfile": shutil, "fsync": os, "rename": Path, "unlink": Path, "replace": Path}
owners |= {"remove": reader, "finish": pieces, "write_clock": pieces, "forget_file": pieces}
setattr(owners[step], step, die)
adoption.move_into(Path(spool), Path(directory))
"""
STEPS = (
    "forget_file",
    "unlink",
    "write_clock",
    "replace",
    "copyfile",
    "finish",
    "fsync",
    "rename",
    "remove",
)


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_each_step_and_given_again(tmp_path: Path, step: str) -> None:
    dead, home = piece(tmp_path / "dead", 1, 1.0, "a"), piece(tmp_path / "spool", 2, 1.0, "b")
    journal = (dead / journal_name(1)).read_bytes()
    spool = tmp_path / "spool"
    killed = subprocess.run([sys.executable, "-c", DIES, step, spool, dead], check=False)
    assert killed.returncode == -9
    arrived = [path for path in spool_reader.journals(home) if "-" in path.name]
    assert all(path.read_bytes() == journal for path in arrived)  # complete, or not there
    move_into(spool, dead)
    assert len(names(home)) == 2
    (foreign,) = [path for path in spool_reader.journals(home) if "-" in path.name]
    assert foreign.read_bytes() == journal
    assert pieces.clock_of(foreign) is not None
    assert not dead.exists()
    assert list((tmp_path / "dead").iterdir()) == []
