"""The whole way of a call, and who may do what in it."""

from __future__ import annotations

import pytest

from tests.services.calls.house import ANSWER, OFFER, House, agent_session, refused
from visavis.domain import signaling
from visavis.domain.call import CONNECT_SECONDS
from visavis.domain.config import Config
from visavis.domain.errors import ErrorKind
from visavis.domain.leg import Link, Side
from visavis.domain.people import Agent, Visitor
from visavis.services.presence import AgentSession

pytestmark = pytest.mark.anyio


async def test_a_recorded_call_in_its_order(house: House) -> None:
    house.config = Config(1, is_enabled=True, is_recording=True)
    house.calls.agent_arrived(agent_session("a"))
    call_id = await house.ring()
    assert house.heard("v") == ["calling", "callState", "provisionalAnswer"]
    assert house.last("a", "ring")["visitorEmail"] == "a@example.com"
    await house.agent(signaling.Accept(call_id))
    await house.answer(call_id)
    assert house.last("v", "answer")["link"] == 1
    await house.up(call_id)
    assert house.last("v")["state"] == "connected"
    assert house.last("v")["agentName"] == "Bo"
    assert house.last("a")["visitorName"] == "Ann"
    assert house.calls.active_bridges() == [Link(call_id, 1)]
    await house.visitor(signaling.HangUp(call_id))

    assert house.last("a") == {
        "type": "ended",
        "callId": call_id,
        "reason": "hungUp",
        "by": "visitor",
    }
    assert house.media.asked == [
        "open 1 visitor",
        "open 1 agent",
        "remote 1 visitor",
        "tap 1",
        "remote 1 agent",
        "note 1 descriptions",
        "join 1",
        "close 1",
    ]
    assert await house.events(call_id) == [
        "requested",
        "ringing",
        "accepted",
        "recordingStarted",
        "connecting",
        "linked",
        "connected",
        "ended",
    ]
    story = await house.report(call_id)
    assert story.agent_names == ("Bo",)
    assert (story.visitor_name, story.consent) == ("Ann", "notice")
    assert story.events[-1].by == "visitor"
    assert story.events[-1].data == {"reason": "hungUp"}
    assert house.calls.count == 0


async def test_our_transport_stands_in_what_the_pages_get(house: House) -> None:
    call_id = await house.connect()
    offer, answer = house.last("a", "offer"), house.last("v", "answer")
    assert "a=ice-ufrag:age1" in offer["sdp"]
    assert "a=setup:actpass" in offer["sdp"]
    assert "a=ice-ufrag:vis1" in answer["sdp"]
    assert "a=setup:passive" in answer["sdp"]
    assert {offer["callId"], answer["callId"]} == {call_id}


async def test_disabled_means_refused(house: House) -> None:
    house.config = Config(1)
    call = signaling.Call("video", OFFER)
    assert await refused(house.visitor(call)) is ErrorKind.AudioVideoChatDisabled
    invite = signaling.Invite("v", "video")
    assert await refused(house.agent(invite)) is ErrorKind.AudioVideoChatDisabled


async def test_the_switch_sends_the_queue_home_and_leaves_calls_alone(house: House) -> None:
    talking = await house.connect("v1")
    await house.ring("v2")
    house.calls.config_changed(Config(1, is_enabled=True))
    assert house.last("v2")["type"] == "queued"
    house.calls.config_changed(Config(1))
    assert house.last("v2")["reason"] == "disabled"
    assert (await house.state(talking))[0] == "connected"


async def test_another_site_s_call_and_another_s_call_are_out_of_reach(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    call_id = await house.ring()
    stranger = agent_session("x", 9, site_id=2)
    accept = signaling.Accept(call_id)
    assert await refused(house.agent(accept, stranger)) is ErrorKind.EntityNotFound
    hang_up = signaling.HangUp(call_id)
    assert await refused(house.visitor(hang_up, "other")) is ErrorKind.PermissionDenied
    assert house.heard("x") == []


async def test_an_agent_without_the_permission_can_do_nothing(house: House) -> None:
    nobody = AgentSession("n", Agent(3, 1, "n@example.com", "N", is_administrator=False))
    house.calls.agent_arrived(nobody)
    assert not (await house.calls.welcome(nobody)).may_accept_calls
    call_id = await house.ring()
    assert house.heard("n") == []
    kind = await refused(house.agent(signaling.Accept(call_id), nobody))
    assert kind is ErrorKind.PermissionDenied
    house.calls.agent_left(nobody)


async def test_an_unusable_description_is_refused_and_changes_nothing(house: House) -> None:
    assert (
        await refused(house.visitor(signaling.Call("video", "v=1"))) is ErrorKind.ParameterInvalid
    )
    assert house.calls.count == 0
    call_id = await house.connect()
    for broken in (signaling.Offer(call_id, 1, "v=1"), signaling.Answer(call_id, 1, "v=1")):
        assert await refused(house.visitor(broken)) is ErrorKind.ParameterInvalid


async def test_one_call_per_page(house: House) -> None:
    await house.ring()
    call = signaling.Call("video", OFFER)
    assert await refused(house.visitor(call)) is ErrorKind.CallNotPossible


async def test_what_a_visitor_says_of_themselves_is_made_printable(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    await house.visitor(signaling.Call("video", OFFER, "An\0n\n", "a\ud800@example.com"))
    ring = house.last("a", "ring")
    assert (ring["visitorName"], ring["visitorEmail"]) == ("Ann", "a@example.com")


async def test_what_is_said_reaches_both_and_the_story(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    call_id = await house.ring()
    early = signaling.Say(call_id, "Hello?")
    assert await refused(house.visitor(early)) is ErrorKind.CallNotPossible
    await house.agent(signaling.Accept(call_id))
    await house.visitor(signaling.Say(call_id, " Good\0 day\r\nagain "))
    for page in ("v", "a"):
        said = house.last(page, "said")
        assert (said["by"], said["text"]) == ("visitor", "Good day\nagain")
    empty = signaling.Say(call_id, "\0 ")
    assert await refused(house.agent(empty)) is ErrorKind.ParameterInvalid
    text = (await house.report(call_id)).events[-1]
    assert (text.name, text.by, text.data) == ("text", "visitor", {"text": "Good day\nagain"})


async def test_a_call_takes_so_many_lines_and_no_more(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("visavis.services.calls.in_call.MAX_LINES", 1)
    call_id = await house.connect()
    await house.agent(signaling.Say(call_id, "one"))
    two = signaling.Say(call_id, "two")
    assert await refused(house.agent(two)) is ErrorKind.TooManyRequests


async def test_the_api_ends_a_call(house: House) -> None:
    call_id = await house.connect()
    assert await refused(house.calls.end(2, call_id)) is ErrorKind.CallNotPossible
    await house.calls.end(1, call_id)
    assert house.last("v") == {
        "type": "ended",
        "callId": call_id,
        "reason": "hungUp",
        "by": "system",
    }
    assert await refused(house.calls.end(1, call_id)) is ErrorKind.CallNotPossible


async def test_shutting_down_ends_everything(house: House) -> None:
    talking = await house.connect("v1")
    waiting = await house.ring("v2")
    await house.calls.shut_down()
    assert await house.state(talking) == ("ended", "shutDown")
    assert await house.state(waiting) == ("ended", "shutDown")
    assert house.media.asked[-1] == "close 1"


async def test_a_call_that_does_not_connect_has_failed(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    call_id = await house.ring()
    await house.agent(signaling.Accept(call_id))
    await house.pass_time(20)
    await house.answer(call_id)
    await house.pass_time(10)
    assert await house.state(call_id) == ("ended", "failed")


async def test_a_leg_that_goes_down_before_the_call_connects_has_failed_it(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    call_id = await house.ring()
    await house.agent(signaling.Accept(call_id))
    await house.calls.media_events.leg_down(Link(call_id, 1), Side.VISITOR, "no handshake")
    assert house.last("v")["reason"] == "failed"


async def test_a_message_after_a_call_that_nobody_took(house: House) -> None:
    call_id = await house.ring()
    leave = signaling.LeaveMessage(call_id, "Call\nme", "Anna\0", "")
    assert await refused(house.visitor(leave)) is ErrorKind.CallNotPossible
    await house.visitor(signaling.HangUp(call_id))
    empty = signaling.LeaveMessage(call_id, "\0")
    assert await refused(house.visitor(empty)) is ErrorKind.ParameterInvalid
    elsewhere = house.calls.from_visitor(Visitor("x", 2), leave)
    assert await refused(elsewhere) is ErrorKind.CallNotPossible
    await house.visitor(leave, "another socket")
    found = await house.past(call_id)
    assert (found.message, found.visitor_name) == ("Call\nme", "Anna")
    assert found.visitor_email == "a@example.com"
    assert house.last("another socket") == {"type": "messageKept", "callId": call_id}
    await house.visitor(leave)
    assert house.last("v") == {"type": "messageKept", "callId": call_id}, "it was sent again"
    other = signaling.LeaveMessage(call_id, "Something else")
    assert await refused(house.visitor(other)) is ErrorKind.CallNotPossible

    talked = await house.connect("v2")
    await house.visitor(signaling.HangUp(talked), "v2")
    after = signaling.LeaveMessage(talked, "More")
    assert await refused(house.visitor(after, "v2")) is ErrorKind.CallNotPossible


async def test_an_answer_that_nobody_asked_for(house: House) -> None:
    call_id = await house.connect()
    answer = signaling.Answer(call_id, 1, ANSWER)
    assert await refused(house.agent(answer)) is ErrorKind.CallNotPossible
    far = signaling.Answer(call_id, 7, ANSWER)
    assert await refused(house.agent(far)) is ErrorKind.CallNotPossible


async def test_an_errand_that_fails_stops_nothing_else(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    await house.visitor(signaling.Here("/"))
    await house.agent(signaling.Invite("v", "video"))

    async def open_leg(link: Link, side: Side) -> None:
        raise RuntimeError("a bug")

    house.media.open_leg = open_leg  # type: ignore[method-assign, assignment]
    call_id = await house.ring(invitation=house.last("v", "invited")["invitation"])
    await house.pass_time(CONNECT_SECONDS)
    assert await house.state(call_id) == ("ended", "failed")


async def test_a_call_that_ends_before_its_link_is_begun(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    await house.visitor(signaling.Here("/"))
    await house.agent(signaling.Invite("v", "video"))
    invitation = house.last("v", "invited")["invitation"]
    visitor = Visitor("v", 1)
    await house.calls.from_visitor(visitor, signaling.Call("video", OFFER, invitation=invitation))
    call_id = house.last("v", "calling")["callId"]
    await house.visitor(signaling.HangUp(call_id))
    assert house.media.asked == []
    assert await house.state(call_id) == ("ended", "hungUp")
