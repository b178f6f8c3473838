"""Systems of failed tests are stopped, and no two use one port."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from tests import running
from tests.running import System, free_media_port, free_port, no_system_left


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


def test_no_port_is_lent_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if nothing listens there, and to the tests of another process."""
    first = free_media_port(4)
    monkeypatch.setattr(running, "_lent", set())  # as if they were lent to another process
    monkeypatch.setattr(running, "PORTS", range(first, first + 4))
    script = f"""
from tests import running
running.PORTS = range({first}, {first + 12})
print(*(running.free_port() for _ in range(6)), flush=True)
input()
"""
    other = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with other:
        assert other.stdout
        lent = [int(port) for port in other.stdout.readline().split()]
        assert len(set(lent)) == 6
        assert min(lent) >= first + 4
    assert {free_port() for _ in range(4)} == set(range(first, first + 4))
