"""`global/auditLogs`: who changed what, newest first."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from visavis.domain.audit import AuditEntry
from visavis.services.audit import AuditLog
from visavis.web.paging import read_paging, written_time
from visavis.web.resource import BASE, SAFE_HEADERS, Resource
from visavis.web.session import Sessions

PATH: Final = f"{BASE}/global/auditLogs"


class AuditApi:
    def __init__(self, log: AuditLog, sessions: Sessions) -> None:
        self._log = log
        self._sessions = sessions

    def resources(self) -> list[Resource]:
        return [Resource(PATH, {"GET": self.get})]

    async def get(self, request: Request) -> Response:
        agent = await self._sessions.caller(request)
        asked = read_paging(request)
        page = await self._log.newest(agent, asked.index, asked.size)
        body = {
            **asked.neighbours(PATH, page.total),
            "auditLogs": [_written(entry, page.email_of(entry)) for entry in page.entries],
        }
        return JSONResponse(body, headers=SAFE_HEADERS)


def _written(entry: AuditEntry, email: str) -> dict[str, Any]:
    return {
        "id": entry.id,
        "siteId": entry.site_id,
        "agentId": entry.agent_id,
        "agentEmail": email,
        "createTime": written_time(entry.created_at),
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
