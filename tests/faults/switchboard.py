"""A process that is only the configuration API on a SQLite file, to be killed: `python -m`."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

import uvicorn

from visavis.app import App
from visavis.domain.oauth import CredentialKind
from visavis.settings import Settings
from visavis.store import open_store


def main() -> None:
    data_dir, port = Path(sys.argv[1]), int(sys.argv[2])
    settings = Settings(data_dir=data_dir, port=port, archive=False, log_level="warning")
    app = App(settings, open_store(settings.database_address))

    async def serve() -> None:
        await app.people.found(email="admin@localhost", password="x")
        agent = await app.people.by_email("admin@localhost")
        print(await app.tokens.issue(agent, CredentialKind.BEARER, timedelta(hours=1)), flush=True)
        config = uvicorn.Config(app.web, port=port, log_config=None, lifespan="off")
        await uvicorn.Server(config).serve()

    asyncio.run(serve())


if __name__ == "__main__":
    main()
