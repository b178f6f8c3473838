"""Requests to stop and to reload, from signals and from the supervisor's pipe."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx2
import msgspec
import pytest
from structlog.testing import capture_logs

from tests import http_clients
from tests.dying import dies_once
from tests.running import (
    PATIENCE,
    System,
    children,
    eventually,
    free_media_port,
    free_port,
)
from visavis.lifecycle import (
    SECRETS,
    Lifecycle,
    PartState,
    PartStatus,
    Secrets,
    SupervisorPipe,
    encode_parts,
)
from visavis.tasks import cancelled

pytestmark = pytest.mark.anyio


class Reloads:
    def __init__(self, lifecycle: Lifecycle) -> None:
        self.count = 0
        lifecycle.reload_listeners.append(self.add)

    def add(self) -> None:
        self.count += 1


async def test_the_pipe_reloads_by_whole_lines_and_stops_at_its_end() -> None:
    lifecycle = Lifecycle()
    reloads, pipe = Reloads(lifecycle), SupervisorPipe(lifecycle)
    pipe.data_received(b"relo")
    assert reloads.count == 0
    pipe.data_received(b"ad\nreload\nunknown\n")
    assert reloads.count == 2
    assert not lifecycle.stop.is_set()
    pipe.connection_lost(None)
    assert lifecycle.stop.is_set()


async def test_the_pipe_tells_of_changed_secrets() -> None:
    lifecycle = Lifecycle()
    told: list[Secrets] = []
    lifecycle.listen_to_secrets(told.append)
    secrets = Secrets(turn_secret="new", metrics_token="old,new")
    line = SECRETS + msgspec.json.encode(secrets) + b"\n"
    SupervisorPipe(lifecycle).data_received(line)
    assert told == [secrets]
    lifecycle.listen_to_secrets(told.append)  # a part that has only just started to listen
    assert told == [secrets, secrets]


def test_secrets_of_the_file_are_replaced_without_a_restart(tmp_path: Path) -> None:
    config = tmp_path / "visavis.toml"
    config.write_text('metrics_token = "first"\nmetrics_networks = ["192.0.2.1"]\n')
    system = System(tmp_path / "data", "--config", str(config)).start()

    def reads(token: str) -> bool:
        headers = {"Authorization": f"Bearer {token}"}
        return http_clients.get(f"{system.url}/metrics", headers=headers).is_success

    assert [reads("first"), reads("second")] == [True, False]
    config.write_text('metrics_token = "first, second"\nmetrics_networks = ["192.0.2.1"]\n')
    system.signal(signal.SIGHUP)
    eventually(lambda: reads("second"))
    assert reads("first")
    config.write_text('metrics_token = "second"\nunknown = 1\n')
    system.signal(signal.SIGHUP)
    eventually(lambda: "the old secrets stay in use" in log_of(system))
    config.write_text('metrics_token = "second"\n')
    system.signal(signal.SIGHUP)
    eventually(lambda: not reads("first"))
    system.kill_part("app")
    eventually(lambda: _answers(lambda: reads("second")))
    system.stop()


def _answers(ask: Callable[[], bool]) -> bool:
    try:
        return ask()
    except httpx2.TransportError:  # the killed process may have accepted the connection
        return False


async def test_a_listener_that_fails_leaves_the_others_their_reload() -> None:
    lifecycle = Lifecycle()

    def fail() -> None:
        raise FileNotFoundError("server.pem")

    lifecycle.reload_listeners.append(fail)
    reloads = Reloads(lifecycle)
    with capture_logs() as logs:
        lifecycle.reload()
    assert reloads.count == 1
    assert [entry["reason"] for entry in logs if entry["log_level"] == "error"] == ["server.pem"]


def log_of(system: System) -> str:
    return (system.data.parent / f"{system.data.name}.log").read_text()


def test_sighup_reloads_every_part_and_ends_none(tmp_path: Path) -> None:
    system = System(tmp_path / "data").start()
    parts = ("app", "recorder", "media")
    before = [system.pid_of(part) for part in parts]
    system.signal(signal.SIGHUP)
    eventually(lambda: log_of(system).count('"reload requested"') == 1 + len(parts))
    os.kill(system.pid_of("app"), signal.SIGHUP)  # also a part alone
    eventually(lambda: log_of(system).count('"reload requested"') == 2 + len(parts))
    assert [system.pid_of(part) for part in parts] == before
    system.stop()


async def test_reports_go_on_after_one_that_died(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("visavis.tasks.FIRST_PAUSE_SECONDS", 0.01)
    lifecycle = Lifecycle()
    read_end, write_end = os.pipe()
    lifecycle.report_to(write_end)
    with dies_once("part status", lifecycle, "report"):
        reporting = lifecycle.set_up()
        line = await asyncio.to_thread(os.read, read_end, 4096)
    assert msgspec.json.decode(line, type=PartStatus).failures["part status"] >= 1
    assert lifecycle.is_up
    await cancelled(reporting)
    lifecycle.report_death("No more descriptors")
    line = os.read(read_end, 4096)
    assert msgspec.json.decode(line, type=PartStatus).problems == {"part": "No more descriptors"}
    os.close(read_end)
    lifecycle.report_death("Nobody hears this")
    os.close(write_end)


async def test_a_supervisor_that_does_not_read_blocks_nobody() -> None:
    lifecycle = Lifecycle()
    read_end, write_end = os.pipe()
    lifecycle.report_to(write_end)
    for number in range(5000):
        lifecycle.report_death(f"reason {number}")
    os.close(read_end)
    os.close(write_end)


async def test_the_app_hears_of_all_parts() -> None:
    lifecycle = Lifecycle()
    parts = {"recorder": PartState(is_up=False, restarts=2, reason="no spool")}
    SupervisorPipe(lifecycle).data_received(encode_parts(parts))
    assert lifecycle.parts == parts


def test_a_part_that_cannot_start_again_ends_none_of_the_others(tmp_path: Path) -> None:
    system = System(tmp_path / "data").start()
    others = [system.pid_of(part) for part in ("app", "media")]
    key = system.data / "archive.key"
    aside = key.rename(system.data / "aside")
    key.mkdir()  # so that the recorder cannot start
    system.kill_part("recorder")
    eventually(lambda: log_of(system).count('"part died"') >= 3)
    assert '"reason":"[Errno 21] Is a directory' in log_of(system)
    key.rmdir()
    aside.rename(key)
    eventually(lambda: running(system, "recorder"))
    assert [system.pid_of(part) for part in ("app", "media")] == others
    system.stop()


def running(system: System, part: str) -> bool:
    try:
        return bool(system.pid_of(part))
    except (AssertionError, FileNotFoundError):
        return False


def test_orphans_are_reaped_by_process_1(tmp_path: Path) -> None:
    """`visavis serve` as the first process of a container: nobody else collects them."""
    start = """
import ctypes, subprocess
from visavis.cli import main
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
# one orphan in our session and one that leads its own
subprocess.Popen(["sh", "-c", "sleep 1000 & setsid sleep 2000 & exit 0"])
main()
"""
    data, output = tmp_path / "data", tmp_path / "log"
    command = [sys.executable, "-c", start, "serve", "--data", str(data), "--media-workers", "1"]
    command += ["--port", str(free_port()), "--media-port", str(free_media_port())]
    with output.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        eventually(lambda: b"Ctrl-C" in output.read_bytes())
        eventually(lambda: set(named(process.pid)) == {*PARTS, "1000", "2000"})
        names = named(process.pid)
        os.kill(names["recorder"], signal.SIGKILL)
        eventually(lambda: b'"part died"' in output.read_bytes())
        assert b'"code":-9' in output.read_bytes()  # nobody else was told how it ended
        for name in ("1000", "2000"):
            os.kill(names[name], signal.SIGKILL)
        eventually(lambda: set(named(process.pid)) == PARTS)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


PARTS = {"app", "media-0", "recorder"}


def named(parent: int) -> dict[str, int]:
    """Return the children of a process by the last words of their commands."""
    found = {}
    for pid in children(parent):
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):  # it has just ended
            found[words(pid)[-1]] = pid
    return found


def words(pid: int) -> list[str]:
    """Return the command of a process; that of a dead one is empty."""
    return Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")
