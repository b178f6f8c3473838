"""A call in simulated time, with its pages, its media worker and its timers, driven by numbers.

Every number stands for one event. The simulation tracks what a site would know, and checks the
invariants after each event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

import msgspec

from tests.legs import LEGS
from visavis.domain.call import (
    CallRecord,
    CallState,
    CallTrigger,
    commands,
    effects,
    inputs,
    notices,
)
from visavis.domain.call.call import Call
from visavis.domain.call.commands import MediaCommand
from visavis.domain.call.description import Description
from visavis.domain.call.model import VISITOR, CallRecording
from visavis.domain.call.states import BridgeState, RecordingSwitch
from visavis.domain.call.step import (
    BUILD_TIMER,
    JOIN_TIMER,
    STATE_TIME_OUTS,
    STATE_TIMER,
    TRANSFER_TIMER,
    away_timer,
)
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import AGENT_LEG, BridgeId, CallRole, LocalTransport, RemoteTransport
from visavis.domain.people import Agent, Visitor
from visavis.domain.policy import Consent, Unrecordable

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
AGENTS: Final = {
    number: Agent(number, 1, f"{number}@example.com", name, is_administrator=False)
    for number, name in ((1, "Bo"), (2, "Cy"))
}
TRANSPORT: Final = LocalTransport("ufrag", "p" * 24, "sha-256 AB", ())
FAILURES: Final = (
    ErrorKind.MediaUnavailable,
    ErrorKind.RecordingUnavailable,
    ErrorKind.ParameterInvalid,
    ErrorKind.InternalError,
)
REFUSABLE: Final = (
    inputs.VisitorJoined,
    inputs.AcceptRequested,
    inputs.OfferReceived,
    inputs.AnswerReceived,
    inputs.RecordingRequested,
    inputs.LineWritten,
    inputs.TransferRequested,
    inputs.TransferAccepted,
)
"""Requests that may be refused; every other event is applied in any state."""
_SECOND: Final = timedelta(seconds=1)
_WITHOUT_AGENT: Final = {CallState.REQUESTED, CallState.QUEUED, CallState.RINGING}
_OTHER_TIMERS: Final = {STATE_TIMER, TRANSFER_TIMER, JOIN_TIMER, BUILD_TIMER}
"""All timers but those of participants who are away."""
_SWITCHES: Final = {
    None: RecordingSwitch.OFF,
    False: RecordingSwitch.ON,
    True: RecordingSwitch.PAUSED,
}
"""The state of the recording, by whether the journal is paused (`None`: there is none)."""
ACTIONS: Final[tuple[inputs.RecordingAction, ...]] = ("start", "pause", "resume")


def content_of(value: object) -> object:
    """Return all data of a call, as values that can be compared."""
    if isinstance(value, str | int | float | bytes | datetime | None):
        return value
    if isinstance(value, msgspec.Struct):
        fields = value.__struct_fields__
        return {name: content_of(getattr(value, name)) for name in fields}
    if isinstance(value, dict):
        return {key: content_of(each) for key, each in value.items()}
    if isinstance(value, list):
        return [content_of(each) for each in value]
    return deepcopy(value)


def description(number: int = 0) -> Description:
    """Return a browser's description; different numbers give different descriptions."""
    remote = RemoteTransport(f"u{number % 3}", "p", "sha-256 CD")
    screen = "2" if number % 4 == 3 else ""
    return Description("sdp", screen, "sdp", remote, has_camera=number % 2 == 0)


@dataclass
class SimulatedCall:
    """A call, its media commands in progress, and the pages in it."""

    call: Call
    now: datetime = NOW
    commands: list[commands.MediaCommand] = field(default_factory=list)
    timers: dict[str, float] = field(default_factory=dict)
    pages: dict[str, int] = field(default_factory=dict)
    ringing: set[str] = field(default_factory=set)
    ends: int = 0
    refused: int = 0
    sent: list[effects.Send] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    handled: list[inputs.Event] = field(default_factory=list)
    sockets: int = 0
    offers_requested: set[tuple[str, int]] = field(default_factory=set)
    """Sockets, and the bridges for which their pages were asked for an offer."""
    answers_sent: set[tuple[str, int]] = field(default_factory=set)
    """Sockets, and the bridges for which their pages were sent an answer."""
    journals: dict[int, bool] = field(default_factory=dict)
    """Bridges that the media workers record, and whether their journals are paused."""
    lost_early: set[int] = field(default_factory=set)
    """Bridges whose journal was lost before the command that starts it was answered."""
    is_recorded: bool = False
    is_restored_each_time: bool = False

    def copy(self, snapshot: bytes) -> Self:
        """Return a simulation that goes on from here: playing the way here takes longer.

        The call is restored from its snapshot; a test shows that this is no other call.
        """
        return replace(
            self,
            call=Call.restore(snapshot),
            commands=self.commands.copy(),
            timers=self.timers.copy(),
            pages=self.pages.copy(),
            ringing=self.ringing.copy(),
            sent=self.sent.copy(),
            events=self.events.copy(),
            handled=self.handled.copy(),
            offers_requested=self.offers_requested.copy(),
            answers_sent=self.answers_sent.copy(),
            journals=self.journals.copy(),
            lost_early=self.lost_early.copy(),
        )

    # Applying events

    def handle(self, event: inputs.Event) -> list[effects.Effect]:
        """Apply an event to the call, and to a copy that is restored from its snapshot."""
        copy = Call.restore(self.call.snapshot()) if self.is_restored_each_time else None
        before = content_of(self.call) if self.is_restored_each_time else None
        self.handled.append(event)
        try:
            found = self.call.handle(event, self.now)
        except VisavisError:
            assert isinstance(event, REFUSABLE), event
            self.refused += 1
            assert not before or content_of(self.call) == before, "a refusal changed the call"
            return []
        if copy:
            assert copy.handle(event, self.now) == found
            assert content_of(copy) == content_of(self.call)
        was_over = self.ends > 0
        for effect in found:
            # By type, since a pattern match compares with one type after the other.
            if see := _SEEN.get(type(effect)):
                assert not (was_over and see is SimulatedCall._see_send)
                see(self, effect)
        self.check()
        return found

    def _see_send(self, effect: effects.Send) -> None:
        self._see_message(effect.socket_id, effect.notice)
        self.sent.append(effect)

    def _see_command(self, effect: effects.RunCommand) -> None:
        self.commands.append(effect.command)

    def _see_timer(self, effect: effects.SetTimer) -> None:
        self.timers[effect.name] = effect.seconds

    def _see_cancelled_timer(self, effect: effects.CancelTimer) -> None:
        self.timers.pop(effect.name, None)

    def _see_join(self, effect: effects.ParticipantJoined) -> None:
        self.pages[effect.socket_id] = effect.participant

    def _see_leave(self, effect: effects.PageLeft | effects.ParticipantLeft) -> None:
        self.pages.pop(effect.socket_id, None)

    def _see_event(self, effect: effects.RecordEvent) -> None:
        self.events.append(effect.event.name)

    def _see_end(self, _: effects.CallOver) -> None:
        self.ends += 1

    def _see_message(self, socket_id: str, notice: notices.Notice) -> None:
        """Check that nothing is sent to a page that has left, and no offer is requested twice."""
        if isinstance(notice, notices.RingNotice):
            self.ringing.add(socket_id)
        elif isinstance(notice, notices.RingStoppedNotice):
            assert socket_id in self.ringing
            self.ringing.discard(socket_id)
        else:
            assert socket_id in self.pages, (socket_id, notice)
        if isinstance(notice, notices.ConnectNotice):
            request = (socket_id, notice.bridge)
            assert request not in self.offers_requested, "a second offer would be refused"
            self.offers_requested.add(request)
        elif isinstance(notice, notices.AnswerNotice):
            self.answers_sent.add((socket_id, notice.bridge))

    def check(self) -> None:
        """Check the invariants that hold after every event."""
        call = self.call
        is_over = call.is_over
        assert self.timers.keys() == call.timers.keys()
        assert self.ends == is_over
        if self.commands or call.command:
            running = [c for c in self.commands if not isinstance(c, commands.CloseBridge)]
            assert running == ([call.command] if call.command else [])
        if is_over:
            left = (call.timers, call.ringing_at, call.bridges, call.deferred)
            assert not any((*left, self.ringing, self.pages))
            return
        self._check_participants()
        self._check_timers()
        if call.active_bridge:
            bridge = call.bridges.get(call.active_bridge)
            assert bridge is None or bridge.is_joined
        newest = call.newest_bridge
        if newest and newest.is_joined and call.visitor.is_open:
            request = (call.visitor.socket_id, newest.number)
            assert request in self.answers_sent, "the page would neither send nor show media"
        if self.is_recorded:
            for bridge in call.bridges.values():
                if bridge.is_joined:
                    assert bridge.has_journal or bridge.is_unrecorded
        self._check_recording()

    def _check_recording(self) -> None:
        """Check that both pages show the real state, unless a command is about to change it."""
        call = self.call
        if call.command or BUILD_TIMER in call.timers or call.active_bridge not in call.bridges:
            return
        truth = _SWITCHES[self.journals.get(call.active_bridge)]
        assert call.recording.state is truth
        if truth is not RecordingSwitch.OFF:
            paused = {self.journals[n] for n in call.bridges if n in self.journals}
            assert len(paused) == 1, "one journal is paused, another is not"

    def _check_participants(self) -> None:
        call = self.call
        participants = call.participants
        agents, pages = [], {}
        for participant in participants.values():
            if participant.role is CallRole.AGENT:
                agents.append(participant.agent_id)
            if participant.is_open:
                pages[participant.socket_id] = participant.id
        assert len(agents) <= 2
        assert len(set(agents)) == len(agents)
        known = {p.id for p in (call.visitor, call.current_agent, call.second_agent) if p}
        assert participants.keys() == known
        assert self.pages == pages
        assert bool(agents) == (call.record.state not in _WITHOUT_AGENT)
        rung = call.ringing_at.keys()
        assert (rung | call.transfer.ringing_at if call.transfer else rung) == self.ringing

    def _check_timers(self) -> None:
        call = self.call
        timers = call.timers
        assert (STATE_TIMER in timers) == (call.record.state in STATE_TIME_OUTS)
        assert (TRANSFER_TIMER in timers) == bool(call.transfer)
        second = call.second_agent
        away = {
            away_timer(p)
            for p in call.participants.values()
            if p.disconnected_at and not p.is_open and p is not second
        }
        assert timers.keys() - _OTHER_TIMERS == away

    # Events by number

    def play(self, numbers: Iterable[int]) -> None:
        """Apply the event of each number, then end the call."""
        for number in numbers:
            self.now += _SECOND
            choice, kind = divmod(number, len(_EVENTS))
            _EVENTS[kind](self, choice)
        self.finish()

    def finish(self) -> None:
        """End the call and carry out its last commands."""
        self.handle(inputs.EndRequested(CallTrigger.SHUT_DOWN))
        assert self.ends == 1
        self.finish_commands()
        assert self.call.is_idle

    def finish_commands(self) -> None:
        """Carry out every command, and the commands that follow from it."""
        while self.commands:
            self.complete(0)

    def socket(self) -> str:
        self.sockets += 1
        return f"s{self.sockets}"

    def ring(self, choice: int) -> None:
        if self.call.is_waiting and self.call.visitor.is_open:
            self.handle(inputs.RingRequested({f"a{n}": n for n in AGENTS if n != choice % 4 + 1}))

    def queue(self, choice: int) -> None:
        if self.call.is_waiting:
            self.handle(inputs.QueueRequested(choice + 1))

    def accept(self, choice: int) -> None:
        number = choice % 2 + 1
        if self.call.participant_of_agent(number) is None:
            is_assigned = choice % 4 == 3
            self.handle(inputs.AcceptRequested(f"a{number}", AGENTS[number], "video", is_assigned))

    def decline(self, choice: int) -> None:
        self.handle(inputs.DeclineRequested(choice % 2 + 1))

    def offer(self, choice: int) -> None:
        if participant := self.participant(choice):
            number = max(1, self.call.last_bridge - (choice // 4) % 2)
            self.handle(inputs.OfferReceived(participant, number, description(choice)))

    def answer(self, choice: int) -> None:
        if participant := self.participant(choice):
            number = max(1, self.call.last_bridge - (choice // 4) % 2)
            self.handle(inputs.AnswerReceived(participant, number, description(choice)))

    def record(self, choice: int) -> None:
        if participant := self.participant(choice):
            self.handle(inputs.RecordingRequested(participant, ACTIONS[choice % 3], "new"))

    def write(self, choice: int) -> None:
        if participant := self.participant(choice):
            self.handle(inputs.LineWritten(participant, "text", str(choice % 2)))

    def hang_up(self, choice: int) -> None:
        if participant := self.participant(choice):
            self.handle(inputs.HungUp(participant))

    def disconnect(self, choice: int) -> None:
        participant = self.participant(choice)
        if participant and self.call.participants[participant].is_open:
            self.handle(inputs.PageDisconnected(participant))

    def resume(self, choice: int) -> None:
        if participant := self.participant(choice):
            self.handle(inputs.PageResumed(participant, self.socket(), choice % 2 == 0))

    def lose_bridge(self, choice: int) -> None:
        if self.pages:
            self.handle(inputs.BridgeLost(max(1, self.call.last_bridge - choice % 2)))

    def transfer(self, choice: int) -> None:
        if self.call.agent:
            number = choice % 2 + 1
            sockets = () if choice % 4 == 3 else (f"a{number}", f"b{number}")
            obstacle = "" if sockets else "away"
            self.handle(
                inputs.TransferRequested(
                    self.call.agent,
                    number,
                    sockets,
                    "note",
                    obstacle,  # type: ignore[arg-type]  # a literal by construction
                )
            )

    def accept_transfer(self, choice: int) -> None:
        transfer = self.call.transfer
        if transfer:
            socket_id = f"{'ab'[choice % 2]}{transfer.agent_id}"
            self.handle(inputs.TransferAccepted(socket_id, AGENTS[transfer.agent_id]))

    def stop_transfer(self, choice: int) -> None:
        self.handle(inputs.TransferStopped(("away", "busy", "declined")[choice % 3]))

    def ring_transfer(self, choice: int) -> None:
        if transfer := self.call.transfer:
            number = transfer.agent_id
            self.handle(inputs.TransferRung((f"a{number}", f"b{number}")[choice % 2 :]))

    def restart(self, choice: int) -> None:
        """Restore the call in another app process; media workers report the bridges."""
        if self.call.is_over:
            return
        self.call = Call.restore(self.call.snapshot())
        self.pages.clear()
        self.ringing.clear()
        self.handle(inputs.AppRestarted(self.now - timedelta(seconds=choice % 3)))
        for bridge in list(self.call.bridges.values()):
            up = frozenset(leg for leg in bridge.legs if choice % 5 or leg in bridge.up)
            number = bridge.number
            if choice % 7 == 6:
                self.journals.pop(number, None)
            elif choice % 4 == 3 and number in self.journals:
                self.journals[number] = not self.journals[number]
            is_paused = bool(self.journals.get(number))
            has_journal = number in self.journals
            self.handle(inputs.BridgeFound(bridge.id, up, has_journal, is_paused))

    def leg_up(self, choice: int) -> None:
        self.handle(inputs.LegConnected(self.bridge(choice), LEGS[choice % 2]))

    def leg_down(self, choice: int) -> None:
        self.handle(inputs.LegLost(self.bridge(choice), LEGS[choice % 2]))

    def measure(self, choice: int) -> None:
        self.handle(inputs.LegMeasured(self.bridge(choice), LEGS[choice % 2], {"mos": 4}))

    def lose_journal(self, choice: int) -> None:
        bridge = self.bridge(choice)
        command = self.call.command
        if bridge.number in self.journals:
            del self.journals[bridge.number]
        elif isinstance(command, commands.StartJournal) and command.bridge == bridge:
            self.lost_early.add(bridge.number)
        else:
            return
        self.handle(inputs.JournalLost(bridge, "the disk is full"))

    def lose_worker(self, choice: int) -> None:
        bridges = [bridge.id for bridge in self.call.bridges.values() if bridge.is_open]
        for bridge in bridges[choice % 2 :]:
            self.journals.pop(bridge.number, None)
        self.handle(inputs.WorkerLost(frozenset(bridges[choice % 2 :])))

    def drain_worker(self, choice: int) -> None:
        bridges = [bridge.id for bridge in self.call.bridges.values() if bridge.is_open]
        self.handle(inputs.WorkerDraining(frozenset(bridges[choice % 2 :])))

    def complete(self, choice: int) -> None:
        """Carry out a command. `CloseBridge` may overtake the others."""
        if self.commands:
            command = self.commands.pop(choice % len(self.commands))
            self._carry_out(command)
            transports = dict.fromkeys(LEGS, TRANSPORT)
            self.handle(inputs.CommandDone(command, transports))

    def _carry_out(self, command: MediaCommand) -> None:
        number = command.bridge.number
        if isinstance(command, commands.CloseBridge):
            self.journals.pop(number, None)
        elif isinstance(command, commands.StartJournal | commands.PauseJournal):
            is_lost = number in self.lost_early
            is_recorded = isinstance(command, commands.StartJournal) or number in self.journals
            if is_recorded and not is_lost:
                self.journals[number] = command.is_paused
        self.lost_early.discard(number)

    def fail(self, choice: int) -> None:
        if self.commands:
            command = self.commands.pop(choice % len(self.commands))
            kind = FAILURES[choice % len(FAILURES)]
            self.lost_early.discard(command.bridge.number)
            self.handle(inputs.CommandFailed(command, kind, "why"))

    def fire(self, choice: int) -> None:
        if self.timers:
            name = sorted(self.timers)[choice % len(self.timers)]
            del self.timers[name]
            self.handle(inputs.TimerFired(name))

    def end(self, choice: int) -> None:
        triggers = [CallTrigger.ENDED_BY_API, CallTrigger.NOBODY_ON_DUTY, CallTrigger.SWITCHED_OFF]
        if choice % 4 < len(triggers):
            self.handle(inputs.EndRequested(triggers[choice % 4]))

    def state(self) -> CallState:
        return self.call.record.state

    def last_notice(self) -> notices.Notice:
        return self.sent[-1].notice

    def answer_as_agent(self) -> None:
        """The agent's page answers the newest bridge."""
        agent, bridge = self.call.agent, self.call.newest_bridge
        assert agent
        assert bridge
        self.handle(inputs.AnswerReceived(agent, bridge.number, description(1)))

    def advance(self, choice: int) -> None:
        """Do the next step of well-behaved pages and workers."""
        call, bridge = self.call, self.call.newest_bridge
        if self.commands:
            self.complete(0)
        elif bridge is None:
            return
        elif bridge.state is BridgeState.REQUESTED and call.visitor.is_open:
            self.handle(inputs.OfferReceived(VISITOR, bridge.number, description(choice)))
        elif call.record.state is CallState.RINGING:
            self.accept(choice)
        elif bridge.state is BridgeState.OFFERED:
            agent = bridge.legs[AGENT_LEG].participant
            if agent in self.pages.values():
                self.handle(inputs.AnswerReceived(agent, bridge.number, description(choice)))
        elif bridge.state is BridgeState.JOINED:
            for leg in LEGS:
                self.handle(inputs.LegConnected(bridge.id, leg))

    def participant(self, choice: int) -> int | None:
        numbers = sorted(self.pages.values())
        return numbers[choice % len(numbers)] if numbers else None

    def bridge(self, choice: int) -> BridgeId:
        return BridgeId(self.call.id, max(1, self.call.last_bridge - (choice // 2) % 2))


_SEEN: Final[dict[type, Callable[[SimulatedCall, Any], None]]] = {
    effects.Send: SimulatedCall._see_send,
    effects.RunCommand: SimulatedCall._see_command,
    effects.SetTimer: SimulatedCall._see_timer,
    effects.CancelTimer: SimulatedCall._see_cancelled_timer,
    effects.ParticipantJoined: SimulatedCall._see_join,
    effects.PageLeft: SimulatedCall._see_leave,
    effects.ParticipantLeft: SimulatedCall._see_leave,
    effects.RecordEvent: SimulatedCall._see_event,
    effects.CallOver: SimulatedCall._see_end,
}
_EVENTS: Final = (
    SimulatedCall.ring,
    SimulatedCall.accept,
    SimulatedCall.offer,
    SimulatedCall.answer,
    SimulatedCall.complete,
    *[SimulatedCall.advance] * 10,
    SimulatedCall.leg_up,
    SimulatedCall.transfer,
    SimulatedCall.accept_transfer,
    SimulatedCall.resume,
    SimulatedCall.disconnect,
    SimulatedCall.record,
    SimulatedCall.offer,
    SimulatedCall.answer,
    SimulatedCall.queue,
    SimulatedCall.decline,
    SimulatedCall.write,
    SimulatedCall.hang_up,
    SimulatedCall.lose_bridge,
    SimulatedCall.stop_transfer,
    SimulatedCall.ring_transfer,
    SimulatedCall.restart,
    SimulatedCall.leg_down,
    SimulatedCall.measure,
    SimulatedCall.lose_journal,
    SimulatedCall.lose_worker,
    SimulatedCall.drain_worker,
    SimulatedCall.fail,
    SimulatedCall.fire,
    SimulatedCall.end,
)


def placed_call(
    *,
    is_recorded: bool = False,
    unrecordable: Unrecordable = Unrecordable.REFUSE,
    required_consent: Consent = Consent.NOTICE,
    is_joined_later: bool = False,
    has_relay: bool = False,
    is_restored_each_time: bool = False,
) -> SimulatedCall:
    """Return a call that a visitor has placed."""
    record = CallRecord("call", 1, Visitor("", 1), "video", is_recorded=False, requested_at=NOW)
    call = Call(record=record, recording=CallRecording(NOW))
    simulated = SimulatedCall(
        call, is_recorded=is_recorded, is_restored_each_time=is_restored_each_time
    )
    simulated.handle(inputs.CallStarted("" if is_joined_later else "v"))
    if is_joined_later:
        simulated.handle(inputs.VisitorJoined("v"))
    simulated.handle(
        inputs.CallPlaced(
            offer=None if has_relay else description(),
            secret="secret",
            secret_digest=b"digest",
            media="video",
            visitor=Visitor("v", 1, "Ann"),
            consent=Consent.NOTICE if is_recorded else Consent.NONE,
            recording_id="recording" if is_recorded else None,
            required_consent=required_consent,
            unrecordable=unrecordable,
        )
    )
    return simulated


def connected_call(**options: bool) -> SimulatedCall:
    """Return a connected call between a visitor and the agent Bo."""
    simulated = placed_call(**options)  # type: ignore[arg-type]  # all of them are flags
    simulated.ring(3)
    simulated.accept(0)
    while simulated.commands:
        simulated.complete(0)
    agent = simulated.call.agent
    assert agent
    simulated.handle(inputs.AnswerReceived(agent, 1, description(1)))
    while simulated.commands:
        simulated.complete(0)
    for leg in LEGS:
        simulated.handle(inputs.LegConnected(BridgeId("call", 1), leg))
    assert simulated.call.record.state is CallState.CONNECTED
    return simulated


def transferred_call(**options: bool) -> SimulatedCall:
    """Return a connected call whose second agent, Cy, is being connected."""
    simulated = connected_call(**options)
    simulated.transfer(1)
    simulated.accept_transfer(0)
    simulated.handle(inputs.OfferReceived(VISITOR, 2, description()))
    return simulated


def with_second_bridge(*, is_recorded: bool = True) -> SimulatedCall:
    """Return a call in a transfer whose second bridge is joined, while the first one is active."""
    site = transferred_call(is_recorded=is_recorded)
    site.call.unrecordable = Unrecordable.CONTINUE
    while 2 not in site.call.bridges or not site.call.bridges[2].is_joined:
        site.advance(0)
    assert site.call.active_bridge == 1
    return site


def hear_second_bridge(site: SimulatedCall) -> None:
    """Connect the legs of the second bridge, so that it becomes the active one."""
    for leg in LEGS:
        site.handle(inputs.LegConnected(BridgeId(site.call.id, 2), leg))
    site.finish_commands()
    assert site.call.active_bridge == 2
