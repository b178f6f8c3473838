"""`/readyz` reports the real state within its time limit."""

from __future__ import annotations

import asyncio
import resource
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import Connection, event
from structlog.testing import capture_logs

from tests import http_clients
from tests.dying import DiedError, dies_once
from tests.running import PATIENCE
from tests.web.conftest import Api
from tests.web.conftest import api as api
from visavis import readiness
from visavis.lifecycle import PartState, PartStatus
from visavis.readiness import Check, Readiness, warnings
from visavis.services.ports import Transaction
from visavis.spool.writer import try_to_create_journal
from visavis.web import source

pytestmark = pytest.mark.anyio


@pytest.fixture
def database(new_database: Path) -> str:
    return str(new_database)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is reused, and only the tests of hanging parts have a short time limit."""
    monkeypatch.setattr(readiness, "CHECK_SECONDS", float(PATIENCE))
    monkeypatch.setattr(readiness, "KEPT_SECONDS", 0.0)


def shorten_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "CHECK_SECONDS", 0.3)


async def fine() -> str:
    return ""


class Questions:
    def __init__(self) -> None:
        self.count = 0
        self.may_answer = asyncio.Event()

    async def ask(self) -> str:
        self.count += 1
        await self.may_answer.wait()
        return "it is tired"


async def test_what_hangs_is_named_and_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_limit(monkeypatch)
    questions = Questions()
    ready = Readiness([Check("the database", questions.ask), Check("the disk", fine)])
    for _ in range(2):
        assert await ready.why_not() == "the database did not answer within 0 seconds"
    assert questions.count == 1
    questions.may_answer.set()
    assert await ready.why_not() == "it is tired"


async def test_many_who_ask_at_once_cost_one_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "KEPT_SECONDS", 10.0)
    questions = Questions()
    questions.may_answer.set()
    ready = Readiness([Check("it", questions.ask)])
    answers = await asyncio.gather(*(ready.why_not() for _ in range(20)))
    assert set(answers) == {await ready.why_not()} == {"it is tired"}
    assert questions.count == 1


async def test_a_check_that_dies_once() -> None:
    check = Check("it", fine)
    ready = Readiness([check])
    with dies_once("readiness check", check, "_answer"):
        assert await ready.why_not() == "it: readiness check"
    assert await ready.why_not() == ""
    with dies_once("readiness", ready, "_ask"), pytest.raises(DiedError):
        await ready.why_not()
    assert await ready.why_not() == ""


def test_parts_that_fail_are_warned_of() -> None:
    failing = PartStatus(problems={"spool sweep": "not a directory", "part": "old"})
    parts = {
        "app": PartState(is_up=True),
        "media-0": PartState(is_up=False, restarts=1, reason="it ended with code -9"),
        "recorder": PartState(is_up=True, status=failing),
    }
    assert warnings(parts) == [
        "warning: media-0 is being restarted: it ended with code -9",
        "warning: recorder: spool sweep: not a directory",
    ]


async def test_strangers_are_told_no_paths(api: Api, workers: list[bool]) -> None:
    api.app.settings.spool.parent.mkdir(exist_ok=True)
    failing = PartStatus(problems={"spool sweep": "/var/lib/visavis/spool: not a directory"})
    api.app.lifecycle.parts = {
        "recorder": PartState(is_up=True, status=failing),
        "media-0": PartState(is_up=False, restarts=1, reason="/run/x: it ended"),
    }
    source.UNLISTED_PROXIES.addresses.add("10.0.0.7")
    workers[0] = False
    stranger = httpx2.ASGITransport(api.app.web, client=("203.0.113.9", 4000))
    async with http_clients.AsyncClient(transport=stranger, base_url="http://visavis") as client:
        with capture_logs() as logs:
            answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.text.splitlines() == [
        "the media worker is not ready",
        "X-Forwarded-For is sent by a proxy that trusted_proxies omits.",
        "warning: recorder: spool sweep",
        "warning: media-0 is being restarted",
    ]
    assert [entry["reason"] for entry in logs if entry["event"] == "readiness changed"] == [
        "no media worker answers"
    ]
    full = (await api.client.get("/readyz")).text  # this machine
    assert "10.0.0.7" in full
    assert "/var/lib/visavis/spool: not a directory" in full
    source.UNLISTED_PROXIES.addresses.discard("10.0.0.7")


async def ask(api: Api) -> str:
    answer = await api.client.get("/readyz")
    reason, *_ = answer.text.splitlines()
    assert answer.status_code == (200 if reason == "ready" else 503)
    return reason


@pytest.fixture
def workers(api: Api, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each worker answers; all are connected."""
    answer = [True]

    async def responding_workers() -> int:
        return sum(answer)

    monkeypatch.setattr(type(api.app.media), "living", property(lambda _: len(answer)))

    async def recording_obstacle() -> str:
        try:
            await asyncio.to_thread(try_to_create_journal, api.app.settings.spool, 0)
        except OSError as error:
            return f"the spool cannot be written: {error}"
        return ""

    monkeypatch.setattr(api.app.media, "responding_workers", responding_workers)
    monkeypatch.setattr(api.app.media, "recording_obstacle", recording_obstacle)
    return answer


async def test_media_workers_that_are_away_or_hang(api: Api, workers: list[bool]) -> None:
    assert await ask(api) == "ready"
    workers[0] = False
    assert await ask(api) == "no media worker answers"
    workers.clear()
    assert await ask(api) == "no media worker is connected"


async def test_a_database_that_is_locked_or_read_only(
    api: Api, workers: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = api.app.settings.database_address
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with monkeypatch.context() as limit:
        shorten_limit(limit)
        assert "the database did not answer" in await ask(api)
    other.execute("ROLLBACK")
    other.close()
    async with asyncio.timeout(PATIENCE):
        while await ask(api) != "ready":
            await asyncio.sleep(0.1)

    @event.listens_for(api.app.store._database.engine, "begin")
    def forbid_writing(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA query_only = ON")

    assert "readonly database" in await ask(api)


async def test_a_spool_that_is_a_file_matters_once_calls_are_recorded(
    api: Api, workers: list[bool]
) -> None:
    api.app.settings.spool.touch()
    assert await ask(api) == "ready"

    def record(rows: Transaction) -> None:
        config = rows.settings.lock(1).config
        rows.settings.put_config(replace(config, is_enabled=True, is_recording=True, version=1))

    await api.app.store.write(record)
    assert "the spool cannot be written" in await ask(api)
    metrics = (await api.client.get("/metrics")).text
    assert "visavis_spool_recordings NaN" in metrics
    api.app.settings.spool.unlink()
    assert await ask(api) == "ready"
    assert list(api.app.settings.spool.iterdir()) == []


async def test_a_limit_of_open_files_that_is_reached(api: Api, workers: list[bool]) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        reason = await api.app._why_no_connection()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert reason == "no connection can be opened: [Errno 24] Too many open files: '/dev/null'"
    assert await ask(api) == "ready"


async def test_a_spool_that_is_a_full_disk_of_its_own(
    api: Api, workers: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    spool, usage = api.app.settings.spool, shutil.disk_usage
    spool.mkdir()
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: usage(path)._replace(free=0 if path == spool else 2**40)
    )
    assert "the disk is nearly full: 0 MB are free" in await ask(api)
    spool.rmdir()
    monkeypatch.undo()
    assert api.app._why_disk_is_full() == ""
