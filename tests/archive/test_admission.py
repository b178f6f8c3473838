"""Quotas of sites and keys, room on the disk, and uploads that are never finished."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.archive.conftest import ArchiveHarness, both_storages
from visavis.archive import admission, uploads
from visavis.archive.admission import Quota
from visavis.archive.tus_headers import write_metadata
from visavis.archive.uploads import MAX_AGE_SECONDS, UNBEGUN_SECONDS, Uploads

pytestmark = pytest.mark.anyio

GIGABYTE = 1000**3


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "free_bytes", lambda _: 76 * GIGABYTE)


def limit(harness: ArchiveHarness, **quota: int) -> None:
    harness.archive._tus._admission._quota = Quota(**quota)


@pytest.mark.usefixtures("free")
async def test_uploads_reserve_their_length(harness: ArchiveHarness) -> None:
    answers = [await harness.tus("POST", Upload_Length=10 * GIGABYTE) for _ in range(150)]
    assert [a.status_code for a in answers].count(201) == 7
    assert answers[-1].status_code == 507
    harness.open()  # it is on disk
    assert (await harness.tus("POST", Upload_Length=10 * GIGABYTE)).status_code == 507
    first = answers[0].headers["location"]
    assert (await harness.tus("DELETE", f"/recordings/{first}")).status_code == 204
    assert (await harness.tus("POST", Upload_Length=10 * GIGABYTE)).status_code == 201


@pytest.mark.usefixtures("free")
async def test_what_is_stored_reserves_nothing(harness: ArchiveHarness) -> None:
    for number in range(3):
        await harness.keep(b"x" * 1000, f"rec-{number}")
    assert await harness.archive._tus._uploads.unfinished() == []
    url = await harness.create(30 * GIGABYTE)
    await harness.patch(url, 0, b"x" * 1000)
    unfinished = await harness.archive._tus._uploads.unfinished()
    left = admission._available(76 * GIGABYTE, unfinished)
    assert left == 46 * GIGABYTE - admission.RESERVE_BYTES + 1000


async def test_an_upload_of_unknown_length_needs_room_for_each_piece(
    harness: ArchiveHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await harness.create()
    assert (await harness.patch(url, 0, b"abc")).status_code == 204
    monkeypatch.setattr(uploads, "free_bytes", lambda _: 0)
    assert (await harness.patch(url, 3, b"abc")).status_code == 507


@both_storages
@pytest.mark.parametrize("defers", [False, True])
async def test_a_site_has_a_quota(harness: ArchiveHarness, *, defers: bool) -> None:
    limit(harness, site_bytes=2500)
    await harness.keep(b"x" * 1000)
    url = await harness.create(None if defers else 1000, site="1")
    if defers:
        await harness.patch(url, 0, b"x" * 1000)
    for site, length, status in (("1", 600, 507), ("1", 500, 201), ("2", 2000, 201)):
        said = write_metadata({"site": site})
        answer = await harness.tus("POST", Upload_Length=length, Upload_Metadata=said)
        assert answer.status_code == status


@both_storages
async def test_a_key_has_few_unfinished_uploads(harness: ArchiveHarness) -> None:
    limit(harness, uploads_per_key=2)
    keys = harness.archive._tus._keys
    one, other = [await keys.add(name, 2) for name in ("one", "other")]

    async def begin(key: str) -> int:
        more: dict[str, Any] = {"Authorization": f"Bearer {key}"}
        answer = await harness.tus("POST", Upload_Length=3, **more)
        assert (answer.status_code == 429) == ("retry-after" in answer.headers)
        return answer.status_code

    assert [await begin(one) for _ in range(3)] == [201, 201, 429]
    assert await begin(other) == 201
    assert [await begin("key") for _ in range(4)] == [201] * 4  # the archive's own recorder


def test_what_is_never_finished_expires(tmp_path: Path) -> None:
    files = Uploads(tmp_path)
    unbegun, slow = files.create(9, {}), files.create(9, {})
    now = time.time()
    with files.opened(slow) as part:
        part.write(b"x")
    assert files.expires_at(unbegun) == pytest.approx(now + UNBEGUN_SECONDS, abs=60)
    assert files.sweep(now + UNBEGUN_SECONDS + 60) == 1
    late = now + MAX_AGE_SECONDS - 3600
    os.utime(files.data(slow.id), (late, late))  # a byte a day
    assert files.sweep(late) == 0
    assert files.sweep(late + 7200) == 1
    assert files.unfinished() == []
