"""Configured object store. Its client is imported only if one is configured."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from visavis.archive.storage_address import read_storage_address
from visavis.settings import Settings

if TYPE_CHECKING:
    from visavis.archive.ports import ObjectStore


def is_client_installed() -> bool:
    return find_spec("botocore") is not None


def open_object_store(settings: Settings) -> ObjectStore | None:
    """Return the configured object store; `None` for the local disk."""
    if not settings.storage:
        return None
    from visavis.archive.s3 import S3ObjectStore

    return S3ObjectStore(
        read_storage_address(settings.storage),
        settings.storage_access_key,
        settings.storage_secret_key,
    )
