"""The certificate of the HTTPS port."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from collections.abc import Callable
from typing import Final

import structlog
import uvicorn

log = structlog.get_logger(__name__)

WATCH_SECONDS: Final = 5.0

_Fingerprint = tuple[tuple[int, int, int], ...]


class ServerCertificate:
    """Certificate and key of the HTTPS port, read again after a change or on request.

    Open connections keep the certificate with which they began.
    """

    def __init__(self, certificate_file: str, key_file: str) -> None:
        """Read the files; raise `OSError` if they cannot be used."""
        self._files = (certificate_file, key_file)
        self._seen = self._fingerprint()
        self._current = self._load()
        self._asked = asyncio.Event()

    def context_factory(
        self, _: uvicorn.Config, default: Callable[[], ssl.SSLContext]
    ) -> ssl.SSLContext:
        """Return a context for uvicorn that uses the current certificate in every handshake."""
        context = default()
        # called in every handshake, even if the client sends no server name
        context.sni_callback = self._choose
        return context

    def reload(self) -> None:
        """Read the files again soon."""
        self._asked.set()

    async def watch(self) -> None:
        """Read the files again whenever they have changed, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), WATCH_SECONDS)
            is_asked = self._asked.is_set()
            self._asked.clear()
            await asyncio.to_thread(self._refresh, is_asked=is_asked)

    def _refresh(self, *, is_asked: bool) -> None:
        try:
            # taken before the files are read, so that a later change is found the next time
            found = self._fingerprint()
            if found == self._seen and not is_asked:
                return
            self._seen = found
            self._current = self._load()
        except OSError as error:  # ssl.SSLError is a subclass
            log.error("TLS certificate not reloaded, the old one stays in use", reason=str(error))  # noqa: TRY400
        else:
            log.info("TLS certificate reloaded")

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _: ssl.SSLContext) -> None:
        connection.context = self._current

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self._files)
        return context

    def _fingerprint(self) -> _Fingerprint:
        found = map(os.stat, self._files)
        return tuple((file.st_ino, file.st_mtime_ns, file.st_size) for file in found)
