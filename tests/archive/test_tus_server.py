"""The tus 1.0 server by the words of the protocol, core and every extension."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin

import msgspec
import pytest
from sqlalchemy import update

from tests.archive.conftest import KEY, TUS, ArchiveHarness, both_storages
from visavis.archive import admission
from visavis.archive.ports import Upload
from visavis.archive.tus_headers import BODY_TYPE, MAX_SIZE, write_metadata
from visavis.archive.upload_keys import UploadKeys
from visavis.archive.uploads import LIFETIME_SECONDS
from visavis.store import tables

pytestmark = pytest.mark.anyio

DATA = os.urandom(100_000)


def checksum(data: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


async def forget_answer(harness: ArchiveHarness, upload: Upload) -> None:
    """Leave an upload as if its process had died after handing it to the library."""
    if not harness.address:
        await harness.archive._uploads.save(upload)
        return
    change = update(tables.uploads).where(tables.uploads.c.id == upload.id).values(sha256=None)
    await harness.store.write(lambda rows: rows.uploads._run(change))  # type: ignore[attr-defined]


async def test_options_tell_what_it_can(harness: ArchiveHarness) -> None:
    for path in ("/recordings", "/recordings/", "/recordings/any"):
        answer = await harness.client.options(path)  # of anybody, in any version
        assert answer.status_code == 204
        assert answer.headers["tus-version"] == "1.0.0"
        assert answer.headers["tus-max-size"] == str(MAX_SIZE)
        assert answer.headers["tus-checksum-algorithm"] == "sha1,sha256,md5"
        assert set(answer.headers["tus-extension"].split(",")) == {
            "creation",
            "creation-with-upload",
            "creation-defer-length",
            "checksum",
            "expiration",
            "termination",
        }


@both_storages
async def test_an_upload_in_pieces(harness: ArchiveHarness) -> None:
    metadata = {"recording": "rec", "visitorName": "Ännchen", "empty": ""}
    url = await harness.create(len(DATA), **metadata)
    head = await harness.tus("HEAD", url)
    assert head.status_code == 200
    assert head.headers["upload-length"] == str(len(DATA))
    assert head.headers["upload-metadata"] == write_metadata(metadata)
    assert head.headers["cache-control"] == "no-store"
    for start in range(0, len(DATA), 40_000):
        assert await harness.offset(url) == start
        answer = await harness.patch(url, start, DATA[start : start + 40_000])
        assert answer.status_code == 204
        assert answer.headers["upload-offset"] == str(min(start + 40_000, len(DATA)))
        assert answer.headers["tus-resumable"] == "1.0.0"
    assert await harness.content() == DATA
    sha256 = hashlib.sha256(DATA).hexdigest()
    assert (await harness.tus("HEAD", url)).headers["visavis-sha256"] == sha256
    again = await harness.patch(url, len(DATA), b"")
    assert (again.status_code, again.headers["visavis-sha256"]) == (204, sha256)
    assert (await harness.patch(url, 3, b"x")).status_code == 409


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "", {"Authorization": "Bearer wrong"}, 401),
        ("POST", "", {"Authorization": "Basic key"}, 401),
        ("POST", "", {"Tus_Resumable": "0.2.0"}, 412),
        ("POST", "", {}, 400),
        ("POST", "", {"Upload_Length": "-1"}, 400),
        ("POST", "", {"Upload_Length": "٣"}, 400),
        ("POST", "", {"Upload_Length": "1", "Upload_Defer_Length": "1"}, 400),
        ("POST", "", {"Upload_Defer_Length": "2"}, 400),
        ("POST", "", {"Upload_Length": str(MAX_SIZE + 1)}, 413),
        ("POST", "", {"Upload_Length": "1", "Upload_Metadata": "site ???"}, 400),
        ("POST", "", {"Upload_Length": "1", "Upload_Metadata": "a MQ==,a MQ=="}, 400),
        ("POST", "", {"Upload_Length": "1", "Upload_Metadata": "a " + "A" * 9000}, 413),
        ("POST", "", {"Upload_Length": "1", "Upload_Concat": "partial"}, 400),
        ("POST", "", {"Upload_Concat": "final;/recordings/a /recordings/b"}, 400),
        ("POST", "", {"Upload_Length": "1", "Upload_Complete": "?1"}, 400),
        ("PATCH", "", {}, 405),
        ("HEAD", "nothing", {}, 404),
        ("PATCH", "UPLOAD", {"Upload_Offset": "0"}, 415),
        ("PATCH", "UPLOAD", {"Content_Type": BODY_TYPE}, 400),
        ("PATCH", "UPLOAD", {"Upload_Offset": "3", "Content_Type": BODY_TYPE}, 409),
        ("POST", "UPLOAD", {"Upload_Length": "1"}, 405),
    ],
)
async def test_what_the_protocol_refuses(
    harness: ArchiveHarness, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    url = await harness.create(10)
    named = {name.replace("_", "-"): value.encode() for name, value in headers.items()}
    sent: dict[Any, Any] = {**{n: v.encode() for n, v in TUS.items()}, **named}
    address = url if path == "UPLOAD" else f"/recordings/{path}"
    answer = await harness.client.request(method, address, headers=sent)
    assert answer.status_code == status
    assert answer.headers["tus-resumable"] == "1.0.0"
    if status == 412:
        assert answer.headers["tus-version"] == "1.0.0"
    if status == 405:
        assert "OPTIONS" in answer.headers["allow"]


@pytest.mark.parametrize("path", ["/recordings", "/recordings/"])
async def test_the_location_holds_behind_a_path_prefix(harness: ArchiveHarness, path: str) -> None:
    """A proxy that publishes /recordings as /video/archive/recordings, say."""
    location = (await harness.tus("POST", path, Upload_Length=3)).headers["location"]
    published = urljoin(f"https://proxy.example/video/archive{path}", location)
    assert published.startswith("https://proxy.example/video/archive/recordings/")
    assert await harness.offset(published.removeprefix("https://proxy.example/video/archive")) == 0


@both_storages
async def test_the_file_of_a_test_is_confirmed_and_not_kept(harness: ArchiveHarness) -> None:
    sha256 = hashlib.sha256(DATA).hexdigest()
    url = await harness.create(len(DATA), site="1", recording="t", sha256=sha256, test="true")
    assert (await harness.patch(url, 0, DATA)).headers["visavis-sha256"] == sha256
    assert (await harness.tus("HEAD", url)).headers["visavis-sha256"] == sha256
    assert await harness.content("t") is None
    assert (await harness.tus("DELETE", url)).status_code == 204
    assert await harness.rest_of_uploads() == []
    wrong = await harness.create(len(DATA), sha256="0" * 64, test="true")
    assert (await harness.patch(wrong, 0, DATA)).status_code == 460


async def test_a_method_may_be_overridden(harness: ArchiveHarness) -> None:
    url = await harness.create(len(DATA))
    more = {"Upload_Offset": 0, "Content_Type": BODY_TYPE, "X_HTTP_Method_Override": "PATCH"}
    assert (await harness.tus("POST", url, DATA, **more)).status_code == 204


@both_storages
async def test_more_than_was_announced_is_refused(harness: ArchiveHarness) -> None:
    url = await harness.create(10)
    assert (await harness.patch(url, 0, b"x" * 11)).status_code == 413
    assert await harness.offset(url) == 0

    async def body() -> Any:  # without a Content-Length
        yield b"x" * 8
        yield b"x" * 8

    headers = {**TUS, "Upload-Offset": "0", "Content-Type": BODY_TYPE}
    answer = await harness.client.patch(url, content=body(), headers=headers)
    assert answer.status_code == 413
    assert await harness.offset(url) == 8


@both_storages
async def test_creation_with_upload(harness: ArchiveHarness) -> None:
    metadata = write_metadata({"recording": "rec"})
    answer = await harness.tus(
        "POST",
        content=DATA[:60_000],
        Upload_Length=len(DATA),
        Upload_Metadata=metadata,
        Content_Type=BODY_TYPE,
        Upload_Checksum=checksum(DATA[:60_000]),
    )
    assert answer.status_code == 201
    assert answer.headers["upload-offset"] == "60000"
    await harness.patch(f"/recordings/{answer.headers['location']}", 60_000, DATA[60_000:])
    assert await harness.content() == DATA

    whole = await harness.tus("POST", content=DATA, Upload_Length=len(DATA), Content_Type=BODY_TYPE)
    assert whole.headers["visavis-sha256"] == hashlib.sha256(DATA).hexdigest()


@both_storages
async def test_a_creation_that_fails_leaves_nothing(harness: ArchiveHarness) -> None:
    answer = await harness.tus(
        "POST",
        content=DATA,
        Upload_Length=len(DATA),
        Content_Type=BODY_TYPE,
        Upload_Checksum=checksum(b"else"),
    )
    assert answer.status_code == 460
    assert await harness.rest_of_uploads() == []


@both_storages
async def test_a_length_that_is_told_later(harness: ArchiveHarness) -> None:
    url = await harness.create(recording="rec")
    head = await harness.tus("HEAD", url)
    assert head.headers["upload-defer-length"] == "1"
    assert "upload-length" not in head.headers
    await harness.patch(url, 0, DATA)
    assert await harness.content() is None
    too_short = await harness.patch(url, len(DATA), b"", Upload_Length=len(DATA) - 1)
    assert too_short.status_code == 400
    answer = await harness.patch(url, len(DATA), b"", Upload_Length=len(DATA))
    assert answer.headers["visavis-sha256"] == hashlib.sha256(DATA).hexdigest()
    assert await harness.content() == DATA


@both_storages
async def test_a_length_stays_once_it_is_told(harness: ArchiveHarness) -> None:
    url = await harness.create()
    await harness.patch(url, 0, b"12345", Upload_Length=10)
    assert (await harness.tus("HEAD", url)).headers["upload-length"] == "10"
    assert (await harness.patch(url, 5, b"6", Upload_Length=11)).status_code == 400
    assert (await harness.patch(url, 5, b"6", Upload_Length=10)).status_code == 204


@both_storages
async def test_an_upload_of_nothing_is_no_recording(harness: ArchiveHarness) -> None:
    url = await harness.create(0, recording="rec")
    assert await harness.offset(url) == 0
    assert await harness.content() is None


@both_storages
@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
async def test_a_chunk_with_another_checksum_is_discarded(
    harness: ArchiveHarness, algorithm: str
) -> None:
    url = await harness.create(len(DATA), recording="rec")
    first, second = DATA[:50_000], DATA[50_000:]
    answer = await harness.patch(url, 0, first, Upload_Checksum=checksum(first, algorithm))
    assert answer.status_code == 204
    broken = await harness.patch(url, 50_000, b"!" + second[1:], Upload_Checksum=checksum(second))
    assert broken.status_code == 460
    assert await harness.offset(url) == 50_000
    answer = await harness.patch(url, 50_000, second, Upload_Checksum=checksum(second, algorithm))
    assert answer.headers["upload-offset"] == str(len(DATA))
    assert await harness.content() == DATA


@pytest.mark.parametrize("header", ["crc32 AAAA", "sha1", "sha1 ???", "sha1 AAAA"])
async def test_a_checksum_that_is_none(harness: ArchiveHarness, header: str) -> None:
    url = await harness.create(len(DATA))
    assert (await harness.patch(url, 0, DATA, Upload_Checksum=header)).status_code == 400
    assert await harness.offset(url) == 0


@both_storages
async def test_a_file_with_another_sha256_is_not_kept(harness: ArchiveHarness) -> None:
    url = await harness.create(len(DATA), recording="rec", sha256="0" * 64)
    assert (await harness.patch(url, 0, DATA)).status_code == 460
    assert (await harness.tus("HEAD", url)).status_code == 404
    assert await harness.content() is None


async def test_an_upload_expires(harness: ArchiveHarness) -> None:
    url = await harness.create(len(DATA))
    answer = await harness.patch(url, 0, DATA[:10])
    expires = parsedate_to_datetime(answer.headers["upload-expires"]).timestamp()
    for path in (harness.directory / "uploads").iterdir():
        assert abs(path.stat().st_mtime + LIFETIME_SECONDS - expires) < 5
        os.utime(path, (0, 0))
    assert (await harness.tus("HEAD", url)).status_code == 410
    assert (await harness.patch(url, 10, DATA[10:])).status_code == 410


@both_storages
async def test_termination(harness: ArchiveHarness) -> None:
    url = await harness.create(len(DATA))
    await harness.patch(url, 0, DATA[:10])
    assert (await harness.tus("DELETE", url)).status_code == 204
    assert (await harness.tus("HEAD", url)).status_code == 404
    assert await harness.rest_of_uploads() == []


@both_storages
async def test_terminating_a_stored_upload_leaves_the_recording(harness: ArchiveHarness) -> None:
    url = await harness.create(len(DATA), recording="rec")
    await harness.patch(url, 0, DATA)
    assert (await harness.tus("DELETE", url)).status_code == 204
    assert await harness.content() == DATA


@both_storages
async def test_one_writer_at_a_time(harness: ArchiveHarness) -> None:
    url = await harness.create(len(DATA))
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> Any:
        yield DATA[:10]
        begun.set()
        await go_on.wait()
        yield DATA[10:]

    headers = {**TUS, "Upload-Offset": "0", "Content-Type": BODY_TYPE}
    first = asyncio.create_task(harness.client.patch(url, content=slow(), headers=headers))
    await begun.wait()
    assert (await harness.patch(url, 0, DATA)).status_code == 423
    assert (await harness.tus("DELETE", url)).status_code == 423
    assert (await harness.tus("HEAD", url)).status_code == 200
    go_on.set()
    assert (await first).status_code == 204


async def test_a_full_disk_is_told_before_the_first_byte(
    harness: ArchiveHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "RESERVE_BYTES", 2**62)
    assert (await harness.tus("POST", Upload_Length=1)).status_code == 507


@both_storages
async def test_a_site_s_key_is_for_its_own_site(harness: ArchiveHarness) -> None:
    key = await harness.archive._tus._keys.add("their recorder", 2)
    theirs: dict[str, Any] = {"Authorization": f"Bearer {key}"}
    foreign = write_metadata({"site": "1", "recording": "rec"})
    answer = await harness.tus("POST", Upload_Length=3, Upload_Metadata=foreign, **theirs)
    assert answer.status_code == 403
    said = write_metadata({"recording": "rec"})
    created = await harness.tus("POST", Upload_Length=3, Upload_Metadata=said, **theirs)
    url = f"/recordings/{created.headers['location']}"
    assert (await harness.patch(url, 0, b"abc", **theirs)).status_code == 204
    assert await harness.content("rec", 2) == b"abc"
    ours = await harness.create(3)
    assert (await harness.tus("HEAD", ours, **theirs)).status_code == 404


@both_storages
async def test_a_recording_that_was_deleted_meanwhile(harness: ArchiveHarness) -> None:
    url = await harness.create(len(DATA), recording="rec")
    uploads = harness.archive._tus._uploads
    upload = await uploads.find(url.rpartition("/")[2])
    assert upload
    await harness.patch(url, 0, DATA)
    await forget_answer(harness, upload)
    assert (await harness.ask("/rec", "admin", "DELETE")).status_code == 204
    assert (await harness.patch(url, len(DATA), b"")).status_code == 410


async def test_whoever_hears_that_all_is_there_hears_it_of_the_library(
    harness: ArchiveHarness,
) -> None:
    """As after a kill between the last byte and its answer."""
    url = await harness.create(len(DATA), recording="rec")
    part = harness.directory / "uploads" / f"{url.rpartition('/')[2]}.part"
    part.write_bytes(DATA)
    head = await harness.tus("HEAD", url)
    assert head.headers["visavis-sha256"] == hashlib.sha256(DATA).hexdigest()
    assert await harness.content() == DATA


async def test_a_whole_upload_with_another_checksum_is_not_called_whole(
    harness: ArchiveHarness,
) -> None:
    url = await harness.create(len(DATA), recording="rec", sha256="0" * 64)
    part = harness.directory / "uploads" / f"{url.rpartition('/')[2]}.part"
    part.write_bytes(DATA)
    assert (await harness.tus("HEAD", url)).status_code == 460
    assert (await harness.tus("HEAD", url)).status_code == 404


async def test_what_the_library_took_is_noted_with_the_upload_later(
    harness: ArchiveHarness,
) -> None:
    """As after a kill between the library's taking it and the note of that."""
    url = await harness.create(len(DATA), recording="rec")
    await harness.patch(url, 0, DATA)
    sidecar = harness.directory / "uploads" / f"{url.rpartition('/')[2]}.json"
    upload = msgspec.json.decode(sidecar.read_bytes())
    sidecar.write_bytes(msgspec.json.encode({**upload, "sha256": None}))
    assert (await harness.tus("HEAD", url)).headers["visavis-sha256"]
    assert msgspec.json.decode(sidecar.read_bytes())["sha256"]


async def test_the_keys_of_a_disabled_site_are_refused(harness: ArchiveHarness) -> None:
    bearer = f"Bearer {await UploadKeys(harness.store, lambda: KEY).add('theirs', 2)}"
    created = await harness.tus("POST", Authorization=bearer, Upload_Length="5")
    assert created.status_code == 201
    path = f"/recordings/{created.headers['location'].rpartition('/')[2]}"
    harness.disabled.add(2)
    refused = await harness.tus("POST", Authorization=bearer, Upload_Length="5")
    assert refused.status_code == 403
    assert (await harness.tus("HEAD", path, Authorization=bearer)).status_code == 403
    assert (await harness.tus("HEAD", path)).status_code == 200  # our own recorder goes on
    harness.disabled.clear()
    assert (await harness.tus("HEAD", path, Authorization=bearer)).status_code == 200
