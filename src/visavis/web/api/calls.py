"""`livechat/audioVideoChats`: calls looked up, ended, and made for another live-chat product."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeVar, cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from visavis.domain.call import CallState
from visavis.domain.call_events import CallEvent, CallReport
from visavis.domain.call_history import CallSearch, PastCall
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.ids import plain_id
from visavis.domain.vocabulary import Media
from visavis.protocol.query import Query
from visavis.protocol.query import wrong_parameter as _wrong
from visavis.services.call_history import CallHistory
from visavis.services.calls.text import clean_line
from visavis.web.api.shapes import ENDINGS
from visavis.web.authentication import Authentication
from visavis.web.body import read_object
from visavis.web.paging import format_time, query_of
from visavis.web.resource import BASE, SAFE_HEADERS, Resource, id_of

PATH: Final = f"{BASE}/livechat/audioVideoChats"
MAX_TEXT_LENGTH: Final = 200
MAX_AGENT_ID: Final = 2**31 - 1
LIST_FILTERS: Final = ("state", "reason")
FILTERS: Final = (*LIST_FILTERS, "agentId", "from", "to", "text", "keywords", "isAnswered")

_ID: Final = re.compile(r"[0-9a-z]{1,64}", re.ASCII)

E = TypeVar("E", bound=StrEnum)


class CallsApi:
    def __init__(self, book: CallHistory, sessions: Authentication, base_url: str) -> None:
        self._book = book
        self._sessions = sessions
        self._base_url = base_url

    def resources(self) -> list[Resource]:
        return [
            Resource(PATH, {"GET": self.list, "POST": self.make}),
            Resource(f"{PATH}/{{id}}", {"GET": self.get}),
            Resource(f"{PATH}/{{id}}:end", {"POST": self.end}),
        ]

    async def list(self, request: Request) -> Response:
        agent = await self._sessions.caller(request)
        query = query_of(request)
        asked, search = query.paging(), _search(query)
        page = await self._book.list_page(agent, search, asked.index, asked.size)
        body = {
            **asked.neighbours(PATH, page.total, _filters(query)),
            "audioVideoChats": [call_fields(call) for call in page.calls],
        }
        return JSONResponse(body, headers=SAFE_HEADERS)

    async def get(self, request: Request) -> Response:
        agent = await self._sessions.caller(request)
        call, story = await self._book.get(agent, _call_id(request))
        return JSONResponse(_report_fields(call, story), headers=SAFE_HEADERS)

    async def end(self, request: Request) -> Response:
        agent = await self._sessions.caller(request)
        call, story = await self._book.end(agent, _call_id(request))
        return JSONResponse(_report_fields(call, story), headers=SAFE_HEADERS)

    async def make(self, request: Request) -> Response:
        agent = await self._sessions.caller(request)
        values = {key.casefold(): value for key, value in (await read_object(request)).items()}
        call, created = await self._book.make(
            agent,
            _media(values),
            _words(values, "visitorName"),
            _words(values, "visitorEmail"),
            _agent_id(values),
        )
        body = {
            **call_fields(call),
            "visitorUrl": f"{self._base_url}/join/{created.visitor_token}",
            "agentUrl": f"{self._base_url}/join/{created.agent_token}",
        }
        location = f"{PATH}/{call.id}"
        return JSONResponse(body, 201, headers={"Location": location, **SAFE_HEADERS})


# Answers


def call_fields(call: PastCall) -> dict[str, Any]:
    """A call as it stands on the wire."""
    return {
        "id": call.id,
        "siteId": call.site_id,
        "media": call.media,
        "state": call.state,
        "reason": call.reason,
        "endedBy": call.ended_by if call.ended_at else None,
        "visitorName": call.visitor_name,
        "visitorEmail": call.visitor_email,
        "agentId": call.agent_id,
        "agentName": call.agent_name,
        "createTime": format_time(call.requested_at),
        "acceptTime": _time(call.accepted_at),
        "connectTime": _time(call.connected_at),
        "endTime": _time(call.ended_at),
        "duration": _rounded(call.talk_seconds),
        "isRecorded": call.is_recorded,
        "isUnrecorded": call.is_unrecorded,
        "recordingId": call.recording_id,
        "isRecordingIntended": call.is_recording_intended,
        "recordingState": call.recording_state,
        "missingMedia": list(call.missing),
        "consent": call.consent,
        "origin": call.origin,
        "message": call.message,
    }


def _report_fields(call: PastCall, story: CallReport) -> dict[str, Any]:
    return {
        **call_fields(call),
        "agentNames": story.agent_names,
        "events": [_event(event) for event in story.events],
        "quality": story.quality,
    }


def _event(event: CallEvent) -> dict[str, Any]:
    time = format_time(event.at)
    return {"time": time, "name": event.name, "by": event.by, "data": event.data}


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _time(moment: datetime | None) -> str | None:
    return format_time(moment) if moment else None


# Requests


def _call_id(request: Request) -> str:
    """Raises `EntityNotFound` for what could be no call's id."""
    if not _ID.fullmatch(found := plain_id(id_of(request))):
        raise VisavisError(ErrorKind.EntityNotFound, "There is no such call.")
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


def _media(values: Mapping[str, Any]) -> Media:
    media = values.get("media")
    if media is None:
        raise _wrong("media", "is required.", ErrorKind.ParameterMissing)
    if media not in ("audio", "video"):
        raise _wrong("media", 'must be "audio" or "video".')
    return cast("Media", media)


def _words(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name.casefold(), "")
    if not isinstance(value, str):
        raise _wrong(name, "must be a string.")
    if len(value) > MAX_TEXT_LENGTH:
        raise _too_long(name)
    return value


def _agent_id(values: Mapping[str, Any]) -> int | None:
    if "agentid" not in values:
        return None
    value = values["agentid"]
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= MAX_AGENT_ID:
        raise _wrong("agentId", "must be an agent's number.")
    return value


def _too_long(name: str) -> VisavisError:
    kind = ErrorKind.ParameterStringLengthExceed
    return _wrong(name, f"is longer than {MAX_TEXT_LENGTH} characters.", kind)
