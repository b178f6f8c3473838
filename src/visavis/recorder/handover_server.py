"""HTTPS server with which a recorder hands journals over to the recorders of other nodes.

Its certificate is made at each start and is in the database, like the digest of the token that a
request needs. So only recorders with the same database find and trust each other, whatever else is
in the network.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from visavis.recorder.handover_protocol import OfferedJournal, OfferedJournals
from visavis.self_signed import self_signed
from visavis.spool import pieces
from visavis.spool import reader as spool_reader

MAX_REQUESTS: Final = 64
CLOSE_SECONDS: Final = 3


class TokenStore(Protocol):
    """Store of the tokens of recorders that collect journals."""

    async def is_handover_allowed(self, site_id: int, recording_id: str, token: str) -> bool: ...


class RecorderIdentity:
    """Key and self-signed certificate (PEM) of one recorder, valid as long as it runs."""

    def __init__(self) -> None:
        made = self_signed("visavis recorder")
        self.certificate = made.certificate_pem().decode()
        self._key = made.key_pem()

    def use_in(self, config: uvicorn.Config) -> None:
        """Let a server use the certificate. The files that OpenSSL requires are then removed."""
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "recorder.pem"
            path.touch(0o600)
            path.write_bytes(self._key + self.certificate.encode())
            config.ssl_certfile = str(path)
            config.load()


class _HandoverHttpServer(uvicorn.Server):
    """uvicorn without signal handlers, because `Lifecycle` handles signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HandoverServer:
    """Serves the journals in a spool to whom the store allows it."""

    def __init__(self, spool: Path, store: TokenStore) -> None:
        self._spool = spool
        self._store = store
        path = "/recordings/{site_id:int}/{recording_id}/journals"
        self.web = Starlette(
            routes=[Route(path, self.list), Route(f"{path}/{{number}}-{{piece}}", self.read)]
        )

    def server(self, identity: RecorderIdentity) -> uvicorn.Server:
        """Return the server, to be run with an open port."""
        config = uvicorn.Config(
            self.web,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
            limit_concurrency=MAX_REQUESTS,
            timeout_graceful_shutdown=CLOSE_SECONDS,
        )
        identity.use_in(config)
        return _HandoverHttpServer(config)

    async def list(self, request: Request) -> Response:
        """Return the journals of a recording; 423 while one of them may still be written."""
        directory = await self._directory(request)
        if directory is None:
            return Response(status_code=403)
        offered = await asyncio.to_thread(_offered, directory)
        if offered is None:
            return Response(status_code=423)
        return Response(msgspec.json.encode(offered), media_type="application/json")

    async def read(self, request: Request) -> Response:
        """Return a journal, or a range of it."""
        directory = await self._directory(request)
        if directory is None:
            return Response(status_code=403)
        found = await asyncio.to_thread(_journals, directory)
        wanted = request.path_params["number"], request.path_params["piece"]
        for path in found:
            name = pieces.name_of(path)
            if (name.number, name.piece) == wanted:
                return FileResponse(path, media_type="application/octet-stream")
        return Response(status_code=404)

    async def _directory(self, request: Request) -> Path | None:
        """Return the recording's directory, which may be missing; `None` without a valid token."""
        site_id, recording_id = request.path_params["site_id"], request.path_params["recording_id"]
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        is_allowed = scheme == "Bearer" and await self._store.is_handover_allowed(
            site_id, recording_id, token
        )
        # the token is for a recording in the database, so its id is no other path
        return self._spool / recording_id if is_allowed else None


def _offered(directory: Path) -> OfferedJournals | None:
    """Return the journals of a recording, `None` while one may still be written."""
    if not directory.exists():
        return OfferedJournals(())  # none was written: the media worker could not begin it
    with spool_reader.claimed(directory) as is_ours:
        if not is_ours:
            return None
        return OfferedJournals(tuple(map(_offer, _journals(directory))))


def _offer(journal: Path) -> OfferedJournal:
    name = pieces.name_of(journal)
    with journal.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return OfferedJournal(
        name.number, name.piece, journal.stat().st_size, sha256, pieces.clock_of(journal)
    )


def _journals(directory: Path) -> list[Path]:
    return [path for path in spool_reader.journals(directory) if pieces.is_named(path)]
