"""Join links of calls that another live-chat product has created over the API.

A join link admits its holder to exactly one call and is valid until that call ends. Only the
digests of the links' tokens are stored. A token names its site, whose owner knows it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from visavis.domain.call.call import Call
from visavis.domain.errors import ErrorCode, VisavisError
from visavis.domain.leg import CallRole
from visavis.domain.people import Agent
from visavis.services.secrets import digest

_NAMED_SITE: Final = re.compile(r"([1-9][0-9]{0,8})-", re.ASCII)


@dataclass(frozen=True, slots=True)
class JoinLink:
    """A join link of one call, for `agent` or, if that is `None`, for the visitor."""

    call_id: str
    site_id: int
    agent: Agent | None

    @property
    def side(self) -> CallRole:
        return CallRole.AGENT if self.agent else CallRole.VISITOR


@dataclass(frozen=True, slots=True)
class CallWithJoinLinks:
    """A call that waits for its participants, with the tokens of their join links."""

    call_id: str
    visitor_token: str
    agent_token: str


def site_of(token: str) -> int:
    """Return the site that a token names; 0 for one of an earlier version, which names none."""
    named = _NAMED_SITE.match(token)
    return int(named[1]) if named else 0


class JoinLinks:
    """The valid join links of this node."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._join_links: dict[bytes, JoinLink] = {}
        self._tokens: dict[str, list[bytes]] = {}

    def add(self, call: Call, agent: Agent) -> CallWithJoinLinks:
        """Create a join link of the call for its visitor and one for its agent."""
        tokens = [self._add_link(call, holder) for holder in (None, agent)]
        return CallWithJoinLinks(call.id, *tokens)

    def restore(self, call: Call) -> None:
        """Make the join links of a restored call valid again."""
        for role, key in call.join_links.items():
            self._keep(call, key, call.reserved_for if role is CallRole.AGENT else None)

    def find(self, token: str) -> JoinLink:
        """Return the join link of a token; raises `EntityNotFound` if there is none any more."""
        join_link = self._join_links.get(digest(token))
        if join_link is None:
            raise VisavisError(ErrorCode.JoinLinkInvalid)
        return join_link

    def remove(self, call_id: str) -> None:
        """Remove the join links of a call that has ended."""
        for key in self._tokens.pop(call_id, ()):
            del self._join_links[key]

    def _add_link(self, call: Call, agent: Agent | None) -> str:
        token = f"{call.site_id}-{self._new_id()}"
        key = call.join_links[CallRole.AGENT if agent else CallRole.VISITOR] = digest(token)
        self._keep(call, key, agent)
        return token

    def _keep(self, call: Call, key: bytes, agent: Agent | None) -> None:
        self._join_links[key] = JoinLink(call.id, call.site_id, agent)
        self._tokens.setdefault(call.id, []).append(key)
