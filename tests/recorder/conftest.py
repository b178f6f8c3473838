"""Fixtures: a muxed recording in its own spool, and recording servers for its delivery."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from tests.recorder.fake_server import FakeRecordingServer
from visavis.domain.recording import MANIFEST, MATROSKA, Delivery, Manifest
from visavis.spool import reader as spool_reader

CONTENT = random.Random(1).randbytes(1_234_567)
STARTED_AT = datetime(2026, 1, 1, tzinfo=UTC)


def manifest_of(recording_id: str, site_id: int = 1) -> Manifest:
    return Manifest(
        recording_id=recording_id,
        site_id=site_id,
        call_id=f"call-{recording_id}",
        media="video",
        visitor_name="Ännchen",
        agent_name="",
        started_at=STARTED_AT,
    )


def put_muxed(
    directory: Path, recording_id: str, content: bytes = CONTENT, site_id: int = 1
) -> Path:
    """A recording that is already muxed."""
    target = directory / recording_id
    target.mkdir(parents=True)
    manifest = manifest_of(recording_id, site_id)
    (target / MANIFEST).write_bytes(msgspec.json.encode(manifest))
    (target / MATROSKA).write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    spool_reader.write_delivery(target, Delivery(sha256=sha256, size=len(content), duration=1.5))
    return target


@pytest.fixture
def muxed(tmp_path: Path) -> Path:
    return put_muxed(tmp_path / "spool", "rec")


@pytest.fixture
def server() -> Iterator[FakeRecordingServer]:
    running = FakeRecordingServer()
    yield running
    running.close()
