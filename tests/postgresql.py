"""A real PostgreSQL for the tests: a cluster of their own, on a Unix socket."""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg

from visavis.store import open_store

USER = "postgres"
# the tests pull no plug: what is not synced to disk is not lost
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
}

EMPTY = """DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT tablename FROM pg_tables
    WHERE schemaname = 'public' AND tablename <> 'alembic_version'
  LOOP EXECUTE format('DELETE FROM %I', name); END LOOP;
  FOR name IN SELECT sequencename FROM pg_sequences WHERE last_value IS NOT NULL
  LOOP PERFORM setval(quote_ident(name), 1, false); END LOOP;
END $$"""
"""To truncate a table or to restart a sequence makes new files: a row is deleted sooner."""

MEMORY = Path("/dev/shm")
LEAST_ROOM = 4 * 1024**3
TERMINATE = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid()"""


class Cluster:
    """Databases on demand, each made from one that is migrated already."""

    def __init__(self, settings: Mapping[str, str] = SETTINGS) -> None:
        self.directory = new_directory("visavis-pg-")
        self._settings = settings
        self._numbers = itertools.count(1)
        self._spare: list[tuple[str, psycopg.Connection]] = []
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> Cluster:
        directory = programs()
        data = make_data(self.directory)
        options = [f"-c{name}={value}" for name, value in self._settings.items()]
        command = (f"{directory}/postgres", "-D", str(data), "-k", f"{self.directory}", *options)
        with (self.directory / "log").open("wb") as log:
            self._server = subprocess.Popen(as_user(*command), stdout=log, stderr=log)
        self._wait()
        self._execute("CREATE DATABASE template_visavis")
        open_store(self.address("template_visavis")).close()
        return self

    @property
    def process_id(self) -> int:
        assert self._server
        return self._server.pid

    def new_database(self) -> str:
        """The address of an empty, migrated database."""
        name = f"test_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE template_visavis")
        return self.address(name)

    @contextmanager
    def lent_database(self) -> Iterator[str]:
        """The same, given back afterwards: emptying one is quicker than making one.

        The connection that empties it is kept: a new one would read the catalogue again.
        """
        address, cleaner = self._spare.pop() if self._spare else self._new_spare()
        yield address
        cleaner.execute(TERMINATE)
        cleaner.execute(EMPTY)
        self._spare.append((address, cleaner))

    def empty_database(self, options: str = "") -> str:
        """The address of a database without any table."""
        name = f"test_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name} {options}")
        return self.address(name)

    def address(self, name: str) -> str:
        return f"postgresql:///{name}?host={self.directory}&user={USER}"

    def stop(self) -> None:
        for _, cleaner in self._spare:
            cleaner.close()
        if self._server:
            self._server.send_signal(signal.SIGQUIT)  # at once: nobody will start it again
            self._server.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _new_spare(self) -> tuple[str, psycopg.Connection]:
        address = self.new_database()
        cleaner = psycopg.connect(address, autocommit=True)
        cleaner.execute("SET session_replication_role = replica")  # nobody checks keys
        return address, cleaner

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def _wait(self) -> None:
        until = time.monotonic() + 60
        while True:
            try:
                self._execute("SELECT 1")
            except psycopg.OperationalError:
                assert time.monotonic() < until, (self.directory / "log").read_text()
                time.sleep(0.05)
            else:
                return


def new_directory(prefix: str) -> Path:
    """Return a directory in memory if there is room: a server makes and deletes a thousand files.

    An ext4 file system looks long for an inode that was not deleted lately.
    """
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > LEAST_ROOM
    return Path(tempfile.mkdtemp(prefix=prefix, dir=MEMORY if has_room else None))


def make_data(directory: Path) -> Path:
    """Return the new data of a server below its directory, which becomes PostgreSQL's user's."""
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(directory, USER)
    data = directory / "data"
    subprocess.run(as_user("cp", "-a", str(_first_data()), str(data)), check=True)
    return data


@cache
def _first_data() -> Path:
    """Make the data that others are copies of: a copy takes a tenth of the time."""
    directory = new_directory("visavis-initdb-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    if os.geteuid() == 0:
        shutil.chown(directory, USER)
    data = directory / "data"
    make = (f"{programs()}/initdb", "-D", str(data), "-U", USER, "-A", "trust", "-E", "UTF8", "-N")
    subprocess.run(as_user(*make), check=True, capture_output=True)
    return data


def programs() -> Path:
    """Return the directory of PostgreSQL's programs, the newest if there are several."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    assert installed, "no PostgreSQL here: tests/system-packages installs it"
    return installed[-1].parent


def as_user(*command: str) -> tuple[str, ...]:
    """Return a command that runs as a user under which PostgreSQL agrees to run."""
    if os.geteuid() != 0:
        return command
    return ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", *command)
