"""`kill -9` and a full disk in mid-upload: what was acknowledged is there afterwards."""

from __future__ import annotations

import base64
import hashlib
import os
import random
import socket
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import httpx2
import pytest

from tests import http_clients
from tests.archive import serving
from tests.archive.conftest import TUS, both_storages
from tests.lives import Life
from tests.object_store import stored_objects
from visavis.archive.tus_headers import BODY_TYPE, write_metadata

pytestmark = pytest.mark.fault

KILLS = 12
SIZE = 24 * 1024 * 1024
DATA = os.urandom(SIZE)
SHA256 = hashlib.sha256(DATA).hexdigest()


def _live(directory: Path, option: str, said: Connection) -> None:
    serving.run(directory, "key", option, said.send)


class Server:
    """An archive in a process of its own."""

    def __init__(self, directory: Path, storage: str = "") -> None:
        self.directory = directory
        self.storage = storage
        self.url = ""

    def start(self, option: str = "") -> Server:
        """Start it; the option is as in `serving.run`, by default the storage."""
        self._life = Life(_live, self.directory, option or self.storage)
        self.url = f"http://127.0.0.1:{self._life.hear()}"
        return self

    def kill(self) -> None:
        self._life.kill()

    def kept(self) -> list[bytes]:
        """Return the files of all recordings."""
        if not self.storage:
            found = (self.directory / "library" / "1").glob("*.mkv")
            return [file.read_bytes() for file in found]
        return list(stored_objects(self.storage, "recordings/").values())

    def create(self) -> str:
        """The new upload's path."""
        said = write_metadata({"recording": "rec", "sha256": SHA256})
        headers = {**TUS, "Upload-Length": str(SIZE), "Upload-Metadata": said}
        location = http_clients.post(f"{self.url}/recordings/", headers=headers).headers["location"]
        return f"/recordings/{location}"

    def offset(self, path: str) -> int:
        return int(http_clients.head(self.url + path, headers=TUS).headers["upload-offset"])

    def patch(self, path: str, offset: int, end: int, *, is_checked: bool) -> httpx2.Response:
        chunk = DATA[offset:end]
        headers = {**TUS, "Upload-Offset": str(offset), "Content-Type": BODY_TYPE}
        if is_checked:
            digest = base64.b64encode(hashlib.sha256(chunk).digest()).decode()
            headers["Upload-Checksum"] = f"sha256 {digest}"
        return http_clients.patch(self.url + path, content=chunk, headers=headers)


@pytest.fixture
def server(tmp_path: Path, storage: str) -> Iterator[Server]:
    running = Server(tmp_path / "archive", storage).start()
    yield running
    running.kill()


def half_a_patch(
    server: Server,
    path: str,
    offset: int,
    size: int,
    *,
    is_checked: bool = False,
    after: float = 0.05,
) -> None:
    """Send the beginning of a PATCH of all the rest, and kill the server seconds `after`."""
    host, port = server.url.removeprefix("http://").split(":")
    lines = [f"PATCH {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {SIZE - offset}"]
    lines += [f"{name}: {value}" for name, value in TUS.items()]
    lines += [f"Upload-Offset: {offset}", f"Content-Type: {BODY_TYPE}"]
    if is_checked:
        digest = base64.b64encode(hashlib.sha256(DATA[offset:]).digest()).decode()
        lines.append(f"Upload-Checksum: sha256 {digest}")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + DATA[offset : offset + size])
        time.sleep(after)
        server.kill()


@both_storages
def test_kills_in_mid_upload_lose_nothing_that_was_acknowledged(server: Server) -> None:
    dice = random.Random(20260101)
    path = server.create()
    for number in range(KILLS):
        is_checked = number % 2 == 1
        offset = server.offset(path)
        end = offset + dice.randrange(1, SIZE // (2 * KILLS))
        answer = server.patch(path, offset, end, is_checked=is_checked)
        acknowledged = int(answer.headers["upload-offset"])
        assert acknowledged == end
        sent = dice.randrange(1, SIZE // (3 * KILLS))
        half_a_patch(server, path, acknowledged, sent, is_checked=is_checked)
        server.start()
        found = server.offset(path)
        assert acknowledged <= found <= acknowledged + sent
        if is_checked:
            assert found == acknowledged  # an unverified half does not count
    answer = server.patch(path, server.offset(path), SIZE, is_checked=True)
    assert answer.headers["visavis-sha256"] == SHA256
    assert [file == DATA for file in server.kept()] == [True]


@both_storages
def test_kills_while_the_file_is_stored(server: Server) -> None:
    """A kill between the last byte and its answer: asking again stores it, once."""
    dice = random.Random(7)
    path = server.create()
    server.patch(path, 0, SIZE - 1, is_checked=False)
    for _ in range(6):
        half_a_patch(server, path, SIZE - 1, 1, after=dice.uniform(0.0, 0.06))
        server.start()
        if server.offset(path) == SIZE:
            break
    offset = server.offset(path)
    answer = server.patch(path, offset, SIZE, is_checked=False)
    assert answer.headers["visavis-sha256"] == SHA256
    assert [file == DATA for file in server.kept()] == [True]


def test_a_disk_that_fills_loses_nothing(server: Server) -> None:
    server.kill()
    server.start(str(SIZE // 2))
    path = server.create()
    third = SIZE // 3
    assert server.patch(path, 0, third, is_checked=False).status_code == 204
    for is_checked, expected in ((True, third), (False, SIZE // 2)):
        full = server.patch(path, third, SIZE, is_checked=is_checked)
        assert full.status_code == 507
        assert server.offset(path) == expected
    server.kill()
    server.start()
    answer = server.patch(path, server.offset(path), SIZE, is_checked=True)
    assert answer.headers["visavis-sha256"] == SHA256
