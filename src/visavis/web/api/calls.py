"""`livechat/audioVideoChats`: calls looked up, ended, and made for another live-chat product."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from visavis.domain.call import CallState
from visavis.domain.call_history import CallSearch
from visavis.domain.errors import ErrorCode, ErrorKind, VisavisError
from visavis.domain.ids import plain_id
from visavis.domain.people import Agent
from visavis.domain.text import clean_line
from visavis.protocol.calls import (
    ENDINGS,
    MAX_AGENT_ID,
    MAX_TEXT_LENGTH,
    join_of,
    page_of,
    read_request,
    report_of_call,
)
from visavis.protocol.query import Query
from visavis.protocol.query import wrong_parameter as _wrong
from visavis.services.call_history import CallHistory
from visavis.web.paging import query_of
from visavis.web.request import json_response, read_object

PATH: Final = "/v4/livechat/audioVideoChats"
LIST_FILTERS: Final = ("state", "reason")
FILTERS: Final = (*LIST_FILTERS, "agentId", "from", "to", "text", "keywords", "isAnswered")

_ID: Final = re.compile(r"[0-9a-z]{1,64}", re.ASCII)

E = TypeVar("E", bound=StrEnum)


class CallsApi:
    """Looking calls up, ending and making them over the REST API."""

    def __init__(self, book: CallHistory, base_url: str) -> None:
        self._book = book
        self._base_url = base_url

    async def list(self, request: Request, agent: Agent) -> Response:
        query = query_of(request)
        asked, search = query.paging(), _search(query)
        page = await self._book.list_page(agent, search, asked.index, asked.size)
        place = asked.neighbours(PATH, page.total, _filters(query))
        return json_response(page_of(page.calls, place))

    async def get(self, request: Request, agent: Agent) -> Response:
        call, report = await self._book.get(agent, _call_id(request))
        return json_response(report_of_call(call, report))

    async def end(self, request: Request, agent: Agent) -> Response:
        call, report = await self._book.end(agent, _call_id(request))
        return json_response(report_of_call(call, report))

    async def make(self, request: Request, agent: Agent) -> Response:
        call, created = await self._book.make(agent, *read_request(await read_object(request)))
        body = join_of(
            call,
            f"{self._base_url}/join/{created.visitor_token}",
            f"{self._base_url}/join/{created.agent_token}",
        )
        location = f"{PATH}/{call.id}"
        return json_response(body, 201, {"Location": location})


# Requests


def _call_id(request: Request) -> str:
    """Raises `EntityNotFound` for what could be no call's id."""
    if not _ID.fullmatch(found := plain_id(request.path_params["id"])):
        raise VisavisError(ErrorCode.CallUnknown)
    return found


def _filters(query: Query) -> dict[str, str]:
    """Return the filters of a query, for the URLs of the neighbouring pages."""
    lists = {name: ",".join(query.many(name)) for name in LIST_FILTERS}
    single = {name: query.one(name) or "" for name in FILTERS if name not in lists}
    return {name: value for name, value in {**lists, **single}.items() if value}


def _search(query: Query) -> CallSearch:
    """Raises the 400 errors."""
    text = query.one("text") or query.one("keywords") or ""
    if len(text) > MAX_TEXT_LENGTH:
        raise _too_long("text")
    has_agent = query.one("agentId") is not None
    return CallSearch(
        states=_names(query, "state", tuple(CallState)),
        reasons=_names(query, "reason", ENDINGS),
        agent_id=query.number("agentId", 0, 0, MAX_AGENT_ID) if has_agent else None,
        since=query.time("from"),
        until=query.time("to"),
        text=clean_line(text),
        is_answered=_flag(query.one("isAnswered"), "isAnswered"),
    )


def _flag(value: str | None, name: str) -> bool | None:
    if value is None:
        return None
    known = {"true": True, "false": False}
    if value.casefold() not in known:
        raise _wrong(name, "must be true or false.")
    return known[value.casefold()]


def _names(query: Query, name: str, known: tuple[E, ...]) -> frozenset[E]:
    """Some of the known names, in any case."""
    by_name = {str(item).casefold(): item for item in known}
    try:
        return frozenset(by_name[word.casefold()] for word in query.many(name))
    except KeyError:
        raise _wrong(name, f"must be one or more of {', '.join(known)}.") from None


def _too_long(name: str) -> VisavisError:
    kind = ErrorKind.ParameterStringLengthExceed
    return _wrong(name, f"is longer than {MAX_TEXT_LENGTH} characters.", kind)
