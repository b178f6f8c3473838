"""npm `tus-js-client` against our archive."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from tests import http_clients
from tests.archive import serving
from tests.lives import Life
from tests.npm import ENVIRONMENT, NODE, installed
from tests.object_store import SeaweedFs, stored_objects

pytestmark = [pytest.mark.interop, pytest.mark.anyio]

PEERS = Path(__file__).parent / "tus"
CONTENT = os.urandom(1_234_567)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(scope="module")
def peers() -> Path:
    return installed(PEERS)


def _serve(directory: Path, storage: str, said: Connection) -> None:
    serving.run(directory, "key", storage, said.send)


@contextmanager
def running_archive(directory: Path, storage: str = "") -> Iterator[str]:
    """Our archive, and the URL of its uploads."""
    life = Life(_serve, directory, storage)
    try:
        yield f"http://127.0.0.1:{life.hear()}/recordings/"
    finally:
        life.kill()


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    with running_archive(tmp_path / "archive") as url:
        yield url, tmp_path / "archive" / "library" / "1" / "rec.mkv"


@pytest.fixture(scope="module")
def refusing_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An archive for requests of which each begins an upload of its own, and ends none."""
    with running_archive(tmp_path_factory.mktemp("refusing") / "archive") as url:
        yield url


def upload(
    peers: Path, url: str, path: Path, sha256: str, key: str = "key"
) -> subprocess.CompletedProcess[str]:
    metadata = json.dumps({"site": "1", "recording": "rec", "sha256": sha256, "visitorName": "Ä"})
    command = [NODE, str(peers / "upload.js"), url, key, str(path), metadata]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)


def test_a_client_uploads_to_an_object_store(
    peers: Path, tmp_path: Path, seaweed: SeaweedFs
) -> None:
    storage, source = seaweed.new_address(), tmp_path / "source"
    source.write_bytes(CONTENT)
    with running_archive(tmp_path / "archive", storage) as url:
        done = upload(peers, url, source, SHA256)
        assert done.returncode == 0, done.stderr
        assert list(stored_objects(storage).values()) == [CONTENT]


async def test_a_foreign_client_uploads_breaks_off_and_resumes(
    peers: Path, archive: tuple[str, Path], tmp_path: Path
) -> None:
    url, kept = archive
    (tmp_path / "file").write_bytes(CONTENT)
    result = upload(peers, url, tmp_path / "file", SHA256)
    assert result.returncode == 0, result.stderr
    assert kept.read_bytes() == CONTENT
    head = http_clients.head(
        result.stdout.strip(), headers={"Authorization": "Bearer key", "Tus-Resumable": "1.0.0"}
    )
    assert head.headers["visavis-sha256"] == SHA256


async def test_a_file_with_another_checksum_is_not_kept(
    peers: Path, archive: tuple[str, Path], tmp_path: Path
) -> None:
    url, kept = archive
    (tmp_path / "file").write_bytes(CONTENT)
    assert upload(peers, url, tmp_path / "file", "0" * 64).returncode != 0
    assert not kept.exists()


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("OPTIONS", "", {}, 204),
        ("POST", "", {"Authorization": "Bearer wrong"}, 401),
        ("POST", "", {"Tus-Resumable": "0.2.0"}, 412),
        ("POST", "", {}, 400),
        ("POST", "", {"Upload-Length": "-1"}, 400),
        ("POST", "", {"Upload-Length": str(2**50)}, 413),
        ("POST", "", {"Upload-Length": "1", "Upload-Metadata": "site ???"}, 400),
        ("HEAD", "nothing", {}, 404),
        ("HEAD", "..%2F..%2Fkey", {}, 404),
        ("PATCH", "UPLOAD", {"Upload-Offset": "0"}, 415),
        ("PATCH", "UPLOAD", {"Upload-Offset": "3", "Content-Type": "OFFSET"}, 409),
        ("HEAD", "UPLOAD", {}, 200),
        ("DELETE", "UPLOAD", {}, 204),
        ("GET", "UPLOAD", {}, 405),
    ],
)
async def test_the_protocol_s_refusals(
    refusing_url: str, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    usual = {"Authorization": "Bearer key", "Tus-Resumable": "1.0.0"}
    created = http_clients.post(refusing_url, headers={**usual, "Upload-Length": "10"})
    path = path.replace("UPLOAD", created.headers["location"].rpartition("/")[2])
    sent = {k: v.replace("OFFSET", "application/offset+octet-stream") for k, v in headers.items()}
    answer = http_clients.request(method, refusing_url + path, headers={**usual, **sent})
    assert answer.status_code == status
