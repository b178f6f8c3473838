"""Moving a recording into another spool: at once, complete, and again after a crash."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.recorder.conftest import manifest_of
from tests.recorder.journals import put_journal
from visavis.domain.recording import MANIFEST, MATROSKA, journal_name
from visavis.spool import reader as spool_reader
from visavis.spool.adoption import move_into

STEPS = ("mkdir", "copyfile", "fsync", "unlink", "rename", "remove")


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    directory = put_journal(tmp_path / "dead", manifest_of("r"), 1.0)
    (directory / f"{MATROSKA}.part").write_bytes(b"half a file")
    return directory


@pytest.fixture
def journal(recording: Path) -> bytes:
    return (recording / journal_name(1)).read_bytes()


@pytest.fixture
def other_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let renames from one spool into the other fail, as they do between file systems."""
    rename = Path.rename

    def rename_within(path: Path, target: Path) -> Path:
        if path.parent != Path(target).parent:
            raise OSError(errno.EXDEV, "another disk")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", rename_within)


def test_on_the_same_disk(tmp_path: Path, recording: Path, journal: bytes) -> None:
    move_into(tmp_path / "spool", recording)
    assert (tmp_path / "spool/r" / journal_name(1)).read_bytes() == journal
    assert not recording.exists()


@pytest.mark.usefixtures("other_disk")
def test_on_another_disk(tmp_path: Path, recording: Path, journal: bytes) -> None:
    move_into(tmp_path / "spool", recording)
    moved = tmp_path / "spool/r"
    assert sorted(path.name for path in moved.iterdir()) == [journal_name(1), MANIFEST]
    assert (moved / journal_name(1)).read_bytes() == journal
    assert list((tmp_path / "dead").iterdir()) == []


def test_another_recording_of_that_id_is_not_replaced(tmp_path: Path, recording: Path) -> None:
    put_journal(tmp_path / "spool", manifest_of("r"), 2.0)
    with pytest.raises(FileExistsError, match="another recording"):
        move_into(tmp_path / "spool", recording)
    assert recording.exists()


def test_a_disk_that_fails_is_reported(
    tmp_path: Path, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Path, __: Path) -> Path:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OSError, match="broken"):
        move_into(tmp_path / "spool", recording)


DIES = """
import errno, os, shutil, signal, sys
from pathlib import Path
from visavis.spool import adoption, reader

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

rename = Path.rename
def rename_within(path, target):
    if path.parent != Path(target).parent:
        raise OSError(errno.EXDEV, "another disk")
    if step == "rename":
        die()
    return rename(path, target)

step, spool, directory = sys.argv[1:]
Path.rename = rename_within
owner = {"mkdir": Path, "unlink": Path, "copyfile": shutil, "fsync": os, "remove": reader}
if step in owner:
    setattr(owner[step], step, die)
adoption.move_into(Path(spool), Path(directory))
"""


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.usefixtures("other_disk")
def test_killed_at_each_step_and_given_again(
    tmp_path: Path, recording: Path, journal: bytes, step: str
) -> None:
    spool = tmp_path / "spool"
    killed = subprocess.run([sys.executable, "-c", DIES, step, spool, recording], check=False)
    assert killed.returncode == -9
    arrived = [path for path in spool_reader.recordings(spool) if path.name == "r"]
    assert len(arrived) == (step == "remove")  # complete, or not there
    move_into(spool, recording)
    assert (spool / "r" / journal_name(1)).read_bytes() == journal
    assert not recording.exists()


def test_the_recorder_leaves_a_long_copy_alone(
    tmp_path: Path, recording: Path, monkeypatch: pytest.MonkeyPatch, other_disk: None
) -> None:
    spool, copyfile = tmp_path / "spool", shutil.copyfile

    def slow(source: Path, target: Path) -> None:
        os.utime(target.parent, (0, 0))  # as if it had begun long ago
        spool_reader.sweep_hidden(spool)
        copyfile(source, target)

    monkeypatch.setattr(shutil, "copyfile", slow)
    move_into(spool, recording)
    assert spool_reader.read_manifest(spool / "r") == manifest_of("r")
