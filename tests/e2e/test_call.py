"""The whole way once: switch on, call, talk, hang up, find the recording."""

from __future__ import annotations

import hashlib

import pytest
from playwright.sync_api import expect

from tests.running import (
    Parties,
    System,
    decoding_errors,
    eventually,
    ffprobe,
    stats,
)

pytestmark = pytest.mark.e2e

TALK_SECONDS = 10


def test_a_video_call_is_seen_heard_recorded_and_archived(system: System, parties: Parties) -> None:
    parties.arrive()
    buttons = parties.visitor.get_by_role("button", name="Video call")
    expect(buttons).to_have_count(0)
    system.configure(on=True, recording=True)
    expect(buttons).to_be_visible()
    expect(parties.visitor.get_by_text("Calls are recorded.")).to_be_visible()

    parties.connect()
    parties.visitor.wait_for_timeout(2_000)  # congestion control starts low
    names = {"visavis": parties.visitor, "visavisConsole": parties.agent}
    before = {name: stats(page, name) for name, page in names.items()}
    parties.visitor.wait_for_timeout(TALK_SECONDS * 1000)
    after = {name: stats(page, name) for name, page in names.items()}
    for name in names:
        seconds = after[name]["at"] - before[name]["at"]
        frames = (after[name]["framesDecoded"] - before[name]["framesDecoded"]) / seconds
        audio = (after[name]["audioPackets"] - before[name]["audioPackets"]) / seconds
        print(f"{name}: {frames:.1f} frames/s decoded, {audio:.1f} audio packets/s")
        assert frames >= 15
        assert 45 <= audio <= 55
    parties.visitor.get_by_role("button", name="Hang up").click()
    expect(parties.agent.get_by_text("The call has ended.")).to_be_visible()

    (recording,) = eventually(system.recordings, 15)
    path = system.archived(recording["id"])
    assert hashlib.sha256(path.read_bytes()).hexdigest() == recording["sha256"]
    assert abs(recording["duration"] - (TALK_SECONDS + 2)) < 3
    probed = ffprobe(path)
    assert [s["tags"]["title"] for s in probed["streams"]] == [
        "Visitor audio",
        "Visitor video",
        "Agent audio",
        "Agent video",
    ]
    assert abs(float(probed["format"]["duration"]) - recording["duration"]) < 0.5
    assert decoding_errors(path) == ""
    eventually(lambda: not system.undelivered())

    library = parties.agent
    library.goto(f"{system.url}/library")
    library.get_by_role("cell").get_by_role("button", name="Play").click()
    library.locator("#play").click()
    library.wait_for_function(
        """() => { const player = document.querySelector("visavis-library").shadowRoot
        .querySelector("visavis-player");
        const videos = [...player.shadowRoot.querySelectorAll("video")];
        return videos.length === 2 && videos.every(v => v.currentTime > 1 && v.videoWidth > 0)}"""
    )


def test_a_call_is_refused_while_the_feature_is_off(system: System, parties: Parties) -> None:
    system.configure(on=True)
    parties.arrive()
    parties.visitor.get_by_role("button", name="Audio call").wait_for()
    system.configure(on=False)
    expect(parties.visitor.get_by_role("button", name="Audio call")).to_have_count(0)

    parties.visitor.evaluate("visavis.call('audio')")

    expect(parties.visitor.get_by_text("Audio & Video Chat is switched off")).to_be_visible()


def test_audio_call_cancelled_declined_and_taken(system: System, parties: Parties) -> None:
    system.configure(on=True, recording=True)
    parties.arrive()
    parties.call("Audio call")
    parties.agent.get_by_role("button", name="Accept").wait_for()
    parties.visitor.get_by_role("button", name="Cancel").click()
    expect(parties.agent.get_by_role("button", name="Accept")).to_have_count(0)

    parties.call("Audio call")
    parties.agent.get_by_role("button", name="Decline").click()
    expect(parties.visitor.get_by_text("Nobody can take your call")).to_be_visible()
    parties.visitor.get_by_role("button", name="Close").first.click()

    parties.connect("Audio call")
    parties.visitor.wait_for_timeout(2_000)
    parties.agent.get_by_role("button", name="Hang up").click()
    expect(parties.visitor.get_by_text("The call has ended.")).to_be_visible()
    (recording,) = eventually(system.recordings, 15)
    streams = ffprobe(system.archived(recording["id"]))["streams"]
    assert [s["codec_name"] for s in streams] == ["opus", "opus"]
