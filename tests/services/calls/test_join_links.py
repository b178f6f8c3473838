"""Calls made over the API: two addresses, one call, nobody else."""

from __future__ import annotations

import pytest

from tests.services.calls.house import OFFER, House, agent_session, refused
from visavis.domain import signaling
from visavis.domain.call import JOIN_SECONDS, QUEUE_SECONDS
from visavis.domain.config import Config
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import Side
from visavis.domain.people import Visitor
from visavis.services.calls.join_links import CallWithJoinLinks

pytestmark = pytest.mark.anyio

BO = agent_session("a").agent


async def made(house: House) -> CallWithJoinLinks:
    return await house.calls.create(BO, "audio", "An\0n", "ann@example.com")


async def come(house: House, created: CallWithJoinLinks, socket_id: str = "v") -> None:
    visitor = Visitor(socket_id, 1, call_id=created.call_id)
    await house.calls.from_visitor(visitor, signaling.Call("video", OFFER))
    await house.wait_idle()


async def test_each_address_leads_one_side_to_the_call(house: House) -> None:
    created = await made(house)
    visitor, agent = (
        house.calls.find_join_link(created.visitor_token),
        house.calls.find_join_link(created.agent_token),
    )
    assert (visitor.side, agent.side) == (Side.VISITOR, Side.AGENT)
    assert visitor.call_id == agent.call_id == created.call_id
    assert agent.agent == BO
    found = await house.past(created.call_id)
    assert (found.state, found.origin, found.visitor_name) == ("requested", "api", "Ann")
    with pytest.raises(VisavisError):
        house.calls.find_join_link("guessed")


async def test_they_are_connected_as_soon_as_both_are_there(house: House) -> None:
    house.calls.agent_arrived(agent_session("b", 2))
    created = await made(house)
    own = agent_session("j", call_id=created.call_id)
    house.calls.agent_arrived(own)
    assert house.told.get("j") is None
    await come(house, created)
    assert house.heard("j") == ["mine", "callState", "offer"]
    assert house.last("j", "mine")["visitorName"] == "Ann"
    assert house.heard("b") == []
    await house.answer(created.call_id, own)
    await house.up(created.call_id)
    assert house.last("v")["state"] == "connected"


async def test_the_visitor_may_come_first(house: House) -> None:
    created = await made(house)
    await come(house, created)
    assert house.last("v") == {"type": "queued", "callId": created.call_id, "place": 1}
    house.calls.agent_arrived(agent_session("a"))  # the agent's own console does not ring either
    house.calls.agent_arrived(agent_session("b", 2))
    accept = signaling.Accept(created.call_id)
    assert await refused(house.agent(accept)) is ErrorKind.PermissionDenied
    assert house.heard("a") == house.heard("b") == []
    house.calls.agent_arrived(agent_session("j", call_id=created.call_id))
    await house.wait_idle()
    assert house.heard("j") == ["mine", "callState", "offer"]


async def test_an_agent_in_another_call_takes_it_afterwards(house: House) -> None:
    other = await house.connect("v1")
    created = await made(house)
    house.calls.agent_arrived(agent_session("j", call_id=created.call_id))
    await come(house, created)
    assert house.heard("j") == []
    await house.agent(signaling.HangUp(other))
    await house.wait_idle()
    assert house.heard("j")[0] == "mine"


async def test_an_address_admits_to_one_call(house: House) -> None:
    created = await made(house)
    own = agent_session("j", call_id=created.call_id)
    house.calls.agent_arrived(own)
    other = await house.ring("v9")
    for message in (
        signaling.Accept(other),
        signaling.Presence(is_available=False),
        signaling.Invite("v9", "video"),
    ):
        assert await refused(house.agent(message, own)) is ErrorKind.PermissionDenied


async def test_the_first_to_come_has_it(house: House) -> None:
    created = await made(house)
    await come(house, created)
    assert await refused(come(house, created, "w")) is ErrorKind.CallNotPossible


async def test_the_addresses_end_with_the_call(house: House) -> None:
    created = await made(house)
    await house.calls.end(1, created.call_id)
    with pytest.raises(VisavisError):
        house.calls.find_join_link(created.visitor_token)
    unused = await made(house)
    await house.pass_time(JOIN_SECONDS)
    assert await house.state(unused.call_id) == ("ended", "abandoned")
    with pytest.raises(VisavisError):
        house.calls.find_join_link(unused.agent_token)


async def test_nobody_comes_for_the_visitor(house: House) -> None:
    created = await made(house)
    own = agent_session("j", call_id=created.call_id)
    house.calls.agent_arrived(own)
    house.calls.agent_left(own)
    house.calls.agent_left(own)
    await come(house, created)
    await house.pass_time(QUEUE_SECONDS)
    assert await house.state(created.call_id) == ("ended", "missed")


async def test_a_reloaded_page_takes_it_up_again(house: House) -> None:
    created = await made(house)
    own = agent_session("j", call_id=created.call_id)
    house.calls.agent_arrived(own)
    await come(house, created)
    house.calls.agent_left(own)
    again = agent_session("k", call_id=created.call_id)
    house.calls.agent_arrived(again)
    await house.agent(signaling.Resume(created.call_id), again)
    assert house.heard("k") == ["mine", "callState"]
    assert house.last("v") == {"type": "connect", "callId": created.call_id, "link": 2}


async def test_the_switch_is_asked_twice(house: House) -> None:
    created = await made(house)
    house.config = Config(1)
    assert await refused(made(house)) is ErrorKind.AudioVideoChatDisabled
    assert await refused(come(house, created)) is ErrorKind.AudioVideoChatDisabled
