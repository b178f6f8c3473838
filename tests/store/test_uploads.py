"""Rows of uploads to an object store, on both databases."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

import pytest
from msgspec.structs import replace

from visavis.domain.library import Entry
from visavis.domain.uploads import RecordingObject, StoredUpload, UploadPiece, UploadState
from visavis.services.ports import Transaction, UploadRows
from visavis.store import open_store
from visavis.store.sql import SqlStore

pytestmark = pytest.mark.anyio

T = TypeVar("T")
ARCHIVE = "s3://bucket/"


@pytest.fixture
async def store(database: str, anyio_backend: str) -> AsyncIterator[SqlStore]:
    opened = open_store(database)
    yield opened
    opened.close()


async def write(store: SqlStore, work: Callable[[UploadRows], T]) -> T:
    return await store.write(lambda rows: work(rows.uploads))


async def begun(store: SqlStore, upload_id: str = "a") -> StoredUpload:
    new = StoredUpload(
        id=upload_id, site_id=2, key="k", length=None, metadata={"a": "Ä"}, part_size=10
    )

    def add(rows: UploadRows) -> StoredUpload:
        rows.lock_creation()
        return rows.add(ARCHIVE, new)

    return await write(store, add)


async def test_the_database_s_clock_is_in_seconds_since_the_epoch(store: SqlStore) -> None:
    upload = await begun(store)
    assert abs(upload.created_at - time.time()) < 600
    assert upload.changed_at - upload.created_at < 1
    assert await write(store, lambda rows: rows.find(ARCHIVE, "a")) == upload
    assert await write(store, lambda rows: rows.find("another", "a")) is None
    assert await write(store, lambda rows: rows.unfinished(ARCHIVE)) == [upload]
    await write(store, lambda rows: rows.set_length("a", 7))
    found = await write(store, lambda rows: rows.find(ARCHIVE, "a"))
    assert found
    assert found.length == 7


async def test_one_request_has_the_lease_until_it_ends(store: SqlStore) -> None:
    await begun(store)
    tries = [write(store, lambda rows: rows.acquire("a", "node", 60)) for _ in range(6)]
    leases = [lease for lease in await asyncio.gather(*tries) if lease]
    assert [lease.epoch for lease in leases] == [1]
    assert await write(store, lambda rows: rows.renew("a", 1, 0))
    later = await write(store, lambda rows: rows.acquire("a", "other", 60))
    assert later
    assert later.epoch == 2
    # the one before changes nothing any more
    part = UploadPiece(offset=0, size=5, number=1, etag="e")
    assert not await write(store, lambda rows: rows.renew("a", 1, 60))
    assert not await write(store, lambda rows: rows.set_multipart("a", 1, "m"))
    assert await write(store, lambda rows: rows.allot_part("a", 1)) is None
    assert not await write(store, lambda rows: rows.commit("a", 1, (0, 5), [part], []))
    await write(store, lambda rows: rows.release("a", 1))
    assert await write(store, lambda rows: rows.acquire("a", "third", 60)) is None
    await write(store, lambda rows: rows.release_all(ARCHIVE, "node"))
    assert await write(store, lambda rows: rows.acquire("a", "third", 60)) is None
    await write(store, lambda rows: rows.release_all(ARCHIVE, "other"))
    third = await write(store, lambda rows: rows.acquire("a", "third", 60))
    assert third
    assert third.epoch > later.epoch


async def test_a_renewal_after_the_end_of_a_request_does_nothing(store: SqlStore) -> None:
    await begun(store)
    lease = await write(store, lambda rows: rows.acquire("a", "node", 60))
    assert lease
    await write(store, lambda rows: rows.release("a", lease.epoch))
    assert not await write(store, lambda rows: rows.renew("a", lease.epoch, 60))
    assert await write(store, lambda rows: rows.acquire("a", "other", 60))


async def test_a_lease_ends_although_the_database_s_clock_was_set_back(store: SqlStore) -> None:
    await begun(store)
    hour = 3_600.0
    assert await write(store, lambda rows: rows.acquire("a", "node", hour))
    assert await write(store, lambda rows: rows.acquire("a", "other", hour)) is None
    assert await write(store, lambda rows: rows.acquire("a", "other", 60))


async def test_the_offset_moves_with_what_is_stored(store: SqlStore) -> None:
    await begun(store)
    await write(store, lambda rows: rows.acquire("a", "node", 60))
    assert await write(store, lambda rows: rows.set_multipart("a", 1, "m"))
    assert [await write(store, lambda rows: rows.allot_part("a", 1)) for _ in range(3)] == [1, 2, 3]
    tail = UploadPiece(offset=0, size=4, object_key="uploads/a/0")
    assert await write(store, lambda rows: rows.commit("a", 1, (0, 4), [tail], []))
    assert not await write(store, lambda rows: rows.commit("a", 1, (0, 4), [tail], []))
    part = UploadPiece(offset=0, size=10, number=3, etag="e")
    assert await write(store, lambda rows: rows.commit("a", 1, (4, 10), [part], [tail]))
    assert await write(store, lambda rows: rows.pieces("a")) == [part]
    found = await write(store, lambda rows: rows.find(ARCHIVE, "a"))
    assert found
    assert (found.offset, found.multipart_id) == (10, "m")


async def test_an_upload_ends_once(store: SqlStore) -> None:
    await begun(store)
    await write(store, lambda rows: rows.acquire("a", "node", 0))
    part = UploadPiece(offset=0, size=1, number=1, etag="e")
    await write(store, lambda rows: rows.commit("a", 1, (0, 1), [part], []))
    assert await write(store, lambda rows: rows.set_state("a", UploadState.ADOPTED))
    assert not await write(store, lambda rows: rows.set_state("a", UploadState.REMOVED))
    assert await write(store, lambda rows: rows.acquire("a", "node", 60)) is None
    await write(store, lambda rows: rows.finish("a", "sha"))
    assert await write(store, lambda rows: rows.pieces("a")) == []
    for seconds, count in ((0.0, 1), (3600.0, 0)):
        found = await write(
            store,
            lambda rows, seconds=seconds: rows.list_unchanged(  # type: ignore[misc]
                ARCHIVE, UploadState.ADOPTED, seconds, 9
            ),
        )
        assert len(found) == count
    await write(store, lambda rows: rows.delete("a"))
    assert await write(store, lambda rows: rows.find(ARCHIVE, "a")) is None


async def test_a_recording_has_one_object_and_its_deletion_is_noted(store: SqlStore) -> None:
    def add(rows: Transaction) -> bool:
        return rows.recording_objects.add(ARCHIVE, 1, "rec", RecordingObject("key", "{}"))

    tries = [store.write(add) for _ in range(4)]
    assert sorted(await asyncio.gather(*tries)) == [False, False, False, True]

    def change(rows: Transaction) -> None:
        objects = rows.recording_objects
        assert objects.find(ARCHIVE, 1, "rec") == RecordingObject("key", "{}")
        assert objects.find(ARCHIVE, 1, "other") is None
        assert objects.begin_deletion(ARCHIVE, 1, "rec") == "key"
        assert objects.begin_deletion(ARCHIVE, 1, "rec") is None
        assert objects.add(ARCHIVE, 1, "rec", RecordingObject("newer", "{}"))
        objects.add_deletion(ARCHIVE, "another")
        objects.add_deletion(ARCHIVE, "another")
        assert sorted(objects.list_deletions(ARCHIVE, 9)) == ["another", "key"]
        objects.end_deletion(ARCHIVE, "key")
        objects.end_deletion(ARCHIVE, "newer")  # it is not to be deleted
        assert objects.list_deletions(ARCHIVE, 9) == ["another"]
        assert objects.find(ARCHIVE, 1, "rec") == RecordingObject("newer", "{}")

    await store.write(change)


async def test_a_held_recording_is_not_deleted(store: SqlStore) -> None:
    entry = Entry(
        id="rec",
        site_id=1,
        call_id="",
        media="audio",
        visitor_name="",
        agent_names=("Bo",),
        started_at="2026-01-01T00:00:00.000+00:00",
        duration=1.0,
        size=1,
        sha256="",
        is_held=True,
    )

    def change(rows: Transaction) -> None:
        rows.library.save(ARCHIVE, [(entry, 0)])
        assert not rows.library.delete_unless_held(ARCHIVE, 1, "rec")
        rows.library.save(ARCHIVE, [(replace(entry, is_held=False), 0)])
        assert rows.library.delete_unless_held(ARCHIVE, 1, "rec")
        assert not rows.library.delete_unless_held(ARCHIVE, 1, "rec")

    await store.write(change)
