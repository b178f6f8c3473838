"""Deliveries to a recording server, to a faulty one, and to a server that is not one."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx2
import msgspec
import pytest

from tests.certificates import write_certificate
from tests.recorder import fake_server as misdeeds
from tests.recorder.conftest import CONTENT, manifest_of, put_muxed
from tests.recorder.fake_server import FakeRecordingServer, ServerFault, answers
from visavis.domain.delivery_status import RecordingServer
from visavis.domain.recording import DELIVERY, MATROSKA
from visavis.outbound import http
from visavis.outbound.errors import DeliveryError
from visavis.outbound.http import read_url
from visavis.recorder import tus_upload
from visavis.recorder.tus_protocol import upload_url
from visavis.recorder.tus_upload import TusUploader
from visavis.spool import reader as spool_reader

pytestmark = pytest.mark.anyio

MANIFEST = manifest_of("rec")
SECRET = "s3cret.~+/-_=="


def tus_uploader(*, allow_private: bool = True, archive_url: str = "") -> TusUploader:
    return TusUploader(
        archive_url=archive_url, archive_key=lambda: "key", allow_private=allow_private
    )


async def deliver(
    muxed: Path,
    url: str,
    secret: str | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> None:
    await tus_uploader().deliver(muxed, MANIFEST, RecordingServer(url, secret), on_progress)


async def test_a_whole_delivery(server: FakeRecordingServer, muxed: Path) -> None:
    heard: list[int] = []
    await deliver(muxed, server.url, on_progress=heard.append)
    assert server.methods() == ["OPTIONS", "POST", "PATCH"]
    (file,) = server.files.values()
    assert bytes(file.content) == CONTENT
    assert file.metadata == {
        "site": "1",
        "call": "call-rec",
        "recording": "rec",
        "filename": "rec.mkv",
        "filetype": "video/x-matroska",
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "startedAt": "2026-01-01T00:00:00+00:00",
        "duration": "1.500",
        "media": "video",
        "visitorName": "Ännchen",
    }
    assert (
        " " in server.asked[1].headers["Upload-Metadata"].split(",")[-1]
    )  # The metadata has a value.
    assert all("Tus-Resumable" in a.headers for a in server.asked if a.method != "OPTIONS")
    assert "Tus-Resumable" not in server.asked[0].headers
    assert heard == sorted(heard)
    assert heard[-1] == len(CONTENT)


async def test_the_server_is_told_what_is_missing(server: FakeRecordingServer, muxed: Path) -> None:
    told = spool_reader.read_delivery(muxed)
    assert told
    missing = ("The visitor's video is missing.", "x" * tus_upload.MAX_MISSING_LENGTH)
    spool_reader.write_delivery(muxed, msgspec.structs.replace(told, missing=missing))
    await deliver(muxed, server.url)
    (file,) = server.files.values()
    assert file.metadata["missing"] == "\n".join(missing)[: tus_upload.MAX_MISSING_LENGTH]


async def test_doing_it_again_changes_nothing(server: FakeRecordingServer, muxed: Path) -> None:
    await deliver(muxed, server.url)
    await deliver(
        muxed, server.url
    )  # As after a crash before the recording was removed from the spool.
    assert server.contents == [CONTENT]
    assert server.methods()[3:] == []


@pytest.mark.parametrize("status", [404, 410])
async def test_a_server_may_move_a_finished_upload_away(
    server: FakeRecordingServer, muxed: Path, status: int
) -> None:
    server.misbehave("HEAD", answers(status), 100)
    await deliver(muxed, server.url)
    await deliver(muxed, server.url)
    assert server.methods().count("POST") == 1
    assert server.contents == [CONTENT]


async def test_the_answer_to_the_last_piece_may_be_lost(
    server: FakeRecordingServer, muxed: Path
) -> None:
    server.misbehave("PATCH", misdeeds.takes_all_and_says_nothing)
    with pytest.raises(DeliveryError):
        await deliver(muxed, server.url)
    await deliver(muxed, server.url)
    assert server.methods()[3:] == ["OPTIONS", "HEAD"]
    assert server.contents == [CONTENT]


@pytest.mark.parametrize("has_checksums", [False, True])
async def test_pieces_are_halved_until_the_server_takes_them(
    server: FakeRecordingServer, muxed: Path, *, has_checksums: bool
) -> None:
    server.max_body = 400_000
    if has_checksums:
        server.offer_checksums()
    carrier = tus_uploader()
    await carrier.deliver(muxed, MANIFEST, RecordingServer(server.url, None))
    assert server.contents == [CONTENT]
    assert carrier.limits.limit(server.url) == len(CONTENT) // 4
    refused = server.methods().count("PATCH")
    again = put_muxed(muxed.parent, "again")
    await carrier.deliver(again, MANIFEST, RecordingServer(server.url, None))
    assert server.contents == [CONTENT] * 2
    assert server.methods().count("PATCH") == 2 * refused - 2  # The accepted size is remembered.


async def test_a_server_that_resets_instead_of_refusing_gets_smaller_pieces(
    server: FakeRecordingServer, muxed: Path
) -> None:
    server.max_body, server.resets_large = 400_000, True
    carrier = tus_uploader()
    attempts = 0
    while not server.contents:
        attempts += 1
        with suppress(DeliveryError):
            await carrier.deliver(muxed, MANIFEST, RecordingServer(server.url, None))
    assert server.contents == [CONTENT]
    assert carrier.limits.limit(server.url) == len(CONTENT) // 4
    assert attempts == 2 * tus_upload.MAX_BREAKS + 1


async def test_a_network_that_breaks_off_now_and_then_makes_no_piece_smaller(
    server: FakeRecordingServer, muxed: Path
) -> None:
    """Each attempt makes progress, or is interrupted at another offset."""
    carrier = tus_uploader()
    for misdeed in (misdeeds.resets, misdeeds.resets, *[misdeeds.takes_half_and_resets] * 5):
        server.misbehave("PATCH", misdeed)
        with pytest.raises(DeliveryError):
            await carrier.deliver(muxed, MANIFEST, RecordingServer(server.url, None))
    await carrier.deliver(muxed, MANIFEST, RecordingServer(server.url, None))
    assert server.contents == [CONTENT]
    assert carrier.limits.limit(server.url) is None


def test_breaks_are_remembered_of_so_many_pieces_and_the_smallest_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tus_upload, "MAX_REMEMBERED_LIMITS", 2)
    limits = tus_upload.RequestSizeLimits()
    for number in range(10):
        limits.break_off(f"upload {number}", 0, 10**6)
    assert len(limits._breaks) == 2
    for _ in range(10):
        limits.break_off("upload", 0, tus_upload.MIN_PATCH_BYTES)
    smallest = limits.shorten("s", "upload", 0, tus_upload.MIN_PATCH_BYTES)
    assert (smallest, limits.limit("s")) == (tus_upload.MIN_PATCH_BYTES, None)


async def test_a_server_that_takes_no_request_at_all(
    server: FakeRecordingServer, muxed: Path
) -> None:
    server.max_body = 1000
    with pytest.raises(DeliveryError, match=r"takes no request of 65536 bytes.*proxy in front"):
        await deliver(muxed, server.url)


def test_limits_are_remembered_of_so_many_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tus_upload, "MAX_REMEMBERED_LIMITS", 2)
    limits = tus_upload.RequestSizeLimits()
    for url in ("a", "b", "a", "c"):
        limits.lower(url, 9)
    assert [limits.limit(url) for url in "abc"] == [9, None, 9]


async def test_another_server_gets_it_from_the_start(
    server: FakeRecordingServer, muxed: Path
) -> None:
    await deliver(muxed, server.url)
    await deliver(muxed, server.url + "?of=mine")
    assert server.contents == [CONTENT, CONTENT]


async def test_the_secret_goes_with_every_request(server: FakeRecordingServer, muxed: Path) -> None:
    await deliver(muxed, server.url, SECRET)
    assert {asked.headers["Authorization"] for asked in server.asked} == {f"Bearer {SECRET}"}
    assert SECRET not in repr(RecordingServer(server.url, SECRET))


async def test_the_archive_s_key_is_for_the_archive(
    server: FakeRecordingServer, muxed: Path
) -> None:
    away = tus_uploader(archive_url="http://archive.example/", allow_private=True)
    await away.deliver(muxed, MANIFEST, RecordingServer(server.url))
    assert all("Authorization" not in asked.headers for asked in server.asked)
    again = put_muxed(muxed.parent, "again")
    at_home = tus_uploader(archive_url=server.url, allow_private=False)
    with pytest.raises(DeliveryError, match="does not accept the file"):
        # The archive must confirm what it has stored, which this server does not do.
        await at_home.deliver(again, MANIFEST, RecordingServer(server.url, SECRET))
    assert server.asked[-1].headers["Authorization"] == "Bearer key"


@pytest.mark.parametrize(
    ("offered", "used"),
    [("md5,sha1,sha256", "sha256"), ("sha1", "sha1"), ("crc32", None), ("SHA512, md5", "sha512")],
)
async def test_checksums_where_they_are_offered(
    server: FakeRecordingServer,
    muxed: Path,
    offered: str,
    used: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tus_upload, "CHECKED_PATCH_BYTES", 1_000_000)
    server.offer_checksums(offered)
    await deliver(muxed, server.url)
    assert server.contents == [CONTENT]
    sent = [a.headers.get("Upload-Checksum") for a in server.asked if a.method == "PATCH"]
    if used is None:
        assert sent == [None]
        return
    pieces = CONTENT[:1_000_000], CONTENT[1_000_000:]
    digests = [base64.b64encode(hashlib.new(used, piece).digest()).decode() for piece in pieces]
    assert sent == [f"{used} {digest}" for digest in digests]


async def test_a_damaged_piece_is_sent_again(server: FakeRecordingServer, muxed: Path) -> None:
    server.offer_checksums()
    server.misbehave("PATCH", answers(460), 2)
    await deliver(muxed, server.url)
    assert server.contents == [CONTENT]
    again = put_muxed(muxed.parent, "again")
    server.misbehave("PATCH", answers(460), 3)
    with pytest.raises(DeliveryError, match="does not accept the file") as caught:
        await deliver(again, server.url)
    assert not caught.value.is_servers


@pytest.mark.parametrize(
    "cut", [misdeeds.takes_half_and_resets, misdeeds.takes_all_and_says_nothing, misdeeds.resets]
)
async def test_a_broken_delivery_goes_on_where_it_broke_off(
    server: FakeRecordingServer, muxed: Path, cut: ServerFault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tus_upload, "PATCH_BYTES", 400_000)
    server.misbehave("PATCH", cut)
    with pytest.raises(DeliveryError, match="closed the connection") as caught:
        await deliver(muxed, server.url)
    assert caught.value.is_servers
    before = len(next(iter(server.files.values())).content)
    await deliver(muxed, server.url)
    assert server.contents == [CONTENT]
    offsets = [a.headers["Upload-Offset"] for a in server.asked if a.method == "PATCH"]
    assert offsets[1] == str(before)


async def test_an_upload_that_has_moved_on(server: FakeRecordingServer, muxed: Path) -> None:
    def swallows_the_answer(handler: misdeeds.Handler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        handler.owner.files[handler.path].content += body[:400_000]
        handler.answer(409)

    server.misbehave("PATCH", swallows_the_answer)
    await deliver(muxed, server.url)
    assert server.contents == [CONTENT]


async def test_a_server_that_refuses_a_wrong_offset_and_closes_the_connection(
    server: FakeRecordingServer, muxed: Path
) -> None:
    """The server need not read a body that it rejects; then its response may be lost as well."""

    def refuses_unread(handler: misdeeds.Handler) -> None:
        handler.owner.files[handler.path].content += CONTENT[:400_000]
        handler.answer(409)

    def refuses_in_silence(handler: misdeeds.Handler) -> None:
        handler.connection.close()

    for misdeed in (refuses_unread, refuses_in_silence):
        server.misbehave("PATCH", misdeed)
        with suppress(DeliveryError):
            await deliver(muxed, server.url)
    await deliver(muxed, server.url)
    assert server.contents == [CONTENT]
    assert server.methods().count("POST") == 1


async def test_an_offset_may_be_told_without_content(
    server: FakeRecordingServer, muxed: Path
) -> None:
    """HEAD may be answered with 200 or 204 (tus 1.0, Core Protocol)."""

    def answers_204(handler: misdeeds.Handler) -> None:
        file = handler.owner.files[handler.path]
        offset, length = str(len(file.content)), str(file.length)
        handler.answer(204, {"Upload-Offset": offset, "Upload-Length": length})

    server.misbehave("PATCH", misdeeds.takes_half_and_resets)
    with pytest.raises(DeliveryError):
        await deliver(muxed, server.url)
    server.misbehave("HEAD", answers_204)
    await deliver(muxed, server.url)
    assert server.contents == [CONTENT]
    assert server.methods().count("POST") == 1


@pytest.mark.parametrize("status", [403, 404, 410])
async def test_an_upload_that_is_gone_is_begun_anew(
    server: FakeRecordingServer, muxed: Path, status: int
) -> None:
    server.misbehave("PATCH", answers(status))
    with pytest.raises(DeliveryError, match="no longer takes this upload"):
        await deliver(muxed, server.url)
    server.misbehave("HEAD", answers(status))
    await deliver(muxed, server.url)
    assert server.contents == [CONTENT]


async def test_an_upload_that_is_another_is_begun_anew(
    server: FakeRecordingServer, muxed: Path
) -> None:
    server.misbehave("PATCH", misdeeds.resets)
    with pytest.raises(DeliveryError):
        await deliver(muxed, server.url)
    server.misbehave("HEAD", answers(200, b"", Upload_Offset="3", Upload_Length="9"))
    await deliver(muxed, server.url)
    assert server.contents == [CONTENT]


async def test_a_locked_upload_is_tried_later(server: FakeRecordingServer, muxed: Path) -> None:
    server.misbehave("PATCH", answers(423, Retry_After="3"))
    with pytest.raises(DeliveryError, match="still in progress") as caught:
        await deliver(muxed, server.url)
    assert (caught.value.retry_after, caught.value.is_servers) == (3, False)
    await deliver(muxed, server.url)
    assert server.contents == [CONTENT]


STRANGE: list[tuple[ServerFault, str]] = [
    (answers(200), "200 OK. A tus 1.0 server does not answer this"),
    (answers(404), "404 Not Found"),
    (answers(302, Location="http://198.51.100.1/x"), "Redirects are not followed"),
    (answers(503, Retry_After="7"), "an error of its own"),
    (answers(201, Location="http://198.51.100.1/x"), "to another server"),
    (answers(201, Location="https://127.0.0.1/x"), "to another server"),
    (answers(201, Location="http://[oops/x"), "to another server"),
    (answers(201, Location="gopher://127.0.0.1/x"), "an invalid URL"),
    (answers(201), "201 Created"),
    (misdeeds.resets, "closed the connection"),
    (misdeeds.hangs, "stopped responding"),
    (misdeeds.drips, "too slow"),
    (misdeeds.floods, "200 OK"),
    (misdeeds.speaks_gibberish, "does not speak HTTP"),
]


@pytest.mark.parametrize(("misdeed", "words"), STRANGE)
async def test_a_server_that_is_none_is_told_in_words(
    server: FakeRecordingServer,
    muxed: Path,
    misdeed: ServerFault,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if misdeed is misdeeds.hangs:
        monkeypatch.setattr(TusUploader, "client", impatient_client)
    if misdeed is misdeeds.drips:
        monkeypatch.setattr(http, "RESPONSE_SECONDS", 0.5)
    server.misbehave("POST", misdeed)
    with pytest.raises(DeliveryError, match=f"^The recording server .*{words}") as caught:
        await deliver(muxed, server.url)
    monkeypatch.undo()
    assert caught.value.is_servers
    assert caught.value.retry_after == (7 if words == "an error of its own" else 0)
    assert (muxed / MATROSKA).read_bytes() == CONTENT
    await deliver(muxed, server.url)  # Nothing is lost.
    assert server.contents == [CONTENT]


def impatient_client(self: TusUploader, server: RecordingServer) -> http.HttpClient:
    timeout = httpx2.Timeout(2.0)
    return http.HttpClient(bearer=server.secret, allow_private=True, timeout=timeout)


async def test_other_versions_of_tus(server: FakeRecordingServer, muxed: Path) -> None:
    server.abilities["Tus-Version"] = "0.2.2"
    with pytest.raises(DeliveryError, match="does not support tus 1"):
        await deliver(muxed, server.url)


async def test_a_file_that_is_too_large_is_not_sent(
    server: FakeRecordingServer, muxed: Path
) -> None:
    server.abilities["Tus-Max-Size"] = "1000"
    with pytest.raises(DeliveryError, match="at most 1000 bytes") as caught:
        await deliver(muxed, server.url)
    assert not caught.value.is_servers
    assert server.methods() == ["OPTIONS"]
    for no_limit in ("much", "0", "9" * 30):
        server.abilities["Tus-Max-Size"] = no_limit
        await deliver(muxed, server.url + f"?{no_limit}")


async def test_a_server_that_knows_another_file(server: FakeRecordingServer, muxed: Path) -> None:
    whole = {"Upload_Offset": str(len(CONTENT)), "Visavis_Sha256": "0" * 64}
    server.misbehave("PATCH", answers(204, b"", **whole))
    with pytest.raises(DeliveryError, match="differs from the one that was sent"):
        await deliver(muxed, server.url)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:1/", "accepts no connections"),
        ("http://nowhere.invalid/", "cannot be found"),
        ("http://" + "a" * 64 + ".example/", "cannot be found"),
        ("http://a b/", "cannot be found"),
        ("", "no recording server"),
    ],
)
async def test_nobody_there(muxed: Path, url: str, words: str) -> None:
    with pytest.raises(DeliveryError, match=words) as caught:
        await deliver(muxed, url)
    assert caught.value.is_servers


async def test_private_addresses_need_the_operator(
    muxed: Path, server: FakeRecordingServer
) -> None:
    with pytest.raises(DeliveryError, match="--allow-private-recording-servers"):
        await tus_uploader(allow_private=False).deliver(
            muxed, MANIFEST, RecordingServer(server.url)
        )
    assert server.asked == []


async def test_an_address_that_is_away_is_passed_over(
    muxed: Path, server: FakeRecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def both(host: str, port: int, *, allow_private: bool) -> list[str]:
        return ["127.0.0.99", "127.0.0.1"]  # No server listens at the first address.

    monkeypatch.setattr(http, "vetted_addresses", both)
    await deliver(muxed, server.url)
    assert server.contents == [CONTENT]


async def test_proxies_of_the_environment_do_not_lead_past_the_guard(
    muxed: Path, server: FakeRecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    await deliver(muxed, server.url)
    assert server.contents == [CONTENT]


async def test_what_is_not_muxed_is_not_delivered(muxed: Path, server: FakeRecordingServer) -> None:
    (muxed / MATROSKA).write_bytes(CONTENT[:-1])
    with pytest.raises(DeliveryError, match="not been made into a file yet"):
        await deliver(muxed, server.url)
    (muxed / DELIVERY).write_bytes(b"{")
    assert spool_reader.read_delivery(muxed) is None


@pytest.mark.parametrize(
    ("server_url", "location", "address"),
    [
        ("https://a.example/files", "/files/1", "https://a.example/files/1"),
        ("https://a.example/files/", "1", "https://a.example/files/1"),
        ("https://a.example/files", "https://a.example:443/1?x=y", "https://a.example/1?x=y"),
        ("https://a.example/files", "http://a.example/files/1", "https://a.example/files/1"),
        ("https://a.example:8443/f", "http://a.example:80/1", "https://a.example:8443/1"),
        ("https://a.example/files", "https://u:p@a.example/1", "https://a.example/1"),
        ("http://a.example/files", "//a.example/1", "http://a.example/1"),
    ],
)
def test_where_an_upload_is(server_url: str, location: str, address: str) -> None:
    assert upload_url(server_url, location) == address


@pytest.mark.parametrize(
    "location", ["https://b.example/1", "//b.example/1", "http://a.example:81/1", "file:///etc/x"]
)
def test_uploads_stay_at_the_server(location: str) -> None:
    with pytest.raises(DeliveryError):
        upload_url("http://a.example/files", location)


@pytest.mark.parametrize("url", ["ftp://a/", "/files", "http:///x", "http://[::1", "x" * 70_000])
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(DeliveryError, match="an invalid URL"):
        read_url(url)


@pytest.mark.parametrize(
    ("has_tls", "sentence"),
    [
        (True, "cannot be trusted: its certificate is not valid here (self-signed certificate)"),
        (False, "failed to set up TLS"),
    ],
)
async def test_a_certificate_that_is_not_trusted_is_named(
    tmp_path: Path, muxed: Path, has_tls: bool, sentence: str
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*write_certificate(tmp_path))

    async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    untrusted = await asyncio.start_server(close, "127.0.0.1", 0, ssl=context if has_tls else None)
    port = untrusted.sockets[0].getsockname()[1]
    async with untrusted:
        with pytest.raises(DeliveryError) as caught:
            await deliver(muxed, f"https://127.0.0.1:{port}/")
    assert sentence in str(caught.value)
    assert caught.value.is_servers
