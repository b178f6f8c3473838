"""Carrying out the effects of the call engine: messages, timers, media commands, call log.

The engine's notices become signalling messages here, with our transport in their SDP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import structlog

from visavis.domain.call import commands, effects, notices
from visavis.domain.call.call import Call
from visavis.domain.call.inputs import CommandDone, CommandFailed, Event, TimerFired
from visavis.domain.call.states import CallState
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import VISITOR_LEG, BridgeId, LocalTransport, RemoteTransport
from visavis.protocol import signaling
from visavis.rtp.sdp import provisional_answer, rewrite
from visavis.services.calls.call_log import CallLogWriter, Timer
from visavis.services.ports import Bus, MediaPlane, Store
from visavis.services.topics import SOCKET_TOPIC
from visavis.tasks import spawn

log = structlog.get_logger(__name__)

CallMessage = signaling.ToVisitor | signaling.ToAgent

Scheduler = Callable[[float, Callable[[], None]], Timer]
"""Function that calls back after this many seconds, like `call_later` of the event loop."""

Relays = Callable[[str], signaling.IceServers]
"""Function that returns the ICE servers of a call, with credentials for this call only."""

HOLD_SECONDS: Final = 0.5
"""Maximum time for which notices wait until their call is saved."""

_STATES = frozenset(CallState)


def call_later(seconds: float, ring: Callable[[], None]) -> Timer:
    """Call back in the running event loop."""
    return asyncio.get_running_loop().call_later(seconds, ring)


@dataclass(slots=True)
class _Held:
    """Messages of a call that wait until `saves` writes of the call have finished."""

    saves: int = 0
    messages: list[tuple[str, CallMessage]] = field(default_factory=list)


class CallOwner(Protocol):
    """Owner of a call: applies events to it."""

    def handle(self, call: Call, event: Event) -> None: ...


class EffectRunner:
    """Carries out the effects of the calls of this node.

    `unrecorded` is the number of calls that went on although they could not be recorded.
    """

    def __init__(
        self,
        *,
        bus: Bus,
        media: MediaPlane,
        store: Store,
        call_log: CallLogWriter,
        schedule: Scheduler,
        node_id: str,
        relays: Relays | None = None,
    ) -> None:
        self.unrecorded = 0
        self.call_log = call_log
        self.schedule = schedule
        self._bus = bus
        self._media = media
        self._store = store
        self._node_id = node_id
        self._relays = relays
        self._timers: dict[tuple[str, str], Timer] = {}
        self._held: dict[str, _Held] = {}
        self._listed: dict[str, set[str]] = {}
        """Nodes that are known to be listed with the recording of a call."""
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def has_relay(self) -> bool:
        """Whether the participants of a call receive a TURN server."""
        return self._relays is not None

    def run(self, owner: CallOwner, call: Call, effect: effects.Effect) -> None:
        """Carry out an effect. Slow work runs in a task, which reports back with an event."""
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
            case effects.SaveRecord(is_awaited=True):
                self._hold(call)
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
            self._send_or_hold(call_id, socket_id, message_of(call_id, notice))
        elif self._relays:
            self._send_or_hold(call_id, socket_id, self._relays(call_id))

    def _send_or_hold(self, call_id: str, socket_id: str, message: CallMessage) -> None:
        if held := self._held.get(call_id):
            held.messages.append((socket_id, message))
        else:
            self.send(socket_id, message)

    def _hold(self, call: Call) -> None:
        """Save the call, and hold its messages back until that is done or has taken too long."""
        held = self._held.setdefault(call.id, _Held())
        held.saves += 1
        timers: list[Timer] = []

        def release() -> None:
            if timers:
                timers.pop().cancel()
                held.saves -= 1
                if not held.saves:
                    self._held.pop(call.id, None)
                    for socket_id, message in held.messages:
                        self.send(socket_id, message)

        timers.append(self.schedule(HOLD_SECONDS, release))
        self.call_log.save_first(call, release)

    def send(self, socket_id: str, message: CallMessage) -> None:
        self._bus.publish(f"{SOCKET_TOPIC}{socket_id}", message)

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

    def forget(self, call: Call) -> None:
        """Cancel the timers of a call and drop its waiting messages."""
        for call_id, name in list(self._timers):
            if call_id == call.id:
                self._cancel_timer(call, name)
        if held := self._held.pop(call.id, None):
            held.messages.clear()
        self._listed.pop(call.id, None)

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
            # Also after a cancellation, or the call would wait for its command indefinitely.
            owner.handle(call, event)

    async def _carry_out(self, command: commands.MediaCommand) -> dict[int, LocalTransport]:
        bridge = command.bridge
        match command:
            case commands.OpenLegs(legs=legs, remote=remote):
                opened = {leg: await self._media.open_leg(bridge, leg) for leg in legs}
                visitor = await self._media.set_remote(bridge, VISITOR_LEG, remote)
                return {**opened, VISITOR_LEG: visitor}
            case commands.SetRemoteEnd(leg=leg, remote=remote):
                return {leg: await self._media.set_remote(bridge, leg, remote)}
            case commands.JoinLegs():
                return await self._join(command)
            case commands.StartJournal():
                await self._start_journal(command)
            case commands.PauseJournal(is_paused=is_paused):
                await self._media.pause(bridge, paused=is_paused)
            case _:
                await self._media.close(bridge)
        return {}

    async def _join(self, command: commands.JoinLegs) -> dict[int, LocalTransport]:
        """Send all requests before any reply, to save round trips; a worker keeps their order."""
        bridge, transports = command.bridge, dict[int, LocalTransport]()

        async def set_remote(leg: int, remote: RemoteTransport) -> None:
            transports[leg] = await self._media.set_remote(bridge, leg, remote)

        requests: list[Awaitable[None]] = []
        if command.leg and command.remote:
            requests.append(set_remote(command.leg, command.remote))
        if command.note:
            requests.append(self._media.note(bridge, command.note))
        if command.is_join:
            requests.append(self._media.join(bridge))
        for result in await asyncio.gather(*requests, return_exceptions=True):
            if result:
                raise result
        return transports

    async def _start_journal(self, command: commands.StartJournal) -> None:
        manifest = command.manifest
        # The recorder treats a call that is not in the database as ended, and would mux too early.
        if command.requester:  # after a restart, the call must know that it is recorded
            await self.call_log.flush()
        else:
            await self.call_log.ensure_saved(manifest.call_id)
        node_id = await self._media.tap(command.bridge, manifest)
        # The next bridge of a call may have its journal on another node, also after a restart.
        listed = self._listed.setdefault(manifest.call_id, set())
        if not command.is_listed or node_id not in listed:
            # Only now that the journal exists: a failed start would stay "pending" forever.
            try:
                await self._store.write(lambda rows: rows.recordings.add(manifest, node_id))
                listed.add(node_id)
            except VisavisError as error:
                if not command.is_listed:
                    raise
                # The recorder of that node finds the journal and lists it.
                log.warning("node not listed yet", call_id=manifest.call_id, error=error.kind.name)
        if command.is_paused:
            await self._media.pause(command.bridge, paused=True)

    # Background tasks

    def close_bridge(self, bridge: BridgeId) -> None:
        """Begin to close a bridge that no call of this process has."""
        self.run_task(self._close(bridge))

    async def _close(self, bridge: BridgeId) -> None:
        try:
            await self._media.close(bridge)
        except VisavisError as error:
            log.warning("bridge not closed", bridge=str(bridge), error=error.kind.name)

    def run_task(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = spawn("work of a call", coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def wait_idle(self) -> None:
        """Wait until no background task is running."""
        while self._tasks or self._held:
            await asyncio.gather(*self._tasks, return_exceptions=True)
            if self._held:
                await self.call_log.wait_tried()


# Notices as messages


def message_of(call_id: str, notice: notices.Notice) -> CallMessage:
    """Return the signalling message of a notice; not for `RelaysNotice`, which `Relays` answers."""
    return _MESSAGES[type(notice)](call_id, notice)


def _calling(call_id: str, notice: notices.CallingNotice) -> CallMessage:
    return signaling.Calling(
        call_id=call_id,
        is_recorded=notice.is_recorded,
        secret=notice.secret,
        resume_seconds=notice.resume_seconds,
    )


def _state(call_id: str, notice: notices.StateNotice) -> CallMessage:
    return signaling.CallStateChanged(
        call_id=call_id,
        state=notice.state,
        at=notice.at,
        link=notice.bridge,
        agent_name=notice.agent_name,
        visitor_name=notice.visitor_name,
    )


def _queued(call_id: str, notice: notices.QueuedNotice) -> CallMessage:
    return signaling.Queued(call_id=call_id, place=notice.place)


def _ring(call_id: str, notice: notices.RingNotice) -> CallMessage:
    return signaling.Ring(
        call_id=call_id,
        media=notice.media,
        visitor_name=notice.visitor_name,
        is_recorded=notice.is_recorded,
        since=notice.since,
        resume_seconds=notice.resume_seconds,
        visitor_email=notice.visitor_email,
        transferred_by=notice.transferred_by,
        note=notice.note,
    )


def _ring_stopped(call_id: str, notice: notices.RingStoppedNotice) -> CallMessage:
    return signaling.RingStopped(call_id=call_id, reason=notice.reason)


def _assigned(call_id: str, notice: notices.AssignedNotice) -> CallMessage:
    return signaling.Mine(
        call_id=call_id,
        media=notice.media,
        visitor_name=notice.visitor_name,
        is_recorded=notice.is_recorded,
        since=notice.since,
        resume_seconds=notice.resume_seconds,
        visitor_email=notice.visitor_email,
        transferring_to=notice.transferring_to,
    )


def _connect(call_id: str, notice: notices.ConnectNotice) -> CallMessage:
    return signaling.Connect(call_id=call_id, link=notice.bridge)


def _offer(call_id: str, notice: notices.OfferNotice) -> CallMessage:
    sdp = rewrite(notice.sdp, notice.transport, "actpass")
    return signaling.Offer(
        call_id=call_id, link=notice.bridge, sdp=sdp, screen_mid=notice.screen_mid
    )


def _answer(call_id: str, notice: notices.AnswerNotice) -> CallMessage:
    sdp = rewrite(notice.sdp, notice.transport, "passive")
    return signaling.Answer(
        call_id=call_id,
        link=notice.bridge,
        sdp=sdp,
        screen_mid=notice.screen_mid,
        is_repeated=notice.is_repeated,
    )


def _provisional_answer(call_id: str, notice: notices.ProvisionalAnswerNotice) -> CallMessage:
    sdp = provisional_answer(notice.offer, notice.transport)
    return signaling.ProvisionalAnswer(call_id=call_id, link=notice.bridge, sdp=sdp)


def _flowing(call_id: str, notice: notices.FlowingNotice) -> CallMessage:
    return signaling.Linked(call_id=call_id, link=notice.bridge)


def _line(call_id: str, notice: notices.LineNotice) -> CallMessage:
    line = notice.line
    return signaling.Said(call_id=call_id, by=line.by, text=line.text, at=line.at, id=line.id)


def _transcript(call_id: str, notice: notices.TranscriptNotice) -> CallMessage:
    lines = [
        signaling.TextLine(by=line.by, text=line.text, at=line.at, id=line.id)
        for line in notice.lines
    ]
    return signaling.Transcript(call_id=call_id, lines=lines)


def _recording(call_id: str, notice: notices.RecordingNotice) -> CallMessage:
    return signaling.RecordingChanged(
        call_id=call_id, state=notice.state.value, since=notice.since, by=notice.by
    )


def _quality(call_id: str, notice: notices.QualityNotice) -> CallMessage:
    report = notice.report
    return signaling.Quality(
        call_id=call_id,
        mos=report["mos"],
        loss=max(report["lossIn"], report["lossOut"]),
        jitter=report["jitter"],
        round_trip=report["roundTrip"],
    )


def _transfer_failed(call_id: str, notice: notices.TransferFailedNotice) -> CallMessage:
    return signaling.TransferFailed(call_id=call_id, reason=notice.reason)


def _end(call_id: str, notice: notices.EndNotice) -> CallMessage:
    return signaling.Ended(call_id=call_id, reason=notice.reason, by=notice.by)


def _refusal(call_id: str, notice: notices.RefusalNotice) -> CallMessage:
    return signaling.Refused(
        error=notice.error.name,
        message=notice.message,
        call_id=call_id,
        code=notice.code,
        parameters=dict(notice.parameters),
    )


_MESSAGES: Final[dict[type, Callable[[str, Any], CallMessage]]] = {
    notices.CallingNotice: _calling,
    notices.StateNotice: _state,
    notices.QueuedNotice: _queued,
    notices.RingNotice: _ring,
    notices.RingStoppedNotice: _ring_stopped,
    notices.AssignedNotice: _assigned,
    notices.ConnectNotice: _connect,
    notices.OfferNotice: _offer,
    notices.AnswerNotice: _answer,
    notices.ProvisionalAnswerNotice: _provisional_answer,
    notices.FlowingNotice: _flowing,
    notices.LineNotice: _line,
    notices.TranscriptNotice: _transcript,
    notices.RecordingNotice: _recording,
    notices.QualityNotice: _quality,
    notices.TransferFailedNotice: _transfer_failed,
    notices.EndNotice: _end,
    notices.RefusalNotice: _refusal,
}
