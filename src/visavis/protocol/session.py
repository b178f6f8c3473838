"""Signing in on our pages: the bodies of `/session`."""

from __future__ import annotations

from collections.abc import Iterable

from visavis.domain.people import Agent, Permission
from visavis.protocol.wire import JsonBody, Time


class SignIn(JsonBody):
    email: str
    password: str


class PasswordChange(JsonBody):
    current_password: str
    new_password: str


class SignedIn(JsonBody):
    """The agent who is signed in on this browser.

    unlistedProxies tells administrators which peers send X-Forwarded-For although the setting
    trusted_proxies does not list them.
    """

    agent_name: str
    email: str
    site_id: int
    is_administrator: bool
    permissions: list[Permission]
    unlisted_proxies: list[str]


class SessionEntry(JsonBody):
    """A session of the caller in one browser; device is its User-Agent."""

    id: str
    device: str
    address: str
    create_time: Time
    last_use_time: Time
    is_current: bool


class SessionList(JsonBody):
    """The caller's sessions, last used first."""

    sessions: list[SessionEntry]


def signed_in(agent: Agent, unlisted_proxies: Iterable[str]) -> SignedIn:
    return SignedIn(
        agent_name=agent.name,
        email=agent.email,
        site_id=agent.site_id,
        is_administrator=agent.is_administrator,
        permissions=[permission for permission in Permission if agent.may(permission)],
        unlisted_proxies=sorted(unlisted_proxies) if agent.is_administrator else [],
    )
