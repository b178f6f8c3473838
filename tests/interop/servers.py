"""Other people's tus servers: `python -m tests.interop.servers NAME FILES`; prints its port.

Each moves a finished file from where uploads are to FILES/done, as post-processing does.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount
from tuspyserver import create_tus_router
from tussi import TUSApp
from tussi.storage import FilesystemStorage


def tuspyserver(uploads: Path, done: Path) -> Any:
    def move(path: str, metadata: dict[str, str]) -> None:
        Path(path).rename(done / metadata["filename"])
        for sidecar in Path(path).parent.glob(f"{Path(path).name}.*"):
            sidecar.unlink()

    app = FastAPI()
    app.include_router(
        create_tus_router(prefix="files", files_dir=str(uploads), on_upload_complete=move)
    )
    return app


def tussi(uploads: Path, done: Path) -> Any:
    tus = TUSApp(FilesystemStorage(uploads), uploads / "completed")

    async def move() -> None:
        while True:
            async with tus.wait_for_file(timeout=3600) as upload:
                upload.save(done / upload.record.metadata["filename"])

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        moving = asyncio.create_task(move())
        yield
        moving.cancel()

    return Starlette(routes=[Mount("/files", tus)], lifespan=lifespan)


async def main(name: str, files: Path) -> None:
    uploads, done = files / "uploads", files / "done"
    uploads.mkdir(parents=True)
    done.mkdir()
    app = {"tuspyserver": tuspyserver, "tussi": tussi}[name](uploads, done)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)
    await serving


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
