"""Attacks, over real sockets where sockets matter."""

from __future__ import annotations

import contextlib
import io
import json
import select
import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from tests import http_clients
from tests.running import PATIENCE
from tests.web.conftest import PATH, Api, Served
from visavis.domain.oauth import CredentialKind
from visavis.web import request
from visavis.web.connections import ConnectionGate
from visavis.web.request import AccessLog
from visavis.web.request_limits import LimitedHttpProtocol

LOGS = "/v4/global/auditLogs"
EVIL = ["' OR 1=1 --", '"; DROP TABLE agents; --', "1); SELECT pg_sleep(9); --", "%27%20OR%201=1"]

only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def line(served: Served) -> Iterator[socket.socket]:
    """A connection on which anything can be said."""
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        yield connection


def head(served: Served, *more: str) -> bytes:
    lines = [f"PUT {PATH} HTTP/1.1", "Host: visavis", f"Authorization: Bearer {served.token}"]
    lines += ["Content-Type: application/json", *more, "", ""]
    return "\r\n".join(lines).encode()


def rest(connection: socket.socket) -> bytes:
    """All that comes until the other side closes, even while we say something."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            received += part
    return received


@only_sqlite
def test_a_hundred_megabytes_are_refused_unread(served: Served, line: socket.socket) -> None:
    line.sendall(head(served, "Content-Length: 104857600"))
    answer = rest(line)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b'"error":"PayloadTooLarge"' in answer


@only_sqlite
def test_so_they_are_when_nobody_said_how_many(served: Served, line: socket.socket) -> None:
    line.sendall(head(served, "Transfer-Encoding: chunked"))
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    sent = 0
    try:
        for _ in range(1600):
            line.sendall(chunk)
            sent += len(chunk)
    except (ConnectionError, TimeoutError):
        pass
    assert sent < 20_000_000, "the server went on reading"


@only_sqlite
def test_a_slow_body_is_not_waited_for(
    served: Served, line: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request.read_body, "__defaults__", (0.3,))
    line.sendall(head(served, "Content-Length: 1000"))
    while not select.select([line], [], [], 0.05)[0]:
        line.sendall(b"{")
    answer = rest(line)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b'"error":"RequestTimeout"' in answer


@only_sqlite
def test_a_slow_head_is_not_waited_for(
    served: Served, line: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LimitedHttpProtocol, "head_seconds", 0.3)
    with socket.create_connection(line.getpeername(), timeout=PATIENCE) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ")
        assert closes(slow)


@only_sqlite
def test_an_endless_head_is_cut_off(served: Served, line: socket.socket) -> None:
    line.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X-Fill: 0123456789abcdef\r\n" * 5000)
    assert closes(line)


def closes(connection: socket.socket) -> bool:
    """Whether the other side ends the connection without having answered a page."""
    try:
        return b"HTTP/1.1 200" not in rest(connection)
    except ConnectionError:
        return True


@pytest.mark.parametrize("evil", EVIL)
async def test_nothing_of_a_request_reaches_the_database_as_code(api: Api, evil: str) -> None:
    await api.put(recordingServerUrl="https://kept.example/")
    kept = await api.config()
    assert (await api.call("GET", token=evil)).status_code == 401
    for path in (PATH, LOGS):
        assert (await api.call("GET", path, params={"siteId": evil})).status_code == 403
    assert (await api.call("GET", LOGS, params={"pageIndex": evil})).status_code == 400
    assert (await api.put(recordingServerUrl=evil)).status_code == 400
    basic = await api.client.get(PATH, auth=(evil, evil), params={"siteId": "1"})
    assert basic.status_code == 401
    session = await api.client.post("/session", json={"email": evil, "password": evil})
    assert session.status_code == 401
    assert await api.config() == kept


@pytest.mark.parametrize("evil", ["a\r\nSet-Cookie: x=1", "a\nX: y", "a\0b"])
async def test_no_header_is_smuggled_in(api: Api, evil: str) -> None:
    answer = await api.put(recordingServerUrl=f"https://a.example/{evil}")
    assert (answer.status_code, answer.json()["error"]) == (400, "ParameterFormatIncorrect")
    answer = await api.client.get(f"/nowhere/{quote(evil)}")
    assert answer.status_code == 404
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "email", ["\0", "a\0@example.com", "\ud800", "a\ud800@example.com", "x" * 100_000]
)
async def test_an_odd_e_mail_address_signs_nobody_in(api: Api, email: str) -> None:
    text = json.dumps({"email": email, "password": email})
    answer = await api.client.post(
        "/session", content=text, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in {400, 401, 413}


async def test_odd_paths_are_not_found(api: Api) -> None:
    for path in ("/%00", "/v4/%00", "/v4/%ff%fe", "/library/recordings/..%2f..%2fvisavis.db"):
        answer = await api.call("GET", path)
        assert answer.status_code in {404, 405}, path


async def test_a_site_reaches_nothing_of_another(api: Api) -> None:
    await api.put(recordingServerUrl="https://ours.example/", isEnabled=True)
    other = await api.other_site()
    stranger = await api.app.store.write(
        lambda rows: rows.agents.add(other, "s@example.com", "S", "-", is_administrator=True)
    )
    token = await api.app.tokens.issue(stranger, CredentialKind.BEARER, timedelta(hours=1))
    their_config = (await api.call("GET", token=token)).json()
    assert their_config["recordingServerUrl"] == ""
    await api.call("POST", f"{PATH}:disable", token=token)
    assert (await api.config())["isEnabled"] is True
    for path in (PATH, f"{PATH}:enable", LOGS):
        method = "POST" if path.endswith("enable") else "GET"
        answer = await api.call(method, path, token=token, params={"siteId": "1"})
        assert answer.status_code == 403, path
    _, secret = await api.app.keys.add(stranger, "theirs")
    auth = (stranger.email, secret)
    answer = await api.client.get(PATH, auth=auth, params={"siteId": "1"})
    assert answer.status_code == 403
    answer = await api.client.get(PATH, auth=auth, params={"siteId": str(other)})
    assert answer.json()["recordingServerUrl"] == ""
    entries = (await api.call("GET", LOGS, token=token)).json()["auditLogs"]
    assert [(entry["siteId"], entry["actionType"]) for entry in entries] == [
        (other, "apiKeyCreated")
    ]


@only_sqlite
def test_idle_connections_of_one_address_leave_room_for_others(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = ConnectionGate(50, per_network=20)
    monkeypatch.setattr(LimitedHttpProtocol, "gate", gate)
    host, port = served.url.removeprefix("http://").split(":")
    idle = [
        socket.create_connection((host, int(port)), PATIENCE, source_address=("127.0.0.2", 0))
        for _ in range(80)
    ]
    try:
        assert http_clients.get(f"{served.url}/healthz").status_code == 200
        assert gate.refused >= 60
    finally:
        for connection in idle:
            connection.close()


@pytest.mark.anyio
@pytest.mark.parametrize("before", ["/join/", "//join/", "/JOIN/", "/x/../join/", "/prefix/Join/"])
async def test_the_access_log_holds_no_join_link(before: str) -> None:
    written = io.BytesIO()
    log = AccessLog(written)
    log.add("GET", f"{before}secret/", 200, 0.1, "id")
    log.flush()
    assert b"secret" not in written.getvalue()
    assert f'"path":"{before}…"'.encode() in written.getvalue()


def test_after_sign_in_a_page_is_opened_by_its_whole_url() -> None:
    """The path of "/.//host" begins with two slashes, which alone name another host."""
    source = (Path(__file__).resolve().parents[2] / "web/src/agent/signin.ts").read_text()
    assert "url.origin === location.origin ? url.href" in source


@only_sqlite
@pytest.mark.parametrize("path", [PATH, "/session", "/oauth/token", "/recordings/"])
def test_a_client_that_goes_in_mid_request_is_no_error(
    served: Served, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    host, port = served.url.removeprefix("http://").split(":")
    method = b"PUT" if path == PATH else b"POST"
    for _ in range(5):
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as line:
            line.sendall(
                method + b" " + path.encode() + b" HTTP/1.1\r\nHost: x\r\n"
                b"Authorization: Bearer " + served.token.encode() + b"\r\n"
                b"Tus-Resumable: 1.0.0\r\nContent-Type: application/json\r\n"
                b"Content-Length: 1000\r\n\r\n{"
            )
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            time.sleep(0.02)
    assert http_clients.get(f"{served.url}/healthz").status_code == 200
    assert "Traceback" not in caplog.text
    assert not [record for record in caplog.records if record.exc_info]


@only_sqlite
@pytest.mark.parametrize("path", ["/signaling/visitor?site=1", "/signaling/agent"])
def test_a_page_that_goes_before_it_is_greeted_is_no_error(
    served: Served, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    host, port = served.url.removeprefix("http://").split(":")
    for _ in range(20):
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            line.sendall(
                f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
                f"Authorization: Bearer {served.token}\r\nOrigin: {served.url}\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n".encode()
            )
    time.sleep(0.5)
    assert http_clients.get(f"{served.url}/healthz").status_code == 200
    assert not [record for record in caplog.records if record.exc_info]
