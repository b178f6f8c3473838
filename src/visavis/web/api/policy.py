"""`livechat/recordingPolicy`: how a site records (ours)."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from visavis.domain.people import Agent
from visavis.domain.policy import RecordingPolicy
from visavis.protocol.policy import read_change, settings_of
from visavis.services.site_settings import SiteSettingsService
from visavis.web.request import if_match, if_none_match, json_response, read_object

PATH: Final = "/v4/livechat/recordingPolicy"


class PolicyApi:
    """Reading and changing the recording policy over the REST API."""

    def __init__(self, settings: SiteSettingsService) -> None:
        self._settings = settings

    async def get(self, request: Request, agent: Agent) -> Response:
        policy = (await self._settings.get(agent.site_id)).policy
        if if_none_match(request.scope, etag_of(policy)):
            return Response(status_code=304, headers={"ETag": etag_of(policy)})
        return _answer(policy)

    async def put(self, request: Request, agent: Agent) -> Response:
        change = read_change(await read_object(request))

        def is_expected(policy: RecordingPolicy) -> bool:
            return if_match(request.scope, etag_of(policy))

        return _answer(await self._settings.change_policy(agent, change, is_expected))


def etag_of(policy: RecordingPolicy) -> str:
    return f'"policy-{policy.version}"'


def _answer(policy: RecordingPolicy) -> Response:
    return json_response(settings_of(policy), headers={"ETag": etag_of(policy)})
