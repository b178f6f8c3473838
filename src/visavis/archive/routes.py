"""The archive's addresses: uploads for the recorder, recordings for the library page."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import msgspec
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from visavis.archive.library import Entry, Library
from visavis.archive.playback import SIDES, participant_file
from visavis.archive.tus import TusServer
from visavis.archive.uploads import Uploads
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.people import Agent, Permission

Viewer = Callable[[HTTPConnection], Awaitable[Agent]]

PRIVATE: Final = {"Cache-Control": "private, no-cache"}


class Recordings(FileResponse):
    chunk_size = 1024 * 1024  # plays back at a third of the CPU of the default


def archive_routes(directory: Path, key: str, viewer: Viewer) -> list[BaseRoute]:
    library = Library(directory / "library")
    tus = TusServer(Uploads(directory / "uploads"), library, key)
    return [*tus.routes("/recordings"), *LibraryApi(library, viewer).routes()]


class LibraryApi:
    """What an agent with the permission View Recordings may see of their own site."""

    def __init__(self, library: Library, viewer: Viewer) -> None:
        self._library = library
        self._viewer = viewer

    def routes(self) -> list[BaseRoute]:
        base = "/library/recordings"
        return [
            Route(base, self.index),
            Route(base + "/{recording_id}/original.mkv", self.original),
            Route(base + "/{recording_id}/{side}.webm", self.participant),
        ]

    async def index(self, request: Request) -> Response:
        agent = await self._agent(request)
        body = msgspec.json.encode({"recordings": self._library.entries(agent.site_id)})
        return Response(body, media_type="application/json", headers=PRIVATE)

    async def original(self, request: Request) -> Response:
        entry, path = await self._find(request)
        name = f"call-{entry.started_at[:19].replace(':', '')}-{entry.id[:8]}.mkv"
        return Recordings(path, media_type="video/x-matroska", filename=name, headers=PRIVATE)

    async def participant(self, request: Request) -> Response:
        _, path = await self._find(request)
        side = request.path_params["side"]
        if side not in SIDES:
            raise VisavisError(ErrorKind.EntityNotFound)
        file = await asyncio.to_thread(participant_file, path, side)
        return Recordings(file, media_type="video/webm", headers=PRIVATE)

    async def _agent(self, request: Request) -> Agent:
        agent = await self._viewer(request)
        agent.demand(Permission.VIEW_RECORDINGS)
        return agent

    async def _find(self, request: Request) -> tuple[Entry, Path]:
        agent = await self._agent(request)
        found = self._library.find(agent.site_id, request.path_params["recording_id"])
        if found is None:
            raise VisavisError(ErrorKind.EntityNotFound, "There is no such recording.")
        return found
