"""Signing in and out on the pages, and one's own sessions."""

from __future__ import annotations

from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from visavis.domain.audit import ActionType, AuditEntry
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.people import Agent
from visavis.protocol.session import (
    PasswordChange,
    SessionEntry,
    SessionList,
    SignIn,
    signed_in,
)
from visavis.protocol.wire import format_time
from visavis.services.people import People
from visavis.services.sign_in_sessions import SignInSessions
from visavis.services.tokens import SESSION_LIFETIME, Tokens
from visavis.web.authentication import COOKIE
from visavis.web.request import json_response, read_body
from visavis.web.source import UNLISTED_PROXIES, source_of

DEVICE_COOKIE: Final = "visavis_device"
DEVICE_SECONDS: Final = 365 * 24 * 3600
NO_STORE: Final = {"Cache-Control": "no-store"}


class SessionApi:
    """`/session`."""

    def __init__(self, tokens: Tokens, people: People, sign_ins: SignInSessions) -> None:
        self._tokens = tokens
        self._people = people
        self._sign_ins = sign_ins

    async def show(self, request: Request, agent: Agent) -> Response:
        """Describe the agent who is signed in."""
        source_of(request.scope)  # so that a proxy in front of the settings page is noticed
        return _signed_in(agent)

    async def sign_in(self, request: Request) -> Response:
        try:
            form = msgspec.json.decode(await read_body(request), type=SignIn)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            raise VisavisError(
                ErrorKind.ParameterInvalid, "Send a JSON object with email and password."
            ) from None
        address, device = source_of(request.scope), request.cookies.get(DEVICE_COOKIE, "")
        agent = await self._people.sign_in(form.email, form.password, address, device)
        entry = self._people.entry(agent, ActionType.SIGNED_IN, "signed in", address)
        return await self._new_session(request, agent, entry)

    async def change_password(self, request: Request, agent: Agent) -> Response:
        """Change the caller's own password, end their other sessions and begin a new one."""
        try:
            form = msgspec.json.decode(await read_body(request), type=PasswordChange)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            raise VisavisError(
                ErrorKind.ParameterInvalid,
                "Send a JSON object with currentPassword and newPassword.",
            ) from None
        address, device = source_of(request.scope), request.cookies.get(DEVICE_COOKIE, "")
        await self._people.change_password(
            agent, form.current_password, form.new_password, address, device
        )
        return await self._new_session(request, agent)

    async def list_sessions(self, request: Request, agent: Agent) -> Response:
        """The caller's own sessions, the one last used first."""
        result = await self._sign_ins.list_by_agent(agent, request.cookies[COOKIE])
        sessions = [
            SessionEntry(
                one.id,
                one.device,
                one.address,
                format_time(one.created_at),
                format_time(one.last_used_at),
                one.is_current,
            )
            for one in result
        ]
        return json_response(SessionList(sessions), headers=NO_STORE)

    async def end_session(self, request: Request, agent: Agent) -> Response:
        """End one of the caller's own sessions."""
        session_id = request.path_params["session_id"]
        await self._sign_ins.end(agent, session_id, source_of(request.scope))
        return Response(status_code=204, headers=NO_STORE)

    async def sign_out_everywhere(self, request: Request, agent: Agent) -> Response:
        await self._people.sign_out_everywhere(agent, source_of(request.scope))
        response = Response(status_code=204, headers=NO_STORE)
        response.delete_cookie(COOKIE)
        return response

    async def _new_session(
        self, request: Request, agent: Agent, entry: AuditEntry | None = None
    ) -> Response:
        device, address = request.headers.get("user-agent", ""), source_of(request.scope)
        token = await self._sign_ins.begin(agent, device, address, entry)
        response = _signed_in(agent)
        response.set_cookie(
            COOKIE,
            token,
            max_age=int(SESSION_LIFETIME.total_seconds()),
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        response.set_cookie(
            DEVICE_COOKIE,
            await self._people.device_token(agent),
            max_age=DEVICE_SECONDS,
            path="/session",
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return response

    async def sign_out(self, request: Request) -> Response:
        address = source_of(request.scope)

        def entry_of(agent: Agent) -> AuditEntry:
            return self._people.entry(agent, ActionType.SIGNED_OUT, "signed out", address)

        if token := request.cookies.get(COOKIE):
            await self._tokens.revoke(token, entry_of)
        response = Response(status_code=204)
        response.delete_cookie(COOKIE)
        return response


def _signed_in(agent: Agent) -> Response:
    return json_response(signed_in(agent, UNLISTED_PROXIES.addresses), headers=NO_STORE)
