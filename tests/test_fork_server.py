"""Forked processes of `visavis serve` are those of a started one, and end with their server."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.fork_server import ForkServer
from tests.running import VISAVIS, System, children, eventually, free_port


def command_of(pid: int) -> list[str]:
    """Return the command of a process; that of a dead one is empty."""
    return Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")


def channels(pid: int) -> set[str]:
    """Return the pipes and sockets that a process has open besides its standard streams."""
    links = (link for link in Path(f"/proc/{pid}/fd").iterdir() if int(link.name) > 2)
    targets = {str(link.readlink()) for link in links}
    return {target for target in targets if target.startswith(("pipe:", "socket:"))}


def parts_of(system: System) -> dict[str, int]:
    return {command_of(pid)[-1]: pid for pid in children(system.pid)}


@pytest.mark.parametrize("is_forked", [True, False])
def test_a_system_has_the_same_processes(tmp_path: Path, is_forked: bool) -> None:
    system = System(tmp_path / "data", is_forked=is_forked).start()
    assert command_of(system.pid)[-9:-7] == ["serve", "--data"]
    parts = parts_of(system)
    assert set(parts) == {"app", "recorder", "media-0"}
    for pid in parts.values():
        assert command_of(pid)[1:4] == ["-m", "visavis", "part"]
        assert os.getsid(pid) == pid
        assert len(channels(pid) & channels(system.pid)) == 1, "the pipe of its reports"
    system.kill_part("app")
    eventually(lambda: set(parts_of(system)) == set(parts) and parts_of(system) != parts)
    assert {**parts, "app": 0} == {**parts_of(system), "app": 0}
    assert system.end_by(signal.SIGTERM) == 0
    assert "Traceback" not in (tmp_path / "data.log").read_text()


def test_the_environment_and_the_directory_are_those_of_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VISAVIS_PORT", str(port := free_port()))
    server = ForkServer()
    with (tmp_path / "log").open("ab") as log:
        command = [VISAVIS, "serve", "--data", "here", "--media-port", str(free_port())]
        process = server.start(command, log.fileno())
    eventually(lambda: f"running at http://127.0.0.1:{port} " in (tmp_path / "log").read_text())
    assert (tmp_path / "here" / "visavis.db").exists()
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.01)
    parts = children(process.pid)
    server.close()
    assert process.wait() == -signal.SIGKILL
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in parts))
