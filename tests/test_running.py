"""Systems of failed tests are stopped."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import IO

import pytest

from tests.running import System, no_system_left


class IdleSystem(System):
    """A process that announces itself like a server and does nothing."""

    process: subprocess.Popen[bytes]

    def launch(self, command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        script = "echo Ctrl-C stops; exec sleep 1000"
        self.process = subprocess.Popen(["sh", "-c", script], stdout=log, stderr=log)
        return self.process


def test_a_system_that_a_test_leaves_is_killed(tmp_path: Path) -> None:
    before, during = (IdleSystem(tmp_path / name) for name in ("before", "during"))
    before.start()
    with no_system_left():
        during.start()
    assert during.process.returncode == -9
    assert before.process.poll() is None
    before.kill()
    assert not {before, during} & System.running


def test_a_system_that_does_not_start_leaves_no_process(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="No such option"):
        System(tmp_path / "data", "--no-such-option").start()
    assert all(system.data.parent != tmp_path for system in System.running)
