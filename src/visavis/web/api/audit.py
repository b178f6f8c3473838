"""`global/auditLogs`: who changed what, newest first."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from visavis.domain.audit import AuditEntry
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.services.audit import AuditLog
from visavis.web.resource import BASE, SAFE_HEADERS, Resource
from visavis.web.session import Sessions

PATH: Final = f"{BASE}/global/auditLogs"
PAGE_SIZE: Final = 50
MAX_PAGE_SIZE: Final = 100
MAX_PAGE_INDEX: Final = 1_000_000


class AuditApi:
    def __init__(self, log: AuditLog, sessions: Sessions) -> None:
        self._log = log
        self._sessions = sessions

    def resources(self) -> list[Resource]:
        return [Resource(PATH, {"GET": self.get})]

    async def get(self, request: Request) -> Response:
        agent = await self._sessions.caller(request)
        index = _number(request, "pageIndex", 1, MAX_PAGE_INDEX)
        size = _number(request, "pageSize", PAGE_SIZE, MAX_PAGE_SIZE)
        page = await self._log.newest(agent, index, size)
        pages = -(-page.total // size)
        body = {
            "total": page.total,
            "previousPage": _address(min(index - 1, pages), size) if index > 1 and pages else "",
            "nextPage": _address(index + 1, size) if index < pages else "",
            "auditLogs": [_written(entry, page.email_of(entry)) for entry in page.entries],
        }
        return JSONResponse(body, headers=SAFE_HEADERS)


def _number(request: Request, name: str, default: int, most: int) -> int:
    """A number from 1 on, its name in any case; raises the 400 errors."""
    given = [v for k, v in request.query_params.multi_items() if k.casefold() == name.casefold()]
    if not given:
        return default
    text = given[-1]
    if not (text.isascii() and text.isdigit()):
        kind, reason = ErrorKind.ParameterFormatIncorrect, "must be a whole number."
    elif len(text) > len(str(most)) or not 1 <= int(text) <= most:
        kind, reason = ErrorKind.ParameterInvalid, f"must be between 1 and {most}."
    else:
        return int(text)
    raise VisavisError(kind, f'the parameter "{name}" {reason}', pointer=f"/{name}")


def _address(index: int, size: int) -> str:
    return f"{PATH}?{urlencode({'pageIndex': index, 'pageSize': size})}"


def _written(entry: AuditEntry, email: str) -> dict[str, Any]:
    return {
        "id": entry.id,
        "siteId": entry.site_id,
        "agentId": entry.agent_id,
        "agentEmail": email,
        "createTime": _time(entry.created_at),
        "actionType": entry.action_type,
        "actionSummary": entry.summary,
        "actionDetails": [
            {
                "fieldName": change.field_name,
                "newValue": change.new_value,
                "oldValue": change.old_value,
            }
            for change in entry.changes
        ],
    }


def _time(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
