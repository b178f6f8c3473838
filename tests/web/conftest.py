"""The configuration API over a real store, without a network."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2
import pytest
import uvicorn
from argon2 import PasswordHasher

from tests import http_clients
from tests.running import PATIENCE
from visavis.app import App
from visavis.clock_and_ids import new_id, now
from visavis.domain.oauth import CredentialKind
from visavis.domain.people import Agent, Permission
from visavis.services.ports import Transaction
from visavis.settings import Settings
from visavis.store import open_store
from visavis.store.passwords import Argon2Passwords
from visavis.web.request_limits import LimitedHttpProtocol
from visavis.web.throttled_websocket import ThrottledWebSocket

PATH = "/v4/livechat/audioVideoChatConfig"


@dataclass
class Api:
    """A client of one running application, with tokens of several agents."""

    app: App
    client: httpx2.AsyncClient
    token: str
    administrator: Agent

    async def call(
        self, method: str, path: str = PATH, *, token: str | None = None, **options: Any
    ) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {token or self.token}", **options.pop("headers", {})}
        return await self.client.request(method, path, headers=headers, **options)

    async def put(self, **values: Any) -> httpx2.Response:
        return await self.call("PUT", json=values)

    async def config(self) -> dict[str, Any]:
        return dict((await self.call("GET")).json())

    async def other_site(self) -> int:
        """A second site, of which the administrator of the first is nobody."""
        site = await self.app.store.write(lambda rows: rows.sites.add("Other", now()))
        return site.id

    async def agent_token(self, *permissions: Permission, site_id: int = 1) -> str:
        """A token of a new agent who is no administrator."""
        email = f"{new_id()}@example.com"
        agent = await self.app.store.write(
            lambda rows: rows.agents.add(site_id, email, "Agent", "-", is_administrator=False)
        )
        await self.app.store.write(lambda rows: rows.agents.grant(site_id, agent.id, permissions))
        return await self.app.tokens.issue(agent, CredentialKind.BEARER, timedelta(hours=1))


# argon2 is slow on purpose, as tests/store has it; here it would only take time
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def _create_site(rows: Transaction) -> Agent:
    site = rows.sites.add("Site 1", now())
    return rows.agents.add(
        site.id, "admin@example.com", "Admin", QUICK.hash("secret"), is_administrator=True
    )


@pytest.fixture
async def api(tmp_path: Path, database: str, anyio_backend: str) -> AsyncIterator[Api]:
    settings = Settings(data_dir=tmp_path, database=database, archive=False, log_level="warning")
    app = App(settings, open_store(settings.database_address), Argon2Passwords(QUICK))
    administrator = await app.store.write(_create_site)
    token = await app.tokens.issue(administrator, CredentialKind.BEARER, timedelta(hours=1))
    transport = httpx2.ASGITransport(app.web, raise_app_exceptions=False)
    async with http_clients.AsyncClient(transport=transport, base_url="http://visavis") as client:
        yield Api(app, client, token, administrator)
    app.store.close()


class Served:
    """The application behind real sockets, in a thread of its own."""

    def __init__(self, data_dir: Path, database: str, *, has_archive: bool = False) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        port = self._listener.getsockname()[1]
        settings = Settings(
            data_dir=data_dir,
            database=database,
            archive=has_archive,
            port=port,
            log_level="warning",
        )
        self.url = settings.base_url
        self.store = open_store(settings.database_address)
        self.app = App(settings, self.store, Argon2Passwords(QUICK))
        self.token = asyncio.run(self._set_up())
        self._server = uvicorn.Server(
            uvicorn.Config(
                self.app.web,
                log_config=None,
                lifespan="off",
                server_header=False,
                http=LimitedHttpProtocol,
                ws=ThrottledWebSocket,
            )
        )
        self._thread = Thread(target=self._server.run, args=([self._listener],))

    def start(self) -> Served:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(PATIENCE)
        self._listener.close()
        if self.app.archive:
            self.app.archive.close()
        self.store.close()

    async def _set_up(self) -> str:
        agent = await self.store.write(_create_site)
        return await self.app.tokens.issue(agent, CredentialKind.BEARER, timedelta(hours=1))


@pytest.fixture
def served(tmp_path: Path, database: str) -> Iterator[Served]:
    running = Served(tmp_path, database).start()
    yield running
    running.stop()


@pytest.fixture
def served_with_archive(tmp_path: Path, database: str) -> Iterator[Served]:
    running = Served(tmp_path, database, has_archive=True).start()
    yield running
    running.stop()
