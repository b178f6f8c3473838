"""Streams of a bridge with many renegotiations."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from tests.synthetic.call import Journal, rtp, sdp
from visavis.domain.leg import VISITOR_LEG
from visavis.domain.recording import journal_name
from visavis.recorder.mux import scan
from visavis.recorder.mux.streams import MAX_SCREENS, BridgeStreams
from visavis.spool.notes import DescribedLeg, Descriptions

PACKET = rtp(111, False, 1, 1, 1000, b"\xf8" * 20, "0")


def renegotiate(bridge: BridgeStreams, times: int) -> None:
    """Start and stop a screen share repeatedly, each time with another session ID."""
    for number in range(times):
        described = sdp([("0", "audio"), ("1", "video")]).replace("s=-", f"s={number}")
        screen = "1" if number % 2 else ""
        visitor = DescribedLeg(1, 1, "visitor", described, screen)
        bridge.describe(Descriptions((visitor, DescribedLeg(2, 2, "agent", described))))
        bridge.route(VISITOR_LEG, PACKET)


def test_a_renegotiation_adds_no_memory() -> None:
    bridge = BridgeStreams(1)
    renegotiate(bridge, MAX_SCREENS + 100)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        renegotiate(bridge, 1000)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 100_000  # Less than a hundred bytes for each renegotiation.
    assert len(bridge.streams) == 1


def test_a_camera_that_is_turned_off_endlessly_adds_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "MAX_ENDS_OF_VIDEO", 5)
    journal = Journal()
    on = sdp([("0", "audio"), ("1", "video")])
    off = on.replace("a=mid:1\r\n", "a=mid:1\r\na=recvonly\r\n")
    for number in range(20):
        described = off if number % 2 else on
        journal.note(number / 10, type="descriptions", visitor=described, agent=described)
    journal.write(tmp_path, 1)
    scanned = scan.scan_journals([tmp_path / journal_name(1)])
    assert len(scanned.ends_of_video) == 5
