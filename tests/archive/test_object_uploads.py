"""Uploads to an object store: several nodes, lost leases, and crashes between any two steps."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import itertools
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import update

from tests.archive.conftest import TUS, ArchiveHarness
from tests.archive.store_proxy import StoreProxy
from tests.object_store import SeaweedFs
from tests.postgresql import Cluster
from tests.running import PATIENCE
from visavis.archive import object_uploads, s3
from visavis.archive.inspection import Inspector
from visavis.archive.media_info import MediaInfo
from visavis.archive.object_uploads import LEASE_SECONDS
from visavis.archive.ports import RefusedError, StorageUnavailableError
from visavis.archive.storage_address import StorageAddress
from visavis.archive.tus_headers import BODY_TYPE
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.uploads import StoredUpload, UploadPiece
from visavis.store import open_store, tables
from visavis.store.sql import SqlStore

pytestmark = [pytest.mark.anyio, pytest.mark.interop]

PART = 5 * 1024 * 1024
"""The smallest part that Amazon's store accepts unless it is the last."""
DATA = os.urandom(2 * PART + 300_000)
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_uploads, "PART_BYTES", PART)


@pytest.fixture(autouse=True)
def _no_inspection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start no process to read the contents of each file, since the files have none."""

    async def nothing(*_: object) -> MediaInfo:
        return MediaInfo()

    monkeypatch.setattr(Inspector, "contents", nothing)


both_databases = pytest.mark.parametrize("store", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def store(request: pytest.FixtureRequest, new_database: Path) -> Iterator[SqlStore]:
    with ExitStack() as stack:
        address = str(new_database)
        if getattr(request, "param", "sqlite") == "postgresql":
            cluster: Cluster = request.getfixturevalue("cluster")
            address = stack.enter_context(cluster.lent_database())
        opened = open_store(address)
        stack.callback(opened.close)
        yield opened


@pytest.fixture
def storage(seaweed: SeaweedFs) -> str:
    return seaweed.new_address()


@pytest.fixture
async def other(harness: ArchiveHarness, tmp_path: Path) -> AsyncIterator[ArchiveHarness]:
    """Another node of the same database and bucket."""
    node = ArchiveHarness(tmp_path / "other", harness.store, harness.address).open()
    yield node
    await node.client.aclose()
    node.archive.close()


def upload_id(url: str) -> str:
    return url.rpartition("/")[2]


async def pieces(harness: ArchiveHarness, url: str) -> list[UploadPiece]:
    return list(await harness.store.read(lambda rows: rows.uploads.pieces(upload_id(url))))


async def stored(harness: ArchiveHarness, url: str) -> StoredUpload:
    name = harness.archive._library._name
    found = await harness.store.read(lambda rows: rows.uploads.find(name, upload_id(url)))
    assert found
    return found


async def change(harness: ArchiveHarness, url: str, **values: Any) -> None:
    statement = update(tables.uploads).where(tables.uploads.c.id == upload_id(url)).values(**values)
    await harness.store.write(lambda rows: rows.uploads._run(statement))  # type: ignore[attr-defined]


async def test_parts_are_equal_and_the_rest_of_a_request_is_kept(harness: ArchiveHarness) -> None:
    url = await harness.create(len(DATA), recording="rec", sha256=SHA256)
    ends = [100_000, 150_000, PART - 1, PART + 7, 2 * PART - 9, 2 * PART + 1, len(DATA)]
    for start, end in itertools.pairwise([0, *ends]):
        answer = await harness.patch(url, start, DATA[start:end])
        assert int(answer.headers["upload-offset"]) == end == (await stored(harness, url)).offset
        if end < len(DATA):
            found = await pieces(harness, url)
            assert sum(piece.size for piece in found) == end
            assert [p.size for p in found if p.number] == [PART] * (end // PART)
    assert answer.headers["visavis-sha256"] == SHA256
    assert await harness.content() == DATA
    assert await pieces(harness, url) == []
    assert len(await harness.rest_of_uploads()) == 1  # the recording itself


async def test_a_request_goes_on_at_the_other_node(
    harness: ArchiveHarness, other: ArchiveHarness
) -> None:
    url = await harness.create(len(DATA), recording="rec", sha256=SHA256)
    ends = [400_000, PART + 5, 2 * PART + 1, len(DATA)]
    nodes = [other, harness, other, harness]
    for node, (start, end) in zip(nodes, itertools.pairwise([0, *ends]), strict=True):
        assert await node.offset(url) == start
        assert (await node.patch(url, start, DATA[start:end])).status_code == 204
    assert await harness.content() == await other.content() == DATA
    for node in (harness, other):
        assert (await node.tus("HEAD", url)).headers["visavis-sha256"] == SHA256


@both_databases
async def test_two_nodes_that_patch_at_once_store_each_byte_once(
    harness: ArchiveHarness, other: ArchiveHarness
) -> None:
    url = await harness.create(len(DATA), recording="rec", sha256=SHA256)
    answers = list[int]()

    async def bring(node: ArchiveHarness, size: int) -> None:
        while True:
            head = await node.tus("HEAD", url)
            if head.status_code == 423:
                continue
            offset = int(head.headers["upload-offset"])
            if offset == len(DATA):
                return
            answer = await node.patch(url, offset, DATA[offset : offset + size])
            answers.append(answer.status_code)
            if answer.status_code == 204:
                assert int(answer.headers["upload-offset"]) == min(offset + size, len(DATA))
            await asyncio.sleep(0.01)

    await asyncio.gather(bring(harness, 1_700_000), bring(other, 2_300_000))
    assert set(answers) <= {204, 409, 423}
    assert 423 in answers or 409 in answers
    assert await other.content() == DATA


@both_databases
async def test_a_node_that_was_frozen_changes_nothing_any_more(
    harness: ArchiveHarness, other: ArchiveHarness
) -> None:
    """A part that is stored after the lease has ended belongs to no upload."""
    url = await harness.create(len(DATA), recording="rec", sha256=SHA256)
    objects = harness.archive._objects
    assert objects
    arrived, thawed = asyncio.Event(), asyncio.Event()
    put_part = objects.put_part

    async def frozen(key: str, multipart_id: str, number: int, data: bytes) -> str:
        arrived.set()
        await thawed.wait()
        return await put_part(key, multipart_id, number, data)

    objects.put_part = frozen  # type: ignore[method-assign]
    late = asyncio.create_task(harness.patch(url, 0, b"!" * len(DATA)))
    await arrived.wait()
    assert (await other.patch(url, 0, DATA)).status_code == 423
    await change(harness, url, held_until=0.0)  # as after LEASE_SECONDS
    assert (await other.patch(url, 0, DATA[: 2 * PART])).status_code == 204
    thawed.set()
    assert (await late).status_code == 423
    assert await other.offset(url) == 2 * PART
    assert (await other.patch(url, 2 * PART, DATA[2 * PART :])).status_code == 204
    assert await harness.content() == DATA


async def test_a_node_that_died_is_followed_by_itself_at_once_and_by_others_later(
    harness: ArchiveHarness, other: ArchiveHarness
) -> None:
    url = await harness.create(len(DATA), recording="rec", sha256=SHA256)
    holder = harness.archive._uploads._holder  # type: ignore[attr-defined]
    lease = await harness.store.write(
        lambda rows: rows.uploads.acquire(upload_id(url), holder, LEASE_SECONDS)
    )
    assert lease
    await other.archive.index()
    assert (await other.patch(url, 0, DATA)).status_code == 423
    harness.open()
    await harness.archive.index()
    assert (await harness.patch(url, 0, DATA)).headers["visavis-sha256"] == SHA256


async def test_a_request_renews_its_lease(
    harness: ArchiveHarness, other: ArchiveHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_uploads, "LEASE_SECONDS", 1.0)
    url = await harness.create(len(DATA), recording="rec")
    tries = list[int]()

    async def slow() -> AsyncIterator[bytes]:
        yield DATA[:PART]
        for _ in range(8):
            await asyncio.sleep(0.3)
            tries.append((await other.patch(url, 0, DATA)).status_code)
        yield DATA[PART:]

    headers = {**TUS, "Upload-Offset": "0", "Content-Type": BODY_TYPE}
    answer = await harness.client.patch(url, content=slow(), headers=headers)
    assert answer.status_code == 204
    assert set(tries) == {423}
    assert await harness.content() == DATA


@pytest.mark.parametrize("start", [0, 300_000])
async def test_parts_of_a_chunk_with_another_checksum_do_not_count(
    harness: ArchiveHarness, start: int
) -> None:
    url = await harness.create(len(DATA), recording="rec", sha256=SHA256)
    if start:
        await harness.patch(url, 0, DATA[:start])
    digest = base64.b64encode(hashlib.sha256(DATA[start:]).digest()).decode()
    broken = b"!" + DATA[start + 1 :]
    before = await pieces(harness, url)
    answer = await harness.patch(url, start, broken, Upload_Checksum=f"sha256 {digest}")
    assert answer.status_code == 460
    assert await pieces(harness, url) == before
    assert await harness.offset(url) == start
    answer = await harness.patch(url, start, DATA[start:], Upload_Checksum=f"sha256 {digest}")
    assert answer.headers["visavis-sha256"] == SHA256
    assert await harness.content() == DATA


async def test_what_arrived_of_a_broken_request_is_kept(harness: ArchiveHarness) -> None:
    url = await harness.create(len(DATA), recording="rec", sha256=SHA256)

    async def broken() -> AsyncIterator[bytes]:
        yield DATA[: PART + 1000]
        raise ConnectionResetError

    headers = {**TUS, "Upload-Offset": "0", "Content-Type": BODY_TYPE}
    answer = await harness.client.patch(url, content=broken(), headers=headers)
    assert answer.status_code == 500
    assert await harness.offset(url) == PART + 1000
    answer = await harness.patch(url, PART + 1000, DATA[PART + 1000 :])
    assert answer.headers["visavis-sha256"] == SHA256


@both_databases
async def test_the_same_recording_twice_is_stored_once(harness: ArchiveHarness) -> None:
    await harness.keep(DATA)
    await harness.keep(DATA)
    assert len(await harness.rest_of_uploads()) == 1
    url = await harness.create(3, recording="rec")
    assert (await harness.patch(url, 0, b"abc")).status_code == 460
    assert await harness.content() == DATA
    assert len(await harness.rest_of_uploads()) == 1


async def test_an_upload_whose_parts_are_gone_has_to_begin_again(harness: ArchiveHarness) -> None:
    """Simulate a rule of the bucket that has aborted the multipart upload."""
    url = await harness.create(len(DATA), recording="rec")
    await harness.patch(url, 0, DATA[:PART])
    found, objects = await stored(harness, url), harness.archive._objects
    assert found.multipart_id
    assert objects
    await objects.abort_multipart(object_uploads.object_key(found.id), found.multipart_id)
    assert (await harness.patch(url, PART, DATA[PART:])).status_code == 410
    assert (await harness.tus("HEAD", url)).status_code == 404
    await harness.keep(DATA)


async def test_an_upload_in_too_many_requests_ends(
    harness: ArchiveHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_uploads, "MAX_PARTS", 1)
    url = await harness.create(len(DATA), recording="rec")
    assert (await harness.patch(url, 0, DATA)).status_code == 410
    assert await harness.rest_of_uploads() == []


@both_databases
async def test_expired_uploads_and_what_could_not_be_deleted_are_swept(
    harness: ArchiveHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    expired = await harness.create(len(DATA))
    await harness.patch(expired, 0, DATA[: PART + 9])
    fresh = await harness.create(len(DATA))
    await harness.keep(DATA)
    objects, uploads = harness.archive._objects, harness.archive._uploads
    assert objects
    await change(harness, expired, created_at=0.0, changed_at=0.0)
    assert (await harness.tus("HEAD", expired)).status_code == 410

    async def away(*_: object) -> None:
        raise StorageUnavailableError

    with monkeypatch.context() as patch:
        for name in ("delete", "delete_below", "abort_multipart"):
            patch.setattr(objects, name, away)
        assert await uploads.sweep(time.time()) == 1
        assert (await harness.ask("/rec", "admin", "DELETE")).status_code == 204
    assert await harness.content() is None
    assert len(await harness.rest_of_uploads()) == 3
    monkeypatch.setattr(object_uploads, "LEASE_SECONDS", 0.0)
    assert await uploads.sweep(time.time()) == 0
    assert await harness.rest_of_uploads() == []
    assert (await harness.tus("HEAD", fresh)).status_code == 200


class DiedError(VisavisError):
    """The process is dead: it does nothing any more."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.StoreUnavailable)


class Steps:
    """Counts the changes to the object store and the database; dies before one of them."""

    def __init__(self, last: int | None = None) -> None:
        self.count = 0
        self.last = last

    def step(self) -> None:
        self.count += 1
        if self.last is not None and self.count >= self.last:
            raise DiedError

    def wrapped(self, call: Callable[..., Any]) -> Callable[..., Any]:
        async def stepping(*arguments: Any, **named: Any) -> Any:
            self.step()
            return await call(*arguments, **named)

        return stepping

    @contextmanager
    def watched(self, harness: ArchiveHarness) -> Iterator[None]:
        names = ("begin_multipart", "put_part", "complete_multipart", "put", "delete")
        with pytest.MonkeyPatch.context() as patch:
            for name in names:
                call = getattr(harness.objects, name)
                patch.setattr(harness.objects, name, self.wrapped(call))
            patch.setattr(harness.store, "write", self.wrapped(harness.store.write))
            yield


SMALL = DATA[: PART + 200_000]
SMALL_SHA256 = hashlib.sha256(SMALL).hexdigest()


async def brought(harness: ArchiveHarness) -> bool:
    """Upload in three requests."""
    url = await harness.create(len(SMALL), recording="rec", sha256=SMALL_SHA256)
    return await gone_on(harness, url)


async def gone_on(harness: ArchiveHarness, url: str) -> bool:
    """Continue an upload from the offset that the archive returns."""
    while True:
        head = alive(await harness.tus("HEAD", url))
        offset = int(head.headers["upload-offset"])
        if offset == len(SMALL):
            return head.headers["visavis-sha256"] == SMALL_SHA256
        end = next(end for end in (20_000, PART + 5, len(SMALL)) if end > offset)
        answer = alive(await harness.patch(url, offset, SMALL[offset:end]))
        assert answer.headers["upload-offset"] == str(end)


def alive(answer: httpx2.Response) -> httpx2.Response:
    """Return a response, from a process that did not die while it answered."""
    if answer.status_code == 503:
        raise DiedError
    return answer


async def test_a_death_at_any_step_loses_nothing(
    harness: ArchiveHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = list[str]()
    create = ArchiveHarness.create

    async def noted(self: ArchiveHarness, *arguments: Any, **named: Any) -> str:
        try:
            created.append(await create(self, *arguments, **named))
        except AssertionError:
            raise DiedError from None
        return created[-1]

    monkeypatch.setattr(ArchiveHarness, "create", noted)
    for last in itertools.count(1):
        created.clear()
        is_through = False
        with Steps(last).watched(harness), suppress(DiedError):
            is_through = await brought(harness)
        harness.open()
        await harness.archive.index()
        if created:
            assert await gone_on(harness, created[0]), last
            assert await harness.content() == SMALL
            assert (await harness.ask("/rec", "admin", "DELETE")).status_code == 204
        if is_through:
            break
    assert last > 15
    # the database does not know an object stored just before a crash; a bucket rule deletes it
    left = await harness.rest_of_uploads()
    assert len([one for one in left if "/uploads/" in one]) == 0
    assert len([one for one in left if "/recordings/" in one]) <= 1


@pytest.fixture
async def proxy(seaweed: SeaweedFs) -> AsyncIterator[StoreProxy]:
    async with StoreProxy(seaweed.port).running() as proxy:
        yield proxy


@pytest.mark.parametrize("mode", ["busy", "hanging", "refusing"])
async def test_a_store_that_fails_loses_nothing(
    tmp_path: Path,
    store: SqlStore,
    seaweed: SeaweedFs,
    proxy: StoreProxy,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
) -> None:
    monkeypatch.setattr(s3, "READ_SECONDS", 1)
    monkeypatch.setattr(s3, "ATTEMPTS", 1)
    harness = ArchiveHarness(tmp_path / "archive", store, seaweed.new_address(proxy.url)).open()
    url = await harness.create(len(DATA), recording="rec", sha256=SHA256)
    assert (await harness.patch(url, 0, DATA[:400_000])).status_code == 204
    for end in (PART + 9, len(DATA)):
        offset = await harness.offset(url)
        proxy.mode = mode
        answer = await harness.patch(url, offset, DATA[offset:end])
        assert answer.status_code == 503
        assert "object store" in answer.json()["message"]
        assert await harness.offset(url) == offset
        proxy.mode = "passing"
        assert (await harness.patch(url, offset, DATA[offset:end])).status_code == 204
    proxy.mode = mode
    assert (await harness.ask("/rec/original.mkv")).status_code == 503
    proxy.mode = "passing"
    assert await harness.content() == DATA
    await harness.client.aclose()
    harness.archive.close()


async def test_a_store_that_is_killed_and_comes_back(
    harness: ArchiveHarness, seaweed: SeaweedFs
) -> None:
    url = await harness.create(len(DATA), recording="rec", sha256=SHA256)
    await harness.patch(url, 0, DATA[: PART + 9])
    seaweed.kill()
    try:
        answer = await harness.patch(url, PART + 9, DATA[PART + 9 :])
        assert answer.status_code == 503
        assert await harness.offset(url) == PART + 9
    finally:
        seaweed.start()
    async with asyncio.timeout(PATIENCE):  # it refuses some requests until it is whole again
        while True:
            offset = await harness.offset(url)
            answer = await harness.patch(url, offset, DATA[offset:])
            if answer.status_code != 503:
                break
            await asyncio.sleep(0.2)
    assert answer.headers["visavis-sha256"] == SHA256
    assert await harness.content() == DATA


async def test_credentials_are_in_no_message(
    seaweed: SeaweedFs, capsys: pytest.CaptureFixture[str]
) -> None:
    objects = s3.S3ObjectStore(
        StorageAddress("recordings", endpoint=seaweed.endpoint), "other-key", "very-secret"
    )
    with pytest.raises(StorageUnavailableError) as refused:
        await objects.size("any")
    objects.close()
    said = capsys.readouterr()
    assert "very-secret" not in said.out + said.err + str(refused.value)


async def test_the_store_compares_what_it_receives_with_its_md5(seaweed: SeaweedFs) -> None:
    """Buckets with Object Lock refuse parts and objects without one."""
    objects = seaweed.new_store()
    sent = list[bytes | None]()

    def note(request: Any, **_: Any) -> None:
        sent.append(request.headers.get("Content-MD5"))

    objects._client.meta.events.register("before-send.s3", note)
    await objects.put("one", DATA[:1000])
    multipart_id = await objects.begin_multipart("two")
    etag = await objects.put_part("two", multipart_id, 1, DATA[:1000])
    await objects.complete_multipart("two", multipart_id, [(1, etag)])
    objects.close()
    md5 = base64.b64encode(hashlib.md5(DATA[:1000]).digest())
    assert [value for value in sent if value] == [md5, md5]


async def test_several_ranges_and_none(harness: ArchiveHarness) -> None:
    await harness.keep(DATA)

    async def ask(spans: str) -> httpx2.Response:
        return await harness.ask("/rec/original.mkv", Range=f"bytes={spans}")

    assert (await ask("5000000-7500000")).content == DATA[5_000_000:7_500_001]
    assert (await ask("-1")).content == DATA[-1:]
    several = await ask("0-9,100-199")
    assert several.headers["content-type"].startswith("multipart/byteranges")
    assert DATA[100:200] in several.content
    assert (await ask(f"{len(DATA)}-")).status_code == 416
    assert (await ask("0-")).headers["content-range"] == f"bytes 0-{len(DATA) - 1}/{len(DATA)}"


async def test_an_upload_that_cannot_be_deleted_does_not_keep_others(
    harness: ArchiveHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The policy of the bucket may forbid a request that only some uploads need."""
    begun = await harness.create(len(DATA))
    await harness.patch(begun, 0, DATA[: PART + 9])
    objects, uploads = harness.archive._objects, harness.archive._uploads
    assert objects
    await harness.keep(DATA)

    async def refused(*_: object) -> None:
        raise StorageUnavailableError

    with monkeypatch.context() as patch:
        patch.setattr(objects, "delete", refused)
        assert (await harness.ask("/rec", "admin", "DELETE")).status_code == 204
    monkeypatch.setattr(object_uploads, "LEASE_SECONDS", 0.0)
    monkeypatch.setattr(objects, "abort_multipart", refused)
    assert (await harness.tus("DELETE", begun)).status_code == 204
    await uploads.sweep(time.time())
    left = await harness.rest_of_uploads()
    assert not [key for key in left if "uploads/" not in key and upload_id(begun) not in key]


async def test_what_a_death_after_the_last_commit_leaves_is_swept(
    harness: ArchiveHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await harness.create(len(DATA), recording="rec", sha256=SHA256)
    objects, uploads = harness.archive._objects, harness.archive._uploads
    assert objects

    async def dies(*_: object) -> None:
        raise StorageUnavailableError

    with monkeypatch.context() as patch:
        for name in ("delete", "delete_below"):
            patch.setattr(objects, name, dies)
        await harness.patch(url, 0, DATA[:1000])
        await harness.patch(url, 1000, DATA[1000:])
    assert [key for key in await harness.rest_of_uploads() if "uploads/" in key]
    await change(harness, url, created_at=0.0, changed_at=0.0)
    await uploads.sweep(time.time())
    assert not [key for key in await harness.rest_of_uploads() if "uploads/" in key]
    assert await harness.content() == DATA


async def test_a_recording_that_was_deleted_does_not_come_back(harness: ArchiveHarness) -> None:
    """A process that was frozen after it had received the upload lists it when it wakes up."""
    url = await harness.create(len(DATA), recording="rec", sha256=SHA256)
    await harness.patch(url, 0, DATA)
    (entry,) = await harness.entries(1)
    assert (await harness.ask("/rec", "admin", "DELETE")).status_code == 204
    storage = harness.archive._library._storage
    with pytest.raises(RefusedError):
        await storage.adopt(entry, MediaInfo(), upload_id(url), harness.directory)
    assert await harness.entries(1) == []


async def test_a_thread_has_ended_with_the_file_when_its_request_is_cancelled() -> None:
    may_end, ended = threading.Event(), threading.Event()

    def work() -> None:
        may_end.wait(PATIENCE)
        ended.set()

    request = asyncio.ensure_future(object_uploads._finished(work))
    await asyncio.sleep(0)
    request.cancel()
    await asyncio.sleep(0)
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await request
    assert ended.is_set()
