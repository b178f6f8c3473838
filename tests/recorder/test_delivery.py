"""Deliveries to servers that are not what they should be."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from visavis.domain.recording import MATROSKA, Delivery, Manifest
from visavis.recorder import spool
from visavis.recorder.delivery import Deliverer, DeliveryError
from visavis.recorder.guard import ForbiddenAddressError, vetted_address

pytestmark = pytest.mark.anyio

MANIFEST = Manifest(
    recording_id="rec",
    site_id=1,
    call_id="call",
    media="video",
    visitor_name="Ann",
    agent_name="Bo",
    started_at=datetime(2026, 1, 1, tzinfo=UTC),
)


class Strange(BaseHTTPRequestHandler):
    """Answers the way its path says."""

    def do_POST(self) -> None:
        kind = self.path.strip("/")
        if kind == "reset":
            self.connection.close()
            return
        status = {"html": 200, "missing": 404, "moved": 302, "busy": 503, "elsewhere": 201}[kind]
        self.send_response(status)
        self.send_header("Retry-After", "7")
        if kind in {"moved", "elsewhere"}:
            self.send_header("Location", "http://198.51.100.1/x")
        self.end_headers()
        self.wfile.write(b"<html>hello</html>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def strange() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Strange)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def muxed(tmp_path: Path) -> Path:
    content = b"matroska" * 1000
    (tmp_path / MATROSKA).write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    spool.write_delivery(tmp_path, Delivery(sha256=sha256, size=len(content), duration=1.0))
    return tmp_path


def deliverer(*, allow_private: bool = True) -> Deliverer:
    return Deliverer(archive_url="", archive_key="", allow_private=allow_private)


@pytest.mark.parametrize("kind", ["html", "missing", "moved", "busy", "elsewhere", "reset"])
async def test_a_server_that_is_none_is_told_in_words(strange: str, muxed: Path, kind: str) -> None:
    with pytest.raises(DeliveryError, match="The recording server") as caught:
        await deliverer().deliver(muxed, MANIFEST, f"{strange}/{kind}")
    assert caught.value.retry_after == (7.0 if kind in {"html", "missing", "moved", "busy"} else 0)
    assert (muxed / MATROSKA).exists()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://nowhere.invalid/"])
async def test_nobody_there(muxed: Path, url: str) -> None:
    with pytest.raises(DeliveryError):
        await deliverer().deliver(muxed, MANIFEST, url)


async def test_private_addresses_need_the_operator(muxed: Path, strange: str) -> None:
    with pytest.raises(DeliveryError, match="--allow-private-recording-servers"):
        await deliverer(allow_private=False).deliver(muxed, MANIFEST, f"{strange}/html")


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/", "http://0.0.0.0/", "http://224.0.0.1/", "http://[fe80::1]/"]
)
async def test_metadata_and_the_like_are_never_dialled(url: str) -> None:
    with pytest.raises(ForbiddenAddressError):
        await vetted_address(url, allow_private=True)


async def test_mapped_addresses_are_seen_through() -> None:
    with pytest.raises(ForbiddenAddressError):
        await vetted_address("http://[::ffff:127.0.0.1]/", allow_private=False)
