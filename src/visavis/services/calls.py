"""A call from the visitor's first press to its end: who is told what, and what the media does.

Every method that changes a call does so before its first await, so whoever comes first has it and
no lock is needed. What then takes time (the database, the media worker) follows, and a call that
ended meanwhile is cleaned up by whoever was still busy with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import msgspec
import structlog

from visavis.domain import signaling
from visavis.domain.call import (
    CONNECT_SECONDS,
    HANG_UP,
    LEAVE,
    RING_SECONDS,
    CallRecord,
    Event,
    State,
)
from visavis.domain.config import Config
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import Link, LocalTransport, Side
from visavis.domain.people import Permission, Visitor
from visavis.domain.recording import Manifest
from visavis.rtp.quality import LegReport
from visavis.rtp.sdp import read_transport, restrict_codecs, rewrite
from visavis.services.ports import Bus, Clock, MediaPlane, Store
from visavis.services.presence import Desk, Presence
from visavis.services.topics import socket_topic

log = structlog.get_logger(__name__)


class Timer(Protocol):
    def cancel(self) -> None: ...


Scheduler = Callable[[float, Callable[[], None]], Timer]
"""Calls back after so many seconds; the event loop's `call_later` is one."""


@dataclass(slots=True, eq=False)
class _Live:
    """A call in progress: its record, and what only matters while it lasts."""

    record: CallRecord
    offer: str
    recording_id: str | None
    desk: Desk | None = None
    rung: dict[str, Desk] = field(default_factory=dict)
    declined: set[int] = field(default_factory=set)
    transports: dict[Side, LocalTransport] = field(default_factory=dict)
    legs_up: set[Side] = field(default_factory=set)
    timer: Timer | None = None

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def link(self) -> Link:
        return Link(self.id, 1)

    def sockets(self) -> Iterator[str]:
        yield self.record.visitor.id
        if self.desk:
            yield self.desk.socket_id

    def socket_of(self, side: Side) -> str | None:
        if side is Side.VISITOR:
            return self.record.visitor.id
        return self.desk.socket_id if self.desk else None

    def manifest(self, recording_id: str) -> Manifest:
        record = self.record
        return Manifest(
            recording_id=recording_id,
            site_id=record.site_id,
            call_id=record.id,
            media=record.media,
            visitor_name=record.visitor.name,
            agent_name=record.agent.name if record.agent else "",
            started_at=record.accepted_at or record.requested_at,
        )


class Calls:
    """All calls of this node. Also the `MediaListener` of its media worker."""

    def __init__(
        self,
        *,
        config_of: Callable[[int], Coroutine[Any, Any, Config]],
        store: Store,
        bus: Bus,
        media: MediaPlane,
        clock: Clock,
        schedule: Scheduler,
        new_id: Callable[[], str],
        node_id: str,
    ) -> None:
        self._node_id = node_id
        self._config_of = config_of
        self._store = store
        self._bus = bus
        self._media = media
        self._clock = clock
        self._schedule = schedule
        self._new_id = new_id
        self._presence = Presence()
        self._calls: dict[str, _Live] = {}
        self._errands: set[asyncio.Task[None]] = set()

    @property
    def count(self) -> int:
        """How many calls have not ended."""
        return len(self._calls)

    # What a visitor does

    async def call(self, visitor: Visitor, message: signaling.Call) -> None:
        """Ring the site's agents.

        Raises `AudioVideoChatDisabled`, `ParameterInvalid` for an unusable offer, `CallNotPossible`
        while the visitor's last call goes on.
        """
        read_transport(message.offer)
        config = await self._config_of(visitor.site_id)
        if not config.is_enabled:
            raise VisavisError(ErrorKind.AudioVideoChatDisabled)
        if any(call.record.visitor.id == visitor.id for call in self._calls.values()):
            raise VisavisError(ErrorKind.CallNotPossible, "Hang up your other call first.")
        # no database takes control characters, and no page shows them
        name, email = _printable(message.name), _printable(message.email)
        caller = replace(visitor, name=name, email=email)
        call = self._begin(caller, message, is_recorded=config.is_recording)
        self._tell(
            caller.id, signaling.Calling(call_id=call.id, is_recorded=call.record.is_recorded)
        )
        self._ring(call)
        await self._save(call)

    def visitor_left(self, visitor: Visitor) -> None:
        for call in self._of_socket(visitor.id):
            self._end(call, LEAVE[Side.VISITOR])

    # What an agent does

    def agent_arrived(self, desk: Desk) -> None:
        """The agent's console is open: what rings already rings here too."""
        self._presence.arrive(desk)
        self._ring_what_waits(desk.agent.site_id)

    def agent_left(self, desk: Desk) -> None:
        self._presence.leave(desk)
        for call in self._of_socket(desk.socket_id):
            self._end(call, LEAVE[Side.AGENT])
        for call in self._ringing(desk.agent.site_id):
            call.rung.pop(desk.socket_id, None)
            if not self._presence.desks(desk.agent.site_id):
                self._end(call, Event.RING_TIME_OUT)

    async def accept(self, desk: Desk, call_id: str) -> None:
        """Take a ringing call; raises `CallNotPossible` when another agent was first."""
        desk.agent.demand(Permission.ACCEPT_CALLS)
        call = self._find(desk.agent.site_id, call_id)
        if self._is_busy(desk.agent.id):
            raise VisavisError(ErrorKind.CallNotPossible, "Hang up your other call first.")
        self._move(call, Event.ACCEPT)
        call.desk, call.record.agent = desk, desk.agent
        self._stop_ringing(call, "accepted")
        self._set_timer(call, CONNECT_SECONDS, Event.CONNECT_TIME_OUT)
        self._tell_state(call)
        await self._set_up(call, self._open_legs)

    def decline(self, desk: Desk, call_id: str) -> None:
        call = self._find(desk.agent.site_id, call_id)
        call.declined.add(desk.agent.id)
        for other in [d for d in call.rung.values() if d.agent.id == desk.agent.id]:
            del call.rung[other.socket_id]
            self._tell(other.socket_id, signaling.RingStopped(call_id=call.id, reason="declined"))
        on_duty = {d.agent.id for d in self._presence.desks(desk.agent.site_id)}
        if on_duty <= call.declined and call.record.allows(Event.EVERYBODY_DECLINED):
            self._end(call, Event.EVERYBODY_DECLINED)

    async def answer(self, desk: Desk, message: signaling.Answer) -> None:
        """The agent's browser has answered the offer: join the two legs."""
        call = self._find(desk.agent.site_id, message.call_id)
        self._demand_party(call, Side.AGENT, desk.socket_id)
        if Side.AGENT not in call.transports:
            raise VisavisError(ErrorKind.CallNotPossible, "Wait for the offer, then answer it.")
        read_transport(message.sdp)
        self._move(call, Event.ANSWER)
        self._tell_state(call)
        await self._set_up(call, lambda c: self._join(c, message.sdp))

    # What both do

    def hang_up(self, side: Side, site_id: int, socket_id: str, call_id: str) -> None:
        """Leave the call; a call that is over already stays so."""
        call = self._find(site_id, call_id)
        self._demand_party(call, side, socket_id)
        self._end(call, HANG_UP[side])

    # What the media worker tells

    async def leg_up(self, link: Link, side: Side) -> None:
        call = self._calls.get(link.call_id)
        if call is None:
            return
        call.legs_up.add(side)
        if len(call.legs_up) == len(Side) and call.record.allows(Event.BOTH_LEGS_UP):
            self._move(call, Event.BOTH_LEGS_UP)
            self._cancel_timer(call)
            self._tell_state(call)
            await self._save(call)
            await self._note(call, "connected")

    async def leg_down(self, link: Link, side: Side, why: str) -> None:
        if call := self._calls.get(link.call_id):
            log.info("leg down", link=str(link), side=side, why=why)
            self._end(call, Event.MEDIA_FAILS)

    async def tap_lost(self, link: Link, why: str) -> None:
        """Automatic means every call: one that cannot be recorded any longer ends."""
        if call := self._calls.get(link.call_id):
            log.error("recording lost", link=str(link), why=why)
            self._end(call, Event.CANNOT_RECORD)

    async def quality(self, link: Link, side: Side, report: LegReport) -> None:
        """Nobody asks yet."""

    async def worker_lost(self, links: Collection[Link]) -> None:
        for call in list(self._calls.values()):
            if call.link in links:
                self._end(call, Event.MEDIA_FAILS)

    # The node

    async def shut_down(self) -> None:
        """End every call and see it through to the database and the media worker."""
        for call in list(self._calls.values()):
            self._end(call, Event.SHUT_DOWN)
        if self._errands:
            await asyncio.gather(*self._errands, return_exceptions=True)

    # Ringing

    def _begin(self, visitor: Visitor, message: signaling.Call, *, is_recorded: bool) -> _Live:
        record = CallRecord(
            id=self._new_id(),
            site_id=visitor.site_id,
            visitor=visitor,
            media=message.media,
            is_recorded=is_recorded,
            requested_at=self._clock(),
        )
        call = _Live(record, message.offer, self._new_id() if is_recorded else None)
        self._calls[call.id] = call
        return call

    def _ring(self, call: _Live) -> None:
        if not self._presence.desks(call.record.site_id):
            self._move(call, Event.NOBODY_FREE)
            self._end(call, Event.QUEUE_TIME_OUT)
            return
        self._move(call, Event.RING)
        self._set_timer(call, RING_SECONDS, Event.RING_TIME_OUT)
        self._tell_state(call)
        self._ring_what_waits(call.record.site_id)

    def _ring_what_waits(self, site_id: int) -> None:
        """Ring every waiting call at every free desk where it does not ring yet."""
        for call in self._ringing(site_id):
            for desk in self._presence.desks(site_id):
                agent = desk.agent.id
                if agent in call.declined or desk.socket_id in call.rung or self._is_busy(agent):
                    continue
                call.rung[desk.socket_id] = desk
                self._tell(
                    desk.socket_id,
                    signaling.Ring(
                        call_id=call.id,
                        media=call.record.media,
                        visitor_name=call.record.visitor.name,
                        is_recorded=call.record.is_recorded,
                        since=call.record.requested_at,
                    ),
                )

    def _stop_ringing(self, call: _Live, reason: str) -> None:
        for socket_id in call.rung:
            self._tell(socket_id, signaling.RingStopped(call_id=call.id, reason=reason))
        call.rung.clear()
        if call.desk:
            self._quiet(call.desk)

    def _quiet(self, desk: Desk) -> None:
        """An agent in a call hears no other ring."""
        for other in self._ringing(desk.agent.site_id):
            for busy in [d for d in other.rung.values() if d.agent.id == desk.agent.id]:
                del other.rung[busy.socket_id]
                self._tell(busy.socket_id, signaling.RingStopped(call_id=other.id, reason="busy"))

    # Media

    async def _set_up(
        self, call: _Live, step: Callable[[_Live], Coroutine[Any, Any, None]]
    ) -> None:
        try:
            await step(call)
        except VisavisError as error:
            log.warning("call not set up", call_id=call.id, error=error.kind.name)
            cannot_record = error.kind is ErrorKind.RecordingUnavailable
            self._end(call, Event.CANNOT_RECORD if cannot_record else Event.MEDIA_FAILS)
        if call.record.is_over:
            await self._media.close(call.link)

    async def _open_legs(self, call: _Live) -> None:
        await self._save(call)
        if call.recording_id:
            await self._start_recording(call, call.manifest(call.recording_id))
        for side in Side:
            call.transports[side] = await self._media.open_leg(call.link, side)
        await self._media.set_remote(call.link, Side.VISITOR, read_transport(call.offer))
        if call.desk and not call.record.is_over:
            offer = rewrite(restrict_codecs(call.offer), call.transports[Side.AGENT], "actpass")
            self._tell(call.desk.socket_id, signaling.Offer(call_id=call.id, link=1, sdp=offer))

    async def _start_recording(self, call: _Live, manifest: Manifest) -> None:
        await self._store.write(lambda rows: rows.recordings.add(manifest))
        await self._media.tap(call.link, manifest)

    async def _join(self, call: _Live, answer: str) -> None:
        await self._media.set_remote(call.link, Side.AGENT, read_transport(answer))
        if call.recording_id:
            descriptions = {"type": "descriptions", "visitor": call.offer, "agent": answer}
            await self._media.note(call.link, descriptions)
        await self._media.join(call.link)
        sdp = rewrite(answer, call.transports[Side.VISITOR], "passive")
        self._tell(call.record.visitor.id, signaling.Answer(call_id=call.id, link=1, sdp=sdp))
        await self._save(call)

    async def _note(self, call: _Live, name: str) -> None:
        if call.recording_id:
            event = {"type": "event", "name": name, "at": self._clock().isoformat()}
            await self._media.note(call.link, event)

    # State

    def _move(self, call: _Live, event: Event) -> None:
        call.record.apply(event, self._clock())
        log.info("call", call_id=call.id, site_id=call.record.site_id, state=call.record.state)

    def _end(self, call: _Live, event: Event) -> None:
        """End the call by `event`, tell everybody, and clean up behind it."""
        if not call.record.allows(event):
            return
        self._move(call, event)
        del self._calls[call.id]
        self._cancel_timer(call)
        reason = str(call.record.reason)
        self._stop_ringing(call, reason)
        ended = signaling.Ended(call_id=call.id, reason=reason, by=call.record.ended_by)
        for socket_id in call.sockets():
            self._tell(socket_id, ended)
        self._ring_what_waits(call.record.site_id)
        self._run(self._clean_up(call))

    async def _clean_up(self, call: _Live) -> None:
        if call.desk:
            try:
                await self._media.close(call.link)
            except VisavisError as error:
                # the worker is gone: so are the legs, and its journal is the recorder's already
                log.warning("call not closed", call_id=call.id, error=error.kind.name)
        await self._save(call)

    async def _save(self, call: _Live) -> None:
        record = replace(call.record)
        await self._store.write(
            lambda rows: rows.calls.save(record, call.recording_id, self._node_id)
        )

    def _set_timer(self, call: _Live, seconds: float, event: Event) -> None:
        self._cancel_timer(call)
        call.timer = self._schedule(seconds, lambda: self._end(call, event))

    def _cancel_timer(self, call: _Live) -> None:
        if call.timer:
            call.timer.cancel()
            call.timer = None

    # Looking up

    def _find(self, site_id: int, call_id: str) -> _Live:
        call = self._calls.get(call_id)
        if call is None or call.record.site_id != site_id:
            raise VisavisError(ErrorKind.EntityNotFound, "That call is over or never was.")
        return call

    def _demand_party(self, call: _Live, side: Side, socket_id: str) -> None:
        if call.socket_of(side) != socket_id:
            raise VisavisError(ErrorKind.PermissionDenied, "That is not your call.")

    def _of_socket(self, socket_id: str) -> list[_Live]:
        return [call for call in self._calls.values() if socket_id in call.sockets()]

    def _ringing(self, site_id: int) -> list[_Live]:
        return [
            call
            for call in self._calls.values()
            if call.record.site_id == site_id and call.record.state is State.RINGING
        ]

    def _is_busy(self, agent_id: int) -> bool:
        return any(c.desk is not None and c.desk.agent.id == agent_id for c in self._calls.values())

    # Telling

    def _tell(self, socket_id: str, message: signaling.ToVisitor | signaling.ToAgent) -> None:
        self._bus.publish(socket_topic(socket_id), msgspec.json.encode(message))

    def _tell_state(self, call: _Live) -> None:
        state = signaling.CallState(call_id=call.id, state=call.record.state, at=self._clock())
        for socket_id in call.sockets():
            self._tell(socket_id, state)

    def _run(self, errand: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errand_done)

    def _errand_done(self, task: asyncio.Task[None]) -> None:
        self._errands.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("cleaning up after a call failed", exc_info=error)


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())
