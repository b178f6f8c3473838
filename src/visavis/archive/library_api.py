"""API of the library: search, playback, download, legal hold and deletion of recordings."""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from visavis.archive.access_audit import AccessAudit, RecordingAction
from visavis.archive.deletion import Deletion
from visavis.archive.library import Library
from visavis.archive.ports import HeldError
from visavis.archive.renditions import FailedError, Renditions, TooManyError
from visavis.archive.search import library_recording, read_search
from visavis.archive.storage import RecordingResponse
from visavis.domain.entity_tags import is_listed_weakly
from visavis.domain.errors import ErrorCode, ErrorKind, VisavisError
from visavis.domain.ids import plain_id
from visavis.domain.library import Entry
from visavis.domain.people import Agent
from visavis.protocol.library import (
    LibraryComposition,
    LibraryContents,
    LibraryDetails,
    LibraryEntry,
    LibraryPart,
    LibraryParts,
)
from visavis.protocol.query import Query
from visavis.protocol.wire import JsonBody, encode

B = TypeVar("B", bound=JsonBody)

BASE: Final = "/library/recordings"
PRIVATE: Final = {"Cache-Control": "private, no-cache"}
MAX_OCCASION: Final = 64


class LibraryApi:
    """Agents play, download, hold and delete the recordings of their site."""

    def __init__(
        self,
        library: Library,
        renditions: Renditions,
        access_audit: AccessAudit,
        deletion: Deletion,
    ) -> None:
        self._library = library
        self._renditions = renditions
        self._access_audit = access_audit
        self._deletion = deletion

    async def index(self, request: Request, agent: Agent) -> Response:
        asked = read_search(Query(request.query_params.multi_items()))
        found = await self._library.search(agent.site_id, asked.search)
        return _json(asked.page(found, BASE))

    async def details(self, request: Request, agent: Agent) -> Response:
        entry = await self._played(request, agent)
        contents = await self._library.media_info(entry)
        return _json(LibraryDetails(library_recording(entry), _of(contents, LibraryContents)))

    async def parts(self, request: Request, agent: Agent) -> Response:
        entry = await self._played(request, agent)
        try:
            parts = await self._renditions.parts(entry)
            return _json(LibraryParts([_of(part, LibraryPart) for part in parts]))
        except FailedError:
            raise _unplayable() from None

    async def part(self, request: Request, agent: Agent) -> Response:
        entry = await self._played(request, agent)
        try:
            found = await self._renditions.part(entry, request.path_params["name"])
        except FailedError:
            raise _unplayable() from None
        if found is None:
            raise VisavisError(ErrorKind.EntityNotFound)
        info, file = found
        return RecordingResponse(file, media_type=info.media_type, headers=PRIVATE)

    async def original(self, request: Request, agent: Agent) -> Response:
        entry = await self._find(request, agent)
        etag = f'"{entry.sha256}"'
        if is_listed_weakly(etag, ", ".join(request.headers.getlist("if-none-match"))):
            return Response(status_code=304, headers={**PRIVATE, "ETag": etag})
        await self._record_download(request, RecordingAction.DOWNLOADED, agent, entry)
        headers = {**PRIVATE, "ETag": etag}
        return await self._library.download(entry, request, _file_name(entry, "mkv"), headers)

    async def composition(self, request: Request, agent: Agent) -> Response:
        return self._composition(await self._find(request, agent))

    def _composition(self, entry: Entry, status: int = 200) -> Response:
        return _json(_of(self._renditions.composition(entry), LibraryComposition), status)

    async def compose(self, request: Request, agent: Agent) -> Response:
        entry = await self._find(request, agent)
        if self._renditions.composition(entry).state in {"none", "failed"}:
            await self._access_audit.record(RecordingAction.COMPOSED, agent, entry)
        try:
            self._renditions.compose(entry)
            return self._composition(entry, 202)
        except TooManyError:
            raise VisavisError(ErrorCode.CompositionsFull) from None

    async def cancel(self, request: Request, agent: Agent) -> Response:
        entry = await self._find(request, agent)
        await self._renditions.cancel(entry)
        return self._composition(entry)

    async def composed(self, request: Request, agent: Agent) -> Response:
        entry = await self._find(request, agent)
        file = self._renditions.composed(entry)
        if file is None:
            raise VisavisError(ErrorCode.CompositionMissing)
        await self._record_download(request, RecordingAction.DOWNLOADED, agent, entry)
        name = _file_name(entry, "mp4")
        return RecordingResponse(file, media_type="video/mp4", filename=name, headers=PRIVATE)

    async def hold(self, request: Request, agent: Agent) -> Response:
        return await self._hold(request, agent, is_held=True)

    async def release(self, request: Request, agent: Agent) -> Response:
        return await self._hold(request, agent, is_held=False)

    async def _hold(self, request: Request, agent: Agent, *, is_held: bool) -> Response:
        entry = await self._find(request, agent)
        if entry.is_held != is_held:
            await self._access_audit.record(
                RecordingAction.HELD if is_held else RecordingAction.RELEASED, agent, entry
            )
            try:
                entry = await self._library.hold(entry, is_held=is_held)
            except KeyError:
                raise _gone() from None
        return _json(LibraryEntry(library_recording(entry)))

    async def delete(self, request: Request, agent: Agent) -> Response:
        entry = await self._find(request, agent)
        if entry.is_held:
            raise _held()
        try:
            await self._deletion.delete(entry, agent)
        except HeldError:
            raise _held() from None
        return Response(status_code=204)

    async def _find(self, request: Request, agent: Agent) -> Entry:
        """Return the recording of the path; raises `EntityNotFound`."""
        given = request.path_params["recording_id"]
        # an upload may bring an id of its own that looks like a GUID
        entry = await self._library.find(agent.site_id, given) or await self._library.find(
            agent.site_id, plain_id(given)
        )
        if entry is None:
            raise _gone()
        return entry

    async def _played(self, request: Request, agent: Agent) -> Entry:
        """Return the requested recording after recording in the audit log that it is played.

        A HEAD request gets no content, so it plays nothing.
        """
        entry = await self._find(request, agent)
        if request.method != "HEAD":
            occasion = request.query_params.get("play", "")[:MAX_OCCASION]
            await self._access_audit.record_once(RecordingAction.PLAYED, agent, entry, occasion)
        return entry

    async def _record_download(
        self, request: Request, action: RecordingAction, agent: Agent, entry: Entry
    ) -> None:
        """Record a download once: a browser that resumes it requests a range."""
        if request.method == "HEAD":
            return
        if "range" in request.headers:
            await self._access_audit.record_once(action, agent, entry, request.url.path)
        else:
            await self._access_audit.record(action, agent, entry)


def _of(stored: msgspec.Struct, kind: type[B]) -> B:
    """Return a body with the attributes of what the archive stores."""
    return msgspec.convert(stored, kind, from_attributes=True)


def _json(body: JsonBody, status: int = 200) -> Response:
    return Response(encode(body), status, media_type="application/json", headers=PRIVATE)


def _file_name(entry: Entry, suffix: str) -> str:
    return f"call-{entry.started_at[:19].replace(':', '')}-{entry.id[:8]}.{suffix}"


def _gone() -> VisavisError:
    return VisavisError(ErrorCode.RecordingNotFound)


def _held() -> VisavisError:
    return VisavisError(ErrorKind.RecordingHeld)


def _unplayable() -> VisavisError:
    return VisavisError(ErrorCode.RecordingUnplayable)
