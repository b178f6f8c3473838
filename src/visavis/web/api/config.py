"""`livechat/audioVideoChatConfig`: four calls on one resource."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from visavis.domain.config import Config, ConfigUpdate
from visavis.domain.people import Agent
from visavis.protocol.configuration import configuration_of, read_change
from visavis.services.site_settings import SiteSettingsService
from visavis.web.request import if_match, if_none_match, json_response, read_object

PATH: Final = "/v4/livechat/audioVideoChatConfig"


@dataclass(frozen=True, slots=True)
class _Answer:
    """A configuration as it goes out, made once for as long as it stands."""

    config: Config
    etag: str
    response: Response


class ConfigApi:
    """Reading and changing the configuration over the REST API."""

    def __init__(self, settings: SiteSettingsService) -> None:
        self._settings = settings
        self._answers: dict[int, _Answer] = {}

    async def get(self, request: Request, agent: Agent) -> Response:
        answer = self._answer((await self._settings.get(agent.site_id)).config)
        if if_none_match(request.scope, answer.etag):
            return Response(status_code=304, headers={"ETag": answer.etag})
        return answer.response

    async def put(self, request: Request, agent: Agent) -> Response:
        change = read_change(await read_object(request))
        return await self._change(request, agent, change)

    async def enable(self, request: Request, agent: Agent) -> Response:
        return await self._change(request, agent, ConfigUpdate(is_enabled=True))

    async def disable(self, request: Request, agent: Agent) -> Response:
        return await self._change(request, agent, ConfigUpdate(is_enabled=False))

    async def _change(self, request: Request, agent: Agent, change: ConfigUpdate) -> Response:
        def is_expected(config: Config) -> bool:
            return if_match(request.scope, etag_of(self._settings, config))

        return self._answer(await self._settings.change_config(agent, change, is_expected)).response

    def _answer(self, config: Config) -> _Answer:
        answer = self._answers.get(config.site_id)
        if answer is None or answer.config is not config:
            etag = etag_of(self._settings, config)
            body = configuration_of(config, self._settings.url(config))
            response = json_response(body, headers={"ETag": etag})
            answer = self._answers[config.site_id] = _Answer(config, etag, response)
        return answer


def etag_of(settings: SiteSettingsService, config: Config) -> str:
    """The strong tag of a configuration as it is answered (RFC 9110 §8.8.3)."""
    state = f"{config.version} {settings.url(config)}"
    return f'"{hashlib.sha256(state.encode()).hexdigest()[:20]}"'
