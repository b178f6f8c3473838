"""The calls of this node: requests of pages and programs, applied by the owner of their site.

A request first reads the data that it needs from the database. Then it changes the call without an
await, so that the first of two requests wins. Slow work follows as effects.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from hmac import compare_digest
from typing import Final

import structlog

from visavis.domain.call import CallRecord, CallState, CallTrigger, inputs, notices
from visavis.domain.call.call import Call
from visavis.domain.call.model import CallRecording
from visavis.domain.call_timings import CallTimings
from visavis.domain.errors import ErrorCode, ErrorKind, VisavisError
from visavis.domain.leg import BridgeId, BridgeStatus
from visavis.domain.membership import node_of_member
from visavis.domain.ownership import NOBODY, SiteOwner, SiteTerm
from visavis.domain.people import Agent, Permission, Visitor
from visavis.domain.policy import Consent, RecordingPolicy
from visavis.domain.site_settings import SiteSettings
from visavis.domain.text import clean_line, clean_text
from visavis.domain.vocabulary import Media
from visavis.protocol import signaling
from visavis.services.calls.call_log import CallLogWriter
from visavis.services.calls.effects import EffectRunner, Relays, Scheduler, call_later
from visavis.services.calls.join_links import CallWithJoinLinks, JoinLink, JoinLinks
from visavis.services.calls.media_events import MediaEvents, WhenSettled, at_once, bridge_found
from visavis.services.calls.requests import InCallMessage, event_of, read_offer
from visavis.services.calls.site import PageInCall, SiteCalls
from visavis.services.calls.site_visitors import INVITATION_SECONDS, Invitation
from visavis.services.connectivity_tests import ConnectivityTests
from visavis.services.missed_call_messages import MissedCallMessages
from visavis.services.ownership import Ownership
from visavis.services.ports import (
    Bus,
    CallSnapshot,
    Clock,
    MediaPlane,
    Store,
    Transaction,
)
from visavis.services.presence import AgentPresence, AgentSession
from visavis.services.secrets import digest
from visavis.services.visitor_limits import Use, VisitorGuard, VisitorLimits

log = structlog.get_logger(__name__)

LOST: Final = "Another process has taken over the calls of this site."
HAND_OVER_PAUSE: Final = 0.05
UNKNOWN: Final = datetime.min.replace(tzinfo=UTC)
"""Time since when the app was away, if its former process never noted that it was alive."""


@dataclass(frozen=True, slots=True)
class _Former:
    """Calls of a former app process, its staffed sites, and the last time it was known to run.

    `terms` are this process's terms of the sites, which fence off the former process.
    """

    calls: list[Call]
    staffed: Set[int]
    alive_at: datetime | None
    terms: Mapping[int, int]


class Calls:
    def __init__(
        self,
        *,
        settings_of: Callable[[int], Awaitable[SiteSettings]],
        store: Store,
        bus: Bus,
        media: MediaPlane,
        clock: Clock,
        new_id: Callable[[], str],
        node_id: str,
        boot: str,
        announce: Callable[[int], Awaitable[None]],
        schedule: Scheduler = call_later,
        when_settled: WhenSettled = at_once,
        limits: VisitorLimits | None = None,
        relays: Relays | None = None,
        cluster: str = "",
        on_lost: Callable[[int], None] = lambda site_id: None,
    ) -> None:
        """`when_settled` performs the reports of pages and media workers in their order, once this
        process knows which sites it owns. `on_lost` is called with each site that another process
        has taken.

        `cluster` is that of the node, by default the node alone (`Ownership`).
        """
        self.guard = VisitorGuard(limits or VisitorLimits(), clock)
        self.ownership = Ownership(node_id, boot, self._site_lost, cluster)
        self.call_log = CallLogWriter(store, self.ownership, schedule, self._past_calls_changed)
        self._when_settled = when_settled
        self._media = media
        self._settings_of = settings_of
        self._store = store
        self._bus = bus
        self._now = clock
        self._new_id = new_id
        self._announce = announce
        self._node_id = node_id
        self._on_lost = on_lost
        self._away_since, self._is_resumed = UNKNOWN, True
        self._runner = EffectRunner(
            bus=bus,
            media=media,
            store=store,
            call_log=self.call_log,
            schedule=schedule,
            node_id=node_id,
            relays=relays,
        )
        self.media_events = MediaEvents(
            self._find_with_owner, self._runner.close_bridge, when_settled
        )
        self._presence = AgentPresence()
        self._join_links = JoinLinks(new_id)
        self._connectivity_tests = ConnectivityTests(self._runner, media, new_id)
        self._messages = MissedCallMessages(store, self.call_log, clock, settings_of)
        self._sites: dict[int, SiteCalls] = {}
        self._pages: dict[str, PageInCall] = {}
        self._owners: dict[str, SiteCalls] = {}

    def site(self, site_id: int) -> SiteCalls:
        """Return the owner of a site's calls; create it at the first request."""
        site = self._sites.get(site_id)
        if site is None:
            site = self._sites[site_id] = SiteCalls(
                site_id,
                runner=self._runner,
                bus=self._bus,
                node_id=self._node_id,
                clock=self._now,
                pages=self._pages,
                owners=self._owners,
                presence=self._presence,
                staffing_changed=self._staffing_changed,
                ended=self._call_ended,
            )
        return site

    @property
    def count(self) -> int:
        """Number of calls in progress."""
        return sum(len(site.calls) for site in self._sites.values())

    @property
    def unrecorded(self) -> int:
        """Number of calls that continued although they could not be recorded."""
        return self._runner.unrecorded

    def is_staffed(self, site_id: int) -> bool:
        """Whether an agent is on duty at a site."""
        site = self._sites.get(site_id)
        return site is not None and site.is_staffed

    def is_in_call(self, socket_id: str) -> bool:
        """Whether a page is in a call."""
        return socket_id in self._pages

    def renew_relays(self, socket_id: str) -> None:
        """Send a page in a call new TURN credentials, before the old ones expire."""
        self._when_settled(partial(self._renew_relays, socket_id))

    def _renew_relays(self, socket_id: str) -> None:
        if page := self._pages.get(socket_id):
            self._runner.send_notice(page.call.id, socket_id, notices.RelaysNotice())

    # A visitor's page

    async def from_visitor(self, visitor: Visitor, message: signaling.FromVisitor) -> None:
        """Perform a request of a visitor's page; raises `VisavisError`."""
        self._require_owned(visitor.site_id)
        match message:
            case signaling.Here():
                self.guard.require(Use.PAGE, visitor)
                site = self.site(visitor.site_id)
                site.visitors.update(visitor, message)
                site.schedule_update()
            case signaling.Probe(offer):
                await self._require_enabled(visitor.site_id)
                self.guard.require(Use.CHECK, visitor)
                await self._connectivity_tests.start(visitor.id, visitor.source, offer)
            case signaling.PlaceCall():
                await self._place_call(visitor, message)
            case signaling.Resume():
                self._resume_visitor(visitor, message)
            case signaling.LeaveMessage():
                self.guard.require(Use.MESSAGE, visitor)
                await self._messages.leave(visitor, message)
                self._past_calls_changed(visitor.site_id)
                self._runner.send(visitor.id, signaling.MessageKept(call_id=message.call_id))
            case _:
                self._perform(visitor.site_id, visitor.id, message)

    def visitor_left(self, visitor: Visitor) -> None:
        """Handle a closed page: its call stops ringing and waits for the page to reconnect."""
        self._when_settled(partial(self._visitor_left, visitor))

    def _visitor_left(self, visitor: Visitor) -> None:
        site = self.site(visitor.site_id)
        site.visitors.remove(visitor.id)
        if page := self._pages.get(visitor.id):
            site.handle(page.call, inputs.PageDisconnected(page.participant))
        site.schedule_update()

    async def _place_call(self, visitor: Visitor, message: signaling.PlaceCall) -> None:
        """Call the site's agents, or the agent who invited the visitor.

        Raises `AudioVideoChatDisabled`, `AgreementNeeded`, `ParameterInvalid` for an unusable
        offer, `CallNotPossible` while the visitor's previous call is in progress,
        `TooManyRequests`.
        """
        offer = read_offer(message.offer)
        settings = await self._require_enabled(visitor.site_id)
        config, policy = settings.config, settings.policy
        consent = _consent(policy, message, is_recorded=config.is_recording)
        if visitor.id in self._pages:
            raise VisavisError(ErrorCode.OtherCallFirst)
        site = self.site(visitor.site_id)
        if visitor.call_id:
            call = site.find(visitor.call_id)
            site.handle(call, inputs.VisitorJoined(visitor.id))
        else:
            call = self._request_call(site, visitor, message.media, settings.timings)
        site.set_ring_limit(settings.ring_limit)
        invited_by = self._redeem(site, visitor, message.invitation)
        if invited_by:
            call.record.origin = "invitation"
        known, secret = call.record.visitor, self._new_id()
        site.place(
            call,
            inputs.CallPlaced(
                # with a TURN server, the page makes its offer after it has received that server
                offer=None if self._runner.has_relay else offer,
                secret=secret,
                secret_digest=digest(secret),
                media=message.media,
                visitor=replace(
                    visitor,
                    name=clean_line(message.name) or known.name,
                    email=clean_line(message.email) or known.email,
                ),
                consent=consent,
                recording_id=self._new_id() if config.is_recording else None,
                required_consent=policy.consent,
                unrecordable=policy.unrecordable,
            ),
            assigned_to=invited_by,
        )

    def _request_call(
        self, site: SiteCalls, visitor: Visitor, media: Media, timings: CallTimings
    ) -> Call:
        """Add a call of a visitor's page; raises `TooManyRequests`."""
        same_source = site.waiting_of_source(visitor.source)
        self.guard.require_call(visitor, site.waiting_count, same_source)
        call = self._new_call(visitor, media, timings)
        call.rank = self.guard.rank(visitor, same_source)
        site.add(call, visitor.id)
        return call

    def _redeem(self, site: SiteCalls, visitor: Visitor, invitation_id: str) -> AgentSession | None:
        """Return a console of the agent who invited the visitor, if that agent is free now."""
        session = site.visitors.redeem(visitor.id, invitation_id)
        if session is None or site.is_busy(session.agent.id):
            return None
        sessions = self._presence.sessions_of_agent(site.site_id, session.agent.id)
        return session if session in sessions else next(iter(sessions), None)

    def _resume_visitor(self, visitor: Visitor, message: signaling.Resume) -> None:
        site = self.site(visitor.site_id)
        call = site.find(message.call_id)
        if not compare_digest(call.secret_digest, digest(message.secret)):
            raise VisavisError(ErrorCode.NotYourCall)
        self._resume(site, call, call.visitor.id, visitor.id, has_media=message.has_media)

    # An agent's page

    async def welcome(self, agent_session: AgentSession) -> signaling.Welcome:
        """Return a console's first message; raises `StoreUnavailable`. `agent_arrived` follows."""
        agent = agent_session.agent
        if not self._presence.sessions_of_agent(agent.site_id, agent.id):
            is_away = await self._store.read(
                lambda rows: rows.agents.is_away(agent.site_id, agent.id)
            )
            self._presence.set_available(agent.id, is_available=not is_away)
        return signaling.Welcome(
            agent_name=agent.name,
            site_id=agent.site_id,
            may_accept_calls=agent_session.may_accept_calls,
            agent_id=agent.id,
            is_available=self._presence.is_available(agent.id),
            now=self._now(),
        )

    def agent_arrived(self, agent_session: AgentSession) -> None:
        self._when_settled(partial(self._agent_arrived, agent_session))

    def _agent_arrived(self, agent_session: AgentSession) -> None:
        site = self.site(agent_session.agent.site_id)
        if agent_session.call_id:
            site.open_reserved_session(agent_session)
        elif agent_session.may_accept_calls:
            site.open_session(agent_session)

    def agent_left(self, agent_session: AgentSession) -> None:
        self._when_settled(partial(self._agent_left, agent_session))

    def _agent_left(self, agent_session: AgentSession) -> None:
        site = self.site(agent_session.agent.site_id)
        site.close_reserved_session(agent_session)
        site.close_session(agent_session)

    def revoke(self, agent_session: AgentSession) -> None:
        """Take the page of an agent whose rights have ended out of its call."""
        self._when_settled(partial(self._revoke, agent_session))

    def _revoke(self, agent_session: AgentSession) -> None:
        self.site(agent_session.agent.site_id).revoke(agent_session)

    async def from_agent(self, agent_session: AgentSession, message: signaling.FromAgent) -> None:
        """Perform a request of an agent's page; raises `VisavisError`."""
        agent = agent_session.agent
        self._require_owned(agent.site_id)
        if not (agent_session.may_accept_calls or isinstance(message, signaling.HangUp)):
            agent.require(Permission.ACCEPT_CALLS)
        if agent_session.call_id and getattr(message, "call_id", "") != agent_session.call_id:
            raise VisavisError(ErrorCode.JoinLinkForOneCall)
        match message:
            case signaling.Presence(is_available):
                await self._set_available(agent_session, is_available=is_available)
            case signaling.Accept():
                self._accept(agent_session, message)
            case signaling.Decline(call_id):
                self._decline(agent_session, call_id)
            case signaling.Resume():
                self._resume_agent(agent_session, message)
            case signaling.Invite():
                await self._require_enabled(agent.site_id)
                self._invite(agent_session, message)
            case signaling.Transfer(call_id, agent_id, note):
                page = self._page(agent.site_id, call_id, agent_session.socket_id)
                page.site.transfer(page, agent_id, clean_text(note))
            case signaling.Record(call_id, action):
                page = self._page(agent.site_id, call_id, agent_session.socket_id)
                request = inputs.RecordingRequested(page.participant, action, self._new_id())
                page.site.handle(page.call, request)
            case _:
                self._perform(agent.site_id, agent_session.socket_id, message)

    async def _set_available(self, agent_session: AgentSession, *, is_available: bool) -> None:
        """Save an agent's availability and tell their consoles; raises `StoreUnavailable`."""
        agent = agent_session.agent
        await self._store.write(
            lambda rows: rows.agents.set_away(agent.site_id, agent.id, is_away=not is_available)
        )
        self._presence.set_available(agent.id, is_available=is_available)
        for open_session in self._presence.sessions_of_agent(agent.site_id, agent.id):
            presence = signaling.Presence(is_available=is_available)
            self._runner.send(open_session.socket_id, presence)
        self.site(agent.site_id).agent_changed(agent.id)

    def _accept(self, agent_session: AgentSession, message: signaling.Accept) -> None:
        """Accept a ringing call or transfer; raises `CallNotPossible` if another was first."""
        agent, socket_id = agent_session.agent, agent_session.socket_id
        site = self.site(agent.site_id)
        call = site.find(message.call_id)
        if site.is_busy(agent.id):
            raise VisavisError(ErrorCode.OtherCallFirst)
        if call.transfer and socket_id in call.transfer.ringing_at:
            site.handle(call, inputs.TransferAccepted(socket_id, agent))
        else:
            site.handle(call, inputs.AcceptRequested(socket_id, agent, message.media))

    def _decline(self, agent_session: AgentSession, call_id: str) -> None:
        site = self.site(agent_session.agent.site_id)
        call = site.find(call_id)
        if call.transfer and agent_session.socket_id in call.transfer.ringing_at:
            site.handle(call, inputs.TransferStopped("declined"))
        else:
            site.decline(call, agent_session.agent.id)

    def _resume_agent(self, agent_session: AgentSession, message: signaling.Resume) -> None:
        site = self.site(agent_session.agent.site_id)
        call = site.find(message.call_id)
        participant = call.participant_of_agent(agent_session.agent.id)
        if participant is None and call.record.state is CallState.RINGING:
            # The former app process died before it had saved that the page had accepted the call.
            self._accept(agent_session, signaling.Accept(call.id, call.record.media))
        elif participant is None:
            # The page may have been disconnected when the call's transfer was completed.
            is_taken = not call.is_waiting
            raise VisavisError(ErrorCode.CallOfColleague if is_taken else ErrorCode.NotYourCall)
        else:
            self._resume(
                site, call, participant.id, agent_session.socket_id, has_media=message.has_media
            )

    def _invite(self, agent_session: AgentSession, message: signaling.Invite) -> None:
        """Invite a visitor into a call; raises `EntityNotFound` if they have left."""
        site, visitor_id = self.site(agent_session.agent.site_id), message.visitor_id
        invitation = Invitation(self._new_id(), agent_session)
        site.visitors.invite(visitor_id, invitation)
        self._runner.schedule(
            INVITATION_SECONDS, lambda: site.visitors.expire(visitor_id, invitation)
        )
        self._runner.send(
            visitor_id,
            signaling.Invited(
                invitation=invitation.id, agent_name=agent_session.agent.name, media=message.media
            ),
        )

    # Either page

    def _perform(self, site_id: int, socket_id: str, message: InCallMessage) -> None:
        """Perform a request of a page about its call; raises `VisavisError`."""
        page = self._page(site_id, message.call_id, socket_id)
        page.site.handle(page.call, event_of(page.participant, message))

    def _resume(
        self, site: SiteCalls, call: Call, participant: int, socket_id: str, *, has_media: bool
    ) -> None:
        """Resume the call on a participant's page; raises `CallNotPossible`."""
        page = self._pages.get(socket_id)
        if page and page.call is not call:
            raise VisavisError(ErrorCode.OtherCallFirst)
        site.handle(call, inputs.PageResumed(participant, socket_id, has_media))

    def _page(self, site_id: int, call_id: str, socket_id: str) -> PageInCall:
        """Return the page in its call; raises `EntityNotFound`, `PermissionDenied`."""
        call = self.site(site_id).find(call_id)
        page = self._pages.get(socket_id)
        if page is None or page.call is not call:
            raise VisavisError(ErrorCode.NotYourCall)
        return page

    # Programs

    async def create(self, agent: Agent, media: Media, name: str, email: str) -> CallWithJoinLinks:
        """Create a call for another live-chat product; raises `AudioVideoChatDisabled`."""
        settings = await self._require_enabled(agent.site_id)
        visitor = Visitor("", agent.site_id, clean_line(name), clean_line(email))
        call = self._new_call(visitor, media, settings.timings)
        call.record.origin, call.reserved_for = "api", agent
        self.site(agent.site_id).add(call, "")
        created = self._join_links.add(call, agent)
        await self.call_log.flush()
        self._require_owned(agent.site_id)
        return created

    def find_join_link(self, token: str, source: str = "") -> JoinLink:
        """Return the join link of a token.

        Raises `EntityNotFound` for an unknown one, and `TooManyRequests` if the network `source`
        has tried many of them.
        """
        self.guard.require_join(source)
        try:
            return self._join_links.find(token)
        except VisavisError:
            self.guard.count_unknown_join(source)
            raise

    async def end(self, site_id: int, call_id: str) -> None:
        """End a call in progress; raises `CallNotPossible` if it has already ended."""
        site = self.site(site_id)
        call = site.calls.get(call_id)
        if call is None:
            raise VisavisError(ErrorCode.CallHasEnded)
        site.handle(call, inputs.EndRequested(CallTrigger.ENDED_BY_API))
        await self.call_log.flush()

    # The node

    def settings_changed(self, settings: SiteSettings) -> None:
        """Apply a new ring limit, and end the queued calls if calls were switched off.

        Other calls continue with the time limits that they began with.
        """
        if site := self._sites.get(settings.config.site_id):
            site.set_ring_limit(settings.ring_limit)
            if not settings.config.is_enabled:
                site.end_queue(CallTrigger.SWITCHED_OFF)

    def active_bridges(self) -> list[BridgeId]:
        """Return the bridges that media workers must not close."""
        calls = [call for site in self._sites.values() for call in site.calls.values()]
        return [bridge.id for call in calls for bridge in call.bridges.values()]

    def term_of(self, bridge: BridgeId) -> SiteTerm | None:
        """Return the term that the commands about a bridge need; `None` if its call is unknown."""
        site = self._owners.get(bridge.call_id)
        return self.ownership.term_of(site.site_id) if site else None

    async def restore(self) -> None:
        """Restore the calls of this node's former app process; `resume` lets them continue.

        Raises `StoreUnavailable`.
        """
        former = await self._store.write(self._read_former)
        self.ownership.begin(former.terms)
        self._away_since, self._is_resumed = former.alive_at or UNKNOWN, False
        for site_id in {*former.staffed, *(call.site_id for call in former.calls)}:
            calls = [call for call in former.calls if call.site_id == site_id]
            self.site(site_id).restore(calls, is_staffed=site_id in former.staffed)
        for call in former.calls:
            self._join_links.restore(call)

    def resume(self, found: Collection[BridgeId]) -> None:
        """Let the restored calls continue; `found` are the bridges that workers still carry."""
        for site in self._sites.values():
            site.resume(self._away_since, found)
        self._is_resumed = True

    async def take(self, site_id: int, seen: SiteOwner | None) -> int:
        """Take a site of the cluster from the owner that was seen last, and continue its calls.

        Return the new term, `NOBODY` if another process was faster. The calls keep the bridges that
        this process can control, too. Raises `StoreUnavailable`.
        """
        former = await self._store.write(lambda rows: self._take(rows, site_id, seen))
        if former is None:
            return NOBODY
        term = SiteTerm(site_id, former.terms[site_id])
        has_workers = seen is None or self._has_workers_of(seen.node_id)
        with self.media_events.holding([call.id for call in former.calls]):
            bridges = _workers_of(former.calls) if has_workers else {}
            found = await self._media.claim(bridges, term) if bridges else ()
            self._drop(site_id)
            self.ownership.begin(former.terms)
            self._continue(site_id, former, found, has_workers=has_workers)
        return term.term

    def _has_workers_of(self, node_id: str) -> bool:
        """Whether this process controls the same media workers as that one."""
        is_same_node = node_of_member(node_id) == node_of_member(self._node_id)
        return is_same_node or self._media.is_shared

    def _continue(
        self, site_id: int, former: _Former, found: Collection[BridgeStatus], *, has_workers: bool
    ) -> None:
        """Continue the calls of a site with the bridges that were found."""
        site = self.site(site_id)
        site.restore(former.calls, is_staffed=site_id in former.staffed)
        for call in former.calls:
            self._join_links.restore(call)
            if not has_workers:
                site.handle(call, inputs.NodeChanged(self._new_id()))
        for status in found:
            site.handle(site.find(status.bridge.call_id), bridge_found(status))
        site.resume(former.alive_at or UNKNOWN, [status.bridge for status in found])

    def _take(self, rows: Transaction, site_id: int, seen: SiteOwner | None) -> _Former | None:
        term = self.ownership.take(rows, site_id, seen)
        if not term:
            return None
        former_id = seen.node_id if seen else self._node_id
        if former_id != self._node_id:
            rows.live_calls.move(site_id, former_id, self._node_id)
        return _Former(
            calls=self._restored(rows, rows.live_calls.list_by_site(site_id, self._node_id)),
            staffed=frozenset(rows.live_calls.staffed_sites(self._node_id)),
            alive_at=rows.nodes.alive_at(former_id),
            terms={site_id: term},
        )

    async def mark_alive(self) -> None:
        """Save that this app runs, while it has calls in progress; raises `StoreUnavailable`.

        An app that has not resumed the calls does not know yet whether their media still flow.
        """
        if self.count and self._is_resumed:
            now = self._now()
            await self._store.write(lambda rows: rows.nodes.mark_alive(self._node_id, now))

    def _read_former(self, rows: Transaction) -> _Former:
        terms = self.ownership.take_all(rows)
        live = rows.live_calls.list_by_node(self._node_id)
        calls = self._restored(rows, [one for one in live if one.site_id in terms])
        rows.live_calls.end_others(self._node_id, self._now())
        return _Former(
            calls=calls,
            staffed=terms.keys() & rows.live_calls.staffed_sites(self._node_id),
            alive_at=rows.nodes.alive_at(self._node_id),
            terms=terms,
        )

    def _restored(self, rows: Transaction, snapshots: Iterable[CallSnapshot]) -> list[Call]:
        """Return the calls of these snapshots, the oldest first; delete those of no use."""
        calls = []
        for live in snapshots:
            if call := Call.try_restore(live.version, live.state):
                calls.append(call)
            else:
                log.error("call not restored", call_id=live.call_id, version=live.version)
                rows.live_calls.delete(live.site_id, live.call_id)
        return sorted(calls, key=lambda call: call.record.requested_at)

    def _site_lost(self, site_id: int) -> None:
        self._drop(site_id)
        self._on_lost(site_id)

    def _require_owned(self, site_id: int) -> None:
        """Raise `StoreUnavailable` if another process has taken the site."""
        if site_id in self.ownership.lost:
            raise VisavisError(ErrorKind.StoreUnavailable, LOST)

    def _drop(self, site_id: int) -> None:
        """Forget a site's calls, which another process continues; send no messages."""
        if site := self._sites.pop(site_id, None):
            for call in site.drop():
                self._runner.forget(call)
                self._join_links.remove(call.id)

    async def wait_idle(self) -> None:
        """Wait until no background task is running."""
        await self._runner.wait_idle()

    async def hand_over(self, seconds: float) -> None:
        """Wait until other nodes have taken the calls, at most for this time; no call ends."""
        clock = asyncio.get_running_loop().time
        until = clock() + seconds
        while clock() < until:
            if not self.count:
                break
            await asyncio.sleep(HAND_OVER_PAUSE)
        await self._save()

    async def shut_down(self) -> None:
        """End every call, and wait until database and media workers have applied that."""
        for site in self._sites.values():
            site.end(list(site.calls.values()), CallTrigger.SHUT_DOWN)
        await self._save()

    async def _save(self) -> None:
        await self.wait_idle()
        try:
            await self.call_log.flush()
        except VisavisError as error:
            log.error("calls not saved", error=error.message)  # noqa: TRY400

    def _new_call(self, visitor: Visitor, media: Media, timings: CallTimings) -> Call:
        now = self._now()
        record = CallRecord(
            id=self._new_id(),
            site_id=visitor.site_id,
            visitor=visitor,
            media=media,
            is_recorded=False,
            requested_at=now,
        )
        return Call(
            record=record,
            recording=CallRecording(now),
            timings=timings,
        )

    def _find_with_owner(self, call_id: str) -> tuple[SiteCalls, Call] | None:
        site = self._owners.get(call_id)
        if site is None:
            return None
        return site, site.calls.get(call_id) or site.closing[call_id]

    def _call_ended(self, call: Call) -> None:
        """Start the pause of a visitor who gave up before an agent accepted."""
        self._join_links.remove(call.id)
        if call.agent is None and call.record.ended_by == "visitor":
            self.guard.record_abandoned(call.visitor.socket_id)

    def _past_calls_changed(self, site_id: int) -> None:
        self.site(site_id).past_calls_changed()

    def _staffing_changed(self, site_id: int) -> None:
        self._runner.run_task(self._announce_change(site_id))

    async def _announce_change(self, site_id: int) -> None:
        await self._announce(site_id)
        node_id, is_staffed = self._node_id, self.is_staffed(site_id)
        try:
            await self._store.write(
                lambda rows: rows.live_calls.set_staffed(site_id, node_id, is_staffed=is_staffed)
            )
        except VisavisError as error:
            log.warning("staffing not saved", site_id=site_id, error=error.kind.name)

    async def _require_enabled(self, site_id: int) -> SiteSettings:
        """Return the settings of a site; raises `AudioVideoChatDisabled`."""
        settings = await self._settings_of(site_id)
        if not settings.config.is_enabled:
            raise VisavisError(ErrorKind.AudioVideoChatDisabled)
        return settings


def _workers_of(calls: Iterable[Call]) -> Mapping[BridgeId, str]:
    """Return the bridges that media workers may have, and the worker of each."""
    return {
        bridge.id: transport.worker
        for call in calls
        for bridge in call.bridges.values()
        for transport in bridge.transports.values()
        if bridge.is_open and transport.worker
    }


def _consent(
    policy: RecordingPolicy, message: signaling.PlaceCall, *, is_recorded: bool
) -> Consent:
    """Return the consent to recording to store with the call; raises `AgreementNeeded`."""
    if not is_recorded:
        return Consent.NONE
    if message.agreed:
        return Consent.AGREEMENT
    if policy.consent is Consent.AGREEMENT:
        raise VisavisError(ErrorKind.AgreementNeeded)
    return Consent.NOTICE
