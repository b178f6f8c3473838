"""A call from its request to its end, and the permissions in it."""

from __future__ import annotations

import pytest

from tests.services.calls.simulated_site import (
    ANSWER,
    CONNECT_SECONDS,
    OFFER,
    SimulatedSite,
    agent_session,
    refused,
)
from visavis.domain.config import Config
from visavis.domain.errors import ErrorKind
from visavis.domain.leg import VISITOR_LEG, BridgeId
from visavis.domain.people import Agent, Visitor
from visavis.protocol import signaling
from visavis.services.presence import AgentSession

pytestmark = pytest.mark.anyio


async def test_a_recorded_call_in_its_order(site: SimulatedSite) -> None:
    site.config = Config(1, is_enabled=True, is_recording=True)
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    assert site.heard("v") == ["calling", "callState", "provisionalAnswer"]
    assert site.last("a", "ring")["visitorEmail"] == "a@example.com"
    await site.agent(signaling.Accept(call_id))
    await site.answer(call_id)
    assert site.last("v", "answer")["link"] == 1
    await site.up(call_id)
    assert site.last("v")["state"] == "connected"
    assert site.last("v")["agentName"] == "Bo"
    assert site.last("a")["visitorName"] == "Ann"
    assert site.media.open_bridges == {BridgeId(call_id, 1)}
    await site.visitor(signaling.HangUp(call_id))

    assert site.last("a") == {
        "type": "ended",
        "callId": call_id,
        "reason": "hungUp",
        "by": "visitor",
    }
    assert site.media.asked == [
        "open 1 visitor",
        "open 1 agent",
        "remote 1 visitor",
        "tap 1",
        "remote 1 agent",
        "note 1 descriptions",
        "join 1",
        "close 1",
    ]
    assert await site.events(call_id) == [
        "requested",
        "ringing",
        "accepted",
        "recordingStarted",
        "connecting",
        "linked",
        "connected",
        "ended",
    ]
    report = await site.report(call_id)
    assert report.agent_names == ("Bo",)
    assert (report.visitor_name, report.consent) == ("Ann", "notice")
    assert report.events[-1].by == "visitor"
    assert report.events[-1].data == {"reason": "hungUp"}
    assert site.calls.count == 0


async def test_our_transport_stands_in_what_the_pages_get(site: SimulatedSite) -> None:
    call_id = await site.connect()
    offer, answer = site.last("a", "offer"), site.last("v", "answer")
    assert "a=ice-ufrag:age1" in offer["sdp"]
    assert "a=setup:actpass" in offer["sdp"]
    assert "a=ice-ufrag:vis1" in answer["sdp"]
    assert "a=setup:passive" in answer["sdp"]
    assert {offer["callId"], answer["callId"]} == {call_id}


async def test_disabled_means_refused(site: SimulatedSite) -> None:
    site.config = Config(1)
    call = signaling.PlaceCall("video", OFFER)
    assert await refused(site.visitor(call)) is ErrorKind.AudioVideoChatDisabled
    invite = signaling.Invite("v", "video")
    assert await refused(site.agent(invite)) is ErrorKind.AudioVideoChatDisabled


async def test_the_switch_sends_the_queue_home_and_leaves_calls_alone(site: SimulatedSite) -> None:
    talking = await site.connect("v1")
    await site.ring("v2")
    site.calls.settings_changed(site.settings)
    assert site.last("v2")["type"] == "queued"
    site.config = Config(1)
    site.calls.settings_changed(site.settings)
    await site.wait_idle()
    assert site.last("v2")["reason"] == "disabled"
    assert (await site.state(talking))[0] == "connected"


async def test_another_site_s_call_and_another_s_call_are_out_of_reach(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    stranger = agent_session("x", 9, site_id=2)
    accept = signaling.Accept(call_id)
    assert await refused(site.agent(accept, stranger)) is ErrorKind.EntityNotFound
    hang_up = signaling.HangUp(call_id)
    assert await refused(site.visitor(hang_up, "other")) is ErrorKind.PermissionDenied
    assert site.heard("x") == []


async def test_an_agent_without_the_permission_can_do_nothing(site: SimulatedSite) -> None:
    nobody = AgentSession("n", Agent(3, 1, "n@example.com", "N", is_administrator=False))
    site.calls.agent_arrived(nobody)
    assert not (await site.calls.welcome(nobody)).may_accept_calls
    call_id = await site.ring()
    assert site.heard("n") == []
    kind = await refused(site.agent(signaling.Accept(call_id), nobody))
    assert kind is ErrorKind.PermissionDenied
    site.calls.agent_left(nobody)


async def test_an_unusable_description_is_refused_and_changes_nothing(site: SimulatedSite) -> None:
    assert (
        await refused(site.visitor(signaling.PlaceCall("video", "v=1")))
        is ErrorKind.ParameterInvalid
    )
    assert site.calls.count == 0
    call_id = await site.connect()
    for broken in (signaling.Offer(call_id, 1, "v=1"), signaling.Answer(call_id, 1, "v=1")):
        assert await refused(site.visitor(broken)) is ErrorKind.ParameterInvalid


async def test_one_call_per_page(site: SimulatedSite) -> None:
    await site.ring()
    call = signaling.PlaceCall("video", OFFER)
    assert await refused(site.visitor(call)) is ErrorKind.CallNotPossible


async def test_what_a_visitor_says_of_themselves_is_made_printable(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    await site.visitor(signaling.PlaceCall("video", OFFER, "An\0n\n", "a\ud800@example.com"))
    ring = site.last("a", "ring")
    assert (ring["visitorName"], ring["visitorEmail"]) == ("Ann", "a@example.com")


async def test_a_line_of_text_reaches_both_and_the_report(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    early = signaling.Say(call_id, "Hello?")
    assert await refused(site.visitor(early)) is ErrorKind.CallNotPossible
    await site.agent(signaling.Accept(call_id))
    await site.visitor(signaling.Say(call_id, " Good\0 day\r\nagain "))
    for page in ("v", "a"):
        said = site.last(page, "said")
        assert (said["by"], said["text"]) == ("visitor", "Good day\nagain")
    empty = signaling.Say(call_id, "\0 ")
    assert await refused(site.agent(empty)) is ErrorKind.ParameterInvalid
    text = (await site.report(call_id)).events[-1]
    assert (text.name, text.by, text.data) == ("text", "visitor", {"text": "Good day\nagain"})


async def test_a_call_takes_so_many_lines_and_no_more(
    site: SimulatedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("visavis.domain.call.pages.MAX_LINES", 1)
    call_id = await site.connect()
    await site.agent(signaling.Say(call_id, "one"))
    two = signaling.Say(call_id, "two")
    assert await refused(site.agent(two)) is ErrorKind.TooManyRequests


async def test_the_api_ends_a_call(site: SimulatedSite) -> None:
    call_id = await site.connect()
    assert await refused(site.calls.end(2, call_id)) is ErrorKind.CallNotPossible
    await site.calls.end(1, call_id)
    assert site.last("v") == {
        "type": "ended",
        "callId": call_id,
        "reason": "hungUp",
        "by": "system",
    }
    assert await refused(site.calls.end(1, call_id)) is ErrorKind.CallNotPossible


async def test_shutting_down_ends_everything(site: SimulatedSite) -> None:
    talking = await site.connect("v1")
    waiting = await site.ring("v2")
    await site.calls.shut_down()
    assert await site.state(talking) == ("ended", "shutDown")
    assert await site.state(waiting) == ("ended", "shutDown")
    assert site.media.asked[-1] == "close 1"


async def test_a_call_that_does_not_connect_has_failed(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    await site.agent(signaling.Accept(call_id))
    await site.pass_time(20)
    await site.answer(call_id)
    await site.pass_time(10)
    assert await site.state(call_id) == ("ended", "failed")


async def test_a_leg_that_goes_down_before_the_call_connects_has_failed_it(
    site: SimulatedSite,
) -> None:
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    await site.agent(signaling.Accept(call_id))
    await site.calls.media_events.leg_down(BridgeId(call_id, 1), VISITOR_LEG, "no handshake")
    await site.wait_idle()
    assert site.last("v")["reason"] == "failed"


async def test_a_message_after_a_call_that_nobody_took(site: SimulatedSite) -> None:
    call_id = await site.ring()
    leave = signaling.LeaveMessage(call_id, "Call\nme", "Anna\0", "")
    assert await refused(site.visitor(leave)) is ErrorKind.CallNotPossible
    await site.visitor(signaling.HangUp(call_id))
    empty = signaling.LeaveMessage(call_id, "\0")
    assert await refused(site.visitor(empty)) is ErrorKind.ParameterInvalid
    elsewhere = site.calls.from_visitor(Visitor("x", 2), leave)
    assert await refused(elsewhere) is ErrorKind.CallNotPossible
    await site.visitor(leave, "another socket")
    found = await site.past(call_id)
    assert (found.message, found.visitor_name) == ("Call\nme", "Anna")
    assert found.visitor_email == "a@example.com"
    assert site.last("another socket") == {"type": "messageKept", "callId": call_id}
    await site.visitor(leave)
    assert site.last("v") == {"type": "messageKept", "callId": call_id}, "it was sent again"
    other = signaling.LeaveMessage(call_id, "Something else")
    assert await refused(site.visitor(other)) is ErrorKind.CallNotPossible

    talked = await site.connect("v2")
    await site.visitor(signaling.HangUp(talked), "v2")
    after = signaling.LeaveMessage(talked, "More")
    assert await refused(site.visitor(after, "v2")) is ErrorKind.CallNotPossible


async def test_an_answer_that_nobody_asked_for(site: SimulatedSite) -> None:
    call_id = await site.connect()
    answer = signaling.Answer(call_id, 1, ANSWER)
    assert await refused(site.agent(answer)) is ErrorKind.CallNotPossible
    far = signaling.Answer(call_id, 7, ANSWER)
    assert await refused(site.agent(far)) is ErrorKind.CallNotPossible


async def test_an_errand_that_fails_stops_nothing_else(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    await site.visitor(signaling.Here("/"))
    await site.agent(signaling.Invite("v", "video"))

    async def open_leg(link: BridgeId, leg: int) -> None:
        raise RuntimeError("a bug")

    site.media.open_leg = open_leg  # type: ignore[method-assign, assignment]
    call_id = await site.ring(invitation=site.last("v", "invited")["invitation"])
    await site.pass_time(CONNECT_SECONDS)
    assert await site.state(call_id) == ("ended", "failed")


async def test_a_call_that_ends_before_its_link_is_begun(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    await site.visitor(signaling.Here("/"))
    await site.agent(signaling.Invite("v", "video"))
    invitation = site.last("v", "invited")["invitation"]
    visitor = Visitor("v", 1)
    await site.calls.from_visitor(
        visitor, signaling.PlaceCall("video", OFFER, invitation=invitation)
    )
    (call_id,) = site.calls.site(1).calls
    await site.visitor(signaling.HangUp(call_id))
    assert not [request for request in site.media.asked if not request.startswith("close")]
    assert await site.state(call_id) == ("ended", "hungUp")


async def test_nothing_is_left_of_a_call_that_is_over(site: SimulatedSite) -> None:
    call_id = await site.connect()
    await site.visitor(signaling.HangUp(call_id))
    assert not site.calls._owners
    assert not site.calls._pages
    owner = site.calls.site(1)
    assert not owner.calls
    assert not owner.closing
