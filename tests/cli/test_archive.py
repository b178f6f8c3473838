"""The archive alone: its pages, its accounts, the keys of other recorders."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from click.testing import CliRunner

from tests import http_clients
from tests.cli.commands import visavis, visavis_here
from tests.object_store import ACCESS_KEY, SECRET_KEY, SeaweedFs, stored_objects
from tests.running import PATIENCE, VISAVIS, eventually
from visavis.archive import object_store
from visavis.archive.tus_headers import BODY_TYPE, write_metadata
from visavis.cli import main

PASSWORD = re.compile(r"password  (\S+)")


class Alone:
    """`visavis archive` on a data directory."""

    def __init__(self, data: Path) -> None:
        self.data = data
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data.parent / "log"
        command = [VISAVIS, "archive", "--data", str(data), "--port", str(self.port)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        eventually(lambda: "Ctrl-C stops" in self.said())

    def said(self) -> str:
        assert self.process.poll() is None, self.log.read_text()
        return self.log.read_text()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Alone]:
    running = Alone(tmp_path / "data")
    yield running
    if running.process.poll() is None:
        assert running.stop() == 0


def upload(alone: Alone, key: str, data: bytes, **metadata: str) -> httpx2.Response:
    headers = {
        "Authorization": f"Bearer {key}",
        "Tus-Resumable": "1.0.0",
        "Upload-Length": str(len(data)),
        "Upload-Metadata": write_metadata(metadata),
        "Content-Type": BODY_TYPE,
    }
    return http_clients.post(f"{alone.url}/recordings/", headers=headers, content=data)


def test_recordings_come_in_and_are_found(alone: Alone) -> None:
    match = PASSWORD.search(alone.said())
    assert match
    key = (alone.data / "archive.key").read_text()
    assert upload(alone, key, b"film", recording="one").status_code == 201
    with http_clients.Client(base_url=alone.url) as client:
        assert client.get("/library/recordings").status_code == 401
        answer = client.post("/session", json={"email": "admin@localhost", "password": match[1]})
        assert answer.status_code == 200
        (one,) = client.get("/library/recordings").json()["recordings"]
        assert one["id"] == "one"
        assert client.get("/library/recordings/one/original.mkv").content == b"film"
        assert client.request("DELETE", "/library/recordings/one").status_code == 204
        for path in ("/", "/library"):
            assert "<visavis-library alone>" in client.get(path).text
        assert client.get("/signin").status_code == 200
        (script,) = re.findall(r'src="(/static/assets/library-[^"]+)"', client.get("/library").text)
        assert client.get(script).status_code == 200
        assert client.get("/console").status_code == 404
        assert client.get("/healthz").text == "ok\n"
        assert client.get("/readyz").status_code == 200
        assert "visavis_http_request_seconds" in client.get("/metrics").text
    logged = visavis_here("audit", "--data", alone.data, "--object", "recording", "--json")
    assert [entry["field"] for entry in json.loads(logged.stdout)] == ["recording", "recording"]


def test_keys_of_other_recorders(alone: Alone) -> None:
    add = ("archive", "upload-key", "add", "theirs", "--site", 2, "--data", alone.data)
    added = visavis_here(*add)
    key = added.stdout.strip()
    assert upload(alone, key, b"film", recording="two").status_code == 201
    assert upload(alone, key, b"film", recording="three", site="1").status_code == 403
    assert (alone.data / "archive" / "library" / "2" / "two.mkv").exists()
    assert visavis_here(*add).exit_code == 1
    listed = visavis_here("archive", "upload-key", "list", "--json", "--data", alone.data)
    assert json.loads(listed.stdout) == [{"site": 2, "name": "theirs", "ends": ""}]
    for code in (0, 1):
        command = ("archive", "upload-key", "delete", "theirs", "--site", 2, "--data", alone.data)
        assert visavis_here(*command).exit_code == code
    assert upload(alone, key, b"film", recording="four").status_code == 401


@pytest.mark.interop
def test_recordings_are_in_an_object_store(
    tmp_path: Path, seaweed: SeaweedFs, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = seaweed.new_address()
    monkeypatch.setenv("VISAVIS_STORAGE", address)
    monkeypatch.setenv("VISAVIS_STORAGE_ACCESS_KEY", ACCESS_KEY)
    monkeypatch.setenv("VISAVIS_STORAGE_SECRET_KEY", SECRET_KEY)
    alone = Alone(tmp_path / "data")
    try:
        key = (alone.data / "archive.key").read_text()
        assert upload(alone, key, b"film", recording="one").headers["visavis-sha256"]
        assert list(stored_objects(address).values()) == [b"film"]
        assert SECRET_KEY not in alone.said()
    finally:
        assert alone.stop() == 0


def test_without_the_client_an_object_store_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_store, "find_spec", lambda _: None)
    result = CliRunner().invoke(main, ("archive", "--storage", "s3://bucket"))
    assert result.exit_code == 1
    assert "pip install 'visavis[s3]'" in result.stderr


def test_a_directory_has_one_archive(alone: Alone) -> None:
    second = visavis("archive", "--data", alone.data, "--port", 0)
    assert second.returncode == 1
    assert "another process uses the archive" in second.stderr
    taken = visavis("archive", "--data", alone.data.parent / "other", "--port", alone.port)
    assert taken.returncode == 1
    assert "choose another with --port" in taken.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--port", "many"), "--port"),
        (("--tls-cert", "x"), "HTTPS needs both"),
        (("upload-key", "list", "--data", "/nonexistent/x"), "is not set up"),
        (("--config", "/nonexistent/x"), "cannot be read"),
        (("--storage", "gs://bucket"), "begins with s3://"),
        (("--storage", "s3://key:secret@bucket"), "takes no credentials"),
    ],
)
def test_errors_say_what_to_do(arguments: tuple[str, ...], sentence: str) -> None:
    result = CliRunner().invoke(main, ("archive", *arguments))
    assert result.exit_code != 0
    assert sentence in result.stderr
