"""Upload keys of an archive."""

from __future__ import annotations

import msgspec


class UploadKey(msgspec.Struct, frozen=True, rename="camel"):
    """A key that takes recordings of one site; `sha256` of it in lower-case hexadecimal.

    `expires_at`, in seconds since 1970, is set when another key has replaced it. A key of the
    archive itself has no site. `node` is the node whose key it is, as long as that one renews it.
    """

    name: str
    site_id: int | None
    sha256: str
    expires_at: float | None = None
    node: str = ""
