"""An archive on real sockets: `python -m tests.archive.serving DIRECTORY KEY [MAX_FILE_BYTES]`.

Prints its port. No file can grow beyond MAX_FILE_BYTES, as on a disk that is full.
"""

from __future__ import annotations

import asyncio
import resource
import sys
from pathlib import Path

import uvicorn

from tests.routing import routed
from visavis.archive.archive import Archive
from visavis.domain.audit import FieldChange
from visavis.store import open_store


async def unheard(
    _: int, __: int | None, ___: str, ____: str, _____: tuple[FieldChange, ...], ______: object = 0
) -> None:
    raise AssertionError


async def for_ever(_: int) -> int | None:
    return None


async def main(directory: Path, key: str) -> None:
    store = open_store(str(directory / "visavis.db"))
    archive = Archive(
        directory, key=lambda: key, store=store, audit=unheard, retention_days_of=for_ever
    )
    await archive.index()
    config = uvicorn.Config(routed(archive.routes(), archive.gates()), port=0, log_level="critical")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)
    await serving


if __name__ == "__main__":
    if len(sys.argv) > 3:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
