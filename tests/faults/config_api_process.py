"""A process that is only the configuration API on a SQLite file, to be killed."""

from __future__ import annotations

import asyncio
import socket
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import uvicorn

from tests.lives import Life
from visavis.app import App
from visavis.domain.oauth import CredentialKind
from visavis.settings import Settings
from visavis.store import open_store


class ConfigApiProcess:
    """The configuration API on a port of its own, over many lives."""

    def __init__(self, data: Path) -> None:
        self.data = data
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = int(probe.getsockname()[1])

    def start(self) -> str:
        """Start it and wait until it answers; a token."""
        self._life = Life(_live, self.data, self.port)
        return str(self._life.hear())

    def kill(self) -> None:
        self._life.kill()


def _live(data_dir: Path, port: int, said: Connection) -> None:
    settings = Settings(data_dir=data_dir, port=port, archive=False, log_level="warning")
    app = App(settings, open_store(settings.database_address))

    async def serve() -> None:
        await app.people.create_first_site(email="admin@localhost", password="x")
        agent = await app.people.by_email("admin@localhost")
        token = await app.tokens.issue(agent, CredentialKind.BEARER, timedelta(hours=1))
        with socket.create_server(("127.0.0.1", port)) as listener:
            said.send(token)
            config = uvicorn.Config(app.web, log_config=None, lifespan="off")
            await uvicorn.Server(config).serve([listener])

    asyncio.run(serve())
