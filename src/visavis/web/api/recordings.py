"""`livechat/recordings`, and trying a recording server out (ours)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from visavis.domain.delivery_status import RecordingStatus
from visavis.domain.recording import UNDELIVERED, RecordingState
from visavis.protocol.query import wrong_parameter
from visavis.services.configs import URL, read_url
from visavis.services.policies import SECRET, read_secret
from visavis.services.recordings import EVERY_STATE, RecordingAdmin
from visavis.web.api.config import PATH as CONFIG_PATH
from visavis.web.authentication import Authentication
from visavis.web.body import read_object
from visavis.web.headers import header
from visavis.web.paging import format_time, query_of
from visavis.web.resource import BASE, SAFE_HEADERS, Resource

PATH: Final = f"{BASE}/livechat/recordings"
TRIAL_PATH: Final = f"{CONFIG_PATH}:testRecordingServer"
UNDELIVERED_WORD: Final = "undelivered"
STATE_WORDS: Final = (*EVERY_STATE, UNDELIVERED_WORD)


class RecordingsApi:
    def __init__(self, recording_admin: RecordingAdmin, sessions: Authentication) -> None:
        self._recording_admin = recording_admin
        self._sessions = sessions

    def resources(self) -> list[Resource]:
        return [
            Resource(PATH, {"GET": self.get}),
            Resource(TRIAL_PATH, {"POST": self.try_out}),
        ]

    async def get(self, request: Request) -> Response:
        agent = await self._sessions.caller(request)
        query = query_of(request)
        asked, words = query.paging(), query.many("state")
        page = await self._recording_admin.list_page(agent, _states(words), asked.index, asked.size)
        backlog = page.backlog
        filters = {"state": ",".join(words)} if words else {}
        body = {
            "pending": backlog.pending,
            "failed": backlog.failed,
            "incomplete": backlog.incomplete,
            "missing": page.missing,
            "oldestPending": _time(backlog.oldest_at),
            "lastSuccess": _time(backlog.last_delivered_at),
            "lastError": backlog.last_error,
            "lastErrorTime": _time(backlog.last_error_at),
            **asked.neighbours(PATH, page.total, filters),
            "recordings": [fields(recording) for recording in page.recordings],
        }
        return JSONResponse(body, headers=SAFE_HEADERS)

    async def try_out(self, request: Request) -> Response:
        """An empty body tries what is stored."""
        agent = await self._sessions.caller(request)
        body = await read_object(request) if _has_body(request) else {}
        values = {key.casefold(): value for key, value in body.items()}
        url = read_url(values[URL.casefold()]) if URL.casefold() in values else None
        check = await self._recording_admin.check_server(
            agent, url, read_secret(values.get(SECRET))
        )
        answer = {
            "ok": check.is_ok,
            "message": check.message,
            "extensions": list(check.extensions),
            "hasChecksums": check.has_checksums,
        }
        return JSONResponse(answer, headers=SAFE_HEADERS)


def fields(recording: RecordingStatus) -> dict[str, Any]:
    """A recording as it stands on the wire."""
    return {
        "id": recording.id,
        "callId": recording.call_id,
        "state": recording.state,
        "startedAt": format_time(recording.started_at),
        "duration": recording.duration,
        "size": recording.size,
        "sha256": recording.sha256,
        "uploaded": recording.uploaded,
        "attempts": recording.attempts,
        "triedAt": _time(recording.tried_at),
        "nextTryAt": _time(recording.next_try_at),
        "lastError": recording.last_error,
        "isIncomplete": recording.is_incomplete,
        "missingMedia": list(recording.missing),
        "recordingServerUrl": recording.server_url,
        "deliveredAt": _time(recording.delivered_at),
    }


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


def _time(moment: datetime | None) -> str | None:
    return format_time(moment) if moment else None
