"""Two recorders' processes on one PostgreSQL: one call's journals on both become one file.

Each is killed with `kill -9` at each step, in turn; nothing is lost and nothing is delivered twice.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fork_server import fork_server
from tests.postgresql import Cluster
from tests.recorder.conftest import manifest_of
from tests.recorder.fake_server import FakeRecordingServer
from tests.recorder.two_nodes import put_piece
from tests.running import PATIENCE, eventually
from tests.synthetic.matroska import without_uids
from visavis.clock_and_ids import now
from visavis.domain.membership import Member
from visavis.domain.recording import MATROSKA, RecordingState
from visavis.recorder.mux.requests import MuxRequest
from visavis.recorder.mux.worker import perform
from visavis.services.ports import Transaction
from visavis.settings import Settings, encode_settings
from visavis.spool import pieces
from visavis.store import open_store
from visavis.store.sql import SqlStore

pytestmark = [pytest.mark.fault, pytest.mark.postgresql]

DEATHS = (
    (("shares", "allow_handover", "forget_file"), ("_offered",)),
    (("write_clock", "_write_all", "finish", "record_collection"), ()),
    (("record_delivery", "remove"), ("remove",)),
)
"""Steps before which the home's recorder dies, one after the other, and the other node's."""


@pytest.fixture
def server() -> Iterator[FakeRecordingServer]:
    running = FakeRecordingServer()
    yield running
    running.close()


class DoomedRecorder:
    """A recorder's process that dies before a step; the next one dies before the next step."""

    def __init__(self, settings: Settings, steps: list[str]) -> None:
        self._settings = settings
        self._steps = steps
        self._start()

    def _start(self) -> None:
        command = [sys.executable, "-m", "tests.faults.doomed_recorder", *self._steps[:1]]
        self._process = fork_server().start(command, sys.stderr.fileno(), has_input=True)
        self._process.tell(encode_settings(self._settings) + b"\n")

    def restart_if_killed(self) -> list[str]:
        """Return the step before which the process has died, if it has, and start the next one."""
        if self._process.poll() is None:
            return []
        assert self._process.returncode == -9
        self._process.stop(PATIENCE)
        done = self._steps.pop(0)
        self._start()
        return [done]

    def stop(self) -> None:
        self._process.stop(PATIENCE)


def settings_of(directory: Path, address: str, node_id: str) -> Settings:
    directory.mkdir()
    (directory / "node").write_text(node_id)
    return Settings(
        data_dir=directory,
        database=address,
        archive=False,
        allow_private_recording_servers=True,
        recorder_address="127.0.0.1:0",
        parallel_muxers=1,
        log_level="error",
    )


def set_up(address: str, url: str) -> SqlStore:
    store = open_store(address)

    def work(rows: Transaction) -> None:
        rows.sites.add("One", now())
        config = rows.settings.lock(1).config
        rows.settings.put_config(replace(config, recording_server_url=url, version=1))
        for node_id in "ab":
            rows.nodes.save(node_id, "", now(), f"machine-{node_id}")
            rows.recordings.add(manifest_of("r"), node_id)

    asyncio.run(store.write(work))
    return store


def beat(store: SqlStore) -> None:
    """Let both apps beat, so that no node is waited for."""

    def work(rows: Transaction) -> None:
        for node_id in "ab":
            rows.members.beat(Member(node_id, "boot", now(), "1", node_id, "", ()))

    asyncio.run(store.write(work))


def is_delivered(store: SqlStore, spools: tuple[Path, ...]) -> bool:
    beat(store)
    found = asyncio.run(store.read(lambda rows: rows.recordings.get(1, "r")))
    is_empty = not any(list(spool.glob("[!.]*")) for spool in spools)
    return is_empty and found is not None and found.state is RecordingState.DELIVERED


@pytest.mark.parametrize(("at_home", "elsewhere"), DEATHS)
def test_two_recorders_make_one_file_although_each_is_killed_at_each_step(
    cluster: Cluster,
    tmp_path: Path,
    server: FakeRecordingServer,
    at_home: tuple[str, ...],
    elsewhere: tuple[str, ...],
) -> None:
    server.offer_checksums()
    address = cluster.new_database()
    store = set_up(address, server.url)
    home, other = (settings_of(tmp_path / name, address, name) for name in "ab")
    put_piece(home.spool, 1, 2.0)
    put_piece(other.spool, 2, 2.0)
    killed: list[str] = []
    running = {
        name: DoomedRecorder(settings, steps)
        for name, settings, steps in (
            ("home", home, list(at_home)),
            ("other", other, list(elsewhere)),
        )
    }

    def is_done() -> bool:
        for recorder in running.values():
            killed.extend(recorder.restart_if_killed())
        return is_delivered(store, (home.spool, other.spool))

    eventually(is_done)
    for recorder in running.values():
        recorder.stop()
    store.close()
    assert sorted(killed) == sorted((*at_home, *elsewhere))
    whole = put_piece(tmp_path / "one", 1, 2.0)
    pieces.merge(put_piece(tmp_path / "two", 2, 2.0), whole)
    perform(MuxRequest(str(whole), None))
    expected = without_uids((whole / MATROSKA).read_bytes())
    assert [without_uids(content) for content in server.contents] == [expected]
    assert not list(home.spool.iterdir())
    assert not list(other.spool.iterdir())
