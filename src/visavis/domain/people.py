"""Sites, agents and what an agent may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from visavis.domain.errors import ErrorKind, VisavisError


class Permission(StrEnum):
    """What an agent can be allowed to do; the value is what a person reads."""

    MANAGE_SETTINGS = "Manage Settings"
    ACCEPT_CALLS = "Accept Audio & Video Chats"
    VIEW_RECORDINGS = "View Recordings"
    VIEW_AUDIT_LOG = "View Audit Log"


@dataclass(frozen=True, slots=True)
class Agent:
    """A person who works for a site. Administrators have every permission."""

    id: int
    site_id: int
    email: str
    name: str
    is_administrator: bool
    granted: frozenset[Permission] = frozenset()

    def may(self, permission: Permission) -> bool:
        return self.is_administrator or permission in self.granted

    def demand(self, permission: Permission) -> None:
        """Raise `PermissionDenied` unless the agent has the permission."""
        if not self.may(permission):
            raise VisavisError(
                ErrorKind.PermissionDenied, f"This needs the permission {permission.value}."
            )


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody on a page of the site; known by the id of their socket and what they tell us."""

    id: str
    site_id: int
    name: str = ""
    email: str = ""
