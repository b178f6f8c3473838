"""The library's API, and its entries in the audit log."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.archive.conftest import ArchiveHarness, both_storages
from tests.archive.recording_files import AUDIO_CALL, make_recording
from visavis.domain.call_events import CallEvent, CallReport

pytestmark = pytest.mark.anyio

START = datetime(2026, 1, 1, 10, tzinfo=UTC)
STORY = CallReport(
    call_id="call",
    site_id=1,
    media="video",
    visitor_name="Ann",
    visitor_email="ann@example.com",
    agent_names=("Bo", "Cy"),
    consent="agreement",
    events=(
        CallEvent(START + timedelta(seconds=2), "text", "visitor", {"text": "Hello"}),
        CallEvent(START + timedelta(seconds=1), "connected"),
    ),
    quality={"visitor": {"mos": 4.2}},
)


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("films") / "call.mkv"
    return make_recording(path, report=STORY, chapters=[(1.0, "Connected")]).read_bytes()


@both_storages
async def test_a_recording_holds_its_call_report(harness: ArchiveHarness, call: bytes) -> None:
    await harness.keep(call, startedAt="2026-01-01T11:00:00+01:00", call="call")
    listed = (await harness.ask("")).json()
    assert listed["total"] == 1
    (entry,) = listed["recordings"]
    assert entry["startedAt"] == "2026-01-01T10:00:00.000Z"
    assert entry["visitorName"] == "Ann"
    assert entry["agentNames"] == ["Bo", "Cy"]
    assert abs(entry["duration"] - 4) < 0.1

    body = (await harness.ask("/rec?play=1")).json()
    assert body["recording"] == entry
    contents = body["contents"]
    assert [(c["at"], c["title"]) for c in contents["chapters"]] == [(1.0, "Connected")]
    assert [(m["at"], m["by"], m["data"]) for m in contents["texts"]] == [
        (2.0, "visitor", {"text": "Hello"})
    ]
    assert [(m["at"], m["name"]) for m in contents["events"]] == [(1.0, "connected")]
    assert contents["quality"] == {"visitor": {"mos": 4.2}}
    assert contents["consent"] == "agreement"


@both_storages
async def test_parts_are_served_in_ranges(harness: ArchiveHarness, call: bytes) -> None:
    await harness.keep(call)
    parts = (await harness.ask("/rec/parts?play=1")).json()["parts"]
    assert [part["name"] for part in parts] == ["visitor", "agent"]
    whole = await harness.ask("/rec/parts/visitor?play=1")
    assert whole.headers["content-type"] == "video/webm"
    piece = await harness.ask("/rec/parts/visitor?play=1", Range="bytes=100-199")
    assert piece.status_code == 206
    assert piece.content == whole.content[100:200]
    etag = whole.headers["etag"]
    for condition, status in ((etag, 206), ('"else"', 200)):
        answer = await harness.ask(
            "/rec/parts/visitor?play=1", **{"Range": "bytes=0-9", "If-Range": condition}
        )
        assert answer.status_code == status
    assert (await harness.ask("/rec/parts/agent", method="HEAD")).status_code == 200
    assert (await harness.ask("/rec/parts/nobody?play=1")).status_code == 404


async def test_a_play_is_noted_once_for_each_page(harness: ArchiveHarness, call: bytes) -> None:
    await harness.keep(call)
    for page in ("one", "two"):
        for path in ("", "/parts", "/parts/visitor", "/parts/agent"):
            for _ in range(2):
                assert (await harness.ask(f"/rec{path}?play={page}")).status_code == 200
    assert harness.log == [("recordingPlayed", 7, "rec")] * 2


async def test_asking_with_head_does_not_count_as_playing(harness: ArchiveHarness) -> None:
    await harness.keep(b"bytes", "rec")
    assert (await harness.ask("/rec", method="HEAD")).status_code == 200
    assert harness.log == []


@both_storages
async def test_the_original_is_downloaded_and_noted(harness: ArchiveHarness, call: bytes) -> None:
    await harness.keep(call)
    head = await harness.ask("/rec/original.mkv", method="HEAD")
    assert int(head.headers["content-length"]) == len(call)
    assert harness.log == []
    answer = await harness.ask("/rec/original.mkv")
    assert answer.content == call
    assert "call-" in answer.headers["content-disposition"]
    etag = answer.headers["etag"]
    rest = await harness.ask("/rec/original.mkv", **{"Range": "bytes=9-", "If-Range": etag})
    assert rest.content == call[9:]
    await harness.ask("/rec/original.mkv", Range="bytes=99-")
    assert harness.log == [("recordingDownloaded", 7, "rec")] * 2
    for tags in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        unchanged = await harness.ask("/rec/original.mkv", **{"If-None-Match": tags})
        assert unchanged.status_code == 304


async def test_who_may_not_look(harness: ArchiveHarness, call: bytes) -> None:
    await harness.keep(call)
    for path in ("", "/rec", "/rec/parts", "/rec/parts/agent", "/rec/original.mkv"):
        assert (await harness.ask(path, agent="")).status_code == 401
        assert (await harness.ask(path, agent="nobody")).status_code == 403
    assert (await harness.ask("", agent="other")).json()["recordings"] == []
    for path in ("/rec", "/rec/parts", "/rec/parts/agent", "/rec/original.mkv", "/rec/composed"):
        assert (await harness.ask(path, agent="other")).status_code == 404
    for path, method in (("/rec", "DELETE"), ("/rec/hold", "PUT"), ("/rec/hold", "DELETE")):
        assert (await harness.ask(path, "viewer", method)).status_code == 403
        assert (await harness.ask(path, "other", method)).status_code == 404
    assert harness.log == []


@both_storages
async def test_a_held_recording_cannot_be_deleted(harness: ArchiveHarness, call: bytes) -> None:
    await harness.keep(call)
    held = await harness.ask("/rec/hold", "admin", "PUT")
    assert held.json()["recording"]["isHeld"] is True
    await harness.ask("/rec/hold", "admin", "PUT")  # nothing new
    harness.open()  # it is on disk
    refused = await harness.ask("/rec", "admin", "DELETE")
    assert (refused.status_code, refused.json()["error"]) == (409, "RecordingHeld")
    await harness.ask("/rec/hold", "admin", "DELETE")
    await harness.ask("/rec/parts")
    assert (await harness.ask("/rec", "admin", "DELETE")).status_code == 204
    assert (await harness.ask("/rec", "admin")).status_code == 404
    assert [action for action, _, _ in harness.log] == [
        "recordingHeld",
        "recordingReleased",
        "recordingPlayed",
        "recordingDeleted",
    ]
    left = [path for path in harness.directory.rglob("*rec*") if "uploads" not in path.parts]
    assert left == []


@both_storages
async def test_a_composed_file_on_request(
    harness: ArchiveHarness, call: bytes, tmp_path: Path
) -> None:
    await harness.keep(call)
    assert (await harness.ask("/rec/composed")).json() == {"state": "none", "progress": 0.0}
    assert (await harness.ask("/rec/composed.mp4")).status_code == 404
    begun = await harness.ask("/rec/composed", method="POST")
    assert begun.status_code == 202
    while (state := (await harness.ask("/rec/composed", method="POST")).json())["state"] != "done":
        assert state["state"] in {"waiting", "running"}
        await asyncio.sleep(0.05)
    assert state["progress"] == 1.0
    file = await harness.ask("/rec/composed.mp4")
    assert file.headers["content-type"] == "video/mp4"
    assert file.content[4:8] == b"ftyp"
    assert [action for action, _, _ in harness.log] == ["recordingComposed", "recordingDownloaded"]


async def test_composing_can_be_cancelled(harness: ArchiveHarness, call: bytes) -> None:
    await harness.keep(call)
    await harness.ask("/rec/composed", method="POST")
    cancelled = await harness.ask("/rec/composed", method="DELETE")
    assert cancelled.json()["state"] == "none"
    assert (await harness.ask("/rec/composed.mp4")).status_code == 404
    assert (await harness.ask("/rec/composed", method="DELETE")).status_code == 200


async def test_a_file_that_is_no_recording(harness: ArchiveHarness) -> None:
    await harness.keep(b"not a film at all")
    body = (await harness.ask("/rec")).json()
    assert body["contents"]["tracks"] == []
    assert (await harness.ask("/rec/parts")).status_code == 404
    assert (await harness.ask("/rec/parts/visitor")).status_code == 404
    await harness.ask("/rec/composed", method="POST")
    while (await harness.ask("/rec/composed")).json()["state"] in {"waiting", "running"}:
        await asyncio.sleep(0.05)
    assert (await harness.ask("/rec/composed")).json()["state"] == "failed"
    assert (await harness.ask("/rec/original.mkv")).content == b"not a film at all"


async def test_an_audio_call(harness: ArchiveHarness, tmp_path: Path) -> None:
    await harness.keep(make_recording(tmp_path / "a.mkv", AUDIO_CALL).read_bytes(), media="audio")
    parts = (await harness.ask("/rec/parts")).json()["parts"]
    assert [(p["name"], p["kind"], p["mediaType"]) for p in parts] == [
        ("visitor", "audio", "audio/webm"),
        ("agent", "audio", "audio/webm"),
    ]
    assert all(p["begins"] == 0 and p["pictures"] == [] for p in parts)
