"""URL of the archive's storage: s3://bucket/prefix?endpoint=URL&region=NAME."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import msgspec

DEFAULT_REGION: Final = "us-east-1"
"""Default region, which stores other than Amazon S3 accept."""
SCHEME: Final = "s3"

_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX: Final = re.compile(r"[A-Za-z0-9/_.-]*")
_PARAMETERS: Final = frozenset({"endpoint", "region"})


class StorageAddress(msgspec.Struct, frozen=True):
    """A bucket of an object store; `prefix` begins every key, and is empty or ends in a slash."""

    bucket: str
    prefix: str = ""
    endpoint: str = ""
    region: str = DEFAULT_REGION

    @property
    def name(self) -> str:
        """Name of the storage in the database; it does not depend on the endpoint."""
        return f"{SCHEME}://{self.bucket}/{self.prefix}"


def read_storage_address(text: str) -> StorageAddress:
    """Return the parsed URL; raise `ValueError` with a sentence."""
    try:
        url = urlsplit(text)
        given = dict(parse_qsl(url.query, keep_blank_values=True, strict_parsing=bool(url.query)))
    except ValueError:
        raise ValueError(f"takes an address such as s3://bucket, not {text}") from None
    if url.scheme != SCHEME:
        raise ValueError("takes an address that begins with s3://")
    if "@" in url.netloc:
        raise ValueError("takes no credentials: give storage_access_key and storage_secret_key")
    if not _BUCKET.fullmatch(url.netloc) or not _PREFIX.fullmatch(url.path) or url.fragment:
        raise ValueError(f"takes the name of a bucket, and perhaps a prefix, not {text}")
    if unknown := given.keys() - _PARAMETERS:
        raise ValueError(f"knows the parameters endpoint and region, not {min(unknown)}")
    endpoint = given.get("endpoint", "")
    if "endpoint" in given and not _is_web_address(endpoint):
        raise ValueError(f"takes a URL as endpoint, such as https://s3.example.com, not {endpoint}")
    prefix = url.path.strip("/")
    return StorageAddress(
        url.netloc,
        f"{prefix}/" if prefix else "",
        endpoint,
        given.get("region") or DEFAULT_REGION,
    )


def _is_web_address(text: str) -> bool:
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        return False
    return url.scheme in {"http", "https"} and bool(url.hostname) and "@" not in url.netloc
