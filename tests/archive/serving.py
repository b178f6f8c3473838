"""An archive on real sockets, in a process of its own (`tests.lives`)."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Callable
from pathlib import Path

import uvicorn

from tests.object_store import open_objects
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


def run(directory: Path, key: str, option: str, tell: Callable[[int], None]) -> None:
    """Serve until killed; `tell` the port as soon as it answers.

    If the option is a number, no file can grow beyond that many bytes, as on a full disk; if it is
    a URL, recordings are stored in that object store.
    """
    if option.isdigit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(option), resource.RLIM_INFINITY))
    directory.mkdir(parents=True, exist_ok=True)
    asyncio.run(_serve(directory, key, "" if option.isdigit() else option, tell))


async def _serve(directory: Path, key: str, storage: str, tell: Callable[[int], None]) -> None:
    store = open_store(str(directory / "visavis.db"))
    archive = Archive(
        directory,
        key=lambda: key,
        store=store,
        audit=unheard,
        retention_days_of=for_ever,
        objects=open_objects(storage) if storage else None,
    )
    await archive.index()
    config = uvicorn.Config(routed(archive.routes(), archive.gates()), port=0, log_level="critical")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    tell(server.servers[0].sockets[0].getsockname()[1])
    await serving
