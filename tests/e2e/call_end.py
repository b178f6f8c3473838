"""Checks at the end of every browser test: nothing of a call is left, recordings are true."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser

from tests.e2e.oracle import assert_true
from tests.running import Parties, System, eventually

CHATS: Final = "/v4/livechat/audioVideoChats"
OPEN_STATES: Final = "requested,queued,ringing,accepted,connecting,connected,reconnecting"

OPEN_CALLS: Final = f"{CHATS}?state={OPEN_STATES}"


@contextmanager
def checked_parties(browsers: tuple[Browser, Browser], system: System) -> Iterator[Parties]:
    """Two pages whose calls are compared with their recordings, and leave nothing behind."""
    parties = Parties(browsers, system)
    try:
        yield parties
        check_call_end(parties)
    finally:
        parties.close()


def check_call_end(parties: Parties) -> None:
    """Fail if a call is open, a page holds a device, or a recording is not true."""
    expect_no_call(parties)
    check_recordings(parties)


def expect_no_call(parties: Parties) -> None:
    """Fail unless the server has no open call and no page a live track, connection or tone."""
    system = parties.system
    try:
        eventually(lambda: not open_calls(system))
    except AssertionError:
        print(f"calls are open: {system.ask(OPEN_CALLS)}")
        raise
    for page in (*parties.pages, *parties.others):
        # tones ring out within a second, and a page hears of its call's end a little later
        eventually(lambda page=page: not held(page))  # type: ignore[misc]


def open_calls(system: System) -> int:
    return int(system.ask(OPEN_CALLS)["total"])


def held(page: Any) -> list[str]:
    """Return what a page still holds for a call, in words."""
    left: list[str] = page.evaluate("window.heldForCalls ? heldForCalls() : []")
    if left:
        print(f"a page holds {left}")
    return left


def check_recordings(parties: Parties) -> None:
    """Compare the recordings of all calls since the last check, in the built-in archive."""
    system = parties.system
    since = parties.since.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    calls = system.ask(f"{CHATS}?from={since}&pageSize=100")["audioVideoChats"]
    for call in calls:
        recording_id = call["recordingId"]
        if not recording_id or recording_id in parties.checked or not call["connectTime"]:
            continue
        path = system.archived(recording_id)
        eventually(path.exists)
        check_recording(parties, recording_id, path)


def check_recording(parties: Parties, recording_id: str, path: Path) -> None:
    """Compare one recording, for example one that another recording server received."""
    parties.checked.add(recording_id)
    assert_true(path, parties.logs(), parties.lost)
