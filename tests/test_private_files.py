"""Files that other users of the machine cannot access."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.cli.commands import visavis
from visavis.private_files import UMASK, make_private, private_new_files, restrict_new_files


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_existing_files_become_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, outside = tmp_path / "data", tmp_path / "outside"
    (data / "archive").mkdir(parents=True)
    file, private = data / "archive" / "one.mkv", data / "archive.key"
    for path in (file, private, outside):
        path.touch()
    data.chmod(0o755)
    (data / "archive").chmod(0o750)
    file.chmod(0o644)
    private.chmod(0o600)
    outside.chmod(0o644)
    (data / "link").symlink_to(outside)
    assert make_private(data) == (3, [])
    assert [mode(path) for path in (data, data / "archive", file, private)] == [
        *(0o700, 0o700, 0o600, 0o600)
    ]
    assert mode(outside) == 0o644
    assert make_private(data) == (0, [])
    file.chmod(0o644)

    def fail(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "chmod", fail)
    assert make_private(data) == (0, [file])


def test_new_files_are_private(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        restrict_new_files()
        (tmp_path / "file").touch()
        (tmp_path / "directory").mkdir()
    finally:
        os.umask(before)
    assert (mode(tmp_path / "file"), mode(tmp_path / "directory")) == (0o600, 0o700)


def test_files_of_every_command_are_private(tmp_path: Path) -> None:
    data = tmp_path / "data"
    before = os.umask(0o022)
    try:
        made = [
            visavis("init", "--data", data),
            visavis("archive", "upload-key", "add", "theirs", "--site", 1, "--data", data),
        ]
    finally:
        os.umask(before)
    assert [command.returncode for command in made] == [0, 0]
    assert (data / "archive.key").exists()
    assert {path for path in (data, *data.rglob("*")) if mode(path) & UMASK} == set()


def test_a_command_leaves_the_umask_of_its_process(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with private_new_files():
            (tmp_path / "file").touch()
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)
    assert mode(tmp_path / "file") == 0o600
