"""Registry of the calls in progress on this node, their participants and timers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final

import msgspec
import structlog

from visavis.domain.call import LEAVE, RESUME_SECONDS, CallTrigger
from visavis.domain.call_events import CallEvent
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import BridgeId, Side
from visavis.domain.vocabulary import Party
from visavis.protocol import signaling
from visavis.services.calls.active_call import ActiveCall, Participant, Timer
from visavis.services.calls.call_log import CallLogWriter
from visavis.services.ports import Bus, Clock
from visavis.services.topics import socket_topic
from visavis.tasks import spawn

log = structlog.get_logger(__name__)

Scheduler = Callable[[float, Callable[[], None]], Timer]
"""Calls back after so many seconds; the event loop's `call_later` is one."""

_TIME_OUTS: Final = {
    CallTrigger.RING_TIME_OUT,
    CallTrigger.QUEUE_TIME_OUT,
    CallTrigger.RESUME_TIME_OUT,
}

STATE_TIMER: Final = "state"
"""Name of the timer that a call's state sets and its next state cancels."""


class CallRegistry:
    """Registry of the calls in progress on this node.

    `end_listeners` are called at every end, `change_listeners` at every change of a site.
    """

    def __init__(
        self,
        *,
        bus: Bus,
        clock: Clock,
        schedule: Scheduler,
        new_id: Callable[[], str],
        call_log: CallLogWriter,
    ) -> None:
        self.now = clock
        self.new_id = new_id
        self.schedule = schedule
        self.call_log = call_log
        self.calls: dict[str, ActiveCall] = {}
        self.end_listeners: list[Callable[[ActiveCall], None]] = []
        self.change_listeners: list[Callable[[int], None]] = []
        self._bus = bus
        self._by_site: dict[int, dict[str, ActiveCall]] = {}
        self._by_socket: dict[str, tuple[ActiveCall, Participant]] = {}
        self._busy_agents: dict[int, Participant] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._batched: set[int] | None = None

    # Looking up

    def find(self, site_id: int, call_id: str) -> ActiveCall:
        call = self.calls.get(call_id)
        if call is None or call.site_id != site_id:
            raise VisavisError(ErrorKind.EntityNotFound, "That call has ended or does not exist.")
        return call

    def participant_of(
        self, site_id: int, call_id: str, socket_id: str
    ) -> tuple[ActiveCall, Participant]:
        """Return the call and the participant of a page; raises `PermissionDenied`."""
        call = self.find(site_id, call_id)
        current = self._by_socket.get(socket_id)
        if current is None or current[0] is not call:
            raise VisavisError(ErrorKind.PermissionDenied, "This is not your call.")
        return current

    def participant_at(self, socket_id: str) -> tuple[ActiveCall, Participant] | None:
        return self._by_socket.get(socket_id)

    def list_by_site(self, site_id: int) -> Iterator[ActiveCall]:
        """In the order in which they were asked for."""
        return iter(tuple(self._by_site.get(site_id, {}).values()))

    def is_busy(self, agent_id: int) -> bool:
        return agent_id in self._busy_agents

    def active_bridges(self) -> list[BridgeId]:
        """The bridges that a media worker must not close."""
        calls = self.calls.values()
        return [bridge.id for call in calls for bridge in call.bridges.values() if bridge.is_open]

    # Seats

    def add(self, call: ActiveCall) -> None:
        self.calls[call.id] = call
        self._by_site.setdefault(call.site_id, {})[call.id] = call
        if call.visitor.is_open:
            self.add_participant(call, call.visitor)
        self.record_event(
            call, call.record.state, by="visitor" if call.visitor.is_open else "system"
        )

    def add_participant(self, call: ActiveCall, participant: Participant) -> None:
        participant.is_open = True
        self._by_socket[participant.socket_id] = call, participant
        if participant.agent:
            self._busy_agents[participant.agent.id] = participant
        self.cancel_timer(call, _disconnect_timer(participant))

    def remove_participant(self, call: ActiveCall, participant: Participant) -> None:
        """Remove a participant from the call."""
        if self._by_socket.get(participant.socket_id) == (call, participant):
            del self._by_socket[participant.socket_id]
        if participant.agent and self._busy_agents.get(participant.agent.id) is participant:
            del self._busy_agents[participant.agent.id]
        self.cancel_timer(call, _disconnect_timer(participant))

    def move_participant(self, call: ActiveCall, participant: Participant, socket_id: str) -> None:
        """Move the participant to another page; an old page that is still open leaves the call."""
        if participant.socket_id != socket_id:
            self._by_socket.pop(participant.socket_id, None)
            if participant.is_open:
                ended = signaling.Ended(call_id=call.id, reason="transferred", by="system")
                self.send(participant, ended)
            participant.socket_id = socket_id
        self.add_participant(call, participant)

    def disconnect(
        self, call: ActiveCall, participant: Participant, on_expired: Callable[[], None]
    ) -> None:
        """Mark the participant as gone; `on_expired` is called unless it reconnects in time."""
        participant.is_open, participant.disconnected_at = False, self.now()
        self._by_socket.pop(participant.socket_id, None)
        self.set_timer(call, _disconnect_timer(participant), RESUME_SECONDS, on_expired)

    # Time

    def set_timer(
        self, call: ActiveCall, name: str, seconds: float, callback: Callable[[], None]
    ) -> None:
        """Call `callback` later, unless the call ends or a timer of the same name replaces it."""
        self.cancel_timer(call, name)
        call.timers[name] = self.schedule(seconds, callback)

    def cancel_timer(self, call: ActiveCall, name: str) -> None:
        if timer := call.timers.pop(name, None):
            timer.cancel()

    # CallState

    def apply(
        self, call: ActiveCall, event: CallTrigger, *, by: Party = "system", **data: Any
    ) -> None:
        """Apply `event` and send the new state to both pages.

        Raises `CallNotPossible`; the call is unchanged then.
        """
        call.record.apply(event, self.now())
        self.cancel_timer(call, STATE_TIMER)
        log.info("call", call_id=call.id, site_id=call.site_id, state=call.record.state)
        if call.is_over:
            by, data = call.record.ended_by, {"reason": call.record.reason}
        self.record_event(call, call.record.state, by=by, **data)
        if not call.is_over:
            self.send_state(call)

    def end_after(self, call: ActiveCall, seconds: float, event: CallTrigger) -> None:
        """End the call by `event` if its state lasts so long."""
        self.set_timer(call, STATE_TIMER, seconds, lambda: self.end(call, event))

    def end(self, call: ActiveCall, event: CallTrigger) -> None:
        """End the call by `event`, where that is possible, and tell everybody."""
        event = _actual_event(call, event)
        if not call.record.allows(event):
            return
        for participant in call.participants():
            if LEAVE[participant.side] is event and participant.disconnected_at:
                call.record.interrupt(participant.disconnected_at)
        self.apply(call, event)
        del self.calls[call.id]
        of_site = self._by_site[call.site_id]
        del of_site[call.id]
        if not of_site:
            del self._by_site[call.site_id]
        for name in list(call.timers):
            self.cancel_timer(call, name)
        for listener in self.end_listeners:
            listener(call)
        by, reason = call.record.ended_by, str(call.record.reason)
        for participant in call.participants():
            self.send(participant, signaling.Ended(call_id=call.id, reason=reason, by=by))
            self.remove_participant(call, participant)
        self.notify_changed(call.site_id)

    def record_event(
        self, call: ActiveCall, name: str, *, by: Party = "system", **data: Any
    ) -> None:
        """Record an event of the call."""
        event = CallEvent(at=self.now(), name=str(name), by=by, data=data)
        self.call_log.record_event(call.record, event)

    def notify_changed(self, site_id: int) -> None:
        if self._batched is not None:
            self._batched.add(site_id)
            return
        for listener in self.change_listeners:
            listener(site_id)

    @contextmanager
    def batch_changes(self) -> Iterator[None]:
        """Notify `change_listeners` once for many changes: each looks at every call of the site."""
        self._batched = batched = set[int]()
        try:
            yield
        finally:
            self._batched = None
        for site_id in batched:
            self.notify_changed(site_id)

    # Sending

    def send(
        self, participant: Participant, message: signaling.ToVisitor | signaling.ToAgent
    ) -> None:
        self.send_to_socket(participant.socket_id, message)

    def send_to_socket(
        self, socket_id: str, message: signaling.ToVisitor | signaling.ToAgent
    ) -> None:
        self._bus.publish(socket_topic(socket_id), msgspec.json.encode(message))

    def send_to_both(self, call: ActiveCall, message: signaling.ToEither) -> None:
        for participant in (call.visitor, call.agent):
            if participant:
                self.send(participant, message)

    def send_state(self, call: ActiveCall) -> None:
        self.send_to_both(call, call.state_message(call.record.state, self.now()))

    # Background tasks

    def run_task(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = spawn("work of a call", coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def wait_idle(self) -> None:
        """Wait until no background task is running."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)


def _disconnect_timer(participant: Participant) -> str:
    return f"away {participant.side} {participant.agent_id}"


def _actual_event(call: ActiveCall, event: CallTrigger) -> CallTrigger:
    """Return the event that ends the call: a time-out counts as leaving if a page is gone."""
    if event not in _TIME_OUTS:
        return event
    if not call.visitor.is_open:
        return LEAVE[Side.VISITOR]
    if event is CallTrigger.RESUME_TIME_OUT and call.agent and not call.agent.is_open:
        return LEAVE[Side.AGENT]
    return event
