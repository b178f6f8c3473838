"""Effects of the call engine, carried out: messages, timers, media commands, the call log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import structlog

from visavis.domain.call import commands, effects, notices
from visavis.domain.call.call import Call
from visavis.domain.call.inputs import CommandDone, CommandFailed, Event, TimerFired
from visavis.domain.call.states import CallState
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import VISITOR_LEG, LocalTransport, Side
from visavis.protocol import signaling
from visavis.services.calls.call_log import CallLogWriter, Timer
from visavis.services.calls.messages import CallMessage, message_of
from visavis.services.ports import Bus, MediaPlane, Store
from visavis.services.topics import socket_topic
from visavis.tasks import spawn

log = structlog.get_logger(__name__)

Scheduler = Callable[[float, Callable[[], None]], Timer]
"""Calls back after so many seconds; the event loop's `call_later` is one."""

Relays = Callable[[str], signaling.IceServers]
"""Returns the ICE servers of a call, with credentials that are for it alone."""

_STATES = frozenset(CallState)


class CallOwner(Protocol):
    """Owner of a call: applies events to it."""

    def handle(self, call: Call, event: Event) -> None: ...


class EffectRunner:
    """Carries out the effects of the calls of this node.

    `unrecorded` counts the calls that went on although they could not be recorded.
    """

    def __init__(
        self,
        *,
        bus: Bus,
        media: MediaPlane,
        store: Store,
        call_log: CallLogWriter,
        schedule: Scheduler,
        relays: Relays | None = None,
    ) -> None:
        self.unrecorded = 0
        self.call_log = call_log
        self.schedule = schedule
        self._bus = bus
        self._media = media
        self._store = store
        self._relays = relays
        self._timers: dict[tuple[str, str], Timer] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def has_relay(self) -> bool:
        """Whether the participants of a call are told of a TURN server."""
        return self._relays is not None

    def run(self, owner: CallOwner, call: Call, effect: effects.Effect) -> None:
        """Carry out an effect. What takes time goes on in a task and reports back to the owner."""
        match effect:
            case effects.Send(socket_id, notice):
                self.send_notice(call.id, socket_id, notice)
            case effects.RunCommand(command):
                self.run_task(self._perform(owner, call, command))
            case effects.SetTimer(name, seconds):
                self._set_timer(owner, call, name, seconds)
            case effects.CancelTimer(name):
                self._cancel_timer(call, name)
            case effects.RecordEvent(event):
                if event.name in _STATES:
                    log.info("call", call_id=call.id, site_id=call.site_id, state=event.name)
                self.call_log.record_event(call.record, event)
            case effects.SaveRecord():
                self.call_log.save_later(call.record)
            case effects.MarkUnrecorded(why):
                self.unrecorded += 1
                log.error("call not recorded", call_id=call.id, site_id=call.site_id, why=why)
            case _:
                pass

    # Messages

    def send_notice(self, call_id: str, socket_id: str, notice: notices.Notice) -> None:
        if not isinstance(notice, notices.RelaysNotice):
            self.send(socket_id, message_of(call_id, notice))
        elif self._relays:
            self.send(socket_id, self._relays(call_id))

    def send(self, socket_id: str, message: CallMessage) -> None:
        self._bus.publish(socket_topic(socket_id), message)

    # Timers

    def _set_timer(self, owner: CallOwner, call: Call, name: str, seconds: float) -> None:
        self._cancel_timer(call, name)

        def fire() -> None:
            self._timers.pop((call.id, name), None)
            owner.handle(call, TimerFired(name))

        self._timers[call.id, name] = self.schedule(seconds, fire)

    def _cancel_timer(self, call: Call, name: str) -> None:
        if timer := self._timers.pop((call.id, name), None):
            timer.cancel()

    # Media commands

    async def _perform(self, owner: CallOwner, call: Call, command: commands.MediaCommand) -> None:
        kind = ErrorKind.InternalError
        event: Event = CommandFailed(command, kind, kind.sentence)
        try:
            if call.wants(command):
                event = CommandDone(command, await self._carry_out(command))
        except VisavisError as error:
            log.warning(
                "media command failed",
                command=type(command).__name__,
                bridge=str(command.bridge),
                error=error.kind.name,
            )
            event = CommandFailed(command, error.kind, error.message)
        finally:
            owner.handle(call, event)  # also when it was cut off: the call may not wait for ever

    async def _carry_out(self, command: commands.MediaCommand) -> dict[Side, LocalTransport]:
        bridge = command.bridge
        match command:
            case commands.OpenLegs(remote=remote):
                legs = {side: await self._media.open_leg(bridge, side.leg) for side in Side}
                visitor = await self._media.set_remote(bridge, VISITOR_LEG, remote)
                return {**legs, Side.VISITOR: visitor}
            case commands.SetRemoteEnd(side=side, remote=remote):
                return {side: await self._media.set_remote(bridge, side.leg, remote)}
            case commands.JoinLegs():
                return await self._join(command)
            case commands.StartJournal():
                await self._start_journal(command)
            case commands.PauseJournal(is_paused=is_paused):
                await self._media.pause(bridge, paused=is_paused)
            case _:
                await self._media.close(bridge)
        return {}

    async def _join(self, command: commands.JoinLegs) -> dict[Side, LocalTransport]:
        bridge, transports = command.bridge, dict[Side, LocalTransport]()
        if command.side and command.remote:
            remote = command.remote
            leg = command.side.leg
            transports[command.side] = await self._media.set_remote(bridge, leg, remote)
        if command.note:
            await self._media.note(bridge, command.note)
        if command.is_join:
            await self._media.join(bridge)
        return transports

    async def _start_journal(self, command: commands.StartJournal) -> None:
        manifest = command.manifest
        # the recorder muxes a recording whose call is not in the database
        await self.call_log.flush()
        await self._media.tap(command.bridge, manifest)
        if not command.is_listed:
            # once its journal exists: a failed start would stay listed as pending forever
            await self._store.write(lambda rows: rows.recordings.add(manifest))
        if command.is_paused:
            await self._media.pause(command.bridge, paused=True)

    # Background tasks

    def run_task(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = spawn("work of a call", coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def wait_idle(self) -> None:
        """Wait until no background task is running."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
