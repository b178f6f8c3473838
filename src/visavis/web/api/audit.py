"""`global/auditLogs`: the audit log of a site, newest first, and all of it as a file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from visavis.domain.audit import ActionType, AuditSearch
from visavis.domain.errors import ErrorKind
from visavis.domain.ids import plain_id
from visavis.domain.people import Agent
from visavis.protocol.audit import lines, log_of, page_of
from visavis.protocol.query import Query, wrong_parameter
from visavis.services.audit import Auditor, AuditReader, AuditTrail
from visavis.web.paging import query_of
from visavis.web.request import json_response

PATH: Final = "/v4/global/auditLogs"
EXPORT_PATH: Final = f"{PATH}:export"
FILTERS: Final = ("agentId", "author", "object", "from", "to")
MAX_TEXT_LENGTH: Final = 200
LINES: Final = "application/jsonl"
MAX_AGENT_ID: Final = 2**31 - 1
DOWNLOAD: Final = {
    "Cache-Control": "no-store",
    "Content-Disposition": 'attachment; filename="audit-log.jsonl"',
}


class AuditApi:
    """Reading the audit log over the REST API."""

    def __init__(self, log: AuditReader, trail: AuditTrail, auditor: Auditor) -> None:
        self._log = log
        self._trail = trail
        self._auditor = auditor

    async def list(self, request: Request, agent: Agent) -> Response:
        query = query_of(request)
        asked, search = query.paging(), read_search(query)
        page = await self._log.list_page(agent, asked.index, asked.size, search)
        logs = [log_of(entry, page.agent_of(entry)) for entry in page.entries]
        place = asked.neighbours(PATH, page.total, _filters(query))
        return json_response(page_of(logs, place))

    async def get(self, request: Request, agent: Agent) -> Response:
        entry, author = await self._log.get(agent, plain_id(request.path_params["id"]))
        return json_response(log_of(entry, author))

    async def export(self, request: Request, agent: Agent) -> Response:
        """The log as JSON lines, oldest first."""
        search = read_search(query_of(request))
        if request.method != "HEAD":
            action, done = ActionType.LOG_EXPORTED, "Exported the audit log"
            entry = self._auditor.entry(agent, agent.site_id, action, "audit log", done)
            await self._trail.record(entry)
        return StreamingResponse(
            self._lines(agent.site_id, search), media_type=LINES, headers=DOWNLOAD
        )

    async def _lines(self, site_id: int, search: AuditSearch) -> AsyncIterator[bytes]:
        async for batch in self._log.batches(site_id, search):
            yield lines(batch)


def read_search(query: Query) -> AuditSearch:
    """Return the filters of a query string; raises the 400 errors."""
    has_agent = query.one("agentId") is not None
    return AuditSearch(
        agent_id=query.number("agentId", 0, 0, MAX_AGENT_ID) if has_agent else None,
        author=_text(query, "author"),
        actions=_actions(query),
        object_name=_text(query, "object"),
        since=query.time("from"),
        until=query.time("to"),
    )


def _actions(query: Query) -> tuple[str, ...]:
    known = {action.casefold(): action.value for action in ActionType}
    try:
        return tuple(known[name.casefold()] for name in query.many("actionType"))
    except KeyError as error:
        raise wrong_parameter("actionType", f"has no value {error.args[0]}.") from None


def _text(query: Query, name: str) -> str:
    text = query.one(name) or ""
    if len(text) > MAX_TEXT_LENGTH:
        kind = ErrorKind.ParameterStringLengthExceed
        raise wrong_parameter(name, f"is longer than {MAX_TEXT_LENGTH} characters.", kind)
    return text if text.isprintable() else "".join(filter(str.isprintable, text))


def _filters(query: Query) -> dict[str, str]:
    """The filters as they stood in the query, for the URLs of the neighbouring pages."""
    given = {name: query.one(name) or "" for name in FILTERS}
    given["actionType"] = ",".join(query.many("actionType"))
    return {name: value for name, value in given.items() if value}
