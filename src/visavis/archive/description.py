"""Descriptions of the uploads (tus 1.0) and of the library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from visavis.archive.library_api import MAX_OCCASION
from visavis.archive.media_types import BINARY, MATROSKA, MP4, PLAYABLE
from visavis.archive.search import MAX_PAGE_SIZE, MAX_SECONDS, MAX_TEXT, ORDERS, PAGE_SIZE
from visavis.archive.tus_headers import BODY_TYPE, CHECKSUM_MISMATCH, MAX_SIZE, VERSION
from visavis.archive.tus_server import EXTENSIONS, SHA256_HEADER
from visavis.domain.errors import ErrorKind
from visavis.protocol.openapi import (
    BAD_PARAMETER,
    STRING,
    TEXT,
    Body,
    DocumentedAnswer,
    Operation,
    Schema,
    described_by_name,
)
from visavis.protocol.parameters import (
    ID_TEXT,
    IF_NONE_MATCH,
    SITE,
    paging,
    path_parameter,
    query,
)

UPLOAD_TAG: Final = "Uploads"
LIBRARY: Final = "Library"
TAGS: Final = {
    UPLOAD_TAG: f"The built-in recording server, for recorders: tus {VERSION} with the extensions "
    f"{EXTENSIONS.replace(',', ', ')}.",
    LIBRARY: "The recordings that were uploaded to the built-in recording server.",
}


# Library

_NEEDS: Final = "Needs the permission *View Recordings*."
_NEEDS_BOTH: Final = "Needs the permissions *View Recordings* and *Manage Settings*."
_RECORDING: Final = path_parameter("recording_id", ID_TEXT)
_PLAY: Final = query(
    "play",
    "An occasion, such as a page that was opened: the audit log notes each once.",
    maxLength=MAX_OCCASION,
)
_RANGE: Final[Schema] = {
    "name": "Range",
    "in": "header",
    "description": "RFC 9110 §14.2",
    "schema": STRING,
}

_MOMENT: Final = "a day (in UTC, included) or a time, ISO 8601"
_SEARCH: Final = (
    query("agent", "Part of an agent's name.", maxLength=MAX_TEXT),
    query("visitor", "Part of the visitor's name or e-mail address.", maxLength=MAX_TEXT),
    query("from", f"Started at or after this time: {_MOMENT}."),
    query("to", f"Started before this time: {_MOMENT}."),
    query(
        "shortest", "At least this many seconds.", type="integer", minimum=0, maximum=MAX_SECONDS
    ),
    query("longest", "At most this many seconds.", type="integer", minimum=0, maximum=MAX_SECONDS),
    query("media", "Only calls with these media.", enum=["audio", "video"]),
    query("held", "Whether they are on legal hold.", type="boolean"),
    query(
        "sort",
        "Field to sort by; a minus sorts in descending order.",
        enum=[sign + name for name in ORDERS for sign in ("", "-")],
        default="-startedAt",
    ),
    *paging(PAGE_SIZE, MAX_PAGE_SIZE),
)


def _library(
    name: str,
    summary: str,
    answers: Mapping[int, DocumentedAnswer],
    *errors: ErrorKind,
    parameters: tuple[Schema, ...] = (_RECORDING,),
    description: str = _NEEDS,
) -> Operation:
    missing = (ErrorKind.EntityNotFound,) if _RECORDING in parameters else ()
    return Operation(
        name=name,
        tag=LIBRARY,
        summary=summary,
        description=description,
        answers=answers,
        parameters=(*parameters, *SITE),
        errors=(*missing, *errors),
    )


def _file(content: Mapping[str, Schema], **headers: str) -> Mapping[int, DocumentedAnswer]:
    ranged = {"Content-Range": "RFC 9110 §14.4"}
    return {
        200: DocumentedAnswer("The file", headers=headers),
        206: DocumentedAnswer(
            "The range, or several as multipart/byteranges",
            {**content, "multipart/byteranges": BINARY},
            {**ranged, **headers},
        ),
        400: DocumentedAnswer("Range is malformed", {TEXT: STRING}),
        416: DocumentedAnswer("There is no such range", {TEXT: STRING}, ranged),
    }


_LIBRARY: Final = (
    _library(
        "searchLibrary",
        "Search the recordings",
        {200: DocumentedAnswer("A page of the recordings")},
        *BAD_PARAMETER,
        parameters=_SEARCH,
    ),
    _library(
        "getLibraryRecording",
        "Read a recording and the contents of its file",
        {200: DocumentedAnswer("The recording")},
        parameters=(_RECORDING, _PLAY),
        description=f"Counts as playing it, in the audit log. {_NEEDS}",
    ),
    _library(
        "deleteLibraryRecording",
        "Delete a recording permanently",
        {204: DocumentedAnswer("Deleted")},
        ErrorKind.RecordingHeld,
        description=_NEEDS_BOTH,
    ),
    _library(
        "holdLibraryRecording",
        "Put a recording on legal hold",
        {200: DocumentedAnswer("The recording as it is now")},
        description=_NEEDS_BOTH,
    ),
    _library(
        "releaseLibraryRecording",
        "Release a recording from legal hold",
        {200: DocumentedAnswer("The recording as it is now")},
        description=_NEEDS_BOTH,
    ),
    _library(
        "getLibraryParts",
        "List the parts of a recording that a browser can play",
        {200: DocumentedAnswer("The parts")},
        parameters=(_RECORDING, _PLAY),
        description=f"Makes them first if need be, which takes a while. {_NEEDS}",
    ),
    _library(
        "getLibraryPart",
        "Play a part of a recording",
        _file(PLAYABLE),
        parameters=(
            _RECORDING,
            path_parameter("name", "The name of a part."),
            _PLAY,
            _RANGE,
        ),
    ),
    _library(
        "downloadLibraryRecording",
        "Download a recording as it was uploaded",
        {
            **_file(
                MATROSKA,
                **{"ETag": "The SHA-256 of the file", "Content-Disposition": "RFC 6266"},
            ),
            304: DocumentedAnswer(
                "It still has the tag of If-None-Match", headers={"ETag": "The SHA-256 of the file"}
            ),
        },
        parameters=(_RECORDING, _RANGE, IF_NONE_MATCH),
    ),
    _library(
        "getLibraryComposition",
        "Read the progress of the MP4 of both sides",
        {200: DocumentedAnswer("The progress")},
    ),
    _library(
        "composeLibraryRecording",
        "Create an MP4 that shows both sides",
        {202: DocumentedAnswer("The progress")},
        ErrorKind.TooManyRequests,
    ),
    _library(
        "cancelLibraryComposition",
        "Stop creating the MP4",
        {200: DocumentedAnswer("The progress")},
    ),
    _library(
        "downloadLibraryComposition",
        "Download the MP4 of both sides",
        _file(MP4, **{"Content-Disposition": "RFC 6266"}),
        parameters=(_RECORDING, _RANGE),
    ),
)

# Uploads

_VERSION: Final[Schema] = {
    "name": "Tus-Resumable",
    "in": "header",
    "required": True,
    "description": "The version of the protocol.",
    "schema": {"type": "string", "enum": [VERSION]},
}
_UPLOAD_ID: Final = path_parameter("upload_id", "The last segment of the upload's URL.")
_CHECKSUM: Final[Schema] = {
    "name": "Upload-Checksum",
    "in": "header",
    "description": "An algorithm, a space and the digest of the body in Base64.",
    "schema": STRING,
}
_LENGTH: Final[Schema] = {
    "name": "Upload-Length",
    "in": "header",
    "description": "The size of the whole file in bytes.",
    "schema": {"type": "integer", "minimum": 0, "maximum": MAX_SIZE},
}
_RESUMABLE: Final = {"Tus-Resumable": "The version of the protocol"}
_OFFSET: Final = {
    "Upload-Offset": "Bytes that are safely stored",
    "Upload-Length": "The size of the whole file, once it is known",
    "Upload-Defer-Length": "1 while the size is not known",
    "Upload-Expires": "Time at which the upload expires",
    SHA256_HEADER: "The SHA-256 of the file, once it is whole and in the library",
}
_REFUSALS: Final[Mapping[int, str]] = {
    400: "A header is not as the protocol wants it, or of an extension that is not offered",
    401: "The key is missing or wrong",
    403: "The key belongs to another site",
    404: "There is no such upload",
    408: "No data arrived for too long",
    409: "The upload is at another offset",
    410: "The upload has expired, or its recording was deleted",
    412: f"Tus-Resumable is not {VERSION}",
    413: "Too many bytes, or too much metadata",
    415: f"The body is not {BODY_TYPE}",
    423: "Another request writes to the upload",
    429: "The key has too many unfinished uploads",
    CHECKSUM_MISMATCH: "The bytes do not match the checksum",
    507: "The disk is full, or the quota of the site is used up",
}
_USUAL: Final = (400, 401, 412)


def _upload(
    name: str,
    summary: str,
    description: str,
    answer: tuple[int, DocumentedAnswer],
    *refusals: int,
    parameters: tuple[Schema, ...] = (_VERSION,),
    body: Body | None = None,
) -> Operation:
    status, success = answer
    return Operation(
        name=name,
        tag=UPLOAD_TAG,
        summary=summary,
        description=description,
        answers={
            status: success,
            **{
                refusal: DocumentedAnswer(_REFUSALS[refusal], {TEXT: STRING}, _RESUMABLE)
                for refusal in refusals
            },
        },
        parameters=parameters,
        body=body,
    )


def _abilities(name: str) -> Operation:
    headers = {
        "Tus-Version": "The versions that are spoken",
        "Tus-Extension": "The extensions that are offered",
        "Tus-Max-Size": "The greatest size of an upload",
        "Tus-Checksum-Algorithm": "The algorithms of Upload-Checksum",
    }
    return _upload(
        name,
        "Ask for the version and the extensions of the server",
        "Needs no authorization.",
        (204, DocumentedAnswer("The abilities of the server", headers={**_RESUMABLE, **headers})),
        parameters=(_UPLOAD_ID,) if name == "getUploadAbilities" else (),
    )


_OPTIONAL: Final = Body({}, is_required=False)
_UPLOADS: Final = (
    _abilities("getUploadServerAbilities"),
    _upload(
        "createUpload",
        "Create an upload",
        "The metadata `site`, `recording`, `sha256` and others are described in "
        "docs/operations.md. A body is the beginning of the file.",
        (
            201,
            DocumentedAnswer(
                "Created",
                headers={
                    **_RESUMABLE,
                    **_OFFSET,
                    "Location": "URL of the upload, relative to the request's",
                },
            ),
        ),
        *(*_USUAL, 403, 408, 410, 413, 429, CHECKSUM_MISMATCH, 507),
        parameters=(
            _VERSION,
            _LENGTH,
            {
                "name": "Upload-Defer-Length",
                "in": "header",
                "description": "1, in place of Upload-Length, while the size is not known.",
                "schema": {"type": "string", "enum": ["1"]},
            },
            {
                "name": "Upload-Metadata",
                "in": "header",
                "description": "Keys and values: `key base64, key base64`.",
                "schema": STRING,
            },
            _CHECKSUM,
        ),
        body=_OPTIONAL,
    ),
    _abilities("getUploadAbilities"),
    _upload(
        "getUploadOffset",
        "Read how much of an upload is stored",
        "For resuming it.",
        (
            200,
            DocumentedAnswer(
                "The number of bytes that are stored",
                headers={**_RESUMABLE, **_OFFSET, "Upload-Metadata": "As it was sent"},
            ),
        ),
        *(*_USUAL, 404, 410, 423, CHECKSUM_MISMATCH),
        parameters=(_UPLOAD_ID, _VERSION),
    ),
    _upload(
        "appendToUpload",
        "Append bytes to an upload",
        "The upload is handed to the library with its last byte.",
        (204, DocumentedAnswer("The bytes are stored", headers={**_RESUMABLE, **_OFFSET})),
        *(*_USUAL, 404, 408, 409, 410, 413, 415, 423, CHECKSUM_MISMATCH, 507),
        parameters=(
            _UPLOAD_ID,
            _VERSION,
            {
                "name": "Upload-Offset",
                "in": "header",
                "required": True,
                "description": "Bytes that are already stored.",
                "schema": {"type": "integer", "minimum": 0},
            },
            _LENGTH,
            _CHECKSUM,
        ),
    ),
    _upload(
        "terminateUpload",
        "Terminate an upload",
        "A recording that the library has stays there.",
        (204, DocumentedAnswer("The upload is gone", headers=_RESUMABLE)),
        *(*_USUAL, 404, 410, 423),
        parameters=(_UPLOAD_ID, _VERSION),
    ),
    _upload(
        "overrideUploadMethod",
        "Send PATCH, HEAD or DELETE where only POST gets through",
        "X-HTTP-Method-Override names the method; the request is answered as that one's.",
        (204, DocumentedAnswer("As the method's", headers={**_RESUMABLE, **_OFFSET})),
        *(*_USUAL, 404, 408, 409, 410, 413, 415, 423, CHECKSUM_MISMATCH, 507),
        parameters=(
            _UPLOAD_ID,
            _VERSION,
            {
                "name": "X-HTTP-Method-Override",
                "in": "header",
                "required": True,
                "description": "The method.",
                "schema": {"type": "string", "enum": ["PATCH", "DELETE"]},
            },
            {
                "name": "Upload-Offset",
                "in": "header",
                "description": "For PATCH: bytes that are already stored.",
                "schema": {"type": "integer", "minimum": 0},
            },
        ),
        body=_OPTIONAL,
    ),
)

DESCRIPTIONS: Final = described_by_name(*_LIBRARY, *_UPLOADS)
