"""Two processes with the same jobs on one PostgreSQL: each is done, and nothing is done twice."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import psycopg
import pytest

from tests.faults.job_process import ARCHIVE, JOB, LEASE
from tests.fork_server import ForkedProcess, fork_server
from tests.postgresql import Cluster
from tests.running import System, administer, eventually
from visavis.domain.library import Entry
from visavis.store import open_store
from visavis.store.sql import SqlTransaction

pytestmark = pytest.mark.fault

COUNT = 60


@pytest.fixture
def address(cluster: Cluster) -> str:
    """A database with recordings that are due."""
    address = cluster.new_database()
    store = open_store(address)
    with store._database.engine.begin() as connection:
        rows = SqlTransaction(connection)
        rows.sites.add("Site", datetime(2026, 1, 1, tzinfo=UTC))
        rows.library.save(ARCHIVE, [(recording(number), 1) for number in range(COUNT)])
    store.close()
    return address


def recording(number: int) -> Entry:
    return Entry(
        id=f"r{number}",
        site_id=1,
        call_id="c",
        media="video",
        visitor_name="",
        visitor_email="",
        agent_names=(),
        started_at=f"2020-01-01T00:00:{number:02}.000+00:00",
        duration=1.0,
        size=1,
        sha256="",
        missing=(),
    )


def query(address: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(address, autocommit=True) as connection:
        return connection.execute(statement).fetchall()


def deletions(address: str) -> list[tuple[str, str]]:
    """Return by whom each recording was deleted, according to the audit log."""
    found = query(address, "SELECT summary FROM audit ORDER BY sequence")
    return [(row[0].split()[0], row[0].split()[1]) for row in found]


@contextmanager
def processes(address: str, tmp_path: Path) -> Iterator[dict[str, ForkedProcess]]:
    """Start two processes, the first of which has the lease."""
    running: dict[str, ForkedProcess] = {}
    with (tmp_path / "out").open("wb") as out:
        try:
            for name in ("one", "other"):
                running[name] = start(name, address, out)
                eventually(lambda: len(deletions(address)) > 3)
            yield running
        finally:
            for process in running.values():
                process.kill()
                process.wait()


def start(name: str, address: str, out: IO[bytes]) -> ForkedProcess:
    command = [sys.executable, "-m", "tests.faults.job_process", name, address]
    return fork_server().start(command, out.fileno())


def holder(address: str) -> str:
    return str(query(address, f"SELECT holder FROM job_leases WHERE name = '{JOB}'")[0][0])


def all_once(address: str) -> bool:
    """Whether each recording was deleted; fails if one was deleted twice."""
    ids = [recording_id for _, recording_id in deletions(address)]
    assert len(ids) == len(set(ids)), ids
    return len(ids) == COUNT and not query(address, "SELECT id FROM library_entries")


def test_the_holder_is_killed(address: str, tmp_path: Path) -> None:
    with processes(address, tmp_path) as running:
        running["one"].kill()
        killed_at = time.monotonic()
        eventually(lambda: holder(address) == "other")
        print(f"another has the lease after {time.monotonic() - killed_at:.1f} s of {LEASE:.0f} s")
        eventually(lambda: all_once(address))
        assert {name for name, _ in deletions(address)} == {"one", "other"}


def test_the_holder_is_frozen_and_wakes_up(address: str, tmp_path: Path) -> None:
    with processes(address, tmp_path) as running:
        running["one"].send_signal(signal.SIGSTOP)
        eventually(lambda: holder(address) == "other")
        eventually(lambda: len({name for name, _ in deletions(address)}) == 2)
        running["one"].send_signal(signal.SIGCONT)  # it goes on where it was
        eventually(lambda: all_once(address))
        eventually(lambda: b"lost" in (tmp_path / "out").read_bytes())


def test_jobs_of_two_nodes_are_done_by_one_of_them(cluster: Cluster, tmp_path: Path) -> None:
    address = cluster.new_database()
    nodes = [System(tmp_path / name, "--database", address).start() for name in ("a", "b")]
    names = {"recording counts", "log of changes", "expired credentials"}

    def terms() -> dict[str, int]:
        return dict(query(address, "SELECT name, term FROM job_leases"))

    eventually(lambda: names <= terms().keys())
    assert terms()["log of changes"] == terms()["expired credentials"] == 1
    eventually(lambda: terms()["recording counts"] > 1)
    printed = administer("nodes", "--database", address, "--json")
    done: Sequence[list[str]] = [node["jobs"] for node in json.loads(printed)]
    assert sorted(job for jobs in done for job in jobs if job in names) == sorted(names)
    for node in nodes:
        node.stop()
