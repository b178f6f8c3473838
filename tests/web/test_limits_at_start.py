"""The limits of the settings are active in the application as it is started."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests import http_clients
from tests.web.conftest import QUICK
from visavis.app import App
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.people import Visitor
from visavis.http_server import http_server
from visavis.services.visitor_limits import Use, VisitorLimits
from visavis.settings import Settings
from visavis.store import open_store
from visavis.store.passwords import Argon2Passwords
from visavis.web.connections import PER_NETWORK
from visavis.web.request_limits import LimitedHttpProtocol
from visavis.web.throttled_websocket import ThrottledWebSocket

pytestmark = pytest.mark.anyio
STRANGER = "203.0.113.9"


def start(directory: Path, **values: Any) -> App:
    settings = Settings(data_dir=directory, log_level="warning", **values)
    return App(settings, open_store(settings.database_address), Argon2Passwords(QUICK))


@pytest.fixture
def app(new_database: Path) -> Iterator[App]:
    """With the standard settings."""
    started = start(new_database.parent)
    yield started
    if started.archive:
        started.archive.close()
    started.store.close()


async def statuses(app: App, path: str, count: int) -> list[int]:
    stranger = httpx2.ASGITransport(app.web, client=(STRANGER, 4000))
    async with http_clients.AsyncClient(transport=stranger, base_url="http://visavis") as client:
        return [(await client.get(path)).status_code for _ in range(count)]


async def test_api_calls(app: App) -> None:
    found = await statuses(app, "/v4/livechat/audioVideoChatConfig", 301)
    assert found == [*([401] * 300), 429]


async def test_pages(new_database: Path) -> None:
    app = start(new_database.parent, page_rate_limit=3)
    assert await statuses(app, "/session", 4) == [*([401] * 3), 429]
    if app.archive:
        app.archive.close()
    app.store.close()


async def test_visitors(app: App) -> None:
    guard = app.calls.guard
    assert guard.limits == VisitorLimits()
    for use in (Use.CALL, Use.CHECK, Use.PAGE, Use.MESSAGE):
        limit = guard.limits.per_minute(use)
        pages = [Visitor(f"{use} {number}", 1, source=STRANGER) for number in range(limit + 1)]
        for page in pages[:-1]:
            guard.require(use, page)
        with pytest.raises(VisavisError) as caught:
            guard.require(use, pages[-1])
        assert caught.value.kind is ErrorKind.TooManyRequests


async def test_open_sockets(app: App) -> None:
    places = [app.open_sockets.reserve(STRANGER, 1) for _ in range(100)]
    with pytest.raises(VisavisError):
        app.open_sockets.reserve(STRANGER, 1)
    assert app.sockets._open_sockets is app.open_sockets
    assert len(places) == 100


async def test_connections_heads_and_messages(app: App) -> None:
    config = http_server(app.web, app.settings, None, app.gate).config
    assert isinstance(config.http, type)
    assert issubclass(config.http, LimitedHttpProtocol)
    assert vars(config.http)["gate"] is app.gate
    assert config.ws is ThrottledWebSocket
    entered = [app.gate.enter(STRANGER, number) for number in range(PER_NETWORK + 1)]
    assert entered == [*([STRANGER] * PER_NETWORK), None]


async def test_sessions_and_credentials(app: App) -> None:
    assert app.tokens.idle_time == timedelta(minutes=480)
    assert app.ice.turn_seconds == 600
    assert not app.metrics_access.is_allowed(scope_of(STRANGER))


def scope_of(address: str) -> dict[str, Any]:
    return {"type": "http", "client": (address, 1), "visavis.headers": {}}
