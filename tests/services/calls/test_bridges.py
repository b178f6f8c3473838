"""Links: negotiated anew, lost with a page or a media worker, and replaced."""

from __future__ import annotations

import pytest

from tests.services.calls.house import (
    ANSWER,
    OFFER,
    House,
    agent_session,
    refused,
    with_screen,
    without_video,
)
from visavis.domain import signaling
from visavis.domain.call import CONNECT_SECONDS, RESUME_SECONDS
from visavis.domain.config import Config
from visavis.domain.errors import ErrorKind
from visavis.domain.leg import Link, Side
from visavis.domain.people import Visitor
from visavis.services.calls.bridges import RETRY_SECONDS

pytestmark = pytest.mark.anyio


async def renegotiate(house: House, call_id: str, by: Side, sdp: str, screen_mid: str = "") -> None:
    """The other page answers in kind."""
    offer = signaling.Offer(call_id, 1, sdp, screen_mid)
    answer = signaling.Answer(call_id, 1, sdp.replace("actpass", "active"))
    if by is Side.VISITOR:
        await house.visitor(offer)
        await house.agent(answer)
    else:
        await house.agent(offer)
        await house.visitor(answer)


async def test_offers_and_answers_pass_both_ways(house: House) -> None:
    call_id = await house.connect()
    house.forget()
    await house.agent(signaling.Offer(call_id, 1, with_screen(OFFER), "2"))
    offer = house.last("v", "offer")
    assert offer["screenMid"] == "2"
    assert "a=ice-ufrag:vis1" in offer["sdp"]
    assert "a=setup:actpass" in offer["sdp"]
    await house.visitor(signaling.Answer(call_id, 1, with_screen(ANSWER)))
    answer = house.last("a", "answer")
    assert "a=ice-ufrag:age1" in answer["sdp"]
    assert "a=setup:passive" in answer["sdp"]
    assert house.media.asked == ["remote 1 agent", "remote 1 visitor"]  # other codecs, other ufrag


async def test_a_page_that_restarts_ice_gets_another_transport(house: House) -> None:
    call_id = await house.connect()
    house.media.restarts = "x"
    await house.visitor(signaling.Offer(call_id, 1, OFFER.replace("ice-ufrag:", "ice-ufrag:new")))
    assert "a=ice-ufrag:age1\r" in house.last("a", "offer")["sdp"]
    await house.agent(signaling.Answer(call_id, 1, ANSWER))
    assert "a=ice-ufrag:vis1x\r" in house.last("v", "answer")["sdp"]


async def test_when_both_offer_the_visitor_gives_way(house: House) -> None:
    call_id = await house.connect()
    await house.visitor(signaling.Offer(call_id, 1, OFFER))
    await house.agent(signaling.Offer(call_id, 1, OFFER))
    await house.visitor(signaling.Answer(call_id, 1, ANSWER))
    late = signaling.Answer(call_id, 1, ANSWER)
    assert await refused(house.agent(late)) is ErrorKind.CallNotPossible
    await house.visitor(signaling.Offer(call_id, 1, OFFER))
    await house.agent(late)
    assert house.last("v")["type"] == "answer"


async def test_the_journal_knows_what_was_agreed(house: House) -> None:
    house.config = Config(1, is_enabled=True, is_recording=True)
    call_id = await house.connect()
    await house.visitor(signaling.Offer(call_id, 1, with_screen(OFFER), "2"))
    await house.agent(signaling.Answer(call_id, 1, ANSWER))
    assert house.media.notes == [
        {
            "type": "descriptions",
            "link": 1,
            "visitor": visitor,
            "agent": ANSWER,
            "visitorScreenMid": mid,
            "agentScreenMid": "",
        }
        for visitor, mid in ((OFFER, ""), (with_screen(OFFER), "2"))
    ]


async def test_upgrade_and_screen_are_noticed(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    await house.visitor(signaling.Call("audio", without_video(OFFER)))
    call_id = house.last("v", "calling")["callId"]
    await house.agent(signaling.Accept(call_id, "audio"))
    await house.agent(signaling.Answer(call_id, 1, without_video(ANSWER)))
    await house.up(call_id)
    await renegotiate(house, call_id, Side.VISITOR, OFFER)
    await renegotiate(house, call_id, Side.AGENT, with_screen(OFFER), "2")
    await renegotiate(house, call_id, Side.AGENT, with_screen(OFFER))
    happened = [(e.name, e.by) for e in (await house.report(call_id)).events]
    assert happened[happened.index(("connected", "system")) + 1 :] == [
        ("upgraded", "visitor"),
        ("upgraded", "agent"),
        ("shareStarted", "agent"),
        ("shareStopped", "agent"),
    ]


async def test_an_offer_at_the_wrong_time(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    call_id = await house.ring()
    again = signaling.Offer(call_id, 1, OFFER)
    assert await refused(house.visitor(again)) is ErrorKind.CallNotPossible
    await house.agent(signaling.Accept(call_id))
    assert await refused(house.visitor(again)) is ErrorKind.CallNotPossible
    assert await refused(house.agent(again)) is ErrorKind.CallNotPossible


async def test_a_lost_socket_alone_disturbs_nobody(house: House) -> None:
    call_id = await house.connect()
    secret = house.last("v", "calling")["secret"]
    house.forget()
    house.calls.visitor_left(Visitor("v", 1))
    await house.pass_time(RESUME_SECONDS - 1)
    await house.visitor(signaling.Resume(call_id, secret, has_media=True), "w")
    assert [m["state"] for m in house.told["w"]] == ["connected"]
    house.calls.agent_left(agent_session("a"))
    await house.agent(signaling.Resume(call_id, has_media=True), agent_session("a2"))
    assert house.heard("a2") == ["mine", "callState"]
    await house.pass_time(2 * RESUME_SECONDS)
    assert house.heard("a") == []
    assert house.media.asked == []
    assert house.calls.count == 1
    await house.visitor(signaling.Say(call_id, "Here again"), "w")
    assert house.last("a2")["text"] == "Here again"


async def test_only_who_is_in_the_call_may_resume_it(house: House) -> None:
    call_id = await house.connect()
    house.calls.visitor_left(Visitor("v", 1))
    wrong = signaling.Resume(call_id, "wr\udcffong")
    assert await refused(house.visitor(wrong, "w")) is ErrorKind.PermissionDenied
    colleague = house.agent(signaling.Resume(call_id), agent_session("b", 2))
    assert await refused(colleague) is ErrorKind.PermissionDenied
    other = await house.connect("v2", agent_session("b", 2))
    secret = house.last("v", "calling")["secret"]
    busy = signaling.Resume(call_id, secret)
    assert await refused(house.visitor(busy, "v2")) is ErrorKind.CallNotPossible
    assert house.calls.count == 2
    assert other != call_id


async def test_a_reloaded_page_gets_a_new_link_and_the_old_one_flows_until_then(
    house: House,
) -> None:
    call_id = await house.connect()
    secret = house.last("v", "calling")["secret"]
    house.forget()
    house.calls.visitor_left(Visitor("v", 1))
    await house.visitor(signaling.Resume(call_id, secret), "w")
    assert house.heard("w") == ["callState", "callState", "connect"]
    assert house.last("a")["state"] == "reconnecting"
    assert house.last("w")["link"] == 2
    await house.visitor(signaling.Offer(call_id, 2, OFFER), "w")
    assert house.last("a", "offer")["link"] == 2
    await house.agent(signaling.Answer(call_id, 2, ANSWER))
    assert house.last("w", "answer")["link"] == 2
    assert "close 1" not in house.media.asked
    assert set(house.calls.active_bridges()) == {Link(call_id, 1), Link(call_id, 2)}
    await house.up(call_id, 2)
    assert house.media.asked[-1] == "close 1"
    assert house.heard("a")[-2:] == ["linked", "callState"]
    assert (house.last("a")["state"], house.last("a")["link"]) == ("connected", 2)
    assert house.calls.active_bridges() == [Link(call_id, 2)]
    await house.pass_time(2 * RESUME_SECONDS)
    assert house.calls.count == 1


async def test_a_reloaded_console_has_its_call_again(house: House) -> None:
    call_id = await house.connect()
    house.calls.agent_left(agent_session("a"))
    house.forget()
    house.calls.agent_arrived(agent_session("a2"))
    await house.agent(signaling.Resume(call_id), agent_session("a2"))
    assert house.heard("a2") == ["mine", "callState", "callState"]
    assert house.last("v") == {"type": "connect", "callId": call_id, "link": 2}


async def test_a_second_page_takes_the_call_over(house: House) -> None:
    call_id = await house.connect()
    await house.agent(signaling.Resume(call_id), agent_session("a2"))
    assert house.last("a")["type"] == "ended"
    await house.agent(
        signaling.Resume(call_id, has_media=True), agent_session("a2")
    )  # again: harmless
    hang_up = signaling.HangUp(call_id)
    assert await refused(house.agent(hang_up)) is ErrorKind.PermissionDenied


async def test_whose_page_does_not_come_back_has_left(house: House) -> None:
    first = await house.connect("v1")
    house.calls.visitor_left(Visitor("v1", 1))
    await house.calls.media_events.leg_down(Link(first, 1), Side.VISITOR, "closed")
    await house.pass_time(RESUME_SECONDS)
    assert await house.state(first) == ("ended", "abandoned")
    second = await house.connect("v2")
    house.calls.agent_left(agent_session("a"))
    await house.calls.media_events.leg_down(Link(second, 1), Side.AGENT, "closed")
    await house.pass_time(RESUME_SECONDS)
    assert await house.state(second) == ("ended", "failed")
    assert (await house.report(second)).events[-1].by == "agent"
    third = await house.connect("v3")
    house.calls.agent_left(agent_session("a"))
    await house.pass_time(RESUME_SECONDS)
    assert (await house.report(third)).events[-1].by == "agent"


async def test_a_link_is_lost_and_then_the_agent_s_page(house: House) -> None:
    call_id = await house.connect()
    await house.calls.media_events.leg_down(Link(call_id, 1), Side.AGENT, "no consent")
    await house.pass_time(10)
    house.calls.agent_left(agent_session("a"))
    await house.pass_time(RESUME_SECONDS - 10)
    assert (await house.report(call_id)).events[-1].by == "agent"


async def test_a_link_that_is_down_waits_for_a_page_to_ask_for_another(house: House) -> None:
    call_id = await house.connect()
    await house.calls.media_events.leg_down(Link(call_id, 1), Side.AGENT, "no consent")
    assert house.last("v")["state"] == "reconnecting"
    await house.calls.media_events.leg_up(
        Link(call_id, 1), Side.AGENT
    )  # it was only a long silence
    assert house.last("v")["state"] == "connected"
    await house.calls.media_events.leg_down(Link(call_id, 1), Side.AGENT, "no consent")
    house.forget()
    await house.agent(signaling.Relink(call_id, 1))
    await house.visitor(signaling.Relink(call_id, 1))  # both have noticed: told again, no more
    assert [m["link"] for m in house.told["v"]] == [2, 2]
    await house.calls.media_events.leg_down(Link(call_id, 2), Side.AGENT, "never came")
    await house.pass_time(RESUME_SECONDS)
    assert await house.state(call_id) == ("ended", "failed")
    assert house.last("v")["by"] == "system"


async def test_a_link_may_fail_and_the_next_work(house: House) -> None:
    call_id = await house.connect()
    await house.visitor(signaling.Relink(call_id, 1))
    await house.visitor(signaling.Offer(call_id, 2, OFFER))
    await house.visitor(signaling.Relink(call_id, 2))
    assert house.media.asked[-1] == "close 2"
    late = signaling.Answer(call_id, 2, ANSWER)
    assert await refused(house.agent(late)) is ErrorKind.CallNotPossible
    await house.visitor(signaling.Offer(call_id, 3, OFFER))
    await house.answer(call_id, link=3)
    await house.up(call_id, 3)
    assert house.last("a")["state"] == "connected"


async def test_a_visitor_s_page_connects_while_it_rings(house: House) -> None:
    call_id = await house.ring()
    assert house.media.asked == []  # but not in the queue
    house.calls.agent_arrived(agent_session("a"))
    await house.wait_idle()
    answer = house.last("v", "provisionalAnswer")
    assert "a=ice-ufrag:vis1\r" in answer["sdp"]
    assert answer["sdp"].count("a=inactive\r") == 2
    house.media.asked.clear()
    await house.agent(signaling.Accept(call_id))
    assert house.last("a", "offer")["link"] == 1
    assert house.media.asked == []


async def test_a_queued_visitor_may_be_first_to_offer_again(house: House) -> None:
    call_id = await house.ring()
    await house.visitor(signaling.Offer(call_id, 1, without_video(OFFER)))
    assert house.media.asked == []
    house.calls.agent_arrived(agent_session("a"))
    await house.wait_idle()
    assert house.last("v", "provisionalAnswer")["sdp"].count("a=inactive\r") == 1


async def test_a_visitor_who_hangs_up_at_once_leaves_no_link(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    visitor = Visitor("v", 1)
    await house.calls.from_visitor(visitor, signaling.Call("video", OFFER, "Ann"))
    call_id = house.last("v", "calling")["callId"]
    await house.calls.from_visitor(visitor, signaling.HangUp(call_id))
    await house.wait_idle()
    assert house.media.asked == []


@pytest.mark.parametrize("how", ["by the page", "by the worker"])
async def test_a_link_that_is_lost_while_it_rings(house: House, how: str) -> None:
    house.calls.agent_arrived(agent_session("a"))
    call_id = await house.ring()
    await house.calls.media_events.leg_up(Link(call_id, 1), Side.VISITOR)
    if how == "by the page":
        await house.visitor(signaling.Relink(call_id, 1))
    else:
        await house.calls.media_events.leg_down(Link(call_id, 1), Side.VISITOR, "why")
    assert house.last("v") == {"type": "connect", "callId": call_id, "link": 2}
    await house.visitor(signaling.Offer(call_id, 2, OFFER))
    assert house.last("v", "provisionalAnswer")["link"] == 2
    assert await house.state(call_id) == ("ringing", None)
    await house.agent(signaling.Accept(call_id))
    await house.answer(call_id, link=2)
    await house.up(call_id, link=2)
    assert await house.state(call_id) == ("connected", None)


async def test_no_worker_while_it_rings(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    house.media.refuses["open"] = ErrorKind.MediaUnavailable
    call_id = await house.ring()
    await house.pass_time(RETRY_SECONDS)
    await house.agent(signaling.Accept(call_id))
    assert "offer" not in house.heard("a")
    del house.media.refuses["open"]
    await house.pass_time(RETRY_SECONDS)
    assert house.heard("a").count("offer") == 1
    house.media.asked.clear()
    await house.pass_time(10 * RETRY_SECONDS)
    assert house.media.asked == []


async def test_a_worker_that_takes_its_time_with_the_journal(house: House) -> None:
    house.config = Config(1, is_enabled=True, is_recording=True)
    house.media.refuses["tap"] = ErrorKind.MediaUnavailable
    house.calls.agent_arrived(agent_session("a"))
    call_id = await house.ring()
    await house.agent(signaling.Accept(call_id))
    del house.media.refuses["tap"]
    await house.pass_time(RETRY_SECONDS)
    assert house.heard("a").count("offer") == 1
    assert house.last("a", "recording")["state"] == "on"


async def test_a_page_that_has_lost_its_way_ends_its_call(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("visavis.services.calls.bridges.MAX_BRIDGES", 2)
    call_id = await house.connect()
    await house.visitor(signaling.Relink(call_id, 1))
    await house.visitor(signaling.Relink(call_id, 2))
    assert await house.state(call_id) == ("ended", "failed")


async def test_a_dead_worker_s_calls_get_new_links_and_no_other(house: House) -> None:
    first = await house.connect("v1", agent_session("a", 1))
    await house.connect("v2", agent_session("b", 2))
    await house.ring("v3")
    house.forget()
    await house.calls.media_events.worker_lost([Link(first, 9), Link("forgotten", 1)])
    assert house.told == {}
    await house.calls.media_events.worker_lost([Link(first, 1)])
    assert house.heard("v1") == ["callState", "connect"]
    assert house.heard("v2") == house.heard("v3") == []
    assert house.last("a", "callState")["state"] == "reconnecting"

    house.media.refuses["open"] = ErrorKind.MediaUnavailable  # no worker has started yet
    await house.visitor(signaling.Offer(first, 2, OFFER), "v1")
    await house.pass_time(2)
    assert house.heard("a", but=("callState",)) == []
    del house.media.refuses["open"]
    await house.pass_time(1)
    assert house.last("a", "offer")["link"] == 2
    await house.answer(first, link=2)
    await house.up(first, 2)
    assert house.last("v1")["state"] == "connected"
    assert "close 1" not in house.media.asked  # it died with its worker


async def test_no_worker_in_time(house: House) -> None:
    call_id = await house.connect()
    house.media.refuses["open"] = ErrorKind.MediaUnavailable
    await house.calls.media_events.worker_lost([Link(call_id, 1)])
    await house.visitor(signaling.Offer(call_id, 2, OFFER))
    await house.pass_time(RESUME_SECONDS)
    assert await house.state(call_id) == ("ended", "failed")
    assert [alarm for alarm in house.alarms if not alarm.is_cancelled and alarm.at > 31] == []


async def test_a_worker_dies_while_a_call_is_set_up(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    call_id = await house.ring()
    await house.agent(signaling.Accept(call_id))
    await house.calls.media_events.worker_lost([Link(call_id, 1)])
    assert house.last("v") == {"type": "connect", "callId": call_id, "link": 2}
    await house.visitor(signaling.Offer(call_id, 2, OFFER))
    await house.answer(call_id, link=2)
    await house.up(call_id, 2)
    assert house.last("v")["state"] == "connected"
    await house.pass_time(CONNECT_SECONDS)
    assert house.calls.count == 1


async def test_a_worker_dies_with_the_link_that_was_to_come(house: House) -> None:
    call_id = await house.connect()
    await house.visitor(signaling.Relink(call_id, 1))
    await house.visitor(signaling.Offer(call_id, 2, OFFER))
    house.forget()
    await house.calls.media_events.worker_lost([Link(call_id, 2)])
    assert house.last("v") == {"type": "connect", "callId": call_id, "link": 3}


async def test_a_page_that_was_away_is_asked_for_the_link_again(house: House) -> None:
    call_id = await house.connect()
    secret = house.last("v", "calling")["secret"]
    house.calls.visitor_left(Visitor("v", 1))
    await house.calls.media_events.worker_lost([Link(call_id, 1)])
    await house.visitor(signaling.Resume(call_id, secret, has_media=True), "w")
    assert house.last("w") == {"type": "connect", "callId": call_id, "link": 2}
    await house.visitor(signaling.Offer(call_id, 2, OFFER), "w")
    house.forget()
    await house.visitor(signaling.Resume(call_id, secret, has_media=True), "w")
    assert house.heard("w") == ["callState"]


async def test_no_media_at_first(house: House) -> None:
    house.media.refuses["open"] = ErrorKind.MediaUnavailable
    house.calls.agent_arrived(agent_session("a"))
    call_id = await house.ring()
    await house.agent(signaling.Accept(call_id))
    await house.pass_time(CONNECT_SECONDS)
    assert await house.state(call_id) == ("ended", "failed")
    await house.pass_time(1)


async def test_a_worker_that_refuses_what_it_is_told(house: House) -> None:
    house.media.refuses["remote"] = ErrorKind.ParameterInvalid
    house.calls.agent_arrived(agent_session("a"))
    call_id = await house.ring()
    assert await house.state(call_id) == ("ended", "failed")
    assert house.media.asked[-1] == "close 1"


async def test_a_call_that_ends_while_its_link_is_built_is_cleaned_up(house: House) -> None:
    call_id = await house.ring()
    opened = house.media.open_leg

    async def open_leg(link: Link, side: Side) -> object:
        if side is Side.AGENT:
            await house.calls.from_visitor(Visitor("v", 1), signaling.HangUp(call_id))
        return await opened(link, side)

    house.media.open_leg = open_leg  # type: ignore[method-assign, assignment]
    house.calls.agent_arrived(agent_session("a"))
    await house.wait_idle()
    assert house.media.asked[-1] == "close 1"


async def test_a_worker_that_does_not_answer_when_a_link_is_closed(house: House) -> None:
    house.media.refuses["close"] = ErrorKind.MediaUnavailable
    call_id = await house.connect()
    await house.visitor(signaling.HangUp(call_id))
    assert await house.state(call_id) == ("ended", "hungUp")


async def test_what_is_told_of_forgotten_links_is_let_go(house: House) -> None:
    call_id = await house.connect()
    house.forget()
    for link in (Link("no call", 1), Link(call_id, 9)):
        await house.calls.media_events.leg_up(link, Side.AGENT)
        await house.calls.media_events.leg_down(link, Side.AGENT, "why")
        await house.calls.media_events.tap_lost(link, "why")
    assert house.told == {}


async def test_legs_up_before_they_are_joined(house: House) -> None:
    house.calls.agent_arrived(agent_session("a"))
    call_id = await house.ring()
    await house.agent(signaling.Accept(call_id))
    await house.up(call_id)
    assert house.last("v")["state"] == "accepted"
    await house.answer(call_id)
    assert house.last("v")["state"] == "connected"
