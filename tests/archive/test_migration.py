"""Migration of an archive from the local disk to an object store."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from tests.archive.conftest import ArchiveHarness
from tests.object_store import ACCESS_KEY, SECRET_KEY, SeaweedFs, open_objects
from visavis.archive import migration
from visavis.archive.media_info import MediaInfo
from visavis.archive.migration import Migration, MigrationError, local_recordings
from visavis.archive.ports import RefusedError, StorageUnavailableError
from visavis.cli import main
from visavis.domain.library import Entry

pytestmark = [pytest.mark.anyio, pytest.mark.interop]

PART = 5 * 1024 * 1024
LONG = os.urandom(PART + 1000)
SHORT = b"short"


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration, "PART_BYTES", PART)


@pytest.fixture
async def address(harness: ArchiveHarness, seaweed: SeaweedFs) -> str:
    """URL of an object store, for an archive with three recordings on the local disk."""
    await harness.keep(LONG, "long")
    await harness.keep(SHORT, "short")
    await harness.keep(SHORT, "theirs", site="2")
    await harness.ask("/short/hold", "admin", "PUT")
    return seaweed.new_address()


async def migrate(harness: ArchiveHarness, address: str, *, removes: bool = False) -> list[int]:
    progress, objects = list[int](), open_objects(address)
    try:
        copied = Migration(objects, harness.store, progress.append)
        for recording in local_recordings(harness.directory / "library"):
            await copied.migrate(recording, removes=removes)
    finally:
        objects.close()
    return progress


def on_objects(harness: ArchiveHarness, address: str, path: Path) -> ArchiveHarness:
    return ArchiveHarness(path / "node", harness.store, address).open()


@pytest.mark.parametrize("removes", [False, True])
async def test_everything_is_in_the_object_store_afterwards(
    harness: ArchiveHarness, address: str, tmp_path: Path, *, removes: bool
) -> None:
    entries = [await harness.entries(1), await harness.entries(2)]
    assert await migrate(harness, address, removes=removes) == [PART, 1000, 5, 5]
    assert await migrate(harness, address, removes=removes) == []
    assert bool(list((harness.directory / "library").rglob("*.mkv"))) is not removes
    node = on_objects(harness, address, tmp_path)
    assert [await node.entries(1), await node.entries(2)] == entries
    assert [await node.content("long"), await node.content("theirs", 2)] == [LONG, SHORT]
    assert (await node.ask("/short", "admin", "DELETE")).status_code == 409
    assert (await node.ask("/long", "admin", "DELETE")).status_code == 204
    # deleted since, so the file that is still on the disk is not copied again
    assert await migrate(harness, address) == []
    assert [entry.id for entry in await node.entries(1)] == ["short"]
    node.archive.close()


async def test_an_interrupted_migration_goes_on(
    harness: ArchiveHarness, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:  # after the row, before the mark
        patch.setattr(migration, "write_atomically", dies)
        with pytest.raises(asyncio.CancelledError):
            await migrate(harness, address)
    with monkeypatch.context() as patch:  # after the copy, before the row
        patch.setattr(migration, "add_recording", dies)
        with pytest.raises(asyncio.CancelledError):
            await migrate(harness, address)
    assert await migrate(harness, address) == [5]
    node = on_objects(harness, address, tmp_path)
    assert [entry.id for entry in await node.entries(1)] == ["long", "short"]
    assert len(await node.rest_of_uploads()) == 3
    node.archive.close()


async def test_a_file_that_has_changed_is_not_migrated(
    harness: ArchiveHarness, address: str, tmp_path: Path
) -> None:
    file = harness.directory / "library" / "1" / "long.mkv"
    file.write_bytes(b"!" + LONG[1:])
    with pytest.raises(MigrationError, match="SHA-256"):
        await migrate(harness, address)
    file.write_bytes(LONG[1:])
    with pytest.raises(MigrationError, match="bytes instead of"):
        await migrate(harness, address)
    file.write_bytes(LONG)
    await migrate(harness, address)
    node = on_objects(harness, address, tmp_path)
    assert await node.content("long") == LONG
    node.archive.close()


async def test_another_recording_of_the_same_id_is_not_replaced(
    harness: ArchiveHarness, address: str, tmp_path: Path
) -> None:
    node = on_objects(harness, address, tmp_path)
    await node.keep(b"other", "long")
    with pytest.raises((MigrationError, RefusedError)):
        await migrate(harness, address)
    assert await node.content("long") == b"other"
    node.archive.close()


async def test_a_failed_copy_leaves_nothing(
    harness: ArchiveHarness, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = open_objects(address)

    async def away(*_: object) -> None:
        raise StorageUnavailableError

    monkeypatch.setattr(objects, "complete_multipart", away)
    (recording, *_) = local_recordings(harness.directory / "library")
    with pytest.raises(StorageUnavailableError):
        await Migration(objects, harness.store).migrate(recording, removes=False)
    objects.close()
    node = on_objects(harness, address, tmp_path)
    assert await node.rest_of_uploads() == []
    node.archive.close()


async def test_the_command(
    harness: ArchiveHarness, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.archive.close()
    harness.is_open = False
    command = ("archive", "migrate", "--data", str(tmp_path))
    monkeypatch.setenv("VISAVIS_STORAGE_ACCESS_KEY", ACCESS_KEY)
    monkeypatch.setenv("VISAVIS_STORAGE_SECRET_KEY", SECRET_KEY)

    def run(*more: str, code: int = 0) -> str:
        result = CliRunner().invoke(main, (*command, *more))
        assert result.exit_code == code, result.output
        return result.stdout + result.stderr

    assert "Set --storage" in await asyncio.to_thread(run, code=1)
    assert "--help" in await asyncio.to_thread(run, "--help")
    broken = harness.directory / "library" / "1" / "long.mkv"
    broken.write_bytes(b"!" + LONG[1:])
    said = await asyncio.to_thread(lambda: run("--storage", address, code=1))
    assert "2 recordings were migrated" in said
    assert "1 recording was not" in said
    broken.write_bytes(LONG)
    assert "1 recording was migrated" in await asyncio.to_thread(run, "--storage", address)
    assert "0 recordings were migrated" in await asyncio.to_thread(run, "--storage", address)
    harness.open()


def test_a_recording_of_an_early_version_has_no_details(tmp_path: Path) -> None:
    entry = Entry(
        id="a",
        site_id=1,
        call_id="",
        media="audio",
        visitor_name="",
        started_at="2026-01-01T00:00:00.000+00:00",
        duration=1.0,
        size=1,
        sha256="",
    )
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "a.json").write_bytes(msgspec.json.encode(entry))
    assert list(local_recordings(tmp_path)) == []  # half deleted
    (tmp_path / "1" / "a.mkv").write_bytes(b"x")
    assert [one.info for one in local_recordings(tmp_path)] == [MediaInfo()]


async def test_a_recording_in_the_library_keeps_its_object(
    harness: ArchiveHarness, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An earlier run has listed it, and a request to the object store fails now."""
    await migrate(harness, address)
    for mark in (harness.directory / "library").rglob("*.migrated"):
        mark.unlink()

    async def missing(*_: object) -> None:
        return None

    with monkeypatch.context() as patch:
        patch.setattr("visavis.archive.s3.S3ObjectStore.size", missing)
        with pytest.raises(MigrationError):
            await migrate(harness, address)
    node = on_objects(harness, address, tmp_path)
    assert await node.content("long") == LONG
    assert await migrate(harness, address) == []
    node.archive.close()
