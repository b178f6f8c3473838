"""Bridges: renegotiated, lost with a page or a media worker, and replaced."""

from __future__ import annotations

import pytest

from tests.services.calls.simulated_site import (
    ANSWER,
    CONNECT_SECONDS,
    OFFER,
    RESUME_SECONDS,
    SimulatedSite,
    agent_session,
    refused,
    with_screen,
    without_video,
)
from visavis.domain.call.bridges import RETRY_SECONDS
from visavis.domain.config import Config
from visavis.domain.errors import ErrorKind
from visavis.domain.leg import AGENT_LEG, VISITOR_LEG, BridgeId, CallRole
from visavis.domain.people import Visitor
from visavis.protocol import signaling

pytestmark = pytest.mark.anyio


async def renegotiate(
    site: SimulatedSite, call_id: str, by: CallRole, sdp: str, screen_mid: str = ""
) -> None:
    """Send an offer, and the other page's answer with the same media."""
    offer = signaling.Offer(call_id, 1, sdp, screen_mid)
    answer = signaling.Answer(call_id, 1, sdp.replace("actpass", "active"))
    if by is CallRole.VISITOR:
        await site.visitor(offer)
        await site.agent(answer)
    else:
        await site.agent(offer)
        await site.visitor(answer)


async def test_offers_and_answers_pass_both_ways(site: SimulatedSite) -> None:
    call_id = await site.connect()
    site.forget()
    await site.agent(signaling.Offer(call_id, 1, with_screen(OFFER), "2"))
    offer = site.last("v", "offer")
    assert offer["screenMid"] == "2"
    assert "a=ice-ufrag:vis1" in offer["sdp"]
    assert "a=setup:actpass" in offer["sdp"]
    await site.visitor(signaling.Answer(call_id, 1, with_screen(ANSWER)))
    answer = site.last("a", "answer")
    assert "a=ice-ufrag:age1" in answer["sdp"]
    assert "a=setup:passive" in answer["sdp"]
    assert site.media.asked == ["remote 1 agent", "remote 1 visitor"]  # other codecs, other ufrag


async def test_a_page_that_restarts_ice_gets_another_transport(site: SimulatedSite) -> None:
    call_id = await site.connect()
    site.media.restarts = "x"
    await site.visitor(signaling.Offer(call_id, 1, OFFER.replace("ice-ufrag:", "ice-ufrag:new")))
    assert "a=ice-ufrag:age1\r" in site.last("a", "offer")["sdp"]
    await site.agent(signaling.Answer(call_id, 1, ANSWER))
    assert "a=ice-ufrag:vis1x\r" in site.last("v", "answer")["sdp"]


async def test_when_both_offer_the_visitor_gives_way(site: SimulatedSite) -> None:
    call_id = await site.connect()
    await site.visitor(signaling.Offer(call_id, 1, OFFER))
    await site.agent(signaling.Offer(call_id, 1, OFFER))
    await site.visitor(signaling.Answer(call_id, 1, ANSWER))
    late = signaling.Answer(call_id, 1, ANSWER)
    assert await refused(site.agent(late)) is ErrorKind.CallNotPossible
    await site.visitor(signaling.Offer(call_id, 1, OFFER))
    await site.agent(late)
    assert site.last("v")["type"] == "answer"


async def test_the_journal_knows_what_was_agreed(site: SimulatedSite) -> None:
    site.config = Config(1, is_enabled=True, is_recording=True)
    call_id = await site.connect()
    await site.visitor(signaling.Offer(call_id, 1, with_screen(OFFER), "2"))
    await site.agent(signaling.Answer(call_id, 1, ANSWER))
    assert site.media.notes == [
        {
            "type": "descriptions",
            "version": 2,
            "link": 1,
            "legs": [
                {
                    "leg": 1,
                    "participant": 1,
                    "role": "visitor",
                    "name": "Ann",
                    "sdp": visitor,
                    "screenMid": mid,
                },
                {
                    "leg": 2,
                    "participant": 2,
                    "role": "agent",
                    "name": "Bo",
                    "sdp": ANSWER,
                    "screenMid": "",
                },
            ],
        }
        for visitor, mid in ((OFFER, ""), (with_screen(OFFER), "2"))
    ]


async def test_upgrade_and_screen_are_noticed(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    await site.visitor(signaling.PlaceCall("audio", without_video(OFFER)))
    call_id = site.last("v", "calling")["callId"]
    await site.agent(signaling.Accept(call_id, "audio"))
    await site.agent(signaling.Answer(call_id, 1, without_video(ANSWER)))
    await site.up(call_id)
    await renegotiate(site, call_id, CallRole.VISITOR, OFFER)
    await renegotiate(site, call_id, CallRole.AGENT, with_screen(OFFER), "2")
    await renegotiate(site, call_id, CallRole.AGENT, with_screen(OFFER))
    happened = [(e.name, e.by) for e in (await site.report(call_id)).events]
    assert happened[happened.index(("connected", "system")) + 1 :] == [
        ("upgraded", "visitor"),
        ("upgraded", "agent"),
        ("shareStarted", "agent"),
        ("shareStopped", "agent"),
    ]


async def test_an_offer_at_the_wrong_time(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    again = signaling.Offer(call_id, 1, OFFER)
    assert await refused(site.visitor(again)) is ErrorKind.CallNotPossible
    await site.agent(signaling.Accept(call_id))
    assert await refused(site.visitor(again)) is ErrorKind.CallNotPossible
    assert await refused(site.agent(again)) is ErrorKind.CallNotPossible


async def test_a_lost_socket_alone_disturbs_nobody(site: SimulatedSite) -> None:
    call_id = await site.connect()
    secret = site.last("v", "calling")["secret"]
    site.forget()
    site.calls.visitor_left(Visitor("v", 1))
    await site.pass_time(RESUME_SECONDS - 1)
    await site.visitor(signaling.Resume(call_id, secret, has_media=True), "w")
    assert site.heard("w") == ["callState", "answer"]
    assert site.last("w", "callState")["state"] == "connected"
    assert site.last("w", "answer")["isRepeated"]
    site.calls.agent_left(agent_session("a"))
    await site.agent(signaling.Resume(call_id, has_media=True), agent_session("a2"))
    assert site.heard("a2") == ["mine", "callState"]
    await site.pass_time(2 * RESUME_SECONDS)
    assert site.heard("a") == []
    assert site.media.asked == []
    assert site.calls.count == 1
    await site.visitor(signaling.Say(call_id, "Here again"), "w")
    assert site.last("a2")["text"] == "Here again"


async def test_only_who_is_in_the_call_may_resume_it(site: SimulatedSite) -> None:
    call_id = await site.connect()
    site.calls.visitor_left(Visitor("v", 1))
    wrong = signaling.Resume(call_id, "wr\udcffong")
    assert await refused(site.visitor(wrong, "w")) is ErrorKind.PermissionDenied
    colleague = site.agent(signaling.Resume(call_id), agent_session("b", 2))
    assert await refused(colleague) is ErrorKind.PermissionDenied
    other = await site.connect("v2", agent_session("b", 2))
    secret = site.last("v", "calling")["secret"]
    busy = signaling.Resume(call_id, secret)
    assert await refused(site.visitor(busy, "v2")) is ErrorKind.CallNotPossible
    assert site.calls.count == 2
    assert other != call_id


async def test_a_reloaded_page_gets_a_new_link_and_the_old_one_flows_until_then(
    site: SimulatedSite,
) -> None:
    call_id = await site.connect()
    secret = site.last("v", "calling")["secret"]
    site.forget()
    site.calls.visitor_left(Visitor("v", 1))
    await site.visitor(signaling.Resume(call_id, secret), "w")
    assert site.heard("w") == ["callState", "callState", "connect"]
    assert site.last("a")["state"] == "reconnecting"
    assert site.last("w")["link"] == 2
    await site.visitor(signaling.Offer(call_id, 2, OFFER), "w")
    assert site.last("a", "offer")["link"] == 2
    await site.agent(signaling.Answer(call_id, 2, ANSWER))
    assert site.last("w", "answer")["link"] == 2
    assert "close 1" not in site.media.asked
    assert site.media.open_bridges == {BridgeId(call_id, 1), BridgeId(call_id, 2)}
    await site.up(call_id, 2)
    assert site.media.asked[-1] == "close 1"
    assert site.heard("a")[-2:] == ["linked", "callState"]
    assert (site.last("a")["state"], site.last("a")["link"]) == ("connected", 2)
    assert site.media.open_bridges == {BridgeId(call_id, 2)}
    await site.pass_time(2 * RESUME_SECONDS)
    assert site.calls.count == 1


async def test_a_reloaded_console_has_its_call_again(site: SimulatedSite) -> None:
    call_id = await site.connect()
    site.calls.agent_left(agent_session("a"))
    site.forget()
    site.calls.agent_arrived(agent_session("a2"))
    await site.agent(signaling.Resume(call_id), agent_session("a2"))
    assert site.heard("a2") == ["mine", "callState", "callState"]
    assert site.last("v") == {"type": "connect", "callId": call_id, "link": 2}


async def test_a_second_page_takes_the_call_over(site: SimulatedSite) -> None:
    call_id = await site.connect()
    await site.agent(signaling.Resume(call_id), agent_session("a2"))
    assert site.last("a")["type"] == "ended"
    await site.agent(
        signaling.Resume(call_id, has_media=True), agent_session("a2")
    )  # a repetition changes nothing
    hang_up = signaling.HangUp(call_id)
    assert await refused(site.agent(hang_up)) is ErrorKind.PermissionDenied


async def test_whose_page_does_not_come_back_has_left(site: SimulatedSite) -> None:
    first = await site.connect("v1")
    site.calls.visitor_left(Visitor("v1", 1))
    await site.calls.media_events.leg_down(BridgeId(first, 1), VISITOR_LEG, "closed")
    await site.pass_time(RESUME_SECONDS)
    assert await site.state(first) == ("ended", "abandoned")
    second = await site.connect("v2")
    site.calls.agent_left(agent_session("a"))
    await site.calls.media_events.leg_down(BridgeId(second, 1), AGENT_LEG, "closed")
    await site.pass_time(RESUME_SECONDS)
    assert await site.state(second) == ("ended", "failed")
    assert (await site.report(second)).events[-1].by == "agent"
    third = await site.connect("v3")
    site.calls.agent_left(agent_session("a"))
    await site.pass_time(RESUME_SECONDS)
    assert (await site.report(third)).events[-1].by == "agent"


async def test_a_link_is_lost_and_then_the_agent_s_page(site: SimulatedSite) -> None:
    call_id = await site.connect()
    await site.calls.media_events.leg_down(BridgeId(call_id, 1), AGENT_LEG, "no consent")
    await site.pass_time(10)
    site.calls.agent_left(agent_session("a"))
    await site.pass_time(RESUME_SECONDS - 10)
    assert (await site.report(call_id)).events[-1].by == "agent"


async def test_a_link_that_is_down_waits_for_a_page_to_ask_for_another(site: SimulatedSite) -> None:
    call_id = await site.connect()
    await site.calls.media_events.leg_down(BridgeId(call_id, 1), AGENT_LEG, "no consent")
    assert site.last("v")["state"] == "reconnecting"
    await site.calls.media_events.leg_up(
        BridgeId(call_id, 1), AGENT_LEG
    )  # it was only a long silence
    assert site.last("v")["state"] == "connected"
    await site.calls.media_events.leg_down(BridgeId(call_id, 1), AGENT_LEG, "no consent")
    site.forget()
    await site.agent(signaling.Relink(call_id, 1))
    # Both pages report the loss; the second report changes nothing.
    await site.visitor(signaling.Relink(call_id, 1))
    assert [m["link"] for m in site.told["v"]] == [2]
    await site.calls.media_events.leg_down(BridgeId(call_id, 2), AGENT_LEG, "never came")
    await site.pass_time(RESUME_SECONDS)
    assert await site.state(call_id) == ("ended", "failed")
    assert site.last("v")["by"] == "system"


async def test_a_link_may_fail_and_the_next_work(site: SimulatedSite) -> None:
    call_id = await site.connect()
    await site.visitor(signaling.Relink(call_id, 1))
    await site.visitor(signaling.Offer(call_id, 2, OFFER))
    await site.visitor(signaling.Relink(call_id, 2))
    assert site.media.asked[-1] == "close 2"
    late = signaling.Answer(call_id, 2, ANSWER)
    assert await refused(site.agent(late)) is ErrorKind.CallNotPossible
    await site.visitor(signaling.Offer(call_id, 3, OFFER))
    await site.answer(call_id, bridge=3)
    await site.up(call_id, 3)
    assert site.last("a")["state"] == "connected"


async def test_a_visitor_s_page_connects_while_it_rings(site: SimulatedSite) -> None:
    call_id = await site.ring()
    assert site.media.asked == []  # but not in the queue
    site.calls.agent_arrived(agent_session("a"))
    await site.wait_idle()
    answer = site.last("v", "provisionalAnswer")
    assert "a=ice-ufrag:vis1\r" in answer["sdp"]
    assert answer["sdp"].count("a=inactive\r") == 2
    site.media.asked.clear()
    await site.agent(signaling.Accept(call_id))
    assert site.last("a", "offer")["link"] == 1
    assert site.media.asked == []


async def test_a_queued_visitor_may_be_first_to_offer_again(site: SimulatedSite) -> None:
    call_id = await site.ring()
    await site.visitor(signaling.Offer(call_id, 1, without_video(OFFER)))
    assert site.media.asked == []
    site.calls.agent_arrived(agent_session("a"))
    await site.wait_idle()
    assert site.last("v", "provisionalAnswer")["sdp"].count("a=inactive\r") == 1


async def test_a_visitor_who_hangs_up_at_once_leaves_no_link(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    visitor = Visitor("v", 1)
    await site.calls.from_visitor(visitor, signaling.PlaceCall("video", OFFER, "Ann"))
    (call_id,) = site.calls.site(1).calls
    await site.calls.from_visitor(visitor, signaling.HangUp(call_id))
    await site.wait_idle()
    assert not [request for request in site.media.asked if not request.startswith("close")]


@pytest.mark.parametrize("how", ["by the page", "by the worker"])
async def test_a_link_that_is_lost_while_it_rings(site: SimulatedSite, how: str) -> None:
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    await site.calls.media_events.leg_up(BridgeId(call_id, 1), VISITOR_LEG)
    if how == "by the page":
        await site.visitor(signaling.Relink(call_id, 1))
    else:
        await site.calls.media_events.leg_down(BridgeId(call_id, 1), VISITOR_LEG, "why")
    assert site.last("v") == {"type": "connect", "callId": call_id, "link": 2}
    await site.visitor(signaling.Offer(call_id, 2, OFFER))
    assert site.last("v", "provisionalAnswer")["link"] == 2
    assert await site.state(call_id) == ("ringing", None)
    await site.agent(signaling.Accept(call_id))
    await site.answer(call_id, bridge=2)
    await site.up(call_id, bridge=2)
    assert await site.state(call_id) == ("connected", None)


async def test_no_worker_while_it_rings(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    site.media.refuses["open"] = ErrorKind.MediaUnavailable
    call_id = await site.ring()
    await site.pass_time(RETRY_SECONDS)
    await site.agent(signaling.Accept(call_id))
    assert "offer" not in site.heard("a")
    del site.media.refuses["open"]
    await site.pass_time(RETRY_SECONDS)
    assert site.heard("a").count("offer") == 1
    site.media.asked.clear()
    await site.pass_time(10 * RETRY_SECONDS)
    assert site.media.asked == []


async def test_a_worker_that_takes_its_time_with_the_journal(site: SimulatedSite) -> None:
    site.config = Config(1, is_enabled=True, is_recording=True)
    site.media.refuses["tap"] = ErrorKind.MediaUnavailable
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    await site.agent(signaling.Accept(call_id))
    del site.media.refuses["tap"]
    await site.pass_time(RETRY_SECONDS)
    assert site.heard("a").count("offer") == 1
    assert site.last("a", "recording")["state"] == "on"


async def test_a_page_that_has_lost_its_way_ends_its_call(
    site: SimulatedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("visavis.domain.call.bridges.MAX_BRIDGES", 2)
    call_id = await site.connect()
    await site.visitor(signaling.Relink(call_id, 1))
    await site.visitor(signaling.Relink(call_id, 2))
    assert await site.state(call_id) == ("ended", "failed")


async def test_a_dead_worker_s_calls_get_new_links_and_no_other(site: SimulatedSite) -> None:
    first = await site.connect("v1", agent_session("a", 1))
    await site.connect("v2", agent_session("b", 2))
    await site.ring("v3")
    site.forget()
    await site.calls.media_events.worker_lost([BridgeId(first, 9), BridgeId("forgotten", 1)])
    assert site.told == {}
    await site.calls.media_events.worker_lost([BridgeId(first, 1)])
    assert site.heard("v1") == ["callState", "connect"]
    assert site.heard("v2") == site.heard("v3") == []
    assert site.last("a", "callState")["state"] == "reconnecting"

    site.media.refuses["open"] = ErrorKind.MediaUnavailable  # no worker has started yet
    await site.visitor(signaling.Offer(first, 2, OFFER), "v1")
    await site.pass_time(2)
    assert site.heard("a", but=("callState",)) == []
    del site.media.refuses["open"]
    await site.pass_time(1)
    assert site.last("a", "offer")["link"] == 2
    await site.answer(first, bridge=2)
    await site.up(first, 2)
    assert site.last("v1")["state"] == "connected"
    assert "close 1" not in site.media.asked  # it died with its worker


async def test_a_worker_that_is_drained_loses_its_calls_to_others(site: SimulatedSite) -> None:
    call_id = await site.connect()
    site.forget()
    for _ in range(2):
        await site.calls.media_events.worker_draining([BridgeId(call_id, 1)])
    assert site.last("v") == {"type": "connect", "callId": call_id, "link": 2}
    await site.visitor(signaling.Offer(call_id, 2, OFFER))
    await site.answer(call_id, bridge=2)
    assert "close 1" not in site.media.asked
    await site.up(call_id, 2)
    assert "close 1" in site.media.asked
    assert "reconnecting" not in await site.events(call_id)


async def test_no_worker_in_time(site: SimulatedSite) -> None:
    call_id = await site.connect()
    site.media.refuses["open"] = ErrorKind.MediaUnavailable
    await site.calls.media_events.worker_lost([BridgeId(call_id, 1)])
    await site.visitor(signaling.Offer(call_id, 2, OFFER))
    await site.pass_time(RESUME_SECONDS)
    assert await site.state(call_id) == ("ended", "failed")
    assert [alarm for alarm in site.alarms if not alarm.is_cancelled and alarm.at > 31] == []


async def test_a_worker_dies_while_a_call_is_set_up(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    await site.agent(signaling.Accept(call_id))
    await site.calls.media_events.worker_lost([BridgeId(call_id, 1)])
    assert site.last("v") == {"type": "connect", "callId": call_id, "link": 2}
    await site.visitor(signaling.Offer(call_id, 2, OFFER))
    await site.answer(call_id, bridge=2)
    await site.up(call_id, 2)
    assert site.last("v")["state"] == "connected"
    await site.pass_time(CONNECT_SECONDS)
    assert site.calls.count == 1


async def test_a_worker_dies_with_the_link_that_was_to_come(site: SimulatedSite) -> None:
    call_id = await site.connect()
    await site.visitor(signaling.Relink(call_id, 1))
    await site.visitor(signaling.Offer(call_id, 2, OFFER))
    site.forget()
    await site.calls.media_events.worker_lost([BridgeId(call_id, 2)])
    assert site.last("v") == {"type": "connect", "callId": call_id, "link": 3}


async def test_a_page_that_was_away_is_asked_for_the_link_again(site: SimulatedSite) -> None:
    call_id = await site.connect()
    secret = site.last("v", "calling")["secret"]
    site.calls.visitor_left(Visitor("v", 1))
    await site.calls.media_events.worker_lost([BridgeId(call_id, 1)])
    await site.visitor(signaling.Resume(call_id, secret, has_media=True), "w")
    assert site.last("w") == {"type": "connect", "callId": call_id, "link": 2}
    await site.visitor(signaling.Offer(call_id, 2, OFFER), "w")
    site.forget()
    await site.visitor(signaling.Resume(call_id, secret, has_media=True), "w")
    assert site.heard("w") == ["callState"]


async def test_no_media_at_first(site: SimulatedSite) -> None:
    site.media.refuses["open"] = ErrorKind.MediaUnavailable
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    await site.agent(signaling.Accept(call_id))
    await site.pass_time(CONNECT_SECONDS)
    assert await site.state(call_id) == ("ended", "failed")
    await site.pass_time(1)


async def test_a_worker_that_refuses_what_it_is_told(site: SimulatedSite) -> None:
    site.media.refuses["remote"] = ErrorKind.ParameterInvalid
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    assert await site.state(call_id) == ("ended", "failed")
    assert site.media.asked[-1] == "close 1"


async def test_a_call_that_ends_while_its_link_is_built_is_cleaned_up(site: SimulatedSite) -> None:
    call_id = await site.ring()
    opened = site.media.open_leg

    async def open_leg(link: BridgeId, leg: int) -> object:
        if leg == AGENT_LEG:
            await site.calls.from_visitor(Visitor("v", 1), signaling.HangUp(call_id))
        return await opened(link, leg)

    site.media.open_leg = open_leg  # type: ignore[method-assign, assignment]
    site.calls.agent_arrived(agent_session("a"))
    await site.wait_idle()
    assert site.media.asked[-1] == "close 1"


async def test_a_worker_that_does_not_answer_when_a_link_is_closed(site: SimulatedSite) -> None:
    site.media.refuses["close"] = ErrorKind.MediaUnavailable
    call_id = await site.connect()
    await site.visitor(signaling.HangUp(call_id))
    assert await site.state(call_id) == ("ended", "hungUp")


async def test_what_is_told_of_forgotten_links_is_let_go(site: SimulatedSite) -> None:
    call_id = await site.connect()
    site.forget()
    for link in (BridgeId("no call", 1), BridgeId(call_id, 9)):
        await site.calls.media_events.leg_up(link, AGENT_LEG)
        await site.calls.media_events.leg_down(link, AGENT_LEG, "why")
        await site.calls.media_events.tap_lost(link, "why")
    assert site.told == {}


async def test_legs_up_before_they_are_joined(site: SimulatedSite) -> None:
    site.calls.agent_arrived(agent_session("a"))
    call_id = await site.ring()
    await site.agent(signaling.Accept(call_id))
    await site.up(call_id)
    assert site.last("v")["state"] == "accepted"
    await site.answer(call_id)
    assert site.last("v")["state"] == "connected"
