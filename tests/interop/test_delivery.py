"""Our tus client against other tus servers, our own archive also behind nginx, and the example."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.interop.test_tus import PEERS, running_archive
from tests.npm import ENVIRONMENT, NODE, installed
from tests.recorder.conftest import CONTENT, manifest_of, put_muxed
from tests.running import eventually, listens
from visavis.domain.delivery_status import RecordingServer
from visavis.outbound import http
from visavis.outbound.errors import DeliveryError
from visavis.outbound.http import Body, HttpClient
from visavis.recorder import tus_upload
from visavis.recorder.server_check import RecordingServerChecker
from visavis.recorder.tus_upload import TusUploader

pytestmark = [pytest.mark.interop, pytest.mark.anyio]

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "recording_server.py"


@contextmanager
def running(command: list[str], **environment: str) -> Iterator[int]:
    """A server that prints its port."""
    with subprocess.Popen(
        command, env={**ENVIRONMENT, **environment}, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout
        try:
            yield int(server.stdout.readline())
        finally:
            server.kill()


class Peer:
    """A recording server, and the files that it has."""

    def __init__(self, url: str, files: Path, pattern: str, secret: str | None = None) -> None:
        self.server = RecordingServer(url, secret)
        self._files, self._pattern = files, pattern
        is_archive = "recordings" in url
        self.uploader = TusUploader(
            archive_url=url if is_archive else "", archive_key=lambda: "key", allow_private=True
        )

    def contents(self) -> list[bytes]:
        return [path.read_bytes() for path in self._files.glob(self._pattern) if path.is_file()]


def foreign(tmp_path: Path) -> Iterator[Peer]:
    files = tmp_path / "files"
    with running([NODE, str(installed(PEERS) / "server.js"), str(files)]) as port:
        yield Peer(f"http://127.0.0.1:{port}/files", files, "*[!.json]")


def our_archive(tmp_path: Path) -> Iterator[Peer]:
    with running_archive(tmp_path / "archive") as url:
        yield Peer(url, tmp_path / "archive" / "library", "1/*.mkv")


def example(tmp_path: Path) -> Generator[Peer, None, None]:
    files = tmp_path / "files"
    files.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, str(EXAMPLE), str(files), str(port)]
    environment = {**os.environ, "SECRET": "s3cret"}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as server:
        eventually(lambda: listens(port))
        try:
            yield Peer(f"http://127.0.0.1:{port}", files, "*.mkv", "s3cret")
        finally:
            server.kill()


def tuspyserver(tmp_path: Path) -> Iterator[Peer]:
    """It moves a finished file away before it answers the last PATCH."""
    yield from moving("tuspyserver", tmp_path)


def tussi(tmp_path: Path) -> Iterator[Peer]:
    """It limits the size of a request, and moves a finished file away at once."""
    yield from moving("tussi", tmp_path)


def moving(name: str, tmp_path: Path) -> Iterator[Peer]:
    files = tmp_path / "files"
    with running([sys.executable, "-m", "tests.interop.servers", name, str(files)]) as port:
        yield Peer(f"http://127.0.0.1:{port}/files/", files, "done/*")


NGINX = """
{user} daemon off; pid {folder}/pid; error_log stderr crit;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{
        listen 127.0.0.1:{port};
        location /video/ {{ proxy_pass http://127.0.0.1:{archive}/; }}
    }}
}}
"""


def nginx_with_its_defaults(tmp_path: Path) -> Iterator[Peer]:
    """Our archive below a path prefix of nginx, which takes 1 MiB a request."""
    with (
        running_archive(tmp_path / "archive") as archive,
        socket.create_server(("127.0.0.1", 0)) as probe,
    ):
        port = probe.getsockname()[1]
        probe.close()
        # its workers would be another user's, who cannot write where tests do
        user = "" if os.getuid() else "user root;"
        config = tmp_path / "nginx.conf"
        config.write_text(
            NGINX.format(user=user, folder=tmp_path, port=port, archive=urlsplit(archive).port)
        )
        nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "nginx"
        with subprocess.Popen([nginx, "-c", str(config)], stderr=subprocess.DEVNULL) as proxy:
            eventually(lambda: listens(port))
            try:
                url = f"http://127.0.0.1:{port}/video/recordings/"
                yield Peer(url, tmp_path / "archive" / "library", "1/*.mkv")
            finally:
                proxy.terminate()


@pytest.fixture(
    params=[foreign, our_archive, example, tuspyserver, tussi, nginx_with_its_defaults],
    ids=lambda make: make.__name__,
)
def peer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Peer]:
    yield from request.param(tmp_path)


@pytest.fixture
def muxed(tmp_path: Path) -> Path:
    return put_muxed(tmp_path / "spool", "rec")


async def test_a_whole_delivery_and_the_same_again(peer: Peer, muxed: Path) -> None:
    for _ in range(2):  # as after a crash before the spool was emptied
        await peer.uploader.deliver(muxed, manifest_of("rec"), peer.server)
    assert eventually(lambda: peer.contents() == [CONTENT])


async def test_resumed_where_it_broke_off(
    peer: Peer, muxed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tus_upload, "PATCH_BYTES", 400_000)
    monkeypatch.setattr(tus_upload, "CHECKED_PATCH_BYTES", 400_000)
    request = HttpClient.request
    offsets = []

    async def cut_once(  # type: ignore[no-untyped-def]
        self: HttpClient, method: str, url: str, headers: dict[str, str], *rest: Body | int
    ):
        if method == "PATCH":
            offsets.append(int(headers["Upload-Offset"]))
            if len(offsets) == 2:
                raise DeliveryError("cut")
        return await request(self, method, url, headers, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(http.HttpClient, "request", cut_once)
    with pytest.raises(DeliveryError, match="cut"):
        await peer.uploader.deliver(muxed, manifest_of("rec"), peer.server)
    await peer.uploader.deliver(muxed, manifest_of("rec"), peer.server)
    assert offsets[:5] == [0, 400_000, 400_000, 800_000, 1_200_000]
    assert eventually(lambda: peer.contents() == [CONTENT])


async def test_it_is_tried_out(peer: Peer) -> None:
    verdict = await RecordingServerChecker(peer.uploader).check(1, peer.server)
    assert verdict.is_ok, verdict.message
    assert CONTENT not in peer.contents()


async def test_the_example_wants_its_secret(tmp_path: Path, muxed: Path) -> None:
    peers = example(tmp_path)
    peer = next(peers)
    with pytest.raises(DeliveryError, match="requires a secret"):
        await peer.uploader.deliver(
            muxed, manifest_of("rec"), RecordingServer(peer.server.url, "wrong")
        )
    peers.close()


def test_the_example_is_short() -> None:
    assert len([line for line in EXAMPLE.read_text().splitlines() if line.strip()]) < 45
