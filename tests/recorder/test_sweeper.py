"""The recorder's main loop with a real spool, a real database and a real recording server."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event
from structlog.testing import capture_logs

from tests.dying import dies_once
from tests.recorder.conftest import CONTENT, STARTED_AT, manifest_of, put_muxed
from tests.recorder.fake_server import FakeRecordingServer, answers
from tests.recorder.journals import put_journal
from tests.running import PATIENCE
from visavis.domain.call import CallRecord, CallState
from visavis.domain.delivery_status import RecordingStatus
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.people import Visitor
from visavis.domain.policy import origin_of
from visavis.domain.recording import MANIFEST, RecordingState, Trouble, journal_name
from visavis.recorder import mux_pool, sweeper
from visavis.recorder.handover import Handover
from visavis.recorder.sweeper import Sweeper
from visavis.recorder.tus_upload import TusUploader
from visavis.services.ports import Transaction
from visavis.services.recordings import Recordings
from visavis.spool import reader as spool_reader
from visavis.store import open_store
from visavis.store.sql import SqlStore
from visavis.tasks import MONITOR

pytestmark = pytest.mark.anyio


class RecorderHarness:
    """A recorder with a simulated clock, its spool, database and recording server."""

    def __init__(self, directory: Path, store: SqlStore, server: FakeRecordingServer) -> None:
        self.spool = directory / "spool"
        self.store = store
        self.server = server
        self.now = 0.0
        self.recordings = Recordings(store, self.time, "")
        self.sweeper = self.recorder()

    def time(self) -> datetime:
        return STARTED_AT + timedelta(seconds=self.now)

    def recorder(self) -> Sweeper:
        """Return a new recorder, as after a restart."""
        return Sweeper(
            self.spool,
            self.recordings,
            TusUploader(archive_url="", archive_key=str, allow_private=True),
            deliveries=4,
            muxers=2,
            handover=Handover(self.recordings, ""),
            clock=lambda: self.now,
            chance=lambda: 0.5,
        )

    async def send_to(self, url: str) -> None:
        def work(rows: Transaction) -> None:
            old = rows.settings.lock(1).config
            rows.settings.put_config(
                replace(old, recording_server_url=url, version=old.version + 1)
            )

        await self.store.write(work)

    async def sweep(self, times: int = 3) -> None:
        for _ in range(times):
            await self.sweeper.sweep()
            await self.sweeper.wait_idle()

    async def row(self, recording_id: str) -> RecordingStatus:
        found = await self.store.read(lambda rows: rows.recordings.get(1, recording_id))
        assert found
        return found

    async def save_call(self, recording_id: str, state: CallState, site_id: int = 1) -> None:
        call = CallRecord(
            id=f"call-{recording_id}",
            site_id=site_id,
            visitor=Visitor("v", site_id),
            media="audio",
            is_recorded=True,
            requested_at=STARTED_AT,
            state=state,
            recording_id=recording_id,
        )
        await self.store.write(lambda rows: rows.calls.save(call, "node"))


@pytest.fixture
async def harness(
    tmp_path: Path, new_database: Path, server: FakeRecordingServer, anyio_backend: str
) -> AsyncIterator[RecorderHarness]:
    store = open_store(str(new_database))
    await store.write(lambda rows: rows.sites.add("One", STARTED_AT))
    harness = RecorderHarness(tmp_path, store, server)
    await harness.send_to(server.url)
    yield harness
    await harness.sweeper.close()
    store.close()


async def test_from_the_journal_to_the_recording_server(harness: RecorderHarness) -> None:
    put_journal(harness.spool, manifest_of("r"), 1.0)
    await harness.sweep(1)
    muxed = await harness.row("r")
    assert (muxed.state, muxed.uploaded) == (RecordingState.WAITING, 0)
    assert muxed.duration == pytest.approx(1.0, abs=0.05)
    await harness.sweep(1)
    assert list(harness.spool.iterdir()) == []
    row = await harness.row("r")
    (content,) = harness.server.contents
    assert content[:4] == b"\x1a\x45\xdf\xa3"  # EBML
    assert row.state is RecordingState.DELIVERED
    assert (row.size, row.uploaded, row.attempts) == (len(content), len(content), 1)
    assert row.server_url == harness.server.url
    assert (row.last_error, row.next_try_at) == (None, None)
    await harness.sweep()
    assert len(harness.server.files) == 1


async def test_nothing_was_ever_sent(harness: RecorderHarness) -> None:
    put_journal(harness.spool, manifest_of("r"), 0.0)
    await harness.sweep()
    assert (await harness.row("r")).state is RecordingState.EMPTY
    assert list(harness.spool.iterdir()) == []
    assert harness.server.asked == []


async def test_a_call_that_goes_on_is_left_alone(harness: RecorderHarness) -> None:
    directory = put_journal(harness.spool, manifest_of("r"), 1.0)
    await harness.save_call("r", CallState.CONNECTED)
    await harness.sweep()
    assert not (directory / "recording.mkv").exists()
    await harness.save_call("r", CallState.ENDED)
    with (directory / journal_name(1)).open("rb") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        await harness.sweep()
        assert not (directory / "recording.mkv").exists()
    with (directory / MANIFEST).open("rb") as manifest:
        fcntl.flock(manifest, fcntl.LOCK_SH)  # Like a worker that opens another journal.
        await harness.sweep()
        assert not (directory / "recording.mkv").exists()
    assert "still working" in str((await harness.row("r")).last_error)
    harness.now = 1.0
    await harness.sweep()
    assert (await harness.row("r")).state is RecordingState.DELIVERED


async def test_a_crash_of_the_muxer_is_tried_again_and_then_set_aside(
    harness: RecorderHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = put_journal(harness.spool, manifest_of("bad"), 1.0)
    command = mux_pool.COMMAND
    crash = "import os, sys; sys.stdin.readline(); os.abort()"
    monkeypatch.setattr(mux_pool, "COMMAND", (sys.executable, "-c", crash))
    for crashes in (1, 2, 3):
        await harness.sweep()
        trouble = spool_reader.read_trouble(directory)
        assert trouble
        assert (trouble.failures, trouble.reason) == (crashes, "The muxer died with code -6.")
        harness.now += 10
    row = await harness.row("bad")
    assert row.state is RecordingState.FAILED
    assert "It could not be muxed: The muxer died" in str(row.last_error)
    monkeypatch.setattr(mux_pool, "COMMAND", command)
    put_journal(harness.spool, manifest_of("good"), 1.0)
    await harness.sweep()
    assert (await harness.row("good")).state is RecordingState.DELIVERED
    harness.sweeper = harness.recorder()  # The state survives a restart.
    await harness.sweep()
    assert [path.name for path in harness.spool.iterdir()] == ["bad"]

    await harness.store.write(lambda rows: rows.recordings.ask_retry(1, ["bad"], harness.time()))
    await harness.sweep()
    row = await harness.row("bad")
    assert (row.state, row.retry_asked_at, row.last_error) == (
        RecordingState.DELIVERED,
        None,
        None,
    )


async def test_another_version_tries_again(harness: RecorderHarness) -> None:
    directory = put_journal(harness.spool, manifest_of("r"), 1.0)
    spool_reader.write_trouble(directory, Trouble(failures=3, reason="", version="0.0.0"))
    await harness.sweep()
    assert (await harness.row("r")).state is RecordingState.DELIVERED


async def test_a_sweep_asks_the_database_as_often_for_many_sites_as_for_one(
    harness: RecorderHarness,
) -> None:
    """The recorder sweeps twice a second: a query for each site would load the database."""
    queries: list[str] = []

    def count(_: object, __: object, statement: str, *rest: object) -> None:
        if statement.startswith("SELECT"):
            queries.append(statement)

    await harness.send_to("")
    engine = harness.store._database.engine
    event.listen(engine, "before_cursor_execute", count)
    counts = []
    for site_id in range(1, 31):
        if site_id > 1:
            await harness.store.write(lambda rows: rows.sites.add("More", STARTED_AT))
        muxed, unmuxed = f"muxed-{site_id}", f"unmuxed-{site_id}"
        put_muxed(harness.spool, muxed, site_id=site_id)
        put_journal(harness.spool, manifest_of(unmuxed, site_id), 0.0)
        await harness.save_call(unmuxed, CallState.CONNECTED, site_id)
        queries.clear()
        await harness.sweeper.sweep()
        counts.append(len(queries))
        await harness.sweeper.wait_idle()
    assert counts[0] > 1
    assert set(counts) == {counts[0]}


async def test_a_server_that_is_none_then_the_right_one(harness: RecorderHarness) -> None:
    put_muxed(harness.spool, "r")
    await harness.send_to("")
    await harness.sweep()
    row = await harness.row("r")
    assert row.last_error == "The site has no recording server."
    assert row.next_try_at == harness.time() + timedelta(seconds=1)
    harness.server.misbehave("POST", answers(200))
    await harness.send_to(harness.server.url + "?wrong")
    await harness.sweep()
    row = await harness.row("r")
    assert "A tus 1.0 server does not answer this" in str(row.last_error)
    assert row.attempts == 2
    await harness.send_to(harness.server.url)
    await harness.sweep()
    row = await harness.row("r")
    assert (row.state, row.attempts, row.last_error) == (RecordingState.DELIVERED, 3, None)
    assert harness.server.contents == [CONTENT]


async def test_the_site_s_secret_goes_along(harness: RecorderHarness) -> None:
    def work(rows: Transaction) -> None:
        origin = origin_of(harness.server.url)
        policy = rows.settings.lock(1).policy
        rows.settings.put_policy(replace(policy, secret="s3cret", secret_origin=origin, version=1))

    await harness.store.write(work)
    put_muxed(harness.spool, "r")
    await harness.sweep()
    assert {a.headers.get("Authorization") for a in harness.server.asked} == {"Bearer s3cret"}


async def test_retries_are_asked_for(harness: RecorderHarness) -> None:
    put_muxed(harness.spool, "r")
    harness.server.misbehave("any", answers(503, Retry_After="3000"), 2)
    await harness.sweep()
    assert (await harness.row("r")).next_try_at == harness.time() + timedelta(seconds=3000)
    await harness.sweep()
    assert (await harness.row("r")).attempts == 1
    await harness.store.write(lambda rows: rows.recordings.ask_retry(1, ["r"], harness.time()))
    await harness.sweep()
    assert (await harness.row("r")).state is RecordingState.DELIVERED


async def test_progress_is_noted_now_and_then(
    harness: RecorderHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_muxed(harness.spool, "r")
    under_way, go_on = asyncio.Event(), asyncio.Event()

    async def crawl(*args: object) -> None:
        told: Callable[[int], None] = args[-1]  # type: ignore[assignment]
        told(1000)
        under_way.set()
        await go_on.wait()

    monkeypatch.setattr(TusUploader, "deliver", crawl)
    await harness.sweeper.sweep()
    await under_way.wait()
    await harness.sweeper.sweep()
    assert (await harness.row("r")).uploaded == 0
    harness.now = 2.0
    await harness.sweeper.sweep()
    row = await harness.row("r")
    assert (row.state, row.uploaded) == (RecordingState.DELIVERING, 1000)
    go_on.set()
    await harness.sweep()
    assert (await harness.row("r")).uploaded == len(CONTENT)


async def test_without_the_database_nothing_is_begun(
    harness: RecorderHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: object) -> None:
        raise VisavisError(ErrorKind.StoreUnavailable)

    put_muxed(harness.spool, "r")
    with monkeypatch.context() as broken:
        broken.setattr(harness.store, "read", away)
        await harness.sweep()
        assert harness.server.asked == []
        broken.undo()
        broken.setattr(harness.store, "write", away)
        await harness.sweep(1)
        assert harness.server.contents == [CONTENT]
        assert (harness.spool / "r").exists()
    harness.now = 1.0
    await harness.sweep()
    assert (await harness.row("r")).state is RecordingState.DELIVERED
    assert harness.server.contents == [CONTENT]


async def test_a_database_that_goes_away_while_a_file_is_made(
    harness: RecorderHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise VisavisError(ErrorKind.StoreUnavailable)

    put_journal(harness.spool, manifest_of("r"), 1.0)
    with monkeypatch.context() as broken:
        broken.setattr(harness.recordings, "call_report", away)
        await harness.sweep()
        assert not (harness.spool / "r" / "recording.mkv").exists()
    harness.now = 1.0
    await harness.sweep()
    assert len(harness.server.contents) == 1


async def test_what_cannot_be_read_stays_and_is_told_once(harness: RecorderHarness) -> None:
    directory = put_muxed(harness.spool, "r")
    (directory / MANIFEST).write_bytes(b"{")
    with capture_logs() as logged:
        await harness.sweep()
    assert directory.exists()
    assert [entry["event"] for entry in logged] == ["recording unreadable"]


async def test_what_a_person_takes_away_is_forgotten(harness: RecorderHarness) -> None:
    await harness.send_to("http://127.0.0.1:1/")
    directory = put_muxed(harness.spool, "r")
    await harness.sweep(1)
    spool_reader.remove(directory)
    await harness.sweep()
    assert harness.sweeper._jobs == {}


async def test_an_error_that_nobody_foresaw_puts_it_off(
    harness: RecorderHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def break_down(*_: object) -> None:
        raise ZeroDivisionError

    put_muxed(harness.spool, "r")
    monkeypatch.setattr(TusUploader, "deliver", break_down)
    with capture_logs() as logged:
        await harness.sweep()
    assert any(isinstance(entry.get("exc_info"), ZeroDivisionError) for entry in logged)
    monkeypatch.undo()
    harness.now = 59.0
    await harness.sweep()
    assert harness.server.asked == []
    harness.now = 60.0
    await harness.sweep()
    assert harness.server.contents == [CONTENT]


async def test_it_runs_until_it_is_stopped(
    harness: RecorderHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "POLL_SECONDS", 0.01)
    stop = asyncio.Event()
    running = asyncio.create_task(harness.sweeper.run(stop))
    put_muxed(harness.spool, "r")
    async with asyncio.timeout(PATIENCE):
        while not harness.server.contents:
            await asyncio.sleep(0.01)
    stop.set()
    await running


async def test_background_work_that_dies_once(
    harness: RecorderHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(sweeper, "POSTPONE_SECONDS", 0.0)
    put_journal(harness.spool, manifest_of("r"), 1.0)
    stop = asyncio.Event()
    with (
        dies_once("spool sweep", harness.sweeper, "sweep"),
        dies_once("muxing", harness.sweeper._mux_queue, "_handle_result"),
        dies_once("delivery", harness.sweeper._upload_queue, "_deliver"),
    ):
        running = asyncio.create_task(harness.sweeper.run(stop))
        async with asyncio.timeout(PATIENCE):
            while list(harness.spool.iterdir()):
                harness.now += 10.0
                await asyncio.sleep(0.01)
    stop.set()
    await running
    assert (await harness.row("r")).state is RecordingState.DELIVERED


async def test_a_spool_that_is_a_file_for_a_while(
    harness: RecorderHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "POLL_SECONDS", 0.01)
    put_muxed(harness.spool, "r")
    aside = harness.spool.with_name("aside")
    harness.spool.rename(aside)
    harness.spool.touch()
    stop = asyncio.Event()
    running = asyncio.create_task(harness.sweeper.run(stop))
    async with asyncio.timeout(PATIENCE):
        while "spool sweep" not in MONITOR.problems:
            await asyncio.sleep(0.01)
        assert "Not a directory" in MONITOR.problems["spool sweep"]
        harness.spool.unlink()
        aside.rename(harness.spool)
        while list(harness.spool.iterdir()):
            harness.now += 10.0
            await asyncio.sleep(0.01)
    stop.set()
    await running
    assert harness.server.contents == [CONTENT]
    assert "spool sweep" not in MONITOR.problems


async def test_a_recording_that_could_not_be_read_for_a_while(
    harness: RecorderHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_descriptors(_: Path) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    put_muxed(harness.spool, "r")
    with monkeypatch.context() as patch, capture_logs() as logged:
        patch.setattr(spool_reader, "read_manifest", no_descriptors)
        await harness.sweep(3)
    assert [e["directory"] for e in logged if e["event"] == "recording unreadable"] == ["r"]
    await harness.sweep()
    assert harness.server.contents == [CONTENT]
    assert harness.sweeper._unreadable == {}
