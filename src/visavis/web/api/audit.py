"""`global/auditLogs`: who changed what, newest first."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from visavis.domain.audit import AuditEntry
from visavis.domain.ids import plain_id
from visavis.services.audit import AuditLog
from visavis.web.paging import query_of, written_time
from visavis.web.resource import BASE, SAFE_HEADERS, Resource, id_of
from visavis.web.session import Sessions

PATH: Final = f"{BASE}/global/auditLogs"


class AuditApi:
    def __init__(self, log: AuditLog, sessions: Sessions) -> None:
        self._log = log
        self._sessions = sessions

    def resources(self) -> list[Resource]:
        return [
            Resource(PATH, {"GET": self.list}),
            Resource(f"{PATH}/{{id}}", {"GET": self.get}),
        ]

    async def list(self, request: Request) -> Response:
        agent = await self._sessions.caller(request)
        asked = query_of(request).paging()
        page = await self._log.newest(agent, asked.index, asked.size)
        body = {
            **asked.neighbours(PATH, page.total, {}),
            "auditLogs": [_written(entry, page.email_of(entry)) for entry in page.entries],
        }
        return JSONResponse(body, headers=SAFE_HEADERS)

    async def get(self, request: Request) -> Response:
        agent = await self._sessions.caller(request)
        entry, email = await self._log.get(agent, plain_id(id_of(request)))
        return JSONResponse(_written(entry, email), headers=SAFE_HEADERS)


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
