"""HTTP and WebSocket clients with the time limit of all tests.

By default httpx2 waits 5 seconds and websockets 10. A process that shares its processors with
browsers can need longer for an answer. All of them have one TLS context.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, Final

import httpx2
from websockets.asyncio.client import ClientConnection, connect

from tests.running import PATIENCE
from tests.trust import TRUST

Client: Final = partial(httpx2.Client, timeout=PATIENCE, verify=TRUST)
AsyncClient: Final = partial(httpx2.AsyncClient, timeout=PATIENCE, verify=TRUST)
request: Final = partial(httpx2.request, timeout=PATIENCE, verify=TRUST)
get: Final = partial(httpx2.get, timeout=PATIENCE, verify=TRUST)
head: Final = partial(httpx2.head, timeout=PATIENCE, verify=TRUST)
put: Final = partial(httpx2.put, timeout=PATIENCE, verify=TRUST)
post: Final = partial(httpx2.post, timeout=PATIENCE, verify=TRUST)
patch: Final = partial(httpx2.patch, timeout=PATIENCE, verify=TRUST)
delete: Final = partial(httpx2.delete, timeout=PATIENCE, verify=TRUST)


def websocket(url: str, **options: Any) -> AbstractAsyncContextManager[ClientConnection]:
    """Return the context of a WebSocket; the handshake and each ping may take long."""
    return connect(url, open_timeout=PATIENCE, ping_timeout=PATIENCE, **options)
