"""A TCP proxy whose network can vanish: connections stay open and nothing arrives any more."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from typing import Final

CHUNK: Final = 64 * 1024


class ForgetfulProxy:
    """Forwards every connection to one port, until it forgets those that are open.

    A forgotten connection is half-open for both ends: no FIN, no RST, no data (RFC 9293 §3.5.1).
    """

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._forgotten = Event()
        self._sockets: list[socket.socket] = []
        self._lock = Lock()

    def forget(self) -> None:
        """Forward nothing more on the connections that are open; new ones work."""
        with self._lock:
            self._forgotten.set()
            self._forgotten = Event()

    def run(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                with self._lock:
                    self._sockets += client, server
                    forgotten = self._forgotten
                Thread(target=_forward, args=(client, server, forgotten), daemon=True).start()

    def close(self) -> None:
        for one in (self._listener, *self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def _forward(client: socket.socket, server: socket.socket, forgotten: Event) -> None:
    others = {client: server, server: client}
    with selectors.DefaultSelector() as selector, suppress(OSError, ValueError):
        for one in others:
            selector.register(one, selectors.EVENT_READ)
        while not forgotten.is_set():
            for key, _ in selector.select(0.1):
                source = key.fileobj
                assert isinstance(source, socket.socket)
                data = source.recv(CHUNK)
                if forgotten.is_set():
                    return
                if not data:
                    client.close()
                    server.close()
                    return
                others[source].sendall(data)


@contextmanager
def forgetful_proxy(port: int) -> Iterator[ForgetfulProxy]:
    proxy = ForgetfulProxy(port)
    Thread(target=proxy.run, daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.close()
