"""The headers of tus 1.0, read from requests (https://tus.io/protocols/resumable-upload)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse

from visavis.protocol.routes import AnswerError

if TYPE_CHECKING:
    from hashlib import _Hash

VERSION: Final = "1.0.0"
BODY_TYPE: Final = "application/offset+octet-stream"
MAX_SIZE: Final = 64 * 1024**3
MAX_METADATA_BYTES: Final = 8 * 1024
ALGORITHMS: Final = ("sha1", "sha256", "md5")
CHECKSUM_MISMATCH: Final = 460
KNOWN: Final = frozenset(
    {
        "upload-checksum",
        "upload-defer-length",
        "upload-length",
        "upload-metadata",
        "upload-offset",
    }
)
"""Request headers of the extensions that this server offers."""


class TusError(AnswerError):
    """Error of the protocol: an HTTP status and a sentence."""

    def __init__(self, status: int, sentence: str, **headers: str) -> None:
        headers["Tus-Resumable"] = VERSION
        super().__init__(sentence, PlainTextResponse(f"{sentence}\n", status, headers=headers))


@dataclass(frozen=True, slots=True)
class Checksum:
    """Expected digest of a body (checksum extension)."""

    digest: bytes
    hash: _Hash

    def require_match(self) -> None:
        """Raise 460 unless everything that went into `hash` has the digest."""
        if not hmac.compare_digest(self.hash.digest(), self.digest):
            raise TusError(CHECKSUM_MISMATCH, "The bytes do not match the checksum.")


def refuse_unknown_extensions(request: Request) -> None:
    """Raise 400 for an `Upload-` header of an extension that this server does not offer.

    Ignoring Upload-Concat, for example, would list each fragment of a file as a recording.
    """
    for name in request.headers:
        if name.startswith("upload-") and name not in KNOWN:
            raise TusError(400, f"This server does not offer the extension of {name.title()}.")


def read_number(request: Request, name: str) -> int:
    """Return a required header; raise 400 if it is missing."""
    value = request.headers.get(name, "")
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise TusError(400, f"{name.title()} must be a number of bytes.")
    return int(value)


def read_length(request: Request) -> int | None:
    """The upload's length, `None` where it is told later (creation-defer-length)."""
    deferred = request.headers.get("upload-defer-length")
    if deferred is None:
        return checked_length(read_number(request, "upload-length"))
    if deferred != "1" or "upload-length" in request.headers:
        raise TusError(400, "Send either Upload-Length or Upload-Defer-Length: 1.")
    return None


def checked_length(length: int) -> int:
    if length > MAX_SIZE:
        raise TusError(413, f"An upload may have at most {MAX_SIZE} bytes.")
    return length


def read_metadata(request: Request) -> dict[str, str]:
    """`key base64, key base64, key` (creation extension); raises 400 and 413."""
    header = request.headers.get("upload-metadata", "")
    if len(header) > MAX_METADATA_BYTES:
        raise TusError(413, "Upload-Metadata is too long.")
    found: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in header.split(","))):
        key, _, value = pair.partition(" ")
        if key in found:
            raise TusError(400, "Upload-Metadata has a key twice.")
        try:
            found[key] = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise TusError(400, "Upload-Metadata must be key base64 pairs.") from None
    return found


def write_metadata(metadata: dict[str, str]) -> str:
    pairs = ((key, base64.b64encode(value.encode()).decode()) for key, value in metadata.items())
    return ",".join(f"{key} {value}".rstrip() for key, value in pairs)


def read_checksum(request: Request) -> Checksum | None:
    """`algorithm base64`; raises 400."""
    header = request.headers.get("upload-checksum")
    if header is None:
        return None
    algorithm, _, encoded = header.partition(" ")
    if algorithm not in ALGORITHMS:
        raise TusError(400, f"Upload-Checksum may be one of {', '.join(ALGORITHMS)}.")
    found = hashlib.new(algorithm, usedforsecurity=False)
    try:
        digest = base64.b64decode(encoded.strip(), validate=True)
    except binascii.Error:
        digest = b""
    if len(digest) != found.digest_size:
        raise TusError(400, "Upload-Checksum must be an algorithm and a digest in base64.")
    return Checksum(digest, found)


def require_body_type(request: Request) -> None:
    if request.headers.get("content-type") != BODY_TYPE:
        raise TusError(415, f"Send {BODY_TYPE}.")
