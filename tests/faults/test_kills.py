"""`kill -9` at bad moments: what was said until then is delivered, once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.delivered import archived, digest, last_call
from tests.e2e.flow import AGENT, VISITOR, await_flow, await_resumption, note_resumption
from tests.running import Parties, System, decoding_errors, eventually, ffprobe

pytestmark = [pytest.mark.fault, pytest.mark.e2e]

TALK_SECONDS = 5.0
JOURNAL_SECONDS = 0.5
"""A media worker flushes its journals as often."""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One for all these kills: a start takes its time."""
    running = System(tmp_path_factory.mktemp("killed") / "data").start()
    running.configure(on=True, recording=True)
    yield running
    running.stop()


@pytest.fixture
def talking(system: System, parties: Parties) -> Parties:
    """In a recorded call, for as long as was said; nothing is left of the calls before."""
    parties.arrive()
    parties.connect()
    parties.visitor.wait_for_timeout(TALK_SECONDS * 1000)
    return parties


def delivered_once(system: System) -> Path:
    """The newest call's recording, after all of the spool has been delivered."""
    path, sha256 = archived(system)
    assert digest(path) == sha256
    assert decoding_errors(path) == ""
    eventually(lambda: not system.undelivered())
    of_call = [r for r in system.recordings() if r["callId"] == last_call(system)["id"]]
    assert len(of_call) == 1
    return path


def test_media_worker_killed_in_mid_call(system: System, talking: Parties) -> None:
    sides = {VISITOR: talking.visitor, AGENT: talking.agent}
    note_resumption(sides)
    killed_at = time.time()
    talking.lost.append((killed_at - JOURNAL_SECONDS, killed_at))
    system.kill_part("media")

    await_resumption(sides, killed_at)
    await_flow(sides)
    talking.hang_up(talking.visitor)
    path = delivered_once(system)
    assert float(ffprobe(path)["format"]["duration"]) > TALK_SECONDS - 1
    assert len(ffprobe(path)["streams"]) == 4


def test_recorder_killed_during_its_upload(system: System, talking: Parties) -> None:
    uploads = system.data / "archive" / "uploads"
    app, before = system.pid_of("app"), set(uploads.glob("*.json"))
    talking.visitor.get_by_role("button", name="Hang up").click()
    # stopped as soon as the upload exists, the archive cannot take the file any further
    eventually(lambda: set(uploads.glob("*.json")) - before, pause=0.002)
    os.kill(app, signal.SIGSTOP)
    system.kill_part("recorder")
    os.kill(app, signal.SIGCONT)

    delivered_once(system)


def test_what_is_in_the_spool_is_delivered_after_the_next_start(
    system: System, talking: Parties
) -> None:
    system.stop()  # Ctrl-C in mid-call

    expect(talking.visitor.get_by_text("The service is restarting.")).to_be_visible()
    kept = set(system.undelivered())
    system.start()
    path = delivered_once(system)
    assert kept <= {path.stem}
    assert float(ffprobe(path)["format"]["duration"]) > TALK_SECONDS - 1
