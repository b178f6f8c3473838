"""The calls of this node: dispatches the requests of pages and programs.

A method changes the call before its first await, so the first caller wins and no lock is needed.
Slow work (the database, the media worker) follows; a task that built a bridge which is no longer
wanted closes it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from visavis.domain.call import CallTrigger
from visavis.domain.config import Config
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import BridgeId
from visavis.domain.people import Agent, Permission, Visitor
from visavis.domain.policy import RecordingPolicy
from visavis.domain.vocabulary import Media
from visavis.protocol import signaling
from visavis.services.calls.agent_sessions import AgentSessions
from visavis.services.calls.bridges import Bridges, Relays
from visavis.services.calls.call_log import CallLogWriter
from visavis.services.calls.connectivity_tests import ConnectivityTests
from visavis.services.calls.console_feed import ConsoleFeed
from visavis.services.calls.distribution import CallDistribution
from visavis.services.calls.in_call import InCallRequests
from visavis.services.calls.join_links import CallWithJoinLinks, JoinLink, JoinLinks
from visavis.services.calls.media_events import MediaEvents
from visavis.services.calls.recording_control import RecordingControl
from visavis.services.calls.registry import CallRegistry, Scheduler
from visavis.services.calls.site_visitors import SiteVisitors
from visavis.services.calls.staffing import Staffing
from visavis.services.calls.transfers import Transfers
from visavis.services.calls.visitor_requests import VisitorRequests
from visavis.services.ports import Bus, Clock, MediaListener, MediaPlane, Store
from visavis.services.presence import AgentPresence, AgentSession
from visavis.services.visitor_limits import Use, VisitorGuard, VisitorLimits

log = structlog.get_logger(__name__)


class Calls:
    def __init__(
        self,
        *,
        config_of: Callable[[int], Awaitable[Config]],
        policy_of: Callable[[int], Awaitable[RecordingPolicy]],
        store: Store,
        bus: Bus,
        media: MediaPlane,
        clock: Clock,
        schedule: Scheduler,
        new_id: Callable[[], str],
        node_id: str,
        announce: Callable[[int], Awaitable[None]],
        limits: VisitorLimits | None = None,
        relays: Relays | None = None,
    ) -> None:
        self._config_of = config_of
        guard = self.guard = VisitorGuard(limits or VisitorLimits(), clock)
        call_log = CallLogWriter(store, node_id, schedule)
        registry = self._registry = CallRegistry(
            bus=bus, clock=clock, schedule=schedule, new_id=new_id, call_log=call_log
        )
        presence = AgentPresence()
        self._recording_control = RecordingControl(registry, media, store)
        bridges = self._bridges = Bridges(registry, media, self._recording_control, relays)
        self._distribution = CallDistribution(registry, presence, bridges)
        self._transfers = Transfers(registry, presence, bridges)
        self._staffing = Staffing(registry, presence, announce)
        self._site_visitors = SiteVisitors(registry, presence)
        self._console_feed = ConsoleFeed(
            bus, registry, presence, self._distribution, self._site_visitors
        )
        self._in_call = InCallRequests(registry, bridges, self._transfers)
        self._agent_sessions = AgentSessions(
            registry,
            presence,
            self._distribution,
            bridges,
            self._transfers,
            self._in_call,
            self._console_feed,
            store,
        )
        self._join_links = JoinLinks(registry, self._agent_sessions.assign)
        self._visitor_requests = VisitorRequests(
            config_of=config_of,
            policy_of=policy_of,
            store=store,
            registry=registry,
            distribution=self._distribution,
            in_call=self._in_call,
            site_visitors=self._site_visitors,
            join_links=self._join_links,
            agent_sessions=self._agent_sessions,
            bridges=bridges,
            guard=guard,
            staffing=self._staffing,
        )
        self._connectivity_tests = ConnectivityTests(registry, media)
        self.media_events: MediaListener = MediaEvents(
            registry, bridges, self._transfers, self._recording_control
        )

    @property
    def count(self) -> int:
        """Number of calls in progress."""
        return len(self._registry.calls)

    @property
    def unrecorded(self) -> int:
        """Number of calls that continued although they could not be recorded."""
        return self._recording_control.unrecorded

    def is_staffed(self, site_id: int) -> bool:
        """Whether an agent is on duty at a site."""
        return self._staffing.is_staffed(site_id)

    def is_in_call(self, socket_id: str) -> bool:
        """Whether a page is a party of a call."""
        return self._registry.participant_at(socket_id) is not None

    def renew_relays(self, socket_id: str) -> None:
        """Give a page that is a party of a call credentials again, before its own expire."""
        if current := self._registry.participant_at(socket_id):
            self._bridges.send_ice_servers(*current)

    # A visitor's page

    async def from_visitor(self, visitor: Visitor, message: signaling.FromVisitor) -> None:
        """Do what the page asks for; raises `VisavisError`."""
        match message:
            case signaling.Here():
                self.guard.require(Use.PAGE, visitor)
                self._site_visitors.update(visitor, message)
                self._console_feed.schedule_update(visitor.site_id)
            case signaling.Probe(offer):
                await self._require_enabled(visitor.site_id)
                self.guard.require(Use.CHECK, visitor)
                await self._connectivity_tests.start(visitor.id, visitor.source, offer)
            case signaling.Call():
                await self._visitor_requests.call(visitor, message)
            case signaling.Resume():
                self._visitor_requests.resume(visitor, message)
            case signaling.LeaveMessage():
                self.guard.require(Use.MESSAGE, visitor)
                await self._visitor_requests.leave_message(visitor, message)
            case _:
                await self._in_call.perform(visitor.site_id, visitor.id, message)

    def visitor_left(self, visitor: Visitor) -> None:
        self._visitor_requests.disconnect(visitor)
        self._console_feed.schedule_update(visitor.site_id)

    # An agent's page

    async def welcome(self, agent_session: AgentSession) -> signaling.Welcome:
        """Greet a console, before `agent_arrived`; raises `StoreUnavailable`."""
        return await self._agent_sessions.welcome(agent_session)

    def agent_arrived(self, agent_session: AgentSession) -> None:
        if agent_session.call_id:
            self._join_links.add_session(agent_session)
        else:
            self._agent_sessions.open(agent_session)

    def agent_left(self, agent_session: AgentSession) -> None:
        self._join_links.remove_session(agent_session)
        self._agent_sessions.close(agent_session)

    def revoke(self, agent_session: AgentSession) -> None:
        """The agent's rights have ended: their page leaves its call and takes no other."""
        self._agent_sessions.revoke(agent_session)

    async def from_agent(self, agent_session: AgentSession, message: signaling.FromAgent) -> None:
        """Do what the page asks for; raises `VisavisError`."""
        if not isinstance(message, signaling.HangUp):
            agent_session.agent.require(Permission.ACCEPT_CALLS)
        if agent_session.call_id and getattr(message, "call_id", "") != agent_session.call_id:
            raise VisavisError(ErrorKind.PermissionDenied, "This join link is for one call.")
        match message:
            case signaling.Presence(is_available):
                await self._agent_sessions.set_available(agent_session, is_available=is_available)
            case signaling.Accept():
                await self._agent_sessions.accept(agent_session, message)
            case signaling.Decline(call_id):
                self._agent_sessions.decline(agent_session, call_id)
            case signaling.Resume():
                self._agent_sessions.resume(agent_session, message)
            case signaling.Invite() | signaling.Transfer() | signaling.Record():
                await self._lead(agent_session, message)
            case _:
                await self._in_call.perform(
                    agent_session.agent.site_id, agent_session.socket_id, message
                )

    async def _lead(
        self,
        agent_session: AgentSession,
        message: signaling.Invite | signaling.Transfer | signaling.Record,
    ) -> None:
        """Perform the requests that only agents may send."""
        if isinstance(message, signaling.Invite):
            await self._require_enabled(agent_session.agent.site_id)
            self._site_visitors.invite(agent_session, message)
            return
        call, participant = self._registry.participant_of(
            agent_session.agent.site_id, message.call_id, agent_session.socket_id
        )
        if isinstance(message, signaling.Transfer):
            self._transfers.start(call, participant, message.agent_id, message.note)
        else:
            await self._recording_control.act(call, participant, message.action)

    # Programs

    async def create(self, agent: Agent, media: Media, name: str, email: str) -> CallWithJoinLinks:
        """Create a call for another live-chat product; raises `AudioVideoChatDisabled`."""
        await self._require_enabled(agent.site_id)
        created = self._join_links.create_call(agent, media, name, email)
        await self._registry.call_log.flush()
        return created

    def find_join_link(self, token: str) -> JoinLink:
        """Return the join link of a token; raises `EntityNotFound`."""
        return self._join_links.find(token)

    async def end(self, site_id: int, call_id: str) -> None:
        """End a call that goes on; raises `CallNotPossible` when it is over."""
        call = self._registry.calls.get(call_id)
        if call is None or call.site_id != site_id:
            raise VisavisError(ErrorKind.CallNotPossible, "The call has already ended.")
        self._registry.end(call, CallTrigger.ENDED_BY_API)
        await self._registry.call_log.flush()

    # The node

    def config_changed(self, config: Config) -> None:
        """Switched off, the queue is sent home; what goes on goes on to its end."""
        if not config.is_enabled:
            with self._registry.batch_changes():
                for call in list(self._distribution.queue(config.site_id)):
                    self._registry.end(call, CallTrigger.SWITCHED_OFF)

    def active_bridges(self) -> list[BridgeId]:
        """The bridges that a media worker must not close."""
        return self._registry.active_bridges()

    async def shut_down(self) -> None:
        """End every call and see it through to the database and the media worker."""
        with self._registry.batch_changes():
            for call in list(self._registry.calls.values()):
                self._registry.end(call, CallTrigger.SHUT_DOWN)
        await self._registry.wait_idle()
        try:
            await self._registry.call_log.flush()
        except VisavisError as error:
            log.error("calls not written down", error=error.message)  # noqa: TRY400

    async def _require_enabled(self, site_id: int) -> None:
        if not (await self._config_of(site_id)).is_enabled:
            raise VisavisError(ErrorKind.AudioVideoChatDisabled)
