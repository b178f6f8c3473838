"""Upload keys of an archive."""

from __future__ import annotations

import msgspec


class UploadKey(msgspec.Struct, frozen=True, rename="camel"):
    """Key for uploading recordings of one site. `sha256` is its digest in lower-case hexadecimal.

    `expires_at`, in seconds since 1970, is set when another key has replaced it. A node's own
    key, for all sites, has no site; `node` is that node, which renews the key while it runs.
    """

    name: str
    site_id: int | None
    sha256: str
    expires_at: float | None = None
    node: str = ""
