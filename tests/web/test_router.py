"""Every request: ids, limits, headers, log lines, metrics, sharing."""

from __future__ import annotations

import base64
import io
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from starlette.requests import HTTPConnection

from tests import http_clients
from tests.web.conftest import PATH, Api
from visavis.app import App
from visavis.clock_and_ids import now
from visavis.domain.oauth import CredentialKind
from visavis.domain.people import Agent
from visavis.protocol.routes import RateClass
from visavis.services.ports import Transaction
from visavis.settings import Settings
from visavis.store import open_store
from visavis.web.authentication import Authentication
from visavis.web.request import MAX_WAITING, AccessLog, index_headers
from visavis.web.router import WINDOW_SECONDS, RateLimit, RequestLimits

STRANGER = ("203.0.113.9", 40000)


@asynccontextmanager
async def client_of(
    database: Path, address: tuple[str, int] = ("127.0.0.1", 1), **settings: Any
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client at an address, of an application with these settings."""
    chosen = Settings(data_dir=database.parent, **settings)
    app = App(chosen, open_store(chosen.database_address))
    transport = httpx2.ASGITransport(app.web, raise_app_exceptions=False, client=address)
    async with http_clients.AsyncClient(transport=transport, base_url="http://visavis") as client:
        yield client
    app.store.close()


async def test_every_answer_bears_the_request_s_id(api: Api) -> None:
    for path in (PATH, "/demo", "/nowhere", "/healthz"):
        given = await api.client.get(path, headers={"X-Request-Id": "trace-1.a_b"})
        assert given.headers["x-request-id"] == "trace-1.a_b"
        one, two = [(await api.client.get(path)).headers["x-request-id"] for _ in range(2)]
        assert one != two


@pytest.mark.parametrize("bad", ["a b", "x" * 65, "a;b", "", "ü"])
async def test_an_id_that_cannot_stand_in_a_log_is_replaced(api: Api, bad: str) -> None:
    answer = await api.client.get(PATH, headers={b"X-Request-Id": bad.encode("latin-1")})
    assert answer.headers["x-request-id"] != bad
    assert answer.json()["requestId"] == answer.headers["x-request-id"]


async def test_pages_and_resources_are_guarded(api: Api) -> None:
    page = (await api.client.get("/console")).headers
    assert "frame-ancestors 'none'" in page["content-security-policy"]
    assert page["x-frame-options"] == "DENY"
    assert page["x-content-type-options"] == "nosniff"
    assert "strict-transport-security" not in page
    for answer in (await api.call("GET"), await api.client.get(PATH)):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] in {"private, no-cache", "no-store"}


async def test_over_https_browsers_are_told_to_stay_there(api: Api) -> None:
    answer = await api.client.get("https://visavis/console")
    assert "max-age" in answer.headers["strict-transport-security"]


async def test_calling_too_often_means_waiting(new_database: Path, anyio_backend: str) -> None:
    async with client_of(new_database, STRANGER, rate_limit=3) as client:
        answers = [await client.get(PATH) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
        assert answers[3].json()["error"] == "TooManyRequests"
        assert 0 < int(answers[3].headers["retry-after"]) <= 300
        assert answers[3].headers["x-request-id"] == answers[3].json()["requestId"]
        assert (await client.get("/API/v4/LiveChat/audioVideoChatConfig")).status_code == 429
        assert (await client.get("/demo")).status_code == 200


async def test_this_machine_does_not_have_to_wait(new_database: Path, anyio_backend: str) -> None:
    async with client_of(new_database, rate_limit=1) as client:
        assert [(await client.get(PATH)).status_code for _ in range(3)] == [401] * 3


async def test_the_limit_can_be_off(new_database: Path, anyio_backend: str) -> None:
    async with client_of(new_database, STRANGER, rate_limit=0) as client:
        assert [(await client.get(PATH)).status_code for _ in range(3)] == [401] * 3


async def test_other_origins_call_where_they_may(new_database: Path, anyio_backend: str) -> None:
    friend, stranger = "https://admin.example.com", "https://evil.example"
    async with client_of(new_database, cors_origins=(friend,)) as client:
        asked = {
            "Origin": friend,
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "authorization,if-match",
        }
        preflight = await client.options(PATH, headers=asked)
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == friend
        assert "PUT" in preflight.headers["access-control-allow-methods"]
        refused = await client.options(PATH, headers={**asked, "Origin": stranger})
        assert refused.status_code == 400
        plain = await client.get(PATH, headers={"Origin": friend})
        assert plain.headers["access-control-allow-origin"] == friend
        assert "ETag" in plain.headers["access-control-expose-headers"]
        assert "access-control-allow-credentials" not in plain.headers
        foreign = await client.get(PATH, headers={"Origin": stranger})
        assert "access-control-allow-origin" not in foreign.headers


async def test_without_the_setting_nothing_is_shared(api: Api) -> None:
    answer = await api.client.get(PATH, headers={"Origin": "https://admin.example.com"})
    assert "access-control-allow-origin" not in answer.headers


async def test_metrics_count_the_answers(api: Api) -> None:
    def count(text: str) -> float:
        match = re.search(r'visavis_http_requests_total{method="PUT",status="401"} (\S+)', text)
        return float(match[1]) if match else 0.0

    before = count((await api.client.get("/metrics")).text)
    await api.client.put(PATH)
    await api.client.request("BREW", PATH)
    text = (await api.client.get("/metrics")).text
    assert count(text) == before + 1
    assert 'method="other"' in text
    assert "BREW" not in text
    assert 'visavis_http_request_seconds_bucket{le="+Inf",method="PUT",status="401"}' in text
    assert "visavis_calls 0.0" in text
    assert "visavis_spool_recordings 0.0" in text
    assert "visavis_disk_free_bytes" in text


class TestAccessLog:
    async def test_lines_are_json_and_written_together(self, anyio_backend: str) -> None:
        stream = io.BytesIO()
        log = AccessLog(stream)
        log.add("GET", "/v4/x", 200, 0.0123, "id-1")
        log.add("PUT", "/\udcff", 404, 0.5, "id-2")
        assert stream.getvalue() == b""
        log.flush()
        first, second = map(json.loads, stream.getvalue().splitlines())
        assert first["path"] == "/v4/x"
        assert first["status"] == 200
        assert first["ms"] == 12.3
        assert first["request_id"] == "id-1"
        assert first["event"] == "request"
        assert second["path"] == "/?"

    async def test_a_person_at_a_terminal_reads_lines_of_text(self, anyio_backend: str) -> None:
        stream = io.BytesIO()
        log = AccessLog(stream, is_text=True)
        log.add("GET", "/join/secret", 200, 0.0123, "id-1")
        log.add("PUT", "/\udcff\x1b[2J", 404, 0.5, "id-2")
        log.flush()
        first, second = stream.getvalue().decode().splitlines()
        assert first.endswith("info    GET /join/… 200          ms=12.3 request_id=id-1")
        assert r"PUT /\udcff\x1b[2J 404" in second

    async def test_a_flood_is_written_at_once(self, anyio_backend: str) -> None:
        stream = io.BytesIO()
        log = AccessLog(stream)
        for _ in range(MAX_WAITING):
            log.add("GET", "/", 200, 0.001, "id")
        assert len(stream.getvalue().splitlines()) == MAX_WAITING
        log.flush()
        assert len(stream.getvalue().splitlines()) == MAX_WAITING

    async def test_probes_and_quiet_servers_write_nothing(self, anyio_backend: str) -> None:
        stream = io.BytesIO()
        log = AccessLog(stream)
        log.add("GET", "/healthz", 200, 0.001, "id")
        log.flush()
        AccessLog(None).add("GET", "/", 200, 0.001, "id")
        assert stream.getvalue() == b""


async def test_a_full_disk_is_not_ready(api: Api) -> None:
    assert api.app._why_disk_is_full() == ""
    api.app.settings = msgspec.structs.replace(api.app.settings, disk_reserve_megabytes=1 << 40)
    assert "the disk is nearly full: " in api.app._why_disk_is_full()


@pytest.mark.parametrize(
    ("public_url", "scheme", "host", "origin", "is_ours"),
    [
        ("https://chat.example", "http", "127.0.0.1:8080", "https://chat.example", True),
        ("https://chat.example", "http", "chat.example:443", "https://chat.example", True),
        ("https://chat.example", "http", "chat.example", "http://chat.example", False),
        ("https://chat.example", "http", "127.0.0.1:8080", "http://127.0.0.1:8080", True),
        ("https://chat.example", "https", "chat.example", "https://evil.example", False),
        ("https://chat.example:8443/", "https", "app", "https://chat.example:8443", True),
        ("", "https", "chat.example", "http://chat.example", False),
        ("", "http", "chat.example", "https://chat.example", True),
        ("", "wss", "chat.example:443", "https://chat.example", True),
        ("", "http", "chat.example", "null", False),
        ("", "http", "chat.example", "http://chat.example:port", False),
        ("", "http", "chat.example", None, True),
    ],
)
def test_our_own_pages_are_known_by_their_origin(
    api: Api, public_url: str, scheme: str, host: str, origin: str | None, is_ours: bool
) -> None:
    sessions = Authentication(api.app.tokens, api.app.keys, api.app.people, public_url)
    headers = [(b"host", host.encode())]
    if origin:
        headers.append((b"origin", origin.encode()))
    connection = HTTPConnection({"type": "http", "scheme": scheme, "headers": headers})
    assert sessions.is_same_origin(connection) is is_ours


@pytest.mark.parametrize(
    ("host", "sources"),
    [
        ("visavis", "'self' ws://visavis wss://visavis"),
        ("chat.example:8443", "'self' ws://chat.example:8443 wss://chat.example:8443"),
        ("[2001:db8::1]:80", "'self' ws://[2001:db8::1]:80 wss://[2001:db8::1]:80"),
        ("a; script-src *", "'self'"),
        ("*", "'self'"),
    ],
)
async def test_a_page_connects_to_its_own_host_alone(api: Api, host: str, sources: str) -> None:
    page = await api.client.get("/console", headers={"Host": host})
    policy = page.headers["content-security-policy"]
    assert f"connect-src {sources};" in policy
    assert "script-src" not in policy


SECRET = "a token of the operator"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("address", "headers", "is_let_in"),
    [
        ("127.0.0.1", {}, True),
        ("::1", {}, True),
        ("::ffff:127.0.0.1", {}, True),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}, False),
        ("203.0.113.9", {}, False),
        ("203.0.113.9", {"X-Forwarded-For": "127.0.0.1"}, False),
        ("no address", {}, False),
        ("203.0.113.9", {"Authorization": f"Bearer {SECRET}"}, True),
        ("203.0.113.9", {"Authorization": f"Basic {SECRET}"}, False),
        ("203.0.113.9", {"Authorization": "Bearer "}, False),
        ("192.0.2.77", {}, True),
    ],
)
async def test_strangers_do_not_read_the_metrics(
    new_database: Path, address: str, headers: dict[str, str], is_let_in: bool
) -> None:
    chosen: dict[str, Any] = {
        "metrics_networks": ("127.0.0.1", "::1", "192.0.2.0/24"),
        "metrics_token": SECRET,
    }
    async with client_of(new_database, (address, 40000), **chosen) as client:
        answer = await client.get("/metrics", headers=headers)
        assert answer.status_code == (200 if is_let_in else 403)
        assert ("visavis_calls" in answer.text) == is_let_in


@pytest.mark.anyio
async def test_without_a_token_no_token_is_good(new_database: Path) -> None:
    async with client_of(new_database, STRANGER) as client:
        for given in ("Bearer", "Bearer ", "Bearer x"):
            answer = await client.get("/metrics", headers={"Authorization": given})
            assert answer.status_code == 403


async def test_a_known_token_is_counted_by_itself(new_database: Path, anyio_backend: str) -> None:
    """The open console of an agent does not lock their office out, nor a stranger the agent."""
    chosen = Settings(data_dir=new_database.parent, rate_limit=3)
    app = App(chosen, open_store(chosen.database_address))
    agent = await app.store.write(_colleague)
    tokens = [
        await app.tokens.issue(agent, CredentialKind.BEARER, timedelta(hours=1)) for _ in range(2)
    ]
    _, key = await app.keys.add(agent, "key")
    basic = base64.b64encode(f"a@example.com:{key}".encode()).decode()
    transport = httpx2.ASGITransport(app.web, raise_app_exceptions=False, client=STRANGER)
    async with http_clients.AsyncClient(transport=transport, base_url="http://visavis") as client:

        async def statuses(count: int, **headers: str) -> list[int]:
            path = f"{PATH}?siteId=1"
            return [(await client.get(path, headers=headers)).status_code for _ in range(count)]

        # the first is counted by network: the token is not known yet
        assert await statuses(5, Authorization=f"Bearer {tokens[0]}") == [200] * 4 + [429]
        assert await statuses(4) == [401] * 3 + [429]
        assert await statuses(5, Authorization=f"Bearer {tokens[1]}") == [200] * 4 + [429]
        assert await statuses(5, Authorization=f"Basic {basic}") == [200] * 4 + [429]
        guesses = [(await statuses(1, Authorization=f"Bearer x{n}"))[0] for n in range(3)]
        assert guesses == [429] * 3
        assert await statuses(1, Cookie="visavis_session=guess") == [429]
    refused = app.rate_limit.refused
    assert refused[RateClass.API] == 8
    app.store.close()


def _colleague(rows: Transaction) -> Agent:
    rows.sites.add("Site", now())
    return rows.agents.add(1, "a@example.com", "A", "-", is_administrator=True)


async def test_pages_and_sockets_have_limits_too(new_database: Path, anyio_backend: str) -> None:
    chosen: dict[str, Any] = {"page_rate_limit": 3, "socket_rate_limit": 0}
    async with client_of(new_database, STRANGER, **chosen) as client:
        for path in ("/console", "/session", "/library"):
            assert (await client.get(path)).status_code != 429
        for path in ("/console", "/session", "/library/recordings", "/static/widget.js"):
            assert (await client.get(path)).status_code == 429
        for path in ("/healthz", "/readyz"):
            assert (await client.get(path)).status_code != 429
        assert (await client.get(PATH)).status_code == 401


def test_openings_of_sockets_are_counted() -> None:
    scope = {"type": "websocket", "path": "/signaling/visitor", "headers": [], "client": STRANGER}
    index_headers(scope)
    limit = RateLimit(RequestLimits(socket=2))
    assert [bool(limit.seconds_to_wait(scope, RateClass.SOCKET)) for _ in range(3)] == [
        False,
        False,
        True,
    ]
    assert limit.refused[RateClass.SOCKET] == 1
    scope["client"] = ("203.0.113.10", 1)
    assert not limit.seconds_to_wait(scope, RateClass.SOCKET)


def test_requests_are_counted_across_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    scope = {"type": "http", "path": "/", "headers": [], "client": STRANGER}
    index_headers(scope)
    one, other = (RateLimit(RequestLimits(page=4, api=4)) for _ in range(2))
    now = 10 * WINDOW_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: now)
    for _ in range(3):
        assert not one.seconds_to_wait(scope, RateClass.PAGE)
    other.elsewhere = one.busiest()
    waits = [bool(other.seconds_to_wait(scope, RateClass.PAGE)) for _ in range(2)]
    assert waits == [False, True]
    assert not other.seconds_to_wait(scope, RateClass.API)
    now += WINDOW_SECONDS
    assert one.busiest() == {}  # those counts are over


def test_a_proxy_that_is_not_listed_does_not_switch_limits_off() -> None:
    limit = RateLimit(RequestLimits(page=1))

    def ask(*forwarded: tuple[bytes, bytes]) -> bool:
        scope = {"type": "http", "path": "/", "headers": forwarded, "client": ("127.0.0.1", 5)}
        index_headers(scope)
        return bool(limit.seconds_to_wait(scope, RateClass.PAGE))

    one, other = (b"x-forwarded-for", b"203.0.113.1"), (b"x-forwarded-for", b"203.0.113.2")
    assert [ask(one), ask(one), ask(other), ask(), ask()] == [False, True, False, False, False]
