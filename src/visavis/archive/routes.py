"""The archive's table of routes: uploads for recorders, and the library.

The columns are those of the table of the server: method, path, handler, who may call it, body,
answer, limit, and description. Uploads have limits of their own.
"""

# a row is a line
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

from typing import Final

from visavis.archive.library_api import BASE, LibraryApi
from visavis.archive.media_types import BINARY, MATROSKA, MP4, PLAYABLE
from visavis.archive.tus_headers import BODY_TYPE
from visavis.archive.tus_server import TusServer
from visavis.domain.people import Permission
from visavis.protocol.library import (
    LibraryComposition,
    LibraryDetails,
    LibraryEntry,
    LibraryPage,
    LibraryParts,
)
from visavis.protocol.routes import ANYBODY, Access, Caller, RateClass, Route, Routes, agents

PAGE: Final = RateClass.PAGE
ONE: Final = BASE + "/{recording_id}"
VIEWERS: Final = agents(Permission.VIEW_RECORDINGS)
KEEPERS: Final = agents(Permission.VIEW_RECORDINGS, Permission.MANAGE_SETTINGS)

UPLOADS: Final = "/recordings"
UPLOAD: Final = "/recordings/{upload_id}"
UPLOADERS: Final = Access(Caller.UPLOADER)
BYTES: Final = {BODY_TYPE: BINARY}


def library_routes(library: LibraryApi) -> Routes:
    """The library, for agents."""
    return (
        Route("GET", BASE, library.index, VIEWERS, None, LibraryPage, PAGE, "searchLibrary"),
        Route("GET", ONE, library.details, VIEWERS, None, LibraryDetails, PAGE, "getLibraryRecording"),
        Route("DELETE", ONE, library.delete, KEEPERS, None, None, PAGE, "deleteLibraryRecording"),
        Route("PUT", f"{ONE}/hold", library.hold, KEEPERS, None, LibraryEntry, PAGE, "holdLibraryRecording"),
        Route("DELETE", f"{ONE}/hold", library.release, KEEPERS, None, LibraryEntry, PAGE, "releaseLibraryRecording"),
        Route("GET", f"{ONE}/parts", library.parts, VIEWERS, None, LibraryParts, PAGE, "getLibraryParts"),
        Route("GET", f"{ONE}/parts/{{name}}", library.part, VIEWERS, None, PLAYABLE, PAGE, "getLibraryPart"),
        Route("GET", f"{ONE}/original.mkv", library.original, VIEWERS, None, MATROSKA, PAGE, "downloadLibraryRecording"),
        Route("GET", f"{ONE}/composed", library.composition, VIEWERS, None, LibraryComposition, PAGE, "getLibraryComposition"),
        Route("POST", f"{ONE}/composed", library.compose, VIEWERS, None, LibraryComposition, PAGE, "composeLibraryRecording"),
        Route("DELETE", f"{ONE}/composed", library.cancel, VIEWERS, None, LibraryComposition, PAGE, "cancelLibraryComposition"),
        Route("GET", f"{ONE}/composed.mp4", library.composed, VIEWERS, None, MP4, PAGE, "downloadLibraryComposition"),
    )


def upload_routes(tus: TusServer) -> Routes:
    """The tus server, for recorders.

    POST of an upload names its method in X-HTTP-Method-Override. Rows without a description are
    another spelling, or only refuse as the protocol prescribes.
    """
    return (
        Route("OPTIONS", UPLOADS, tus.abilities, ANYBODY, None, None, None, "getUploadServerAbilities"),
        Route("POST", UPLOADS, tus.serve, UPLOADERS, BYTES, None, None, "createUpload"),
        Route("OPTIONS", UPLOAD, tus.abilities, ANYBODY, None, None, None, "getUploadAbilities"),
        Route("HEAD", UPLOAD, tus.serve, UPLOADERS, None, None, None, "getUploadOffset"),
        Route("PATCH", UPLOAD, tus.serve, UPLOADERS, BYTES, None, None, "appendToUpload"),
        Route("DELETE", UPLOAD, tus.serve, UPLOADERS, None, None, None, "terminateUpload"),
        Route("POST", UPLOAD, tus.serve, UPLOADERS, BYTES, None, None, "overrideUploadMethod"),
        Route("OPTIONS", f"{UPLOADS}/", tus.abilities, ANYBODY, None, None, None, ""),
        Route("POST", f"{UPLOADS}/", tus.serve, UPLOADERS, BYTES, None, None, ""),
        *(
            Route(method, path, tus.serve, UPLOADERS, None, None, None, "")
            for path in (UPLOADS, f"{UPLOADS}/")
            for method in ("HEAD", "PATCH", "DELETE")
        ),
    )
