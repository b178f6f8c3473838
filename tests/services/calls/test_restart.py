"""Calls outlive the app process: the next one restores them from the database."""

from __future__ import annotations

import contextlib
import random
from typing import Any

import pytest

from tests.services.calls.simulated_site import (
    ANSWER,
    JOIN_SECONDS,
    OFFER,
    QUEUE_SECONDS,
    RESUME_SECONDS,
    RING_SECONDS,
    SimulatedSite,
    agent_session,
    refused,
)
from visavis.domain.call.call import Call
from visavis.domain.call.restart import SHORTEST_WAIT
from visavis.domain.config import Config
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import AGENT_LEG, VISITOR_LEG, BridgeId, CallRole
from visavis.domain.people import Visitor
from visavis.domain.recording import RecordingState
from visavis.protocol import signaling
from visavis.services.calls.effects import HOLD_SECONDS
from visavis.services.calls.site import RECOVERY_SECONDS
from visavis.services.ports import CallSnapshot

pytestmark = pytest.mark.anyio

RECORDING = Config(1, is_enabled=True, is_recording=True)


def secret(site: SimulatedSite, socket_id: str = "v") -> str:
    return str(site.last(socket_id, "calling")["secret"])


async def come_back(site: SimulatedSite, call_id: str, known: str, *, at: str = "a2") -> None:
    """Connect both pages of a call again, with their media."""
    site.calls.agent_arrived(agent_session(at))
    resume = signaling.Resume(call_id, has_media=True)
    await site.agent(resume, agent_session(at))
    await site.visitor(signaling.Resume(call_id, known, has_media=True), "v2")


async def test_a_recorded_call_goes_on(site: SimulatedSite) -> None:
    site.config = RECORDING
    call_id = await site.connect()
    await site.agent(signaling.Say(call_id, "Hello"))
    known = secret(site)
    await site.restart()
    assert site.calls.active_bridges() == [BridgeId(call_id, 1)]
    site.forget()
    await come_back(site, call_id, known)

    assert site.heard("v2") == ["callState", "recording", "transcript", "answer"]
    assert site.heard("a2") == ["mine", "callState", "recording", "transcript"]
    assert site.last("v2", "callState")["state"] == "connected"
    assert site.last("a2", "recording")["state"] == "on"
    assert site.media.asked == []
    await site.pass_time(RESUME_SECONDS * 2)
    await site.agent(signaling.HangUp(call_id), agent_session("a2"))
    assert await site.state(call_id) == ("ended", "hungUp")
    assert (await site.events(call_id)).count("recordingStarted") == 1
    assert await site.store.read(lambda rows: rows.live_calls.list_by_node("node")) == []


async def test_a_page_that_does_not_come_back_has_left_when_the_app_died(
    site: SimulatedSite,
) -> None:
    call_id = await site.connect()
    await site.pass_time(100)
    await site.calls.mark_alive()
    await site.restart(away_seconds=36_000, lost=[BridgeId(call_id, 1)])
    await site.pass_time(RESUME_SECONDS)
    assert (await site.state(call_id))[0] == "ended"
    assert (await site.past(call_id)).talk_seconds == 100


async def test_of_a_bridge_that_flows_the_talk_has_gone_on(site: SimulatedSite) -> None:
    call_id = await site.connect()
    await site.calls.mark_alive()
    await site.restart(away_seconds=7)
    await site.pass_time(RESUME_SECONDS)
    assert (await site.past(call_id)).talk_seconds == 7


async def test_an_app_that_died_before_it_was_noted_as_alive_counts_no_talk(
    site: SimulatedSite,
) -> None:
    call_id = await site.connect()
    await site.pass_time(1)
    await site.restart(away_seconds=36_000, lost=[BridgeId(call_id, 1)])
    await site.pass_time(RESUME_SECONDS)
    assert (await site.state(call_id))[0] == "ended"
    assert (await site.past(call_id)).talk_seconds == 0


async def test_an_app_that_has_not_resumed_its_calls_is_not_noted_as_alive(
    site: SimulatedSite,
) -> None:
    await site.connect()
    await site.calls.call_log.flush()
    starting = site._new_calls()
    await starting.restore()
    await starting.mark_alive()
    assert await site.store.read(lambda rows: rows.nodes.alive_at("node")) is None
    starting.resume([])
    await starting.mark_alive()
    assert await site.store.read(lambda rows: rows.nodes.alive_at("node"))


async def test_nobody_is_noted_as_alive_without_calls(site: SimulatedSite) -> None:
    await site.calls.mark_alive()
    assert await site.store.read(lambda rows: rows.nodes.alive_at("node")) is None


async def test_an_agent_whose_accept_was_not_saved_has_the_call(site: SimulatedSite) -> None:
    """The page was notified that it has the call, and the app died before it was saved."""
    site.config = RECORDING
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    known = secret(site)
    log = site.calls.call_log
    await log.flush()  # or its task, which still runs, writes the accept, too
    await site.agent(signaling.Accept(call_id))
    assert site.last("a", "callState")["state"] == "accepted"
    log._records, log._live, log._events = {}, {}, []
    await site.restart()
    assert site.calls.site(1).calls[call_id].record.state == "ringing"
    site.forget()
    await come_back(site, call_id, known)
    assert site.last("a2", "mine")["callId"] == call_id
    assert site.last("a2", "offer")["link"] == 1
    assert site.last("v2", "callState")["state"] == "accepted"
    other = site.agent(signaling.Resume(call_id, has_media=True), agent_session("b", 2))
    assert await refused(other) is ErrorKind.PermissionDenied


async def test_an_unsaved_call_that_was_joined_already_is_recorded_once(
    site: SimulatedSite,
) -> None:
    site.config = RECORDING
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    known = secret(site)
    await site.agent(signaling.Accept(call_id))
    await site.answer(call_id)
    log = site.calls.call_log
    log._records, log._live, log._events = {}, {}, []
    await site.restart(up=frozenset({VISITOR_LEG, AGENT_LEG}), has_journal=True)
    await come_back(site, call_id, known)
    await site.answer(call_id, agent_session("a2"))
    assert site.last("a2", "callState")["state"] == "connected"
    assert site.last("v2", "recording")["state"] == "on"
    assert (await site.events(call_id)).count("recordingStarted") == 1
    assert await site.store.read(lambda rows: rows.recordings.count(1, set(RecordingState))) == 1


async def test_a_bridge_that_has_died_meanwhile_is_replaced(site: SimulatedSite) -> None:
    call_id = await site.connect()
    known = secret(site)
    await site.restart(lost=[BridgeId(call_id, 1)])
    await come_back(site, call_id, known)
    assert site.last("v2", "connect")["link"] == 2
    assert site.last("a2", "callState")["state"] == "reconnecting"


async def test_an_agent_who_comes_back_after_the_new_bridge_was_offered(
    site: SimulatedSite,
) -> None:
    call_id = await site.connect()
    known = secret(site)
    await site.restart(lost=[BridgeId(call_id, 1)])
    await site.visitor(signaling.Resume(call_id, known, has_media=True), "v2")
    await site.visitor(signaling.Offer(call_id, 2, OFFER), "v2")
    agent = agent_session("a2")
    await site.calls.welcome(agent)
    site.calls.agent_arrived(agent)
    resumed = signaling.Resume(call_id, has_media=True)  # the page has not noticed the loss yet
    await site.agent(resumed, agent)
    assert site.last("a2", "offer")["link"] == 2
    await site.answer(call_id, agent, bridge=2)
    site.forget()
    await site.agent(resumed, agent)
    assert "offer" not in site.heard("a2")


async def test_legs_that_went_up_or_down_meanwhile(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    await site.agent(signaling.Accept(call_id))
    await site.answer(call_id)
    await site.restart(up=frozenset({VISITOR_LEG, AGENT_LEG}))
    call = site.calls.site(1).calls[call_id]
    assert call.record.state == "connected"
    await site.restart(up=frozenset({AGENT_LEG}))
    assert site.calls.site(1).calls[call_id].record.state == "reconnecting"


async def test_a_journal_that_was_lost_meanwhile(site: SimulatedSite) -> None:
    site.config = RECORDING
    call_id = await site.connect()
    await site.restart(has_journal=False)
    assert await site.state(call_id) == ("ended", "recordingUnavailable")


@pytest.mark.parametrize("is_paused", [True, False])
async def test_the_journal_was_paused_or_resumed_just_before(
    site: SimulatedSite, *, is_paused: bool
) -> None:
    site.config = RECORDING
    call_id = await site.connect()
    if not is_paused:
        await site.agent(signaling.Record(call_id, "pause"))
    await site.restart(is_paused=is_paused)
    found = site.calls.site(1).calls[call_id].recording.state
    assert found == ("paused" if is_paused else "on")


async def test_a_command_in_progress_is_carried_out_again(site: SimulatedSite) -> None:
    site.config = RECORDING
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    await site.agent(signaling.Accept(call_id))
    await site.answer(call_id)
    await site.up(call_id)
    call = site.calls.site(1).calls[call_id]
    pause = signaling.Record(call_id, "pause")
    await site.calls.from_agent(agent_session("a"), pause)
    assert call.command
    site.calls._runner._tasks.pop().cancel()  # the app dies before the media worker has answered
    site.media.asked.clear()
    await site.restart(is_paused=True)
    assert site.media.asked == ["pause 1"]
    assert site.calls.site(1).calls[call_id].recording.state == "paused"


async def test_a_ringing_call_rings_on_when_its_agents_are_back(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a", 1))
    site.calls.agent_arrived(agent_session("b", 2))
    call_id = await site.ring()
    known = secret(site)
    await site.restart()
    site.forget()
    await site.visitor(signaling.Resume(call_id, known, has_media=True), "v2")
    site.calls.agent_arrived(agent_session("a2", 1))
    assert site.heard("a2") == []
    assert site.calls.is_staffed(1)
    site.calls.agent_arrived(agent_session("b2", 2))
    assert (site.heard("a2"), site.heard("b2")) == (["ring"], ["ring"])
    assert site.heard("v2") == ["callState"]
    assert site.media.asked == []
    await site.agent(signaling.Accept(call_id), agent_session("a2"))
    await site.answer(call_id, agent_session("a2"))
    await site.up(call_id)
    assert (await site.state(call_id))[0] == "connected"


async def test_a_ringing_call_does_not_wait_for_agents_who_do_not_come(
    site: SimulatedSite,
) -> None:
    site.calls.agent_arrived(agent_session("a", 1))
    site.calls.agent_arrived(agent_session("b", 2))
    call_id = await site.ring()
    known = secret(site)
    await site.restart()
    await site.visitor(signaling.Resume(call_id, known, has_media=True), "v2")
    site.calls.agent_arrived(agent_session("a2", 1))
    await site.pass_time(RECOVERY_SECONDS)
    assert site.heard("a2") == ["ring"]


async def test_time_limits_go_on_with_the_time_that_was_left(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    known = secret(site)
    await site.pass_time(10)
    await site.restart(away_seconds=2)
    site.calls.agent_arrived(agent_session("a2"))
    await site.visitor(signaling.Resume(call_id, known, has_media=True), "v2")
    await site.pass_time(RING_SECONDS - 13)
    assert (await site.state(call_id))[0] == "ringing"
    await site.restart(away_seconds=100)
    await site.pass_time(SHORTEST_WAIT - 1)
    assert (await site.state(call_id))[0] == "ringing"
    await site.pass_time(1)
    assert (await site.state(call_id))[0] == "ended"


async def test_the_queue_keeps_its_order(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    await site.connect("v0")
    calls = []
    for number in (3, 1, 2):
        calls.append(await site.ring(f"w{number}"))
        await site.pass_time(1)
    known = [secret(site, f"w{number}") for number in (3, 1, 2)]
    await site.restart()
    site.forget()
    for number, call_id in enumerate(calls):
        resume = signaling.Resume(call_id, known[number], has_media=True)
        await site.visitor(resume, f"x{number}")
    places = [site.last(f"x{number}", "queued")["place"] for number in range(3)]
    assert places == [1, 2, 3]
    site.calls.agent_arrived(agent_session("b", 2))
    assert site.last("b", "ring")["callId"] == calls[0]
    await site.pass_time(QUEUE_SECONDS)
    assert {(await site.state(call_id))[0] for call_id in calls} == {"ended"}


async def test_who_has_declined_is_not_rung_again(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a", 1))
    site.calls.agent_arrived(agent_session("b", 2))
    call_id = await site.ring()
    known = secret(site)
    await site.agent(signaling.Decline(call_id))
    await site.restart()
    await site.visitor(signaling.Resume(call_id, known, has_media=True), "v2")
    site.calls.agent_arrived(agent_session("a2", 1))
    site.calls.agent_arrived(agent_session("b2", 2))
    assert (site.heard("a2"), site.heard("b2")) == ([], ["ring"])
    await site.agent(signaling.Decline(call_id), agent_session("b2", 2))
    assert await site.state(call_id) == ("ended", "declined")


async def test_a_transfer_rings_on(site: SimulatedSite) -> None:
    call_id = await site.connect()
    known = secret(site)
    site.calls.agent_arrived(agent_session("b", 2))
    await site.agent(signaling.Transfer(call_id, 2, "A note"))
    await site.restart()
    site.forget()
    await come_back(site, call_id, known)
    site.calls.agent_arrived(agent_session("b2", 2))
    ring = site.last("b2", "ring")
    assert (ring["transferredBy"], ring["note"]) == ("Bo", "A note")
    assert "transferFailed" not in site.heard("a2")
    await site.agent(signaling.Accept(call_id), agent_session("b2", 2))
    assert site.last("v2", "connect")["link"] == 2


async def test_a_transfer_that_was_accepted_is_completed(site: SimulatedSite) -> None:
    call_id = await site.connect()
    known = secret(site)
    site.calls.agent_arrived(agent_session("b", 2))
    await site.agent(signaling.Transfer(call_id, 2, ""))
    await site.agent(signaling.Accept(call_id), agent_session("b", 2))
    await site.restart()
    await come_back(site, call_id, known)
    second = agent_session("b2", 2)
    site.calls.agent_arrived(second)
    await site.agent(signaling.Resume(call_id), second)
    link = site.last("v2", "connect")["link"]
    await site.visitor(signaling.Offer(call_id, link, OFFER), "v2")
    await site.agent(signaling.Answer(call_id, link, ANSWER), second)
    await site.up(call_id, link)
    assert site.last("a2", "ended")["reason"] == "transferred"
    assert site.last("b2", "callState")["state"] == "connected"


async def test_a_second_agent_who_is_connected_but_not_back_yet(site: SimulatedSite) -> None:
    call_id = await site.connect()
    site.calls.agent_arrived(agent_session("b", 2))
    await site.agent(signaling.Transfer(call_id, 2, ""))
    await site.agent(signaling.Accept(call_id), agent_session("b", 2))
    await site.visitor(signaling.Offer(call_id, 2, OFFER))
    await site.agent(signaling.Answer(call_id, 2, ANSWER), agent_session("b", 2))
    await site.restart(up=frozenset({VISITOR_LEG, AGENT_LEG}))
    call = site.calls.site(1).calls[call_id]
    assert call.current_agent
    assert call.current_agent.agent_id == 2
    await site.pass_time(RESUME_SECONDS)
    assert (await site.state(call_id))[0] == "ended"


async def test_join_links_stay_valid_until_their_call_ends(site: SimulatedSite) -> None:
    agent = agent_session("a").agent
    created = await site.calls.create(agent, "video", "Ann", "")
    await site.restart()
    join_link = site.calls.find_join_link(created.visitor_token)
    assert join_link.side is CallRole.VISITOR
    assert site.calls.find_join_link(created.agent_token).agent == agent
    visitor = Visitor("v", 1, call_id=created.call_id)
    await site.calls.from_visitor(visitor, signaling.PlaceCall("video", OFFER))
    session = agent_session("a", call_id=created.call_id)
    site.calls.agent_arrived(session)
    await site.wait_idle()
    assert site.last("a", "mine")["callId"] == created.call_id
    await site.calls.end(1, created.call_id)
    with pytest.raises(VisavisError):
        site.calls.find_join_link(created.visitor_token)


async def test_a_join_link_that_nobody_opens_expires(site: SimulatedSite) -> None:
    created = await site.calls.create(agent_session("a").agent, "video", "Ann", "")
    await site.restart()
    await site.pass_time(JOIN_SECONDS)
    assert (await site.state(created.call_id))[0] == "ended"


async def test_the_site_stays_staffed_for_as_long_as_without_a_restart(
    site: SimulatedSite,
) -> None:
    site.calls.site(1).is_staffed = False
    site.calls.agent_arrived(agent_session("a"))
    await site.wait_idle()
    await site.restart()
    assert site.calls.is_staffed(1)
    await site.ring("v")
    await site.pass_time(60)
    assert not site.calls.is_staffed(1)
    assert site.last("v", "ended")["reason"] == "missed"
    await site.restart()
    assert not site.calls.is_staffed(1)


async def test_staffing_that_cannot_be_written_is_told_all_the_same(site: SimulatedSite) -> None:
    site.calls.site(1).is_staffed = False

    async def fail(_: Any) -> Any:
        raise VisavisError(ErrorKind.StoreUnavailable)

    write, site.store.write = site.store.write, fail  # type: ignore[method-assign,assignment]
    site.calls.agent_arrived(agent_session("a"))
    await site.wait_idle()
    site.store.write = write  # type: ignore[method-assign]
    assert site.announced == [True]


@pytest.mark.parametrize("version", [0, 1])
async def test_a_snapshot_that_cannot_be_read_is_a_failed_call(
    site: SimulatedSite, version: int
) -> None:
    call_id = await site.connect()
    await site.calls.call_log.flush()
    state = site.calls.site(1).calls[call_id].snapshot() if version == 0 else b"\x80"
    live = CallSnapshot(call_id, 1, version, state)
    site.calls.site(1).calls.clear()
    await site.store.write(lambda rows: rows.live_calls.save(live, "node", 1))
    await site.restart()
    assert site.calls.count == 0
    assert await site.state(call_id) == ("ended", "failed")


async def test_a_stranger_does_not_take_a_restored_call_over(site: SimulatedSite) -> None:
    call_id = await site.connect()
    await site.restart()
    stranger = site.visitor(signaling.Resume(call_id, "guess"), "v2")
    assert await refused(stranger) is ErrorKind.PermissionDenied


async def test_a_page_is_told_what_is_saved_and_no_more(site: SimulatedSite) -> None:
    """A page receives only saved changes, unless the database takes too long."""
    site.calls.agent_arrived(agent_session("a"))
    await site.calls.from_visitor(Visitor("v", 1), signaling.PlaceCall("video", OFFER))
    assert site.heard("v") == []
    assert site.heard("a") == []
    await site.wait_idle()
    assert site.heard("v")[0] == "calling"
    assert site.heard("a") == ["ring"]
    (saved,) = await site.store.read(lambda rows: rows.live_calls.list_by_node("node"))
    assert Call.restore(saved.state).ringing_at == {"a": 1}

    await site.calls.from_visitor(Visitor("w", 1), signaling.PlaceCall("video", OFFER))
    held = next(a for a in reversed(site.alarms) if a.at == site.time + HOLD_SECONDS)
    held.ring()
    assert site.heard("w")[0] == "calling"
    held.ring()
    await site.wait_idle()
    assert site.heard("w").count("calling") == 1


ACTIONS = (
    *("call", "come", "go", "accept", "accept", "decline", "answer", "answer", "up", "up"),
    *("transfer", "say", "leave", "pause", "end"),
)


class Play:
    """Random actions of visitors and two agents, whose pages come back after a restart."""

    def __init__(self, site: SimulatedSite, seed: int) -> None:
        self.site = site
        self.chance = random.Random(seed)
        self.secrets: dict[str, tuple[str, str]] = {}
        self.agents: set[int] = set()
        self.lives = 0

    def session(self, agent: int) -> Any:
        return agent_session(f"a{agent}-{self.lives}", agent)

    async def act(self) -> None:
        site, number = self.site, self.chance.randrange(1, 3)
        calls = list(site.calls.site(1).calls.values())
        call = self.chance.choice(calls) if calls else None
        await site.pass_time(1)
        action = self.chance.choice(ACTIONS)
        with contextlib.suppress(VisavisError):  # the pages of a real site do not ask for it now
            await self._perform(action, number, call)
        await site.wait_idle()

    async def _perform(self, action: str, number: int, call: Call | None) -> None:
        site, session = self.site, self.session(number)
        if action == "call" and len(self.secrets) < 4:
            socket_id = f"v{len(self.secrets)}-{self.lives}-{next(site.ids)}"
            call_id = await site.ring(socket_id)
            self.secrets[call_id] = (secret(site, socket_id), socket_id)
        elif action == "come" and number not in self.agents:
            self.agents.add(number)
            site.calls.agent_arrived(session)
        elif action == "go" and number in self.agents:
            if not site.calls.site(1).is_busy(number):
                self.agents.discard(number)
                site.calls.agent_left(session)
        elif call and action not in {"call", "come", "go"}:
            await self._in_call(action, number, call)

    async def _in_call(self, action: str, number: int, call: Call) -> None:
        site, last = self.site, call.last_bridge
        own = self.session(call.current_agent.agent_id if call.current_agent else number)
        requests: dict[str, signaling.FromAgent] = {
            "accept": signaling.Accept(call.id),
            "decline": signaling.Decline(call.id),
            "transfer": signaling.Transfer(call.id, number),
            "end": signaling.HangUp(call.id),
            "say": signaling.Say(call.id, "Hello"),
            "pause": signaling.Record(call.id, "pause"),
        }
        match action:
            case "accept" | "decline":
                if number in self.agents:
                    await site.agent(requests[action], self.session(number))
            case "answer":
                second = call.second_agent
                own = self.session(second.agent_id) if second else own
                if call.bridges[last].state == "requested":
                    socket_id = call.visitor.socket_id
                    await site.visitor(signaling.Offer(call.id, last, OFFER), socket_id)
                await site.answer(call.id, own, last)
            case "up":
                await site.up(call.id, last)
            case "leave":
                if call.visitor.is_open:
                    site.calls.visitor_left(Visitor(call.visitor.socket_id, 1))
            case _:
                await site.agent(requests[action], own)

    async def restart(self) -> None:
        """Kill the app; all pages that were open come back."""
        site = self.site
        before = list(site.calls.site(1).calls.values())
        await site.restart(away_seconds=0)
        self.lives += 1
        for agent in sorted(self.agents):
            site.calls.agent_arrived(self.session(agent))
        for call in before:
            for participant in call.participants.values():
                if participant.is_open and participant.agent:
                    resume = signaling.Resume(call.id, has_media=True)
                    await site.agent(resume, self.session(participant.agent_id))
            if call.visitor.is_open:
                known, _ = self.secrets[call.id]
                resume = signaling.Resume(call.id, known, has_media=True)
                await site.visitor(resume, f"{call.id}-{self.lives}")
        site.calls.site(1)._stop_recovery()
        await site.wait_idle()

    def view(self) -> dict[str, Any]:
        """Return everything about a call that people can see."""
        owner = self.site.calls.site(1)
        calls = {
            call.id: (
                call.record.state,
                sorted(set(call.ringing_at.values())),
                call.declined,
                call.agent,
                call.recording.state,
                (call.transfer.agent_id, call.transfer.state, len(call.transfer.ringing_at))
                if call.transfer
                else None,
                call.chat.count,
                {bridge.number: (bridge.state, bridge.up) for bridge in call.bridges.values()},
                {p.id: (p.agent_id, p.is_open) for p in call.participants.values()},
                sorted(call.timers),
                self.site.last(call.visitor.socket_id, "queued")["place"]
                if call.record.state == "queued" and call.visitor.is_open
                else 0,
            )
            for call in owner.calls.values()
        }
        return {**calls, "busy": dict(owner._busy), "waiting": owner.waiting_count}


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(40))
async def test_a_site_that_was_restored_goes_on_as_it_was(site: SimulatedSite, seed: int) -> None:
    site.config = RECORDING if seed % 2 else site.config
    play = Play(site, seed)
    for _ in range(25):
        await play.act()
        before = play.view()
        await play.restart()
        assert play.view() == before
