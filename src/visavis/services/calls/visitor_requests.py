"""Requests of visitors: call, resume, disconnect, leave a message after a missed call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from hmac import compare_digest

from visavis.domain.call import LEAVE, CallRecord, CallTrigger
from visavis.domain.config import Config
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import Side
from visavis.domain.people import Visitor
from visavis.domain.policy import Consent, RecordingPolicy
from visavis.protocol import signaling
from visavis.services.calls.active_call import ActiveCall, CallRecording, Participant, read_offer
from visavis.services.calls.agent_sessions import AgentSessions
from visavis.services.calls.bridges import Bridges
from visavis.services.calls.distribution import CallDistribution
from visavis.services.calls.in_call import InCallRequests
from visavis.services.calls.join_links import JoinLinks
from visavis.services.calls.registry import CallRegistry
from visavis.services.calls.site_visitors import SiteVisitors
from visavis.services.calls.staffing import Staffing
from visavis.services.calls.text import clean_line, clean_text
from visavis.services.ports import Store, Transaction
from visavis.services.secrets import digest
from visavis.services.visitor_limits import VisitorGuard


class VisitorRequests:
    def __init__(
        self,
        *,
        config_of: Callable[[int], Awaitable[Config]],
        policy_of: Callable[[int], Awaitable[RecordingPolicy]],
        store: Store,
        registry: CallRegistry,
        distribution: CallDistribution,
        in_call: InCallRequests,
        site_visitors: SiteVisitors,
        join_links: JoinLinks,
        agent_sessions: AgentSessions,
        bridges: Bridges,
        guard: VisitorGuard,
        staffing: Staffing,
    ) -> None:
        self._config_of = config_of
        self._policy_of = policy_of
        self._store = store
        self._registry = registry
        self._distribution = distribution
        self._in_call = in_call
        self._site_visitors = site_visitors
        self._join_links = join_links
        self._agent_sessions = agent_sessions
        self._bridges = bridges
        self._guard = guard
        self._staffing = staffing
        registry.end_listeners.append(self._start_pause)

    async def call(self, visitor: Visitor, message: signaling.Call) -> None:
        """Call the site's agents, or the agent who invited the visitor.

        Raises `AudioVideoChatDisabled`, `AgreementNeeded`, `ParameterInvalid` for an unusable
        offer, `CallNotPossible` while the visitor's last call goes on, `TooManyRequests`.
        """
        offer = read_offer(message.offer)
        config = await self._config_of(visitor.site_id)
        if not config.is_enabled:
            raise VisavisError(ErrorKind.AudioVideoChatDisabled)
        policy = await self._policy_of(visitor.site_id)
        consent = _consent(policy, message, is_recorded=config.is_recording)
        if self._registry.participant_at(visitor.id):
            raise VisavisError(ErrorKind.CallNotPossible, "Hang up your other call first.")
        call = (
            self._join_links.start_call(visitor)
            if visitor.call_id
            else self._begin(visitor, message)
        )
        call.policy = policy
        record = call.record
        record.consent, record.is_recorded = consent, config.is_recording
        record.recording_id = self._registry.new_id() if config.is_recording else None
        if self._bridges.has_relay:
            # made without the relay: only a call's parties are told of it
            self._introduce(call, visitor, message)
            self._bridges.start(call)
        else:
            call.add_bridge().offered[Side.VISITOR] = offer
            self._introduce(call, visitor, message)
        self._ring(call, message.invitation)

    async def leave_message(self, visitor: Visitor, message: signaling.LeaveMessage) -> None:
        """Save a message with a missed call.

        Raises `CallNotPossible` if an agent accepted the call or it has another message.
        """
        text = clean_text(message.text)
        name, email = clean_line(message.name), clean_line(message.email)
        if not text:
            raise VisavisError(ErrorKind.ParameterInvalid, "Write something first.")
        site_id, call_id = visitor.site_id, message.call_id
        if not call_id:
            call_id = await self._message_without_call(visitor, message.id)
        await self._registry.call_log.flush()

        def work(rows: Transaction) -> bool:
            if rows.calls.leave_message(site_id, call_id, text, name, email):
                return True
            call = rows.calls.get(site_id, call_id)
            return call is not None and call.message == text  # sent again: the answer was lost

        if not await self._store.write(work):
            raise VisavisError(ErrorKind.CallNotPossible, "No message can be left for this call.")
        self._registry.call_log.past_calls_changed(site_id)
        self._registry.send_to_socket(visitor.id, signaling.MessageKept(call_id=message.call_id))

    async def _message_without_call(self, visitor: Visitor, message_id: str) -> str:
        """Write a missed call to keep a message with, once for each `message_id`; its id."""
        if not message_id:
            raise VisavisError(
                ErrorKind.ParameterInvalid, "A message without a call requires an id."
            )
        if not (await self._config_of(visitor.site_id)).is_enabled:
            raise VisavisError(ErrorKind.AudioVideoChatDisabled)
        call_id = digest(f"message {visitor.site_id} {message_id}").hex()[:32]
        known = await self._store.read(lambda rows: rows.calls.get(visitor.site_id, call_id))
        if known is None:
            now = self._registry.now()
            record = CallRecord(
                id=call_id,
                site_id=visitor.site_id,
                visitor=visitor,
                media="audio",
                is_recorded=False,
                requested_at=now,
            )
            record.apply(CallTrigger.NOBODY_ON_DUTY, now)
            self._registry.call_log.save_later(record)
        return call_id

    def resume(self, visitor: Visitor, message: signaling.Resume) -> None:
        call = self._registry.find(visitor.site_id, message.call_id)
        if not compare_digest(call.secret.encode(), message.secret.encode("utf-8", "replace")):
            raise VisavisError(ErrorKind.PermissionDenied, "This is not your call.")
        self._in_call.require_no_other_call(call, visitor.id)
        call.record.visitor = replace(call.record.visitor, id=visitor.id)
        self._in_call.resume(call, call.visitor, visitor.id, has_media=message.has_media)

    def disconnect(self, visitor: Visitor) -> None:
        """Handle a closed page: its call stops ringing and waits for it to reconnect."""
        self._site_visitors.remove(visitor)
        if current := self._registry.participant_at(visitor.id):
            call, participant = current
            self._registry.disconnect(
                call, participant, lambda: self._registry.end(call, LEAVE[Side.VISITOR])
            )
            if call.is_waiting:
                self._distribution.stop_ringing(call, "abandoned")
            self._registry.notify_changed(visitor.site_id)

    def _begin(self, visitor: Visitor, message: signaling.Call) -> ActiveCall:
        waiting = [call for call in self._registry.list_by_site(visitor.site_id) if call.is_waiting]
        same_source = sum(1 for call in waiting if call.record.visitor.source == visitor.source)
        self._guard.require_call(visitor, len(waiting), same_source)
        now = self._registry.now()
        record = CallRecord(
            id=self._registry.new_id(),
            site_id=visitor.site_id,
            visitor=visitor,
            media=message.media,
            is_recorded=False,
            requested_at=now,
        )
        call = ActiveCall(
            record,
            Participant(Side.VISITOR, visitor.id),
            self._registry.new_id(),
            RecordingPolicy(visitor.site_id),
            CallRecording(now),
            rank=self._guard.rank(visitor, same_source),
        )
        self._registry.add(call)
        return call

    def _start_pause(self, call: ActiveCall) -> None:
        """Start the pause of a visitor who gave up before an agent accepted."""
        if call.agent is None and call.record.ended_by == "visitor":
            self._guard.record_abandoned(call.visitor.socket_id)

    def _introduce(self, call: ActiveCall, visitor: Visitor, message: signaling.Call) -> None:
        record = call.record
        record.media = message.media
        record.visitor = replace(
            visitor,
            name=clean_line(message.name) or record.visitor.name,
            email=clean_line(message.email) or record.visitor.email,
        )
        self._registry.call_log.save_later(record)
        self._registry.send(
            call.visitor,
            signaling.Calling(call_id=call.id, is_recorded=record.is_recorded, secret=call.secret),
        )

    def _ring(self, call: ActiveCall, invitation: str) -> None:
        agent_session = self._site_visitors.redeem(call.visitor.socket_id, invitation)
        if agent_session and not self._registry.is_busy(agent_session.agent.id):
            call.record.origin = "invitation"
            self._agent_sessions.assign(call, agent_session)
        elif call.reserved_for is None and not self._staffing.is_staffed(call.site_id):
            self._registry.end(call, CallTrigger.NOBODY_ON_DUTY)
        else:
            self._registry.notify_changed(call.site_id)


def _consent(policy: RecordingPolicy, message: signaling.Call, *, is_recorded: bool) -> Consent:
    """Return the consent to recording; raises `AgreementNeeded`."""
    if not is_recorded:
        return Consent.NONE
    if message.agreed:
        return Consent.AGREEMENT
    if policy.consent is Consent.AGREEMENT:
        raise VisavisError(ErrorKind.AgreementNeeded)
    return Consent.NOTICE
