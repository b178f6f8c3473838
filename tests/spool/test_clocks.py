"""Clocks of recordings, and their comparison with the database's."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from visavis.domain.recording import CLOCK, ClockOffset, RecordingClock
from visavis.spool import clocks


def put(directory: Path, boot_id: str, ahead_us: int | None = None) -> None:
    clock = RecordingClock(boot_id=boot_id, offset_us=7_000, database_ahead_us=ahead_us)
    (directory / CLOCK).write_bytes(msgspec.json.encode(clock))


def test_a_comparison_is_saved_beside_the_journals(tmp_path: Path) -> None:
    put(tmp_path, clocks.current_clock().boot_id)
    assert clocks.is_comparable(tmp_path)
    clocks.write_comparison(tmp_path, ClockOffset(offset_us=7_500, error_us=3))
    found = clocks.read_clock(tmp_path)
    assert found
    assert (found.offset_us, found.database_ahead_us, found.error_us) == (7_000, 500, 3)
    assert not clocks.is_comparable(tmp_path)  # the comparison during the call stays


def test_a_clock_of_another_boot_cannot_be_compared(tmp_path: Path) -> None:
    put(tmp_path, "another boot")
    assert not clocks.is_comparable(tmp_path)


def test_a_boot_that_is_not_known_cannot_be_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clocks, "BOOT_ID", tmp_path / "missing")
    put(tmp_path, "")
    assert not clocks.is_comparable(tmp_path)


@pytest.mark.parametrize("content", [None, b"", b"{"])
def test_a_recording_without_a_clock_has_none(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / CLOCK).write_bytes(content)
    assert clocks.read_clock(tmp_path) is None
    assert not clocks.is_comparable(tmp_path)
    clocks.write_comparison(tmp_path, ClockOffset(1, 1))
    assert clocks.read_clock(tmp_path) is None
