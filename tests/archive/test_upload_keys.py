"""Upload keys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from tests.archive.conftest import KEY, ArchiveHarness
from tests.running import PATIENCE
from visavis.archive.upload_keys import (
    NODE_KEY_SECONDS,
    OwnKey,
    UploadKeyHolder,
    UploadKeys,
    digest,
    ensure_key,
)
from visavis.domain.upload_keys import UploadKey
from visavis.store import open_store
from visavis.store.sql import SqlStore
from visavis.tasks import cancelled

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(database: str, anyio_backend: str) -> AsyncIterator[SqlStore]:
    opened = open_store(database)
    yield opened
    opened.close()


def test_the_archive_s_own_key_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "archive.key"
    key = ensure_key(path)
    assert ensure_key(path) == key
    assert path.stat().st_mode & 0o077 == 0
    assert [p.name for p in tmp_path.iterdir()] == ["archive.key"]


async def test_site_keys_come_and_go_while_the_server_runs(store: SqlStore) -> None:
    server, command = UploadKeys(store, lambda: "own"), UploadKeys(store, lambda: "own")
    assert await server.uploader("own") == UploadKeyHolder(None)
    assert await server.uploader("") is None
    key, other = await command.add("a", 2), await command.add("a", 3)
    assert await server.uploader(key) == UploadKeyHolder(2, "a")
    assert await server.uploader(other) == UploadKeyHolder(3, "a")
    assert key not in str(await server.all())
    assert await command.delete("a", 2)
    assert not await command.delete("a", 2)
    assert await server.uploader(key) is None
    assert await server.uploader(other) == UploadKeyHolder(3, "a")


async def test_a_replaced_key_is_valid_for_a_while(store: SqlStore) -> None:
    now = 1000.0
    keys = UploadKeys(store, lambda: "own", lambda: now)

    async def accepted(*given: str | None) -> list[bool]:
        return [await keys.uploader(key or "") is not None for key in given]

    first, other = await keys.add("theirs", 1), await keys.add("theirs", 2)
    assert await keys.rotate("nobody's", 1, 60) is None
    second = await keys.rotate("theirs", 1, 60)
    assert await accepted(first, second) == [True, True]
    assert [key.expires_at for key in await keys.all()] == [1060.0, None, None]
    now += 60
    assert await accepted(first, second) == [False, True]
    third = await keys.rotate("theirs", 1, 60)
    assert await accepted(first, second, third) == [False, True, True]
    fourth = await keys.rotate("theirs", 1, 0)
    assert await accepted(second, third, fourth, other) == [False, False, True, True]
    assert await keys.delete("theirs", 1)
    assert await accepted(fourth) == [False]


async def test_the_archive_s_own_key_is_replaced_while_the_server_runs(
    store: SqlStore, tmp_path: Path
) -> None:
    now, path = 1000.0, tmp_path / "archive.key"
    server, recorder = UploadKeys(store, OwnKey(path), lambda: now), OwnKey(path)
    command = UploadKeys(store, OwnKey(path), lambda: now)
    first, theirs = recorder(), await command.add("theirs", 1)
    await command.rotate_own(path, 60)
    second = recorder()
    assert second != first
    assert path.stat().st_mode & 0o077 == 0
    for key in (first, second):
        assert await server.uploader(key) == UploadKeyHolder(None)
    now += 60
    assert await server.uploader(first) is None
    assert await server.uploader(second) == UploadKeyHolder(None)
    await command.rotate_own(path, 0)
    assert await server.uploader(second) is None
    assert await server.uploader(recorder()) == UploadKeyHolder(None)
    assert await server.uploader(theirs) == UploadKeyHolder(1, "theirs")
    path.unlink()  # such as while it is restored from a backup
    assert recorder()


async def test_a_node_accepts_the_own_keys_of_the_others(store: SqlStore, tmp_path: Path) -> None:
    now, path = 1000.0, tmp_path / "archive.key"
    one = UploadKeys(store, OwnKey(path), lambda: now)
    other = UploadKeys(store, lambda: "other's own", lambda: now)
    first = OwnKey(path)()
    assert await other.uploader(first) is None
    await one.publish_own("one")
    assert await other.uploader(first) == UploadKeyHolder(None)
    assert await other.all() == []
    await one.rotate_own(path, 60)
    second = OwnKey(path)()
    for key in (first, second):
        assert await other.uploader(key) == UploadKeyHolder(None)
    assert [key.expires_at for key in await other.all()] == [1060.0]
    now += 60
    assert await other.uploader(first) is None
    await one.publish_own("one")
    assert await other.all() == []
    now += NODE_KEY_SECONDS  # it no longer runs
    assert await other.uploader(second) is None


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_running_archive_tells_the_others_its_key(
    store: SqlStore, harness: ArchiveHarness
) -> None:
    other = UploadKeys(harness.store, lambda: "other's own")
    assert await other.uploader(KEY) is None
    running = harness.archive.start()
    async with asyncio.timeout(PATIENCE):
        while await other.uploader(KEY) is None:
            await asyncio.sleep(0.01)
    await cancelled(running)


async def test_keys_of_an_earlier_version_are_taken_over_once(
    store: SqlStore, tmp_path: Path
) -> None:
    keys = UploadKeys(store, lambda: "own")
    await keys.import_file(tmp_path)
    old = [{"name": "theirs", "siteId": 2, "sha256": digest("key"), "expiresAt": None}]
    (tmp_path / "keys.json").write_bytes(msgspec.json.encode(old))
    await keys.import_file(tmp_path)
    assert await keys.uploader("key") == UploadKeyHolder(2, "theirs")
    assert await keys.all() == [UploadKey("theirs", 2, digest("key"))]
    await keys.delete("theirs", 2)
    await keys.import_file(tmp_path)
    assert await keys.uploader("key") is None
