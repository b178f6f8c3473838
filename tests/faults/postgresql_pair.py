"""Two PostgreSQL servers that replicate: either may be the primary, the other is its standby."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import psycopg

from tests.postgresql import SETTINGS, USER, as_user, make_data, new_directory, programs

NAMES: Final = ("a", "b")
DATABASE: Final = "visavis"
WAIT_SECONDS: Final = 60.0
_SYNCHRONOUS: Final = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'quorum'"


class Server:
    """One of the two, in a directory with its data and its Unix socket."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.is_synchronous = False
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self.directory / "data"

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs, as the user that may."""
        with (self.directory / "log").open("ab") as log:
            command = as_user(f"{programs()}/{program}", *arguments)
            subprocess.run(command, stdout=log, stderr=log, check=True)

    def start(self, primary: Server) -> None:
        """Start it; with a file `standby.signal` it is a standby of `primary`."""
        name = self.directory.name
        settings = {
            **SETTINGS,
            "primary_conninfo": f"host={primary.directory} user={USER} application_name={name}",
        }
        if self.is_synchronous:
            settings["synchronous_commit"] = "on"
        options = [f"-c{name}={value}" for name, value in settings.items()]
        command = as_user(
            *(f"{programs()}/postgres", "-D", str(self.data), "-k", str(self.directory)), *options
        )
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        _wait(self._answers)

    def stop(self) -> None:
        """Stop it (fast shutdown): the standby has received everything by then."""
        if self._process:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Stop all its processes as they are; its sockets go on accepting connections."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End all its processes at once, as a power failure does."""
        self._signal(signal.SIGKILL)
        if self._process:
            self._process.wait()
            self._process = None

    def _signal(self, number: signal.Signals) -> None:
        if self._process:
            parent = self._process.pid
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
            for process in (parent, *map(int, children)):
                with suppress(ProcessLookupError):  # a connection's process may have ended
                    os.kill(process, number)

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        address = f"host={self.directory} user={USER} dbname={database}"
        with psycopg.connect(address, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []

    def _answers(self) -> bool:
        try:
            return bool(self.execute("SELECT 1"))
        except psycopg.OperationalError:
            return False


class PostgresqlPair:
    """A primary and its standby, which change places by `demote` and `promote`.

    The first primary acknowledges a commit when its standby has it, if that is `synchronous`. The
    standby acknowledges alone once it is promoted, as a fail-over manager would set it.
    """

    def __init__(self, *, is_synchronous: bool = False) -> None:
        self.directory = new_directory("visavis-pair-")
        self.primary, self.standby = (Server(self.directory / name) for name in NAMES)
        self.primary.is_synchronous = self.standby.is_synchronous = is_synchronous

    @property
    def address(self) -> str:
        """Of the database on the server that is the primary."""
        hosts = ",".join(str(self.directory / name) for name in NAMES)
        options = f"host={hosts}&user={USER}&target_session_attrs=read-write&connect_timeout=3"
        return f"postgresql:///{DATABASE}?{options}"

    def start(self) -> PostgresqlPair:
        self.directory.chmod(0o755)
        for server in (self.primary, self.standby):
            server.directory.mkdir()
            if os.geteuid() == 0:  # PostgreSQL refuses to run as root
                shutil.chown(server.directory, USER)
        primary = self.primary
        make_data(primary.directory)
        primary.start(self.standby)
        primary.execute(f"CREATE DATABASE {DATABASE}")
        self._attach_standby()
        return self

    def demote(self) -> None:
        """Make the primary a standby of the other: neither takes a write from now on."""
        self.primary.stop()
        self._follow(self.primary, self.standby)

    def promote(self) -> None:
        """Make the standby the primary."""
        self.standby.run("pg_ctl", "promote", "-D", str(self.standby.data))
        self.primary, self.standby = self.standby, self.primary

    def lose_primary(self, seconds: float) -> None:
        """Kill the primary; promote the standby after the time that a fail-over manager needs."""
        self.primary.kill()
        time.sleep(seconds)
        self.promote()
        self.replace_standby()

    def replace_standby(self) -> None:
        """Make the former primary, which is dead, the standby, with a new copy of the data."""
        shutil.rmtree(self.standby.data)
        self._attach_standby()

    def stop(self) -> None:
        self.standby.kill()
        self.primary.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _attach_standby(self) -> None:
        """Copy the data while the primary waits for no standby, as a copy that is promoted must."""
        primary, standby = self.primary, self.standby
        source = ("-h", str(primary.directory), "-U", USER, "-D", str(standby.data))
        standby.run("pg_basebackup", *source, "--checkpoint=fast", "--no-sync")
        self._follow(standby, primary)
        if primary.is_synchronous:
            names = f"ANY 1 ({standby.directory.name})"
            primary.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
            primary.execute("SELECT pg_reload_conf()")
            _wait(lambda: bool(primary.execute(_SYNCHRONOUS)))

    def _follow(self, server: Server, primary: Server) -> None:
        (server.data / "standby.signal").touch()
        server.start(primary)


def _wait(question: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT_SECONDS
    while not question():
        assert time.monotonic() < until, f"not within {WAIT_SECONDS} seconds"
        time.sleep(0.05)
