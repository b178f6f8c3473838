"""The network between one node and the NATS servers, which can be cut without a namespace."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from threading import Thread

from tests.faults.proxy import Proxy
from tests.nats_servers import NatsServers
from tests.running import PATIENCE


class BusNetwork:
    """Forwards to all servers, in a thread of its own; `cut` drops every packet until `mend`."""

    def __init__(self, servers: NatsServers) -> None:
        self._proxies = [Proxy(server.port) for server in servers.servers]
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._stack = AsyncExitStack()

    def start(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(PATIENCE)

    async def _open(self) -> None:
        for proxy in self._proxies:
            await self._stack.enter_async_context(proxy)

    def url(self, servers: NatsServers) -> str:
        """Return the setting `bus` of the node behind this network."""
        url = servers.url
        for server, proxy in zip(servers.servers, self._proxies, strict=True):
            url = url.replace(f"127.0.0.1:{server.port}", f"127.0.0.1:{proxy.port}")
        return url

    def cut(self) -> None:
        for proxy in self._proxies:
            self._loop.call_soon_threadsafe(proxy.stall)

    def mend(self) -> None:
        """The network works again; connections that were open meanwhile are reset."""
        for proxy in self._proxies:
            self._loop.call_soon_threadsafe(proxy.cut)
            self._loop.call_soon_threadsafe(proxy.resume)

    def stop(self) -> None:
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(PATIENCE)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(PATIENCE)
        self._loop.close()

    async def _close(self) -> None:
        await self._stack.aclose()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
