"""Carrying out the engine's effects against the ports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import get_args

import pytest

from tests.running import PATIENCE
from tests.services.calls.simulated_site import ANSWER, NOW, OFFER, SimulatedSite, agent_session
from visavis.domain.call import commands, effects, notices
from visavis.domain.config import Config
from visavis.domain.errors import ErrorKind
from visavis.domain.leg import BridgeId, LocalTransport, RemoteTransport
from visavis.domain.recording import Manifest
from visavis.protocol import signaling
from visavis.services.calls.effects import _MESSAGES, message_of

pytestmark = pytest.mark.anyio

BRIDGE = BridgeId("call", 1)


async def test_a_command_that_is_cut_off_counts_as_failed(site: SimulatedSite) -> None:
    """Otherwise the call would wait forever for the report."""
    started = asyncio.Event()

    async def open_leg(bridge: BridgeId, leg: int) -> LocalTransport:
        started.set()
        await asyncio.Event().wait()
        raise AssertionError("never reached")

    site.media.open_leg = open_leg  # type: ignore[method-assign]
    site.calls.agent_arrived(agent_session("a"))
    visit = site.visitor(signaling.PlaceCall("video", OFFER))
    waiting = asyncio.ensure_future(visit)
    await started.wait()
    for task in list(site.calls._runner._tasks):
        task.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert site.last("v", "ended")["reason"] == "failed"


async def test_legs_can_be_joined_without_a_note(site: SimulatedSite) -> None:
    runner = site.calls._runner
    assert await runner._carry_out(commands.JoinLegs(BRIDGE)) == {}
    assert site.media.asked == ["join 1"]
    again = commands.JoinLegs(BRIDGE, note={"type": "descriptions"}, is_join=False)
    await runner._carry_out(again)
    assert site.media.asked[1:] == ["note 1 descriptions"]


async def test_effects_on_the_site_are_not_the_runner_s(site: SimulatedSite) -> None:
    call_id = await site.connect()
    owner = site.calls.site(1)
    before = dict(site.told)
    site.calls._runner.run(owner, owner.calls[call_id], effects.SiteChanged())
    assert site.told == before


async def test_a_recording_is_listed_once_and_paused_where_it_was(site: SimulatedSite) -> None:
    manifest = Manifest(
        recording_id="r",
        site_id=1,
        call_id="call",
        media="video",
        visitor_name="",
        agent_name="",
        started_at=NOW,
    )
    runner = site.calls._runner
    for is_listed, is_paused in ((False, False), (True, False), (True, True)):
        command = commands.StartJournal(
            BRIDGE, manifest=manifest, is_listed=is_listed, is_paused=is_paused
        )
        await runner._carry_out(command)
        listed = await site.store.read(lambda rows: rows.recordings.get(1, "r"))
        assert listed
        assert [node.id for node in listed.nodes] == ["node"]
    assert site.media.asked == ["tap 1", "tap 1", "tap 1", "pause 1"]
    site.media.journal_node = "media"  # the bridge is at another node, after a restart of the app
    runner._listed.clear()
    await runner._carry_out(
        commands.StartJournal(BRIDGE, manifest=manifest, is_listed=True, is_paused=False)
    )
    listed = await site.store.read(lambda rows: rows.recordings.get(1, "r"))
    assert listed
    assert [node.id for node in listed.nodes] == ["node", "media"]


def test_every_notice_has_a_message() -> None:
    own = {notices.RelaysNotice}  # the effect runner adds its credentials
    assert set(get_args(notices.Notice)) - own == set(_MESSAGES)


def test_a_refusal_names_its_call() -> None:
    notice = notices.RefusalNotice(ErrorKind.CallNotPossible, "NotConnected", "why", {"a": 1})
    expected = signaling.Refused(
        "CallNotPossible", "why", "call", code="NotConnected", parameters={"a": 1}
    )
    assert message_of("call", notice) == expected


async def test_requests_that_join_legs_are_made_at_once(
    site: SimulatedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A media worker's reply takes milliseconds on a busy machine, and it keeps their order."""
    replied, set_remote = asyncio.Event(), site.media.set_remote

    async def reply_later(bridge: BridgeId, leg: int, remote: RemoteTransport) -> LocalTransport:
        transport = await set_remote(bridge, leg, remote)
        await replied.wait()
        return transport

    site.config = Config(1, is_enabled=True, is_recording=True)
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    await site.agent(signaling.Accept(call_id))
    site.media.asked.clear()
    monkeypatch.setattr(site.media, "set_remote", reply_later)
    await site.calls.from_agent(agent_session("a"), signaling.Answer(call_id, 1, ANSWER))
    await asyncio.wait_for(_settled(lambda: len(site.media.asked) > 2), PATIENCE)
    assert site.media.asked == ["remote 1 agent", "note 1 descriptions", "join 1"]
    replied.set()
    await site.up(call_id)
    assert site.last("a", "callState")["state"] == "connected"


async def test_a_refused_request_fails_the_joining(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    await site.agent(signaling.Accept(call_id))
    site.media.refuses["remote 1 agent"] = ErrorKind.ParameterInvalid
    await site.answer(call_id)
    await site.up(call_id)
    assert site.last("a", "refused")["error"] == "ParameterInvalid"
    assert not site.calls.site(1).calls[call_id].bridges[1].is_joined


async def _settled(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0)
