"""Reading of the spool while other processes change it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.vanishing import remove_at_first_look
from visavis.domain.recording import journal_name
from visavis.spool import reader as spool_reader


def abandoned(directory: Path, name: str) -> Path:
    """Create a hidden directory that is older than any writer or deletion in progress."""
    hidden = directory / name
    hidden.mkdir(parents=True)
    long_ago = time.time() - spool_reader.ABANDONED_SECONDS - 1
    os.utime(hidden, (long_ago, long_ago))
    return hidden


def test_a_hidden_directory_that_disappears_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vanishing, other = (abandoned(tmp_path, name) for name in (".a", ".b"))
    is_gone = remove_at_first_look(monkeypatch, vanishing)
    spool_reader.sweep_hidden(tmp_path)
    assert is_gone()
    assert not other.exists()


def test_a_hidden_file_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / ".nfs0001"
    file.touch()
    os.utime(file, (0, 0))
    spool_reader.sweep_hidden(tmp_path)
    assert file.exists()


def test_nobody_writes_to_a_journal_that_disappears(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = tmp_path / journal_name(1)
    journal.touch()
    is_gone = remove_at_first_look(monkeypatch, journal)
    assert not spool_reader.is_written(tmp_path)
    assert is_gone()


def test_a_spool_that_does_not_exist_yet_is_empty(tmp_path: Path) -> None:
    assert spool_reader.recordings(tmp_path / "spool") == []
    spool_reader.sweep_hidden(tmp_path / "spool")
