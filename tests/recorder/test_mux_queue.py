"""On a full disk, recordings are muxed one at a time, the smallest first."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.recorder.conftest import CONTENT, manifest_of, put_muxed
from tests.recorder.journals import put_journal
from tests.recorder.test_upload_queue import FakeRecordingStore
from visavis.domain.call_events import CallReport
from visavis.domain.recording import DELIVERY, MATROSKA
from visavis.recorder.jobs import RecordingJob, read_job
from visavis.recorder.mux.requests import MuxRequest, MuxResult, Outcome
from visavis.recorder.mux.worker import perform
from visavis.recorder.mux_queue import MuxQueue
from visavis.spool import reader as spool_reader

pytestmark = pytest.mark.anyio


class StoreOfEndedCalls(FakeRecordingStore):
    """Fake database in which all calls have ended."""

    async def ended_calls(self, calls: frozenset[tuple[int, str]]) -> frozenset[tuple[int, str]]:
        return calls

    async def call_report(self, site_id: int, call_id: str) -> CallReport | None:
        return None


class FullDisk:
    """Fake muxer with space for a number of bytes of journals."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.active = self.most = 0
        self.order: list[str] = []

    async def mux(
        self, directory: Path, report: CallReport | None, missing: tuple[str, ...] = ()
    ) -> MuxResult:
        self.active += 1
        self.most = max(self.most, self.active)
        await asyncio.sleep(0)
        self.active -= 1
        self.order.append(directory.name)
        fits = spool_reader.size_of(directory) <= self.room
        return MuxResult(Outcome.MUXED if fits else Outcome.NO_ROOM)


async def test_the_smallest_first_on_a_full_disk(tmp_path: Path) -> None:
    jobs: list[RecordingJob] = []
    for name, seconds in (("a", 30.0), ("b", 20.0), ("c", 1.0)):
        job = read_job(put_journal(tmp_path, manifest_of(name), seconds), lambda: 0.5)
        jobs.append(job)
    muxer = FullDisk(spool_reader.size_of(jobs[2].directory))
    queue = MuxQueue(StoreOfEndedCalls(), muxer, 2)
    for now in (0.0, 100.0):
        await queue.start(jobs, now)
        await asyncio.gather(*(job.task for job in jobs if job.task))
        for job in jobs:
            job.task = None
    assert muxer.order == ["a", "b", "c"]  # First a and b at the same time, then the one that fits.
    assert muxer.most == 2
    muxer.room = spool_reader.size_of(jobs[0].directory)
    assert spool_reader.size_of(tmp_path / "gone") == 0


class MuxerOfTwoVoices:
    async def mux(
        self, directory: Path, report: CallReport | None, missing: tuple[str, ...] = ()
    ) -> MuxResult:
        put_muxed(directory.parent / "made", directory.name)
        (directory.parent / "made" / directory.name / DELIVERY).replace(directory / DELIVERY)
        (directory / MATROSKA).write_bytes(CONTENT)
        packets = {"visitor audio": {"written": 9, "beside": 4}, "agent audio": {"written": 9}}
        return MuxResult(Outcome.MUXED, packets=packets)


async def test_several_streams_at_once_are_warned_of(tmp_path: Path) -> None:
    job = read_job(put_journal(tmp_path, manifest_of("r"), 1.0), lambda: 0.5)
    with capture_logs() as logs:
        await MuxQueue(StoreOfEndedCalls(), MuxerOfTwoVoices(), 1).start([job], 0.0)
        assert job.task
        await job.task
    (warning,) = [one for one in logs if one["log_level"] == "warning"]
    assert (warning["event"], warning["recording_id"]) == ("several streams at once", "r")
    assert warning["parts"] == ["visitor audio"]


def test_a_file_that_found_no_room_leaves_none_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = put_journal(tmp_path, manifest_of("r"), 1.0)

    def full(*_: object) -> None:
        (directory / "recording.mkv.part").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("visavis.recorder.mux.worker.mux", full)
    assert perform(MuxRequest(str(directory), None)).outcome is Outcome.NO_ROOM
    assert not list(directory.glob("*.part"))
