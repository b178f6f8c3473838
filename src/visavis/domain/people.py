"""Sites, agents, roles and what an agent may do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from visavis.domain.errors import ErrorCode, VisavisError


class Permission(StrEnum):
    """Permission of an agent; the value is its name for people."""

    MANAGE_SETTINGS = "Manage Settings"
    ACCEPT_CALLS = "Accept Audio & Video Chats"
    VIEW_RECORDINGS = "View Recordings"
    VIEW_AUDIT_LOG = "View Audit Log"

    @property
    def scope(self) -> str:
        """The OAuth scope token (RFC 6749 §3.3) that stands for the permission."""
        return self.name.lower()


EVERY_PERMISSION = frozenset(Permission)


@dataclass(frozen=True, slots=True)
class Site:
    id: int
    name: str
    is_disabled: bool = False


@dataclass(frozen=True, slots=True)
class Role:
    """Permissions under one name, for many agents of a site."""

    id: int
    site_id: int
    name: str
    permissions: frozenset[Permission] = frozenset()


@dataclass(frozen=True, slots=True)
class Agent:
    """A person or a program that works for a site. Administrators have every permission.

    `granted` holds the agent's own permissions and those of its roles. `is_disabled` also says
    that the agent's site is disabled.
    """

    id: int
    site_id: int
    email: str
    name: str
    is_administrator: bool
    granted: frozenset[Permission] = frozenset()
    roles: tuple[str, ...] = ()
    is_disabled: bool = False

    @property
    def permissions(self) -> frozenset[Permission]:
        return EVERY_PERMISSION if self.is_administrator else self.granted

    def may(self, permission: Permission) -> bool:
        return self.is_administrator or permission in self.granted

    def require(self, permission: Permission) -> None:
        """Raise `PermissionDenied` unless the agent has the permission."""
        if not self.may(permission):
            raise VisavisError(ErrorCode.PermissionMissing, permission=permission.value)

    def limited_to(self, scopes: frozenset[str]) -> Agent:
        """The agent as a token with these scopes shows it: never more than the agent itself."""
        granted = frozenset(p for p in self.permissions if p.scope in scopes)
        if granted == EVERY_PERMISSION:
            return self
        return replace(self, is_administrator=False, granted=granted)


OPERATOR_ID = 0


def operator(site_id: int) -> Agent:
    """Return the operator of this machine: acts for a site without being its agent."""
    return Agent(OPERATOR_ID, site_id, "", "Command line", is_administrator=True)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody on a page of the site; known by the id of their socket and what they tell us.

    `call_id` is the one call that a join address admits them to. `source` is the network that they
    connect from, for limits: an IPv4 address or an IPv6 /64; empty for this machine itself.
    """

    id: str
    site_id: int
    name: str = ""
    email: str = ""
    call_id: str = ""
    source: str = ""
