from __future__ import annotations

import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from visavis.outbound.errors import DeliveryError
from visavis.outbound.http import MAX_RESPONSE_BYTES, HttpClient, read_url

pytestmark = pytest.mark.anyio


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, dict[str, str], bytes]]

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.seen.append((self.path, dict(self.headers.items()), body))
        self.send_response(302 if self.path == "/moved" else 200)
        self.send_header("Location", "http://192.0.2.1/elsewhere")
        length = 2 * MAX_RESPONSE_BYTES if self.path == "/long" else 2
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(b"x" * length)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
        pass


@pytest.fixture
def server() -> Iterator[str]:
    Handler.seen = []
    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    http.server_close()


def client(*, bearer: str | None = None, allow_private: bool = True) -> HttpClient:
    return HttpClient(bearer=bearer, allow_private=allow_private)


async def content() -> AsyncIterator[bytes]:
    yield b"one"
    yield b"two"


async def test_a_request_has_its_body_and_the_secret(server: str) -> None:
    async with client(bearer="secret") as http:
        sent = {"Content-Length": "6"}
        response = await http.request("PUT", f"{server}/file", sent, content, 6)
    assert response.status_code == 200
    [(path, headers, body)] = Handler.seen
    assert (path, body) == ("/file", b"onetwo")
    assert headers["Authorization"] == "Bearer secret"
    assert headers["Host"] == server.removeprefix("http://")


async def test_without_a_secret_none_is_sent(server: str) -> None:
    async with client() as http:
        await http.request("PUT", server, {})
    assert "Authorization" not in Handler.seen[0][1]


async def test_a_redirect_is_not_followed(server: str) -> None:
    """A redirect may lead to an address that the guard has not checked."""
    async with client() as http:
        assert (await http.request("PUT", f"{server}/moved", {})).status_code == 302
    assert len(Handler.seen) == 1


async def test_the_rest_of_a_long_answer_is_not_read(server: str) -> None:
    async with client() as http:
        assert (await http.request("PUT", f"{server}/long", {})).status_code == 200


async def test_a_proxy_of_the_environment_is_not_used(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with client() as http:
        assert (await http.request("PUT", server, {})).status_code == 200


async def test_no_certificate_authority_is_read_for_a_unix_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = list[object]()
    monkeypatch.setattr(
        ssl.SSLContext, "load_verify_locations", lambda _, *files, **more: read.append(files)
    )
    async with HttpClient(bearer=None, allow_private=False, socket=tmp_path / "archive.sock"):
        assert read == []
    async with client():
        assert read


async def test_a_private_network_is_not_dialled(server: str) -> None:
    async with client(allow_private=False) as http:
        with pytest.raises(DeliveryError, match="The recording server") as caught:
            await http.request("PUT", server, {})
    assert caught.value.is_servers
    assert Handler.seen == []


async def test_a_server_that_is_not_there_is_named(server: str) -> None:
    async with client() as http:
        with pytest.raises(DeliveryError) as caught:
            await http.request("PUT", "http://127.0.0.1:1/", {})
    assert caught.value.is_servers


@pytest.mark.parametrize("url", ["", "ftp://server.example/", "https://", "http://[::1", "server"])
def test_urls_that_are_of_no_use(url: str) -> None:
    with pytest.raises(DeliveryError, match="invalid URL"):
        read_url(url)
