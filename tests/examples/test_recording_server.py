"""The example of a recording server receives a file by tus; test_delivery.py uploads recordings."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests import http_clients
from tests.examples.conftest import EXAMPLES
from tests.running import eventually, free_port, listens


@pytest.fixture
def server(tmp_path: Path) -> Iterator[httpx2.Client]:
    port = free_port()
    command = [sys.executable, str(EXAMPLES / "recording_server.py"), str(tmp_path), str(port)]
    environment = {**os.environ, "SECRET": "s3cret"}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            eventually(lambda: listens(port))
            headers = {"Authorization": "Bearer s3cret", "Tus-Resumable": "1.0.0"}
            with http_clients.Client(
                base_url=f"http://127.0.0.1:{port}", headers=headers
            ) as client:
                yield client
        finally:
            process.kill()


def append(server: httpx2.Client, upload: str, offset: int, content: bytes) -> httpx2.Response:
    headers = {
        "Upload-Offset": str(offset),
        "Content-Type": "application/offset+octet-stream",
    }
    return server.patch(upload, headers=headers, content=content)


def test_an_upload_is_created_continued_and_complete(server: httpx2.Client, tmp_path: Path) -> None:
    metadata = {"Upload-Length": "10", "Upload-Metadata": "recording cmVj"}
    created = server.post("/", headers=metadata)
    assert created.status_code == 201
    upload = created.headers["Location"]
    assert append(server, upload, 0, b"01234").headers["Upload-Offset"] == "5"
    wrong = append(server, upload, 0, b"01234")
    assert (wrong.status_code, wrong.headers["Upload-Offset"]) == (409, "5")
    head = server.head(upload)
    assert (head.headers["Upload-Offset"], head.headers["Upload-Length"]) == ("5", "10")
    assert append(server, upload, 5, b"56789").status_code == 204
    (file,) = tmp_path.glob("*.mkv")
    assert file.read_bytes() == b"0123456789"
    assert file.with_suffix(".txt").read_text() == "10\nrecording cmVj"


def test_strangers_and_unknown_uploads_are_refused(server: httpx2.Client) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    assert server.post("/", headers={**wrong, "Upload-Length": "1"}).status_code == 401
    assert server.head("/nothing").status_code == 404
    assert server.head("/..").status_code == 404
    assert append(server, "/nothing", 0, b"").status_code == 404
