"""`kill -9` at bad moments: what was said until then is delivered, once."""

from __future__ import annotations

import os
import signal
import time

import pytest
from playwright.sync_api import expect

from tests.e2e.flow import AGENT, VISITOR, await_flow, await_resumption, note_resumption
from tests.running import Parties, System, decoding_errors, eventually, ffprobe

pytestmark = [pytest.mark.fault, pytest.mark.e2e]

TALK_SECONDS = 8.0


def test_media_worker_killed_in_mid_call(system: System, parties: Parties) -> None:
    system.configure(on=True, recording=True)
    parties.arrive()
    parties.connect()
    parties.visitor.wait_for_timeout(TALK_SECONDS * 1000)

    sides = {VISITOR: parties.visitor, AGENT: parties.agent}
    note_resumption(sides)
    killed_at = time.time()
    system.kill_part("media")

    await_resumption(sides, killed_at)
    await_flow(sides)
    parties.visitor.wait_for_timeout(2_000)
    parties.visitor.get_by_role("button", name="Hang up").click()
    (recording,) = eventually(system.recordings, 30)
    path = system.archived(recording["id"])
    assert float(ffprobe(path)["format"]["duration"]) > TALK_SECONDS - 1
    assert len(ffprobe(path)["streams"]) == 4
    assert decoding_errors(path) == ""
    eventually(lambda: not system.undelivered())
    assert len(system.recordings()) == 1


def test_recorder_killed_during_its_upload(system: System, parties: Parties) -> None:
    system.configure(on=True, recording=True)
    parties.arrive()
    parties.connect()
    parties.visitor.wait_for_timeout(TALK_SECONDS * 1000)
    app = system.pid_of("app")
    uploads = system.data / "archive" / "uploads"
    parties.visitor.get_by_role("button", name="Hang up").click()
    # stopped as soon as the upload exists, the archive cannot take the file any further
    eventually(lambda: list(uploads.glob("*.json")))
    os.kill(app, signal.SIGSTOP)
    system.kill_part("recorder")
    os.kill(app, signal.SIGCONT)

    (recording,) = eventually(system.recordings, 30)
    assert decoding_errors(system.archived(recording["id"])) == ""
    eventually(lambda: not system.undelivered())
    assert len(system.recordings()) == 1


def test_what_is_in_the_spool_is_delivered_after_the_next_start(
    system: System, parties: Parties
) -> None:
    system.configure(on=True, recording=True)
    parties.arrive()
    parties.connect()
    parties.visitor.wait_for_timeout(TALK_SECONDS * 1000)

    system.stop()  # Ctrl-C in mid-call

    expect(parties.visitor.get_by_text("The service is restarting.")).to_be_visible()
    kept = set(system.undelivered())
    system.start()
    (recording,) = eventually(system.recordings, 30)
    assert kept <= {recording["id"]}
    assert recording["duration"] > TALK_SECONDS - 1
    assert decoding_errors(system.archived(recording["id"])) == ""
