"""The public port with its certificate, and the socket for our own processes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests import http_clients
from tests.archive.serving import for_ever, unheard
from tests.certificates import write_certificate
from tests.dying import dies_once
from tests.recorder.conftest import CONTENT, manifest_of, put_muxed
from tests.routing import routed
from tests.running import PATIENCE, until
from visavis import http_server, tasks, tls
from visavis.archive.archive import Archive
from visavis.domain.delivery_status import RecordingServer
from visavis.lifecycle import Lifecycle
from visavis.listener import listen
from visavis.local_socket import LocalSocket
from visavis.outbound.http import fetch
from visavis.recorder.tus_upload import TusUploader
from visavis.settings import Settings
from visavis.store import open_store

pytestmark = pytest.mark.anyio


class Said(list[str]):
    """A logger that stores the events, each with its values."""

    def _add(self, event: str, **values: object) -> None:
        self.append(f"{event} {values}")

    info = warning = error = _add

    def has(self, text: str) -> bool:
        return any(text in line for line in self)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Said:
    events = Said()
    monkeypatch.setattr(tls, "log", events)
    monkeypatch.setattr(http_server, "log", events)
    return events


def _answer(_: Request) -> Response:
    return PlainTextResponse("here")


WEB = Starlette(routes=[Route("/", _answer)])


@asynccontextmanager
async def running(task: asyncio.Task[None]) -> AsyncIterator[None]:
    yield
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@asynccontextmanager
async def https(certificate: tls.ServerCertificate, settings: Settings) -> AsyncIterator[int]:
    """Start a server with this certificate; return its port."""
    listener = listen("127.0.0.1", 0)
    server = http_server.http_server(WEB, settings, certificate)
    serving = asyncio.create_task(server.serve([listener]))
    await until(lambda: server.started)
    yield listener.getsockname()[1]
    server.should_exit = True
    await serving


async def presented(port: int, server_name: str | None = None) -> str:
    """Return the certificate that a new connection receives."""
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=trust, server_hostname=server_name or ""
    )
    found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    return ssl.DER_cert_to_PEM_cert(found)


async def test_a_renewed_certificate_is_served_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "WATCH_SECONDS", 0.05)
    cert, key = write_certificate(tmp_path)
    first = cert.read_text()
    settings = Settings(tls_cert=str(cert), tls_key=str(key))
    certificate = http_server.server_certificate(settings)
    assert certificate
    async with running(asyncio.create_task(certificate.watch())), https(certificate, settings) as p:
        assert await presented(p) == first
        write_certificate(tmp_path)
        renewed = cert.read_text()
        async with asyncio.timeout(PATIENCE):
            while await presented(p) != renewed:
                await asyncio.sleep(0.05)
        assert await presented(p, "chat.example.com") == renewed


async def test_a_certificate_that_cannot_be_used_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    monkeypatch.setattr(tls, "WATCH_SECONDS", 0.05)
    cert, key = write_certificate(tmp_path)
    first, first_key = cert.read_text(), key.read_text()
    settings = Settings(tls_cert=str(cert), tls_key=str(key))
    certificate = tls.ServerCertificate(str(cert), str(key))
    async with running(asyncio.create_task(certificate.watch())), https(certificate, settings) as p:
        write_certificate(tmp_path)
        key.write_text(first_key)  # the half of a renewal
        await until(lambda: said.has("not reloaded"))
        assert await presented(p) == first
        cert.unlink()
        await until(lambda: said.has("No such file"))
        assert await presented(p) == first
        write_certificate(tmp_path)
        await until(lambda: said.has("certificate reloaded"))
        assert await presented(p) == cert.read_text()


async def test_a_request_to_reload_reads_the_files_at_once(tmp_path: Path, said: Said) -> None:
    cert, key = write_certificate(tmp_path)
    certificate = tls.ServerCertificate(str(cert), str(key))
    async with running(asyncio.create_task(certificate.watch())):
        certificate.reload()
        await until(lambda: said.has("certificate reloaded"))


async def test_files_that_are_no_certificate_are_refused_at_the_start(tmp_path: Path) -> None:
    cert, _ = write_certificate(tmp_path)
    with pytest.raises(OSError, match=r"PEM|KEY"):
        tls.ServerCertificate(str(cert), str(cert))
    assert http_server.server_certificate(Settings()) is None


async def test_our_own_processes_reach_a_socket_that_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    transport = httpx2.AsyncHTTPTransport(uds=str(path))
    async with running(asyncio.create_task(http_server.serve_on_socket(WEB, path))):
        await until(path.exists)
        assert path.stat().st_mode & 0o777 == 0o600
        async with http_clients.AsyncClient(transport=transport) as client:
            assert (await client.get("http://anything/")).text == "here"
        assert await fetch(path, "/") == b"here"
        with pytest.raises(ConnectionError, match=r"/nowhere: .*404 "):
            await fetch(path, "/nowhere")
        path.unlink()
        await until(path.is_socket)
        again = httpx2.AsyncHTTPTransport(uds=str(path))
        async with http_clients.AsyncClient(transport=again) as client:
            assert (await client.get("http://anything/")).text == "here"
    assert not path.exists()


async def test_a_socket_without_its_directory_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    monkeypatch.setattr(http_server, "RETRY_SECONDS", 0.01)
    path = tmp_path / "run" / "app.sock"
    path.parent.touch()
    async with running(asyncio.create_task(http_server.serve_on_socket(WEB, path))):
        await until(lambda: said.has("cannot be opened"))
        path.parent.unlink()
        await until(path.exists)


async def test_the_archive_is_reached_whatever_its_public_address(
    tmp_path: Path, new_database: Path
) -> None:
    store = open_store(str(new_database))
    path, url = tmp_path / "app.sock", "https://chat.invalid:8443/recordings/"
    archive = Archive(
        tmp_path / "archive",
        key=lambda: "key",
        store=store,
        audit=unheard,
        retention_days_of=for_ever,
    )
    web = routed(archive.routes(), archive.gates())
    muxed = put_muxed(tmp_path / "spool", "rec")
    uploader = TusUploader(
        archive_url=url, archive_key=lambda: "key", allow_private=False, archive_socket=path
    )
    async with running(asyncio.create_task(http_server.serve_on_socket(web, path))):
        await until(path.exists)
        await uploader.deliver(muxed, manifest_of("rec"), RecordingServer(url, None))
    assert (tmp_path / "archive/library/1/rec.mkv").read_bytes() == CONTENT
    archive.close()
    store.close()


async def test_background_tasks_that_die_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "WATCH_SECONDS", 0.05)
    monkeypatch.setattr(tasks, "FIRST_PAUSE_SECONDS", 0.01)
    cert, key = write_certificate(tmp_path)
    settings = Settings(tls_cert=str(cert), tls_key=str(key))
    certificate, path = tls.ServerCertificate(str(cert), str(key)), tmp_path / "app.sock"
    with (
        dies_once("certificate", certificate, "_refresh"),
        dies_once("local socket", LocalSocket, "open"),
    ):
        background = [
            http_server.watch_certificate(certificate, Lifecycle()),
            tasks.run_forever("local socket", partial(http_server.serve_on_socket, WEB, path)),
        ]
        async with https(certificate, settings) as port:
            write_certificate(tmp_path)
            async with asyncio.timeout(PATIENCE):
                while await presented(port) != cert.read_text():
                    await asyncio.sleep(0.05)
        await until(path.exists)
    await tasks.cancelled(*background)
