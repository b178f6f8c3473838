"""Taking recordings in, also twice and after a crash; finding, holding, deleting them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from visavis.archive.library import Library, checked_sha256
from visavis.archive.ports import HeldError, RefusedError
from visavis.archive.storage import LocalStorage
from visavis.domain.library import Entry, LibrarySearch
from visavis.store.sql import SqlStore

pytestmark = pytest.mark.anyio

DATA = b"a film"
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "library")


@pytest.fixture
def library(storage: LocalStorage, store: SqlStore) -> Library:
    return Library(storage, store)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "upload.part"
    path.write_bytes(DATA)
    return path


def metadata(**more: str) -> dict[str, str]:
    return {"site": "1", "recording": "rec", **more}


async def all_of(library: Library) -> list[Entry]:
    return (await library.search(1, LibrarySearch())).entries


async def test_a_recording_is_kept_and_found_by_another_process(
    library: Library, storage: LocalStorage, store: SqlStore, data: Path
) -> None:
    said = metadata(call="c", visitorName="Ann", agentName="Bo", duration="3.5", media="audio")
    entry = await library.keep(said, "up", data, SHA256)
    assert not data.exists()
    other = Library(storage, store)
    assert await other.find(1, "rec") == entry
    assert await other.find(2, "rec") is None
    async with other.opened(entry) as file:
        assert file.read_bytes() == DATA
    assert (entry.visitor_name, entry.agent_names, entry.duration) == ("Ann", ("Bo",), 3.5)
    assert entry.started_at.endswith("+00:00")
    assert await library.site_ids() == [1]
    assert await library.stored_bytes(1) == len(DATA)


async def test_an_incomplete_recording_says_what_is_missing(library: Library, data: Path) -> None:
    said = metadata(missing="No video of the visitor.\nNo audio of the agent.")
    await library.keep(said, "up", data, SHA256)
    (entry,) = await all_of(library)
    assert entry.missing == ("No video of the visitor.", "No audio of the agent.")


async def test_it_may_be_brought_twice(library: Library, data: Path) -> None:
    entry = await library.keep(metadata(), "up", data, SHA256)
    await library.hold(entry, is_held=True)
    again = await library.adopted(metadata(), "up")
    assert again
    assert again.is_held
    data.write_bytes(DATA)
    assert (await library.keep(metadata(), "other", data, SHA256)).is_held  # from the start again
    assert len(await all_of(library)) == 1


async def test_a_crash_between_the_sidecar_and_the_file(
    library: Library, storage: LocalStorage, data: Path
) -> None:
    entry = await library.keep(metadata(), "up", data, SHA256)
    storage.file(1, "rec").rename(data)
    assert await library.adopted(metadata(), "up") is None
    assert await library.index() == 1
    assert await all_of(library) == []
    assert not storage.file(1, "rec").with_suffix(".json").exists()
    assert await library.keep(metadata(), "up", data, SHA256) == entry


async def test_a_directory_of_an_earlier_version_is_indexed(
    library: Library, storage: LocalStorage, store: SqlStore, data: Path
) -> None:
    """Also a backup that was put back: the sidecars are the truth."""
    entry = await library.keep(metadata(), "up", data, SHA256)
    assert await library.index() == 0
    name = storage.name
    await store.write(lambda rows: rows.library.delete(name, [(1, "rec")]))
    sidecar = storage.file(1, "rec").with_suffix(".json")
    assert await library.index() == 1
    assert await all_of(library) == [entry]
    sidecar.write_bytes(sidecar.read_bytes().replace(b'"isHeld":false', b'"isHeld":true'))
    os.utime(sidecar, ns=(1, 1))
    assert await library.index() == 1
    assert (await all_of(library))[0].is_held
    assert await library.index() == 0


async def test_archives_that_share_a_database_have_libraries_of_their_own(
    library: Library, store: SqlStore, data: Path, tmp_path: Path
) -> None:
    await library.keep(metadata(), "up", data, SHA256)
    other = Library(LocalStorage(tmp_path / "other"), store)
    assert await all_of(other) == []
    assert await other.index() == 0
    assert len(await all_of(library)) == 1


@pytest.mark.parametrize(
    "said",
    [{"site": "0"}, {"site": "../1"}, {"recording": "a/b"}, {"recording": "x" * 65}],
)
async def test_what_is_not_kept(library: Library, data: Path, said: dict[str, str]) -> None:
    with pytest.raises(RefusedError):
        await library.keep(metadata(**said), "up", data, SHA256)
    assert data.exists()


def test_a_file_with_another_checksum_is_refused(data: Path) -> None:
    assert checked_sha256({}, data) == checked_sha256({"sha256": SHA256}, data) == SHA256
    with pytest.raises(RefusedError):
        checked_sha256({"sha256": "0" * 64}, data)


async def test_another_file_of_the_same_id_is_refused(
    library: Library, storage: LocalStorage, data: Path
) -> None:
    await library.keep(metadata(), "up", data, SHA256)
    data.write_bytes(b"another")
    with pytest.raises(RefusedError, match="another recording"):
        await library.keep({"recording": "rec"}, "up", data, "1" * 64)
    assert storage.file(1, "rec").read_bytes() == DATA


async def test_a_foreign_upload_is_named_by_its_upload(library: Library, data: Path) -> None:
    entry = await library.keep({}, "up", data, SHA256)
    assert (entry.id, entry.site_id, entry.sha256) == ("up", 1, SHA256)


@pytest.mark.parametrize("duration", ["", "nan", "-1", "inf", "x"])
async def test_strange_durations(library: Library, data: Path, duration: str) -> None:
    said: dict[str, Any] = metadata(duration=duration, startedAt="yesterday")
    assert (await library.keep(said, "up", data, SHA256)).duration == 0


async def test_hold_is_on_disk_and_keeps_from_deletion(
    library: Library, storage: LocalStorage, store: SqlStore, data: Path
) -> None:
    held = await library.hold(await library.keep(metadata(), "up", data, SHA256), is_held=True)
    with pytest.raises(HeldError):
        await Library(storage, store).delete(held)
    assert await library.find(1, "rec") == held
    released = await library.hold(held, is_held=False)
    await library.delete(released)
    await library.delete(released)  # twice is once
    assert list(storage.file(1, "rec").parent.iterdir()) == []
    assert await all_of(library) == []
    with pytest.raises(KeyError):
        await library.hold(released, is_held=True)


async def test_contents_of_a_recording_from_before_there_were_any(
    library: Library, storage: LocalStorage, data: Path
) -> None:
    entry = await library.keep(metadata(), "up", data, SHA256)
    storage.file(1, "rec").with_suffix(".details").unlink()
    assert (await library.media_info(entry)).tracks == ()
    storage.file(1, "rec").with_suffix(".json").unlink()
    assert await library.adopted(metadata(), "up") is None
