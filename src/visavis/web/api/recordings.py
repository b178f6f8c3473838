"""`livechat/recordings`, and trying a recording server out (ours)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from visavis.domain.people import Agent
from visavis.domain.recording import UNDELIVERED, RecordingState
from visavis.protocol.query import wrong_parameter
from visavis.protocol.recordings import page_of, read_server, verdict_of
from visavis.services.recordings import EVERY_STATE, RecordingAdmin
from visavis.web.api.config import PATH as CONFIG_PATH
from visavis.web.paging import query_of
from visavis.web.request import header, json_response, read_object

PATH: Final = "/v4/livechat/recordings"
TRIAL_PATH: Final = f"{CONFIG_PATH}:testRecordingServer"
UNDELIVERED_WORD: Final = "undelivered"
STATE_WORDS: Final = (*EVERY_STATE, UNDELIVERED_WORD)


class RecordingsApi:
    """Delivery status of recordings, and the test of a recording server, over the REST API."""

    def __init__(self, recording_admin: RecordingAdmin) -> None:
        self._recording_admin = recording_admin

    async def get(self, request: Request, agent: Agent) -> Response:
        query = query_of(request)
        asked, words = query.paging(), query.many("state")
        page = await self._recording_admin.list_page(agent, _states(words), asked.index, asked.size)
        filters = {"state": ",".join(words)} if words else {}
        place = asked.neighbours(PATH, page.total, filters)
        body = page_of(page.recordings, page.backlog, page.missing, place)
        return json_response(body)

    async def try_out(self, request: Request, agent: Agent) -> Response:
        """An empty body tries what is stored."""
        body = await read_object(request) if _has_body(request) else {}
        check = await self._recording_admin.check_server(agent, *read_server(body))
        return json_response(verdict_of(check))


def _states(words: Iterable[str]) -> Collection[RecordingState]:
    """The states that any of the words names; every state without a word."""
    by_word = {state.casefold(): frozenset({state}) for state in EVERY_STATE}
    by_word[UNDELIVERED_WORD] = frozenset(UNDELIVERED)
    try:
        found = frozenset[RecordingState]().union(*(by_word[word.casefold()] for word in words))
    except KeyError:
        raise wrong_parameter(
            "state", f"must be one or more of {', '.join(STATE_WORDS)}."
        ) from None
    return found or EVERY_STATE


def _has_body(request: Request) -> bool:
    length = header(request.scope, b"content-length")
    return length not in {"", "0"} or bool(header(request.scope, b"transfer-encoding"))
