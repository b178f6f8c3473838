"""The checks at the end of every browser test find what a page keeps of a call."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.e2e.call_end import held
from tests.running import Parties, eventually

pytestmark = pytest.mark.e2e

CAPTURE = """async () => {
  window.own = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  window.copy = window.own.getAudioTracks()[0].clone();
}"""
RING = """async () => {
  const context = new AudioContext();
  await context.resume();
  window.tone = new OscillatorNode(context);
  window.tone.start();
}"""


@pytest.fixture
def page(parties: Parties) -> Page:
    parties.visitor.goto(f"{parties.system.url}/demo")
    return parties.visitor


def test_captured_tracks_are_found(page: Page) -> None:
    page.evaluate(CAPTURE)
    assert [what.split()[:2] for what in held(page)] == [
        ["live", "audio"],
        ["live", "video"],
        ["live", "audio"],
    ]
    page.evaluate("[...own.getTracks(), copy].forEach(track => track.stop())")
    assert held(page) == []


def test_open_connections_and_tones_are_found(page: Page) -> None:
    page.evaluate("void (window.connection = new RTCPeerConnection())")
    assert held(page) == ["open connection"]
    page.evaluate("connection.close()")
    page.evaluate(RING)
    assert held(page) == ["tone"]
    page.evaluate("tone.stop()")
    eventually(lambda: not held(page))
