"""Requests to stop and to reload, from signals and from the supervisor's pipe."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.running import System, eventually
from visavis.lifecycle import Lifecycle, SupervisorPipe

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
