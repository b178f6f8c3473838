"""Collects the journals of a recording that other nodes have in their spools."""

from __future__ import annotations

import asyncio
import hashlib
import os
import ssl
from http import HTTPStatus
from io import FileIO
from pathlib import Path
from typing import Final

import httpx2
import msgspec

from visavis.domain.delivery_status import SpoolNode
from visavis.domain.handover import Journals
from visavis.domain.recording import Manifest
from visavis.durable import free_bytes
from visavis.recorder.handover_protocol import OfferedJournal, OfferedJournals, journals_path
from visavis.spool import pieces
from visavis.spool.pieces import PieceName

TIMEOUT: Final = httpx2.Timeout(60.0, connect=10.0)
MAX_LIST_BYTES: Final = 4 * 1024 * 1024
BLOCK_BYTES: Final = 1024 * 1024


class HandoverError(Exception):
    """A node has not handed its journals over; the message says why."""


async def collect(
    directory: Path, manifest: Manifest, node: SpoolNode, token: str, reserve_bytes: int
) -> Journals:
    """Copy a node's journals into a claimed recording; return them once they are on disk.

    What an earlier attempt has copied is not transferred again. At least `reserve_bytes` of the
    disk stay free. Raises `HandoverError` and `OSError`.
    """
    if not node.recorder_url:
        raise HandoverError(f"{node.machine} has no recorder_address.")
    base = node.recorder_url + journals_path(manifest.site_id, manifest.recording_id)
    try:
        async with httpx2.AsyncClient(
            verify=_context(node.recorder_certificate),
            headers={"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"},
            timeout=TIMEOUT,
            follow_redirects=False,
            trust_env=False,
        ) as client:
            offered = await _list(client, base)
            missing = await asyncio.to_thread(_missing, directory, offered)
            _require_room(directory, missing, reserve_bytes)
            if missing:
                await asyncio.to_thread(pieces.forget_file, directory)
            for journal in missing:
                await _fetch(client, base, directory, journal)
    except (httpx2.HTTPError, ssl.SSLError, msgspec.MsgspecError) as error:
        reason = str(error) or type(error).__name__
        raise HandoverError(f"{node.machine} hands no packets over: {reason}.") from error
    return {f"{one.number}-{one.piece}": one.size for one in offered}


def _context(certificate: str) -> ssl.SSLContext:
    """Return a context that trusts this certificate alone, whatever name it has."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=certificate)
    return context


async def _list(client: httpx2.AsyncClient, base: str) -> tuple[OfferedJournal, ...]:
    async with client.stream("GET", base) as response:
        if response.status_code == HTTPStatus.LOCKED:
            raise HandoverError("A media worker may still write packets there.")
        _require(response, HTTPStatus.OK)
        body = bytearray()
        async for block in response.aiter_raw():
            body += block
            if len(body) > MAX_LIST_BYTES:
                raise HandoverError("The list of journals is too long.")
    return msgspec.json.decode(body, type=OfferedJournals).journals


def _require(response: httpx2.Response, status: HTTPStatus) -> None:
    if response.status_code != status:
        raise HandoverError(f"The other recorder answered {response.status_code}.")


def _missing(directory: Path, offered: tuple[OfferedJournal, ...]) -> list[OfferedJournal]:
    """Return the journals that are not here; raises `HandoverError` if a different one is."""
    missing = []
    for journal in offered:
        place = _place(directory, journal)
        if not place.exists():
            missing.append(journal)
        elif _sha256(place) != journal.sha256:
            raise HandoverError(f"Two different journals are named {place.name}.")
    return missing


def _place(directory: Path, journal: OfferedJournal) -> Path:
    name = PieceName(journal.number, journal.piece)
    place = pieces.place_of(directory, name)
    if not pieces.is_named(place):
        raise HandoverError("The other recorder offers a file that is not a journal.")
    return place


def _require_room(directory: Path, missing: list[OfferedJournal], reserve_bytes: int) -> None:
    needed = reserve_bytes
    for journal in missing:
        draft = pieces.draft_of(_place(directory, journal))
        needed += journal.size - (draft.stat().st_size if draft.exists() else 0)
    if missing and free_bytes(directory) < needed:
        raise HandoverError("This machine has no room for the packets of the other one.")


async def _fetch(
    client: httpx2.AsyncClient, base: str, directory: Path, journal: OfferedJournal
) -> None:
    """Transfer a journal, from where an earlier attempt ended."""
    name, place = PieceName(journal.number, journal.piece), _place(directory, journal)
    draft = pieces.draft_of(place)
    await asyncio.to_thread(pieces.write_clock, directory, name, journal.clock)
    try:
        with draft.open("ab", buffering=0) as file:
            await _receive(client, f"{base}/{journal.number}-{journal.piece}", file, journal.size)
    except OSError:
        draft.unlink(missing_ok=True)  # a full disk needs its space
        raise
    if await asyncio.to_thread(_sha256, draft) != journal.sha256:
        draft.unlink()
        raise HandoverError("The packets did not arrive as they were sent.")
    await asyncio.to_thread(pieces.finish, draft, place)


async def _receive(client: httpx2.AsyncClient, url: str, file: FileIO, size: int) -> None:
    offset = file.seek(0, os.SEEK_END)
    if offset >= size:
        return
    async with client.stream("GET", url, headers={"Range": f"bytes={offset}-"}) as response:
        _require(response, HTTPStatus.PARTIAL_CONTENT)
        async for block in response.aiter_bytes(BLOCK_BYTES):
            await asyncio.to_thread(_write_all, file, block)


def _write_all(file: FileIO, block: bytes) -> None:
    rest = memoryview(block)
    while rest:
        rest = rest[file.write(rest) :]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
