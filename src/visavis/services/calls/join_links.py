"""Join links of calls that another live-chat product has created over the API.

A join link admits its holder to exactly one call and is valid until that call ends. Only digests
of the links' tokens are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from visavis.domain.call import (
    JOIN_SECONDS,
    LEAVE,
    QUEUE_SECONDS,
    CallRecord,
    CallState,
    CallTrigger,
)
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import Side
from visavis.domain.people import Agent, Visitor
from visavis.domain.policy import RecordingPolicy
from visavis.domain.vocabulary import Media
from visavis.protocol import signaling
from visavis.services.calls.active_call import ActiveCall, CallRecording, Participant
from visavis.services.calls.registry import CallRegistry
from visavis.services.calls.text import clean_line
from visavis.services.presence import AgentSession
from visavis.services.secrets import digest


@dataclass(frozen=True, slots=True)
class JoinLink:
    """A join link of an agent or of the visitor of a call."""

    call_id: str
    site_id: int
    agent: Agent | None

    @property
    def side(self) -> Side:
        return Side.AGENT if self.agent else Side.VISITOR


@dataclass(frozen=True, slots=True)
class CallWithJoinLinks:
    """A call that waits for its participants, and the tokens of their join links."""

    call_id: str
    visitor_token: str
    agent_token: str


class JoinLinks:
    """The join links of this node. `take` assigns a call to an agent's session."""

    def __init__(
        self, registry: CallRegistry, take: Callable[[ActiveCall, AgentSession], None]
    ) -> None:
        self._registry = registry
        self._take = take
        self._join_links: dict[bytes, JoinLink] = {}
        self._tokens: dict[str, list[bytes]] = {}
        self._agent_sessions: dict[str, AgentSession] = {}
        registry.end_listeners.append(self._forget)
        registry.change_listeners.append(self._connect_present)

    def create_call(self, agent: Agent, media: Media, name: str, email: str) -> CallWithJoinLinks:
        """Create a call between the agent and a visitor, with a join link for each of them."""
        visitor = Visitor("", agent.site_id, clean_line(name), clean_line(email))
        record = CallRecord(
            id=self._registry.new_id(),
            site_id=agent.site_id,
            visitor=visitor,
            media=media,
            is_recorded=False,
            requested_at=self._registry.now(),
            origin="api",
        )
        call = ActiveCall(
            record,
            Participant(Side.VISITOR, "", is_open=False),
            self._registry.new_id(),
            RecordingPolicy(agent.site_id),
            CallRecording(self._registry.now()),
            reserved_for=agent,
        )
        self._registry.add(call)
        gone = LEAVE[Side.VISITOR]
        self._registry.set_timer(call, "join", JOIN_SECONDS, lambda: self._registry.end(call, gone))
        tokens = [self._add_link(call, who) for who in (None, agent)]
        return CallWithJoinLinks(call.id, *tokens)

    def find(self, token: str) -> JoinLink:
        """Return the join link of a token; raises `EntityNotFound` if it is unknown or over."""
        join_link = self._join_links.get(digest(token))
        if join_link is None:
            raise VisavisError(ErrorKind.EntityNotFound, "This join link is no longer valid.")
        return join_link

    def start_call(self, visitor: Visitor) -> ActiveCall:
        """Start the call of a join link; raises `CallNotPossible` the second time."""
        call = self._registry.find(visitor.site_id, visitor.call_id)
        if call.bridges:
            raise VisavisError(
                ErrorKind.CallNotPossible, "Somebody has already joined the call with this bridge."
            )
        self._registry.cancel_timer(call, "join")
        call.visitor.socket_id = visitor.id
        self._registry.add_participant(call, call.visitor)
        return call

    def add_session(self, agent_session: AgentSession) -> None:
        self._agent_sessions[agent_session.call_id] = agent_session
        self._registry.notify_changed(agent_session.agent.site_id)

    def remove_session(self, agent_session: AgentSession) -> None:
        if self._agent_sessions.get(agent_session.call_id) == agent_session:
            del self._agent_sessions[agent_session.call_id]

    def _connect_present(self, site_id: int) -> None:
        """Connect the calls whose visitor and agent are both present."""
        for call in self._registry.list_by_site(site_id):
            if call.reserved_for is None or not call.is_waiting:
                continue
            agent_session = self._agent_sessions.get(call.id)
            if (
                agent_session
                and call.visitor.is_open
                and not self._registry.is_busy(agent_session.agent.id)
            ):
                self._take(call, agent_session)
            elif call.record.state is CallState.REQUESTED:
                self._registry.apply(call, CallTrigger.NOBODY_FREE)
                self._registry.end_after(call, QUEUE_SECONDS, CallTrigger.QUEUE_TIME_OUT)
                self._registry.send(call.visitor, signaling.Queued(call_id=call.id, place=1))

    def _add_link(self, call: ActiveCall, agent: Agent | None) -> str:
        token = self._registry.new_id()
        key = digest(token)
        self._join_links[key] = JoinLink(call.id, call.site_id, agent)
        self._tokens.setdefault(call.id, []).append(key)
        return token

    def _forget(self, call: ActiveCall) -> None:
        for key in self._tokens.pop(call.id, ()):
            del self._join_links[key]
        self._agent_sessions.pop(call.id, None)
