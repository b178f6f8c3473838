"""Two PostgreSQL servers whose places pg_auto_failover decides, as in docs/cluster.md."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

import psycopg
from psycopg import rows

from tests.faults.postgresql_pair import DATABASE
from tests.postgresql import USER, as_user, new_directory, programs
from tests.running import children, eventually, free_port

PROGRAM: Final = "pg_autoctl"
MONITOR_SETTINGS: Final = {
    "health_check_period": 500,
    "health_check_timeout": 1000,
    "health_check_max_retries": 1,
    "health_check_retry_delay": 200,
    "node_considered_unhealthy_timeout": 2000,
    "primary_demote_timeout": 2000,
    "startup_grace_period": 1000,
}
"""Milliseconds. With the defaults, a fail-over takes half a minute."""
_STATES: Final = """SELECT nodename, nodeport, reportedstate::text = goalstate::text AS is_there,
  goalstate::text AS state FROM pgautofailover.node ORDER BY nodename"""
_CONNECTION: Final[dict[str, Any]] = {"connect_timeout": 3, "client_encoding": "utf8"}
"""The monitor's database has no encoding of its own."""
SETTLED: Final = {"primary", "secondary"}


class _Process:
    """`pg_autoctl run` of one data directory, with the server that it starts."""

    def __init__(self, directory: Path, name: str) -> None:
        self.name = name
        self.port = free_port()
        self.data = directory / name
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    def create(self, kind: str, *options: str) -> None:
        place = ("--pgdata", str(self.data), "--pgport", str(self.port))
        shared = ("--hostname", "127.0.0.1", "--auth", "trust", "--no-ssl")
        with self._log() as log:
            subprocess.run(
                self._command("create", kind, *place, *shared, *options),
                stdout=log,
                stderr=log,
                env=self._environment,
                check=True,
            )

    def append(self, settings: dict[str, object]) -> None:
        lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(lines)

    def start(self) -> None:
        with self._log() as log:
            self._process = subprocess.Popen(
                self._command("run", "--pgdata", str(self.data)),
                stdout=log,
                stderr=log,
                env=self._environment,
                cwd=self._directory,
            )

    def kill(self) -> None:
        """End all its processes at once, as a power failure does."""
        if self._process is None:
            return
        os.kill(self._process.pid, signal.SIGSTOP)  # it starts nothing again
        for pid in reversed(descendants(self._process.pid)):
            with suppress(ProcessLookupError):  # a connection's process may have ended
                os.kill(pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        self._process = None

    def address(self, user: str, database: str) -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}?sslmode=disable"

    def _log(self) -> BinaryIO:
        return (self._directory / f"{self.name}.log").open("ab")

    @property
    def _environment(self) -> dict[str, str]:
        return {
            "HOME": str(self._directory),
            "LC_ALL": "C.UTF-8",
            "PATH": f"{programs()}:/usr/bin:/bin",
            **{f"XDG_{kind}": str(self._directory / kind) for kind in ("CONFIG_HOME", "DATA_HOME")},
            "XDG_RUNTIME_DIR": str(self._directory),
        }

    def _command(self, *arguments: str) -> tuple[str, ...]:
        return as_user(PROGRAM, *arguments)


class AutoFailover:
    """A monitor and two servers; the standby is promoted when the monitor misses the primary."""

    def __init__(self) -> None:
        self.directory = new_directory("visavis-auto-failover-")
        self._monitor = _Process(self.directory, "monitor")
        self._servers = [_Process(self.directory, name) for name in ("a", "b")]

    @property
    def address(self) -> str:
        """Of the database on the server that is the primary."""
        hosts = ",".join("127.0.0.1" for _ in self._servers)
        ports = ",".join(str(server.port) for server in self._servers)
        options = f"user={USER}&target_session_attrs=read-write&connect_timeout=3"
        return f"postgresql:///{DATABASE}?host={hosts}&port={ports}&{options}"

    def start(self) -> AutoFailover:
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(self.directory, USER)
        monitor = self._monitor
        monitor.create("monitor")
        monitor.append({f"pgautofailover.{name}": ms for name, ms in MONITOR_SETTINGS.items()})
        monitor.start()
        eventually(lambda: self._states() is not None)
        options = ("--dbname", DATABASE, "--username", USER, "--listen", "127.0.0.1")
        place = monitor.address("autoctl_node", "pg_auto_failover")
        for server, expected in zip(self._servers, ({"single"}, SETTLED), strict=True):
            server.create("postgres", "--name", server.name, "--monitor", place, *options)
            server.append({"max_connections": 200})
            server.start()
            self._wait(expected)
        return self

    def lose_primary(self, seconds: float) -> None:
        """Kill the primary's machine; start it again after some time, and wait until it follows."""
        states = self._states() or {}
        primary = next(server for server in self._servers if states[server.name] == "primary")
        primary.kill()
        began_at = time.monotonic()
        eventually(lambda: (self._states() or states) != states)
        time.sleep(max(0.0, began_at + seconds - time.monotonic()))
        primary.start()
        self._wait(SETTLED)

    def stop(self) -> None:
        for process in (*self._servers, self._monitor):
            process.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _wait(self, expected: set[str]) -> None:
        eventually(lambda: set((self._states() or {}).values()) == expected)

    def _states(self) -> dict[str, str] | None:
        """Return the state of each server; `None` if the monitor does not answer.

        A state that is assigned and not reached yet has a question mark.
        """
        address = self._monitor.address("autoctl_node", "pg_auto_failover")
        try:
            with psycopg.connect(address, row_factory=rows.dict_row, **_CONNECTION) as connection:
                nodes = connection.execute(_STATES).fetchall()
        except psycopg.Error:
            return None
        return {
            node["nodename"]: node["state"] if node["is_there"] else f"{node['state']}?"
            for node in nodes
        }


def descendants(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that these have started."""
    try:
        own = children(pid)
    except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
        return []
    return [*own, *(below for child in own for below in descendants(child))]
