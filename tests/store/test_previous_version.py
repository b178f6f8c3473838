"""The previous version's data directory is taken over: it migrates, and its recordings play."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
import sqlalchemy as sa

from tests import http_clients
from tests.archive.recording_files import TrackSpec, make_recording
from tests.store.test_migrations import LATER, engine_of, fill_as_before, migrate
from visavis.app import App
from visavis.domain.oauth import CredentialKind
from visavis.settings import Settings
from visavis.store import open_store

FIRST: Final = "0003"
"""The first schema that knew recordings; every later one belongs to the same version."""
ID: Final = "5e1c0de5e1c0de5e1c0de5e1c0de5e1c"


def _insert(connection: sa.Connection, table: str, **values: Any) -> None:
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), values)


def _fill_database(address: str, sha256: str, size: int) -> None:
    engine = engine_of(address)
    migrate(engine, "0001")
    fill_as_before(engine)
    migrate(engine, FIRST)
    with engine.begin() as connection:
        _insert(
            connection,
            "calls",
            id="call",
            site_id=1,
            agent_id=1,
            media="video",
            state="ended",
            visitor_name="Ann",
            visitor_email="",
            is_recorded=True,
            recording_id=ID,
            requested_at=LATER,
            accepted_at=LATER,
            connected_at=LATER,
            ended_at=LATER,
            reason="hungUp",
            ended_by="visitor",
        )
        _insert(
            connection,
            "recordings",
            id=ID,
            site_id=1,
            call_id="call",
            started_at=LATER,
            state="delivered",
            size=size,
            sha256=sha256,
            delivered_at=LATER,
        )
    engine.dispose()


def _fill_archive(directory: Path) -> tuple[str, int]:
    """Store a recording as the archive of before did: whose track it is, the titles say."""
    folder = directory / "library" / "1"
    folder.mkdir(parents=True)
    tracks = (TrackSpec("Visitor audio"), TrackSpec("Agent audio"), TrackSpec("Agent video", "vp8"))
    content = make_recording(folder / f"{ID}.mkv", tracks).read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    entry = {
        "id": ID,
        "siteId": 1,
        "callId": "call",
        "media": "video",
        "visitorName": "Ann",
        "agentNames": ["A"],
        "startedAt": LATER,
        "duration": 4.0,
        "size": len(content),
        "sha256": sha256,
    }
    (folder / f"{ID}.json").write_text(json.dumps(entry))
    found = (("visitor", "audio", "opus"), ("agent", "audio", "opus"), ("agent", "video", "vp8"))
    described = [
        {"index": index, "side": side, "kind": kind, "number": 1, "codec": codec}
        for index, (side, kind, codec) in enumerate(found)
    ]
    details = {"duration": 4.0, "tracks": described, "visitorName": "Ann", "agentNames": ["A"]}
    (folder / f"{ID}.details").write_text(json.dumps(details))
    return sha256, len(content)


@pytest.mark.anyio
async def test_its_calls_are_listed_and_its_recordings_play(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, log_level="warning")
    sha256, size = _fill_archive(settings.archive_dir)
    _fill_database(settings.database_address, sha256, size)

    app = App(settings, open_store(settings.database_address))
    assert app.archive
    await app.archive.index()  # as the archive's task does first
    agent = await app.people.by_email("a@example.com")
    token = await app.tokens.issue(agent, CredentialKind.BEARER, timedelta(hours=1))
    transport = httpx2.ASGITransport(app.web)
    async with http_clients.AsyncClient(
        transport=transport,
        base_url="http://visavis",
        headers={"Authorization": f"Bearer {token}"},
    ) as client:
        (call,) = (await client.get("/v4/livechat/audioVideoChats")).json()["audioVideoChats"]
        assert (call["visitorName"], call["recordingId"], call["isRecorded"]) == ("Ann", ID, True)
        (known,) = (await client.get("/v4/livechat/recordings")).json()["recordings"]
        assert (known["state"], known["sha256"]) == ("delivered", sha256)

        one = f"/library/recordings/{ID}"
        (listed,) = (await client.get("/library/recordings")).json()["recordings"]
        assert (listed["id"], listed["agentNames"], listed["missing"]) == (ID, ["A"], [])
        tracks = (await client.get(one)).json()["contents"]["tracks"]
        assert [(x["side"], x["kind"]) for x in tracks] == [
            ("visitor", "audio"),
            ("agent", "audio"),
            ("agent", "video"),
        ]
        parts = (await client.get(f"{one}/parts")).json()["parts"]
        assert {part["side"] for part in parts} == {"visitor", "agent"}
        for part in parts:
            played = await client.get(f"{one}/parts/{part['name']}")
            assert (played.status_code, played.headers["content-type"]) == (200, part["mediaType"])
            assert played.content
        original = await client.get(f"{one}/original.mkv")
        assert hashlib.sha256(original.content).hexdigest() == sha256
    app.archive.close()
    app.store.close()
