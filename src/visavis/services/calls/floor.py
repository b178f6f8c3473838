"""The calls in progress, who sits in them, and how their pages hear of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final

import msgspec
import structlog

from visavis.domain import signaling
from visavis.domain.call import LEAVE, RESUME_SECONDS, Event
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import Link, Side
from visavis.domain.signaling import Party
from visavis.domain.story import CallEvent
from visavis.services.calls.chronicle import Chronicle
from visavis.services.calls.live import LiveCall, Seat, Timer
from visavis.services.ports import Bus, Clock
from visavis.services.topics import socket_topic
from visavis.tasks import spawn

log = structlog.get_logger(__name__)

Scheduler = Callable[[float, Callable[[], None]], Timer]
"""Calls back after so many seconds; the event loop's `call_later` is one."""

_TIME_OUTS: Final = {Event.RING_TIME_OUT, Event.QUEUE_TIME_OUT, Event.RESUME_TIME_OUT}

STATE: Final = "state"
"""The timer that a call's state sets and its next state takes away."""


class Floor:
    """Where calls are found and moved. `endings` hear of every end, `changes` of every change."""

    def __init__(
        self,
        *,
        bus: Bus,
        clock: Clock,
        schedule: Scheduler,
        new_id: Callable[[], str],
        chronicle: Chronicle,
    ) -> None:
        self.now = clock
        self.new_id = new_id
        self.schedule = schedule
        self.chronicle = chronicle
        self.calls: dict[str, LiveCall] = {}
        self.endings: list[Callable[[LiveCall], None]] = []
        self.changes: list[Callable[[int], None]] = []
        self._bus = bus
        self._of_site: dict[int, dict[str, LiveCall]] = {}
        self._seated: dict[str, tuple[LiveCall, Seat]] = {}
        self._engaged: dict[int, Seat] = {}
        self._errands: set[asyncio.Task[None]] = set()
        self._gathered: set[int] | None = None

    # Looking up

    def find(self, site_id: int, call_id: str) -> LiveCall:
        call = self.calls.get(call_id)
        if call is None or call.site_id != site_id:
            raise VisavisError(ErrorKind.EntityNotFound, "That call has ended or does not exist.")
        return call

    def party(self, site_id: int, call_id: str, socket_id: str) -> tuple[LiveCall, Seat]:
        """The call and the seat that a page has in it; raises `PermissionDenied`."""
        call = self.find(site_id, call_id)
        seated = self._seated.get(socket_id)
        if seated is None or seated[0] is not call:
            raise VisavisError(ErrorKind.PermissionDenied, "This is not your call.")
        return seated

    def seated(self, socket_id: str) -> tuple[LiveCall, Seat] | None:
        return self._seated.get(socket_id)

    def of_site(self, site_id: int) -> Iterator[LiveCall]:
        """In the order in which they were asked for."""
        return iter(tuple(self._of_site.get(site_id, {}).values()))

    def is_engaged(self, agent_id: int) -> bool:
        return agent_id in self._engaged

    def kept(self) -> list[Link]:
        """The links that a media worker must not close."""
        calls = self.calls.values()
        return [link.link for call in calls for link in call.links.values() if link.is_open]

    # Seats

    def add(self, call: LiveCall) -> None:
        self.calls[call.id] = call
        self._of_site.setdefault(call.site_id, {})[call.id] = call
        if call.visitor.is_open:
            self.sit(call, call.visitor)
        self.note(call, call.record.state, by="visitor" if call.visitor.is_open else "system")

    def sit(self, call: LiveCall, seat: Seat) -> None:
        seat.is_open = True
        self._seated[seat.socket_id] = call, seat
        if seat.agent:
            self._engaged[seat.agent.id] = seat
        self.cancel(call, _away(seat))

    def rise(self, call: LiveCall, seat: Seat) -> None:
        """This party is no longer in the call."""
        if self._seated.get(seat.socket_id) == (call, seat):
            del self._seated[seat.socket_id]
        if seat.agent and self._engaged.get(seat.agent.id) is seat:
            del self._engaged[seat.agent.id]
        self.cancel(call, _away(seat))

    def move_seat(self, call: LiveCall, seat: Seat, socket_id: str) -> None:
        """The party's page is another one now; the old one, if it is still open, is out of it."""
        if seat.socket_id != socket_id:
            self._seated.pop(seat.socket_id, None)
            if seat.is_open:
                ended = signaling.Ended(call_id=call.id, reason="transferred", by="system")
                self.tell(seat, ended)
            seat.socket_id = socket_id
        self.sit(call, seat)

    def leave(self, call: LiveCall, seat: Seat, gone: Callable[[], None]) -> None:
        """The party's page has gone; `gone` happens unless it comes back in time."""
        seat.is_open, seat.left_at = False, self.now()
        self._seated.pop(seat.socket_id, None)
        self.after(call, _away(seat), RESUME_SECONDS, gone)

    # Time

    def after(self, call: LiveCall, what: str, seconds: float, ring: Callable[[], None]) -> None:
        """Do something later, unless the call is over or something else is to be done instead."""
        self.cancel(call, what)
        call.timers[what] = self.schedule(seconds, ring)

    def cancel(self, call: LiveCall, what: str) -> None:
        if timer := call.timers.pop(what, None):
            timer.cancel()

    # State

    def move(self, call: LiveCall, event: Event, *, by: Party = "system", **data: Any) -> None:
        """Move the call by `event` and tell both pages; raises `CallNotPossible`, unchanged."""
        call.record.apply(event, self.now())
        self.cancel(call, STATE)
        log.info("call", call_id=call.id, site_id=call.site_id, state=call.record.state)
        if call.is_over:
            by, data = call.record.ended_by, {"reason": call.record.reason}
        self.note(call, call.record.state, by=by, **data)
        if not call.is_over:
            self.tell_state(call)

    def time_out(self, call: LiveCall, seconds: float, event: Event) -> None:
        """End the call by `event` if its state lasts so long."""
        self.after(call, STATE, seconds, lambda: self.end(call, event))

    def end(self, call: LiveCall, event: Event) -> None:
        """End the call by `event`, where that is possible, and tell everybody."""
        event = _why(call, event)
        if not call.record.allows(event):
            return
        for seat in call.seats():
            if LEAVE[seat.side] is event and seat.left_at:
                call.record.interrupt(seat.left_at)
        self.move(call, event)
        del self.calls[call.id]
        of_site = self._of_site[call.site_id]
        del of_site[call.id]
        if not of_site:
            del self._of_site[call.site_id]
        for what in list(call.timers):
            self.cancel(call, what)
        for listener in self.endings:
            listener(call)
        by, reason = call.record.ended_by, str(call.record.reason)
        for seat in call.seats():
            self.tell(seat, signaling.Ended(call_id=call.id, reason=reason, by=by))
            self.rise(call, seat)
        self.changed(call.site_id)

    def note(self, call: LiveCall, name: str, *, by: Party = "system", **data: Any) -> None:
        """Write down what has happened in the call."""
        event = CallEvent(at=self.now(), name=str(name), by=by, data=data)
        self.chronicle.note(call.record, event)

    def changed(self, site_id: int) -> None:
        if self._gathered is not None:
            self._gathered.add(site_id)
            return
        for listener in self.changes:
            listener(site_id)

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Let `changes` hear of many changes once: each looks at every call of the site."""
        self._gathered = gathered = set[int]()
        try:
            yield
        finally:
            self._gathered = None
        for site_id in gathered:
            self.changed(site_id)

    # Telling

    def tell(self, seat: Seat, message: signaling.ToVisitor | signaling.ToAgent) -> None:
        self.tell_socket(seat.socket_id, message)

    def tell_socket(self, socket_id: str, message: signaling.ToVisitor | signaling.ToAgent) -> None:
        self._bus.publish(socket_topic(socket_id), msgspec.json.encode(message))

    def tell_both(self, call: LiveCall, message: signaling.ToEither) -> None:
        for seat in (call.visitor, call.agent):
            if seat:
                self.tell(seat, message)

    def tell_state(self, call: LiveCall) -> None:
        self.tell_both(call, call.state(call.record.state, self.now()))

    # What takes its time

    def run(self, errand: Coroutine[Any, Any, None]) -> None:
        task = spawn("work of a call", errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def quiet(self) -> None:
        """Wait for every errand."""
        while self._errands:
            await asyncio.gather(*self._errands, return_exceptions=True)


def _away(seat: Seat) -> str:
    return f"away {seat.side} {seat.agent_id}"


def _why(call: LiveCall, event: Event) -> Event:
    """A call that waited in vain for a page has been left, whatever else became of it."""
    if event not in _TIME_OUTS:
        return event
    if not call.visitor.is_open:
        return LEAVE[Side.VISITOR]
    if event is Event.RESUME_TIME_OUT and call.agent and not call.agent.is_open:
        return LEAVE[Side.AGENT]
    return event
