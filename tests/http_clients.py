"""HTTP and WebSocket clients with the time limit of all tests.

By default httpx2 waits 5 seconds and websockets 10. A process that shares its processors with
browsers can need longer for an answer.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, Final

import httpx2
from websockets.asyncio.client import ClientConnection, connect

from tests.running import PATIENCE

Client: Final = partial(httpx2.Client, timeout=PATIENCE)
AsyncClient: Final = partial(httpx2.AsyncClient, timeout=PATIENCE)
request: Final = partial(httpx2.request, timeout=PATIENCE)
get: Final = partial(httpx2.get, timeout=PATIENCE)
head: Final = partial(httpx2.head, timeout=PATIENCE)
put: Final = partial(httpx2.put, timeout=PATIENCE)
post: Final = partial(httpx2.post, timeout=PATIENCE)
patch: Final = partial(httpx2.patch, timeout=PATIENCE)
delete: Final = partial(httpx2.delete, timeout=PATIENCE)


def websocket(url: str, **options: Any) -> AbstractAsyncContextManager[ClientConnection]:
    """Return the context of a WebSocket; the handshake and each ping may take long."""
    return connect(url, open_timeout=PATIENCE, ping_timeout=PATIENCE, **options)
