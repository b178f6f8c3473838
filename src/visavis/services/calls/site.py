"""Owner of the calls of one site: applies events in order, then distributes the waiting calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from visavis.domain.call import effects, inputs
from visavis.domain.call.call import Call
from visavis.domain.call.states import CallTrigger
from visavis.domain.distribution import (
    WIDEN_SECONDS,
    Decision,
    Distribution,
    Enqueue,
    RingAt,
)
from visavis.domain.errors import ErrorCode, VisavisError
from visavis.domain.leg import BridgeId
from visavis.protocol import signaling
from visavis.services.calls.call_log import Timer
from visavis.services.calls.console_feed import ConsoleFeed, queue, team
from visavis.services.calls.effects import EffectRunner
from visavis.services.calls.site_visitors import SiteVisitors
from visavis.services.ports import Bus, Clock
from visavis.services.presence import AgentPresence, AgentSession

FEED_SECONDS: Final = 1.0
"""Minimum time between two updates of the consoles."""
FEED_SOON_SECONDS: Final = 0.05
GRACE_SECONDS: Final = 30.0
"""Time without a console after which a site is unstaffed, so that reloaded pages can reconnect."""

RECOVERY_SECONDS: Final = 5.0
"""Time for consoles to reconnect after a restart of the app, before calls ring again."""

_UNSAVED: Final = (inputs.LegMeasured, inputs.PlaceChanged)
"""Events that a snapshot need not contain, because they are repeated."""


@dataclass(frozen=True, slots=True)
class PageInCall:
    """A page in a call, and the number of its participant."""

    site: SiteCalls
    call: Call
    participant: int


class SiteCalls:
    """The calls of a site, its agents' sessions, and the visitors on its pages.

    `pages` maps the sockets of this node to the calls that they are in, and `owners` maps call ids
    to the owners of their sites; all sites share these two. `closing` holds the ended calls whose
    bridges are being closed. `is_staffed` says whether an agent is on duty, including agents in a
    call.
    """

    def __init__(
        self,
        site_id: int,
        *,
        runner: EffectRunner,
        bus: Bus,
        node_id: str,
        clock: Clock,
        pages: dict[str, PageInCall],
        owners: dict[str, SiteCalls],
        presence: AgentPresence,
        staffing_changed: Callable[[int], None],
        ended: Callable[[Call], None],
    ) -> None:
        self.site_id = site_id
        self.calls: dict[str, Call] = {}
        self.closing: dict[str, Call] = {}
        self.is_staffed = False
        self.presence = presence
        self.visitors = SiteVisitors(clock, pages.__contains__)
        self._runner = runner
        self._now = clock
        self._pages = pages
        self._owners = owners
        self._staffing_changed = staffing_changed
        self._ended = ended
        self._feed = ConsoleFeed(site_id, bus, node_id)
        self._feed_sent_at: datetime | None = None
        self._is_feed_due = False
        self._past_calls_revision = 0
        self._distribution = Distribution()
        self._busy: dict[int, str] = {}
        self._sources: Counter[str] = Counter()
        self._reserved: dict[str, Call] = {}
        self._reserved_sessions: dict[str, AgentSession] = {}
        self._transferring: dict[str, Call] = {}
        self._widening: set[str] = set()
        self._unstaffed_timer: Timer | None = None
        self._recovery_timer: Timer | None = None
        self._awaits_resume = False
        self._missing_agents: set[int] = set()
        self._missing_visitors: set[str] = set()
        self._is_changed = False
        self._is_dropped = False

    # Calls

    def find(self, call_id: str) -> Call:
        """Return a call; raises `EntityNotFound`."""
        call = self.calls.get(call_id)
        if call is None:
            raise VisavisError(ErrorCode.CallGone)
        return call

    def add(self, call: Call, socket_id: str) -> None:
        """Add a call requested by the page with this socket, or by another product (no socket)."""
        self.calls[call.id] = call
        self._owners[call.id] = self
        self.handle(call, inputs.CallStarted(socket_id))

    def place(
        self,
        call: Call,
        placed: inputs.CallPlaced,
        *,
        assigned_to: AgentSession | None,
    ) -> None:
        """Place a call: with the agent who invited the visitor, or ringing at all available agents.

        If no agent is on duty, the call ends at once, so that the visitor can leave a message.
        """
        self._apply(call, placed)
        if assigned_to:
            self._assign(call, assigned_to)
        elif call.reserved_for is None and not self.is_staffed:
            self._apply(call, inputs.EndRequested(CallTrigger.NOBODY_ON_DUTY))
        self._distribute()

    def restore(self, calls: list[Call], *, is_staffed: bool) -> None:
        """Add the calls of a former app process; `resume` lets them continue."""
        self.is_staffed, self._awaits_resume = is_staffed, True
        for call in calls:
            self.calls[call.id] = call
            self._owners[call.id] = self
            self._missing_agents.update(call.ringing_at.values())
            if call.is_waiting and call.visitor.is_open:
                self._missing_visitors.add(call.id)
            for participant in call.participants.values():
                self._set_busy(participant.agent_id, call.id)
            self._index(call)
        self._missing_agents.update(
            call.transfer.agent_id for call in self._transferring.values() if call.transfer
        )
        self._recovery_timer = self._runner.schedule(RECOVERY_SECONDS, self._stop_recovery)

    def resume(self, away_since: datetime, found: Collection[BridgeId]) -> None:
        """Let the restored calls continue, with the bridges that media workers still carry.

        Their pages are awaited, and the media command in progress is sent again.
        """
        for call in list(self.calls.values()):
            bridges = [bridge.id for bridge in call.bridges.values() if bridge.is_open]
            lost = frozenset(bridges).difference(found)
            if lost:
                self._apply(call, inputs.WorkerLost(lost))
            is_flowing = any(bridge in found for bridge in bridges)
            self._apply(call, inputs.AppRestarted(self._now() if is_flowing else away_since))
            if call.command:
                self._runner.run(self, call, effects.RunCommand(call.command))
        self._awaits_resume, self._is_changed = False, True
        self._distribute()

    def drop(self) -> list[Call]:
        """Stop, because another process owns the site now; return the calls that were here.

        Later results, such as that of a media command, no longer have an effect.
        """
        self._is_dropped = True
        calls = [*self.calls.values(), *self.closing.values()]
        for call in calls:
            self._owners.pop(call.id, None)
        self.presence.forget(self.site_id)
        for socket_id, page in list(self._pages.items()):
            if page.site is self:
                del self._pages[socket_id]
        for timer in (self._recovery_timer, self._unstaffed_timer):
            if timer:
                timer.cancel()
        self.calls.clear()
        self.closing.clear()
        return calls

    def _stop_recovery(self) -> None:
        """Let the waiting calls ring: all pages are back, or the time for that is over."""
        self._missing_agents.clear()
        self._missing_visitors.clear()
        self._is_changed = True
        self._distribute()

    def _is_recovering(self) -> bool:
        """Whether pages that were open before a restart of the app are still awaited."""
        if self._awaits_resume or self._recovery_timer is None:
            return self._awaits_resume
        for call_id in list(self._missing_visitors):
            call = self.calls.get(call_id)
            if call is None or call.visitor.is_open:
                self._missing_visitors.discard(call_id)
        if self._missing_agents or self._missing_visitors:
            return True
        self._recovery_timer.cancel()
        self._recovery_timer = None
        return False

    def decline(self, call: Call, agent_id: int) -> None:
        """Stop a call from ringing at an agent who declines it; it rings on at the others."""
        self._distribution.decline(call.id, agent_id)
        self.handle(call, inputs.DeclineRequested(agent_id))

    def handle(self, call: Call, event: inputs.Event) -> None:
        """Apply an event to a call, then its consequences to the other calls.

        Raises `VisavisError` if a page's request is refused; nothing has changed then.
        """
        self._apply(call, event)
        self._distribute()

    def end(self, calls: list[Call], trigger: CallTrigger) -> None:
        """End several calls, then distribute the others once."""
        for call in calls:
            self._apply(call, inputs.EndRequested(trigger))
        self._distribute()

    def end_queue(self, trigger: CallTrigger) -> None:
        """End the calls that wait without ringing."""
        self.end([self.calls[call_id] for call_id in self._distribution.queue()], trigger)

    @property
    def waiting_count(self) -> int:
        return len(self._distribution)

    def waiting_of_source(self, source: str) -> int:
        """Return the number of waiting calls from a network."""
        return self._sources[source]

    def is_busy(self, agent_id: int) -> bool:
        """Whether the agent is in a call."""
        return agent_id in self._busy

    # Agents

    def open_session(self, session: AgentSession) -> None:
        """Register an agent's console; calls that ring at the agent ring there too."""
        self.presence.add(session)
        for message in self._console_messages():
            self._runner.send(session.socket_id, message)
        self._missing_agents.discard(session.agent.id)
        self.agent_changed(session.agent.id)

    def close_session(self, session: AgentSession) -> None:
        """Handle a closed console; its call waits for it to reconnect."""
        self.presence.remove(session)
        if page := self._pages.get(session.socket_id):
            self._apply(page.call, inputs.PageDisconnected(page.participant))
        self.agent_changed(session.agent.id)

    def revoke(self, session: AgentSession) -> None:
        """Take a page out of its call, because its agent's rights have ended."""
        self.presence.remove(session)
        if page := self._pages.get(session.socket_id):
            self._apply(page.call, inputs.HungUp(page.participant))
        self.agent_changed(session.agent.id)

    def agent_changed(self, agent_id: int) -> None:
        """Distribute again after an agent has come, left, or changed their availability."""
        self._index_agent(agent_id)
        self._distribution.touch_agent(agent_id)
        for call in list(self._transferring.values()):
            if call.transfer and call.transfer.agent_id == agent_id:
                sessions = self.presence.sessions_of_agent(self.site_id, agent_id)
                sockets = tuple(session.socket_id for session in sessions)
                self._apply(call, inputs.TransferRung(sockets))
        self._is_changed = True
        self._distribute()

    def transfer(self, page: PageInCall, agent_id: int, note: str) -> None:
        """Ring another agent for a call; raises `CallNotPossible`, `ParameterInvalid`."""
        sessions = self.presence.sessions_of_agent(self.site_id, agent_id)
        obstacle: Literal["", "away", "busy"] = ""
        if not sessions or not self.presence.is_available(agent_id):
            obstacle = "away"
        elif self.is_busy(agent_id):
            obstacle = "busy"
        sockets = tuple(session.socket_id for session in sessions)
        self.handle(
            page.call,
            inputs.TransferRequested(page.participant, agent_id, sockets, note, obstacle),
        )

    def set_ring_limit(self, ring_limit: int | None) -> None:
        """Set the number of agents at whom a call rings at first, `None` for all."""
        if self._distribution.set_ring_limit(ring_limit):
            self._is_changed = True
            self._distribute()

    # Join links

    def open_reserved_session(self, session: AgentSession) -> None:
        """Register the page of an agent who has opened a join link."""
        self._reserved_sessions[session.call_id] = session
        self._is_changed = True
        self._distribute()

    def close_reserved_session(self, session: AgentSession) -> None:
        if self._reserved_sessions.get(session.call_id) == session:
            del self._reserved_sessions[session.call_id]

    # Applying an event

    def _apply(self, call: Call, event: inputs.Event) -> None:
        if self._is_dropped:
            return
        for effect in call.handle(event, self._now()):
            match effect:
                case effects.ParticipantJoined(participant, socket_id, agent_id):
                    self._pages[socket_id] = PageInCall(self, call, participant)
                    self._set_busy(agent_id, call.id)
                case effects.PageLeft(socket_id):
                    self._forget_page(socket_id, call)
                case effects.ParticipantLeft(_, socket_id, agent_id):
                    self._forget_page(socket_id, call)
                    if self._busy.get(agent_id) == call.id:
                        del self._busy[agent_id]
                        self._distribution.set_free(agent_id, is_free=True)
                case effects.SiteChanged():
                    self._is_changed = True
                case effects.CallOver():
                    self._forget(call)
                case _:
                    self._runner.run(self, call, effect)
        self._index(call)
        if not (call.is_over or isinstance(event, _UNSAVED)):
            self._runner.call_log.save_live(call)

    def _assign(self, call: Call, session: AgentSession) -> None:
        """Give the call to this console at once, without ringing."""
        media = call.record.media
        self._apply(
            call, inputs.AcceptRequested(session.socket_id, session.agent, media, is_assigned=True)
        )

    def _set_busy(self, agent_id: int, call_id: str) -> None:
        if agent_id:
            self._busy[agent_id] = call_id
            self._distribution.set_free(agent_id, is_free=False)

    def _forget_page(self, socket_id: str, call: Call) -> None:
        page = self._pages.get(socket_id)
        if page and page.call is call:
            del self._pages[socket_id]

    def _forget(self, call: Call) -> None:
        del self.calls[call.id]
        self._reserved_sessions.pop(call.id, None)
        self.closing[call.id] = call
        self._ended(call)

    def _index(self, call: Call) -> None:
        """Update the distribution and the indexes of calls after a change of the call."""
        if call.is_over and call.is_idle:
            self.closing.pop(call.id, None)
            self._owners.pop(call.id, None)
        is_waiting = call.is_waiting and call.reserved_for is None
        if is_waiting and call.id not in self._distribution:
            self._distribution.add_call(call.id, call.rank, call.declined)
            self._sources[call.record.visitor.source] += 1
        elif not is_waiting and call.id in self._distribution:
            self._distribution.remove_call(call.id)
            self._sources -= Counter([call.record.visitor.source])  # subtraction removes keys at 0
        if is_waiting:
            self._distribution.set_present(call.id, is_present=call.visitor.is_open)
        _keep(self._reserved, call, is_kept=call.is_waiting and call.reserved_for is not None)
        _keep(self._transferring, call, is_kept=bool(call.transfer and not call.second_agent))

    def _index_agent(self, agent_id: int) -> None:
        has_session = bool(self.presence.sessions_of_agent(self.site_id, agent_id))
        is_on_duty = has_session and self.presence.is_available(agent_id)
        self._distribution.set_agent(
            agent_id, is_on_duty=is_on_duty, is_free=agent_id not in self._busy
        )

    # Distribution

    def _distribute(self) -> None:
        """Apply the consequences of the changes until nothing changes any more."""
        while self._is_changed and not self._is_dropped:
            self._is_changed = False
            if not self._is_recovering():
                self._connect_reserved()
                for decision in self._distribution.decide():
                    self._carry_out(decision)
                self._stop_transfers()
            self._update_staffing()
            self.schedule_update()

    def _carry_out(self, decision: Decision) -> None:
        call = self.calls[decision.call_id]
        match decision:
            case RingAt(call_id, agents):
                self._apply(call, inputs.RingRequested(self._sockets_of(agents)))
                self._widen_later(call_id)
            case Enqueue(_, place):
                self._apply(call, inputs.QueueRequested(place))
            case _:
                self._apply(call, inputs.EndRequested(CallTrigger.EVERYBODY_DECLINED))

    def _sockets_of(self, agents: tuple[int, ...]) -> dict[str, int]:
        return {
            session.socket_id: agent_id
            for agent_id in agents
            for session in self.presence.sessions_of_agent(self.site_id, agent_id)
        }

    def _widen_later(self, call_id: str) -> None:
        if call_id not in self._widening and self._distribution.can_widen(call_id):
            self._widening.add(call_id)
            self._runner.schedule(WIDEN_SECONDS, lambda: self._widen(call_id))

    def _widen(self, call_id: str) -> None:
        if self._is_dropped:
            return
        self._widening.discard(call_id)
        self._distribution.widen(call_id)
        self._is_changed = True
        self._distribute()

    def _connect_reserved(self) -> None:
        """Connect the calls of join links whose visitor and agent have both joined."""
        for call in list(self._reserved.values()):
            session = self._reserved_sessions.get(call.id)
            if session and call.visitor.is_open and not self.is_busy(session.agent.id):
                self._assign(call, session)
            else:
                self._apply(call, inputs.QueueRequested(place=1))

    def _stop_transfers(self) -> None:
        """Stop transfers whose second agent has left or is in another call."""
        for call in list(self._transferring.values()):
            agent_id = call.transfer.agent_id if call.transfer else 0
            sessions = self.presence.sessions_of_agent(self.site_id, agent_id)
            if not sessions or not self.presence.is_available(agent_id):
                self._apply(call, inputs.TransferStopped("away"))
            elif self.is_busy(agent_id):
                self._apply(call, inputs.TransferStopped("busy"))

    # Staffing

    def _update_staffing(self) -> None:
        if self._busy or self._distribution.has_agents:
            if self._unstaffed_timer:
                self._unstaffed_timer.cancel()
                self._unstaffed_timer = None
            if not self.is_staffed:
                self.is_staffed = True
                self._staffing_changed(self.site_id)
        elif self.is_staffed and self._unstaffed_timer is None:
            self._unstaffed_timer = self._runner.schedule(GRACE_SECONDS, self._last_agent_left)

    def _last_agent_left(self) -> None:
        """End the waiting calls, since no agent is on duty; their visitors can leave a message."""
        self._unstaffed_timer = None
        self.is_staffed = False
        waiting = [call for call in self.calls.values() if call.id in self._distribution]
        self.end(waiting, CallTrigger.NOBODY_ON_DUTY)
        self._staffing_changed(self.site_id)

    # The consoles' feed

    def schedule_update(self) -> None:
        """Send changes to the consoles, at most once a second."""
        if self._is_feed_due:
            return
        self._is_feed_due = True
        wait = FEED_SOON_SECONDS
        if self._feed_sent_at:
            elapsed = (self._now() - self._feed_sent_at).total_seconds()
            wait = max(FEED_SOON_SECONDS, FEED_SECONDS - max(0.0, elapsed))
        self._runner.schedule(wait, self._update_consoles)

    def past_calls_changed(self) -> None:
        self._past_calls_revision += 1
        self.schedule_update()

    def _update_consoles(self) -> None:
        if self._is_dropped:
            return
        self._is_feed_due = False
        messages = list(self._console_messages())
        self._feed_sent_at = self._now() if messages else None
        if messages:
            self._feed.send(messages)
        else:  # no console is open
            self._feed.forget()

    def _console_messages(self) -> Iterator[signaling.ToAgent]:
        """Send the queued visitors their places, then yield the messages for the site's consoles.

        Nothing is yielded while no console is open.
        """
        queued = [self.calls[call_id] for call_id in self._distribution.queue()]
        for place, call in enumerate(queued, start=1):
            if call.place != place:
                self._apply(call, inputs.PlaceChanged(place))
        if not self.presence.sessions(self.site_id):
            return
        yield team(self.presence, self.site_id, self._busy)
        yield queue(queued)
        yield self.visitors.list_available()
        yield signaling.PastCalls(revision=self._past_calls_revision)


def _keep(index: dict[str, Call], call: Call, *, is_kept: bool) -> None:
    if is_kept:
        index[call.id] = call
    else:
        index.pop(call.id, None)
