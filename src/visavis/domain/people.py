"""Sites, agents, their roles and permissions, and visitors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from visavis.domain.errors import ErrorCode, VisavisError


class Permission(StrEnum):
    """Permission of an agent; the value is the name that people read."""

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
    """Named set of permissions that agents of a site can have."""

    id: int
    site_id: int
    name: str
    permissions: frozenset[Permission] = frozenset()


@dataclass(frozen=True, slots=True)
class Agent:
    """A person or a program that works for a site. Administrators have every permission.

    `granted` holds the agent's own permissions and those of its roles. `is_disabled` is also true
    if the agent's site is disabled.
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
        """Return the agent with only those of its permissions that are in a token's scopes."""
        granted = frozenset(p for p in self.permissions if p.scope in scopes)
        if granted == EVERY_PERMISSION:
            return self
        return replace(self, is_administrator=False, granted=granted)


OPERATOR_ID = 0


def operator(site_id: int) -> Agent:
    """Return the author of commands on this machine, who has no account in the site."""
    return Agent(OPERATOR_ID, site_id, "", "Command line", is_administrator=True)


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person on a page of the site, known by a socket's id and by the data that the page sends.

    `call_id` is the only call to which the visitor's join link admits them, empty without a link.
    `source` is the network from which they connect, by which limits count: an IPv4 address or an
    IPv6 /64 prefix, empty for this machine itself.
    """

    id: str
    site_id: int
    name: str = ""
    email: str = ""
    call_id: str = ""
    source: str = ""
