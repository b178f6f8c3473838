"""`livechat/audioVideoChatConfig/events`: the configuration as it changes, for open pages."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from visavis.domain.errors import VisavisError
from visavis.domain.people import Agent, Permission
from visavis.protocol.configuration import ConfigEvent, configuration_of
from visavis.protocol.routes import Access, agents
from visavis.protocol.wire import encode
from visavis.services.ports import Bus, Subscription
from visavis.services.site_settings import SiteSettingsService
from visavis.services.topics import CONFIG_TOPIC
from visavis.tasks import child
from visavis.web.api.config import PATH, etag_of
from visavis.web.authentication import in_background

EVENTS_PATH: Final = f"{PATH}/events"
MEDIA_TYPE: Final = "text/event-stream"
WATCHERS: Final = agents(Permission.MANAGE_SETTINGS)
HEARTBEAT_SECONDS: Final = 7.0
HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class ConfigEvents:
    """Server-sent events (WHATWG HTML §9.2): the whole resource and its tag at each change."""

    def __init__(
        self,
        settings: SiteSettingsService,
        bus: Bus,
        admit: Callable[[Request, Access], Awaitable[Agent]],
        stopping: asyncio.Event,
    ) -> None:
        """`admit` is the gate of the stream; it is asked again while the stream is open."""
        self._settings = settings
        self._bus = bus
        self._admit = admit
        self._stopping = stopping

    async def watch(self, request: Request, agent: Agent) -> Response:
        """Stream the events of the agent's site."""
        stream = self._stream(request, agent)
        return StreamingResponse(stream, media_type=MEDIA_TYPE, headers=HEADERS)

    async def _stream(self, request: Request, agent: Agent) -> AsyncIterator[str]:
        """Ends with the server, the watcher's permission, or a reader too slow for the bus."""
        async with self._bus.subscribe(f"{CONFIG_TOPIC}{agent.site_id}") as news:
            yield await self._event(agent.site_id)
            in_background(request)
            with contextlib.suppress(VisavisError):
                async for has_changed in self._beats(news):
                    await self._admit(request, WATCHERS)
                    yield await self._event(agent.site_id) if has_changed else ":\n\n"

    async def _beats(self, news: Subscription) -> AsyncIterator[bool]:
        """Whether it changed, at each change and at each heartbeat."""
        waiting = aiter(news)
        change = child(_next(waiting))
        stop = child(self._stopping.wait())
        try:
            while not stop.done():
                await asyncio.wait(
                    {change, stop},
                    timeout=HEARTBEAT_SECONDS,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if not change.done():
                    yield False
                elif change.result() is None:
                    return
                else:
                    change = child(_next(waiting))
                    yield True
        finally:
            change.cancel()
            stop.cancel()

    async def _event(self, site_id: int) -> str:
        config = (await self._settings.get(site_id)).config
        body = configuration_of(config, self._settings.url(config))
        event = ConfigEvent(etag_of(self._settings, config), body)
        return f"event: config\ndata: {encode(event).decode()}\n\n"


async def _next(messages: AsyncIterator[bytes]) -> bytes | None:
    return await anext(messages, None)
