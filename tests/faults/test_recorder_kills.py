"""The recorder, killed with `kill -9` again and again at seeded moments, delivers all, once."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fork_server import fork_server
from tests.recorder.conftest import manifest_of
from tests.recorder.fake_server import (
    FakeRecordingServer,
    answers,
    resets,
    takes_all_and_says_nothing,
    takes_half_and_resets,
)
from tests.recorder.journals import put_journal
from tests.running import PATIENCE, eventually
from visavis.clock_and_ids import now
from visavis.domain.recording import RecordingState
from visavis.services.ports import Transaction
from visavis.settings import Settings, encode_settings
from visavis.store import open_store
from visavis.store.sql import SqlStore

pytestmark = pytest.mark.fault

RECORDINGS, KILLS = 30, 20


@pytest.fixture
def server() -> Iterator[FakeRecordingServer]:
    running = FakeRecordingServer()
    yield running
    running.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path,
        archive=False,
        allow_private_recording_servers=True,
        parallel_muxers=2,
        log_level="error",
    )


class Recorder:
    """The recorder's own process, as the supervisor starts it."""

    def __init__(self, settings: Settings) -> None:
        command = [sys.executable, "-m", "visavis", "part", "recorder"]
        self._process = fork_server().start(command, sys.stderr.fileno(), has_input=True)
        self._process.tell(encode_settings(settings) + b"\n")

    def kill(self) -> None:
        self._process.kill()
        self._process.stop(PATIENCE)

    def stop(self) -> None:
        assert self._process.stop(PATIENCE) == 0


def set_up(settings: Settings, url: str) -> SqlStore:
    store = open_store(settings.database_address)

    def work(rows: Transaction) -> None:
        rows.sites.add("One", now())
        rows.settings.put_config(
            replace(rows.settings.lock(1).config, recording_server_url=url, version=1)
        )
        for number in range(RECORDINGS):
            rows.recordings.add(manifest_of(f"r{number:02}"))

    asyncio.run(store.write(work))
    return store


def traces(settings: Settings, server: FakeRecordingServer) -> tuple[int, int]:
    """Return counts that change while a recorder works.

    The recorder removes directories meanwhile: `os.walk` passes over them, `rglob` raises.
    """
    files = [name for _, _, names in os.walk(settings.spool) for name in names]
    return len(server.asked), sum(".mkv" in name for name in files)


def test_kills_and_cuts_lose_nothing_and_double_nothing(
    settings: Settings, server: FakeRecordingServer
) -> None:
    chance = random.Random(1)
    server.offer_checksums()
    store = set_up(settings, server.url)
    waiting = [f"r{number:02}" for number in range(RECORDINGS)]
    misdeeds = [answers(503), answers(423), resets, takes_half_and_resets]
    misdeeds.append(takes_all_and_says_nothing)
    for _ in range(KILLS):
        for recording_id in [waiting.pop() for _ in range(min(len(waiting), 2))]:
            put_journal(settings.spool, manifest_of(recording_id), chance.uniform(0.5, 60))
        if chance.random() < 0.4:
            server.misbehave("PATCH", chance.choice(misdeeds))
        if not list(settings.spool.glob("[!.]*")):
            break  # the killed ones have delivered everything
        before = traces(settings, server)
        recorder = Recorder(settings)
        eventually(lambda b=before: traces(settings, server) != b)  # type: ignore[misc]
        time.sleep(chance.uniform(0, 0.3))
        recorder.kill()
    server.faults.clear()
    assert server.contents, "the kills came too early to tell anything"
    print("delivered by killed ones:", len(server.contents), "asked", len(server.asked))
    last = Recorder(settings)
    eventually(lambda: not list(settings.spool.glob("[!.]*")), 120)
    last.stop()

    def told(rows: Transaction) -> list[tuple[str, str | None]]:
        found = rows.recordings.list_page(1, (RecordingState.DELIVERED,), RECORDINGS + 1)
        return sorted((one.id, one.sha256) for one in found)

    rows = asyncio.run(store.read(told))
    store.close()
    whole = [file for file in server.files.values() if len(file.content) == file.length]
    arrived = {(file.metadata["recording"], file.metadata["sha256"]) for file in whole}
    assert set(rows) == arrived
    assert len(rows) == RECORDINGS
    # the answer to a creation may be lost, and then an empty upload stays; never a second whole one
    assert len(whole) == RECORDINGS
    assert {file.digest for file in whole} == {digest for _, digest in rows}
