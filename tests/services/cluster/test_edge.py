"""Pages at a node that does not own their site: lost messages, restarts and changes of owner."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.dying import dies_once
from tests.running import PATIENCE
from tests.services.calls.conftest import CallsAtEdge, SiteAtEdge
from tests.services.calls.simulated_site import OFFER, agent_session, create_sites, refused
from visavis.domain.errors import ErrorCode, ErrorKind, VisavisError
from visavis.domain.people import Visitor
from visavis.protocol import cluster, signaling
from visavis.services.cluster import edge as module
from visavis.services.cluster.owner import SILENCE_SECONDS
from visavis.services.ports import AskTimeoutError, NoResponderError
from visavis.store import open_store
from visavis.tasks import cancelled, child

pytestmark = pytest.mark.anyio

Ask = Callable[[str, bytes, float], Coroutine[Any, Any, bytes]]


@pytest.fixture
async def remote(new_database: Any, anyio_backend: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.0)
    store = open_store(str(new_database))
    await store.write(create_sites)
    opened = SiteAtEdge(store)
    yield opened
    await opened.calls.shut_down()
    store.close()


def edge_of(site: SiteAtEdge) -> module.Edge:
    calls: Any = site.calls
    assert isinstance(calls, CallsAtEdge)
    return calls.edge


def lose(site: SiteAtEdge, *, answers: bool, times: int = 1) -> None:
    """Lose the next requests, or only their answers."""
    ask: Ask = site.bus.ask
    left = times

    async def lossy(topic: str, message: bytes, seconds: float) -> bytes:
        nonlocal left
        if left:
            left -= 1
            if answers:
                await ask(topic, message, seconds)
                raise AskTimeoutError(topic)
            raise NoResponderError(topic)
        return await ask(topic, message, seconds)

    site.bus.ask = lossy  # type: ignore[method-assign]


@pytest.mark.parametrize("answers", [True, False])
async def test_a_request_is_performed_once_whatever_is_lost(
    remote: SiteAtEdge, answers: bool
) -> None:
    remote.calls.agent_arrived(agent_session("a"))
    lose(remote, answers=answers, times=3)
    call_id = await remote.ring()
    assert remote.heard("v").count("calling") == 1
    lose(remote, answers=answers)
    await remote.visitor(signaling.HangUp(call_id))
    assert remote.heard("v")[-1] == "ended"


async def test_an_error_arrives_as_it_was_raised(remote: SiteAtEdge) -> None:
    with pytest.raises(VisavisError) as raised:
        await remote.visitor(signaling.HangUp("gone"))
    assert raised.value.code == ErrorCode.CallGone.name
    assert raised.value.message == ErrorCode.CallGone.sentence


async def test_pages_of_a_node_that_falls_silent_are_disconnected(remote: SiteAtEdge) -> None:
    await remote.connect()
    edge = edge_of(remote)
    await edge.show_life()
    assert edge.is_in_call("v")
    assert edge.is_in_call("a")
    assert not edge.is_in_call("else")
    remote.owner.forget_silent()
    assert remote.calls.count == 1
    remote.time += SILENCE_SECONDS + 1
    remote.owner.forget_silent()
    assert not remote.calls._calls._presence.sessions(1)  # type: ignore[attr-defined]
    await edge.show_life()  # the node is back: its pages have to connect again
    moved = [edge.until_moved(socket_id, 1) for socket_id in ("v", "a")]
    await asyncio.wait_for(asyncio.gather(*moved), PATIENCE)


async def test_a_request_after_that_gets_no_answer_but_the_page_connects_again(
    remote: SiteAtEdge,
) -> None:
    call_id = await remote.connect()
    remote.time += SILENCE_SECONDS + 1
    remote.owner.forget_silent()
    edge = edge_of(remote)
    request = asyncio.ensure_future(
        edge.from_visitor(Visitor("v", 1), signaling.Say(call_id, "Hello?"))
    )
    await asyncio.wait_for(edge.until_moved("v", 1), PATIENCE)
    await edge.wait_idle()
    assert not request.done()
    request.cancel()


async def test_pages_of_a_site_that_changes_hands_connect_again(remote: SiteAtEdge) -> None:
    await remote.connect()
    edge = edge_of(remote)
    edge._owners.owner = "another"  # type: ignore[attr-defined]
    await edge.show_life()
    await asyncio.wait_for(edge.until_moved("v", 1), PATIENCE)
    assert edge._owners.forgotten == [1]  # type: ignore[attr-defined]


async def test_a_site_that_moves_before_its_page_is_known_costs_nothing(
    remote: SiteAtEdge,
) -> None:
    edge, owners = edge_of(remote), edge_of(remote)._owners
    owners.owner = "another"  # type: ignore[attr-defined]
    page = await edge._page("v", 1)
    owners.owner = "owner"  # type: ignore[attr-defined]
    await remote.visitor(signaling.Here("/shop"))
    assert not page.has_moved


async def test_a_node_that_restarts_has_left_its_pages(remote: SiteAtEdge) -> None:
    await remote.connect()
    edge = edge_of(remote)
    edge._boot = "later"
    await edge.show_life()
    assert not remote.calls._calls._presence.sessions(1)  # type: ignore[attr-defined]


async def test_nobody_answers_for_too_long(
    remote: SiteAtEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.05)
    call_id = await remote.connect()
    lose(remote, answers=False, times=1_000_000)
    assert await refused(edge_of(remote).end(1, call_id)) is ErrorKind.StoreUnavailable
    edge_of(remote).renew_relays("v")  # is not in a call as far as this node knows
    edge_of(remote).revoke(agent_session("a"))
    await asyncio.wait_for(edge_of(remote).until_moved("a", 1), PATIENCE)


async def test_a_console_whose_site_moves_before_it_is_welcomed_is_refused(
    remote: SiteAtEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.05)
    lose(remote, answers=False, times=1_000_000)
    welcome = edge_of(remote).welcome(agent_session("a"))
    assert await asyncio.wait_for(refused(welcome), PATIENCE) is ErrorKind.StoreUnavailable


async def test_a_console_that_leaves_before_it_is_welcomed(
    remote: SiteAtEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.05)
    lose(remote, answers=False, times=1_000_000)
    edge, agent = edge_of(remote), agent_session("a")
    page = await edge._page("a", 1)
    edge._send(page, cluster.AgentWelcome(module._session(agent))).cancel()
    await edge.wait_idle()
    assert page.has_moved


async def test_a_page_asks_too_much_at_once(remote: SiteAtEdge) -> None:
    edge = edge_of(remote)
    messages = [signaling.Here(f"/{number}") for number in range(40)]
    asked = (edge.from_visitor(Visitor("v", 1), message) for message in messages)
    results = await asyncio.gather(*asked, return_exceptions=True)
    kinds = [error.kind for error in results if isinstance(error, VisavisError)]
    assert set(kinds) == {ErrorKind.TooManyRequests}
    assert results[0] is None


async def test_a_request_that_fails_is_counted_and_answered(remote: SiteAtEdge) -> None:
    edge = edge_of(remote)
    with dies_once("requests of a page", edge, "_ask") as has_died:
        assert await refused(remote.visitor(signaling.Here("/"))) is ErrorKind.InternalError
        while not has_died():
            await asyncio.sleep(0)
    await remote.visitor(signaling.Here("/"))


async def test_an_owner_that_fails_is_counted(
    remote: SiteAtEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.05)
    with dies_once("request of a page", remote.owner, "_result"):
        edge = edge_of(remote)
        asked = asyncio.ensure_future(edge.from_visitor(Visitor("v", 1), signaling.Here("/")))
        await asyncio.wait_for(edge.until_moved("v", 1), PATIENCE)
    asked.cancel()


async def test_staffing_is_learned_and_changes_are_told(remote: SiteAtEdge) -> None:
    edge = edge_of(remote)
    told = list[int]()

    async def tell(site_id: int) -> None:
        told.append(site_id)

    edge._staffing_changed = tell
    assert edge.is_staffed(1)
    remote.calls.site(1).is_staffed = False
    await edge.learn_staffing(1)
    assert not edge.is_staffed(1)
    await remote.visitor(signaling.PlaceCall("video", OFFER))
    remote.calls.site(1).is_staffed = True
    await edge.show_life()
    assert edge.is_staffed(1)
    assert told == [1]
    edge.visitor_left(Visitor("v", 1))
    await edge.show_life()
    assert edge._staffed == {}


async def test_a_site_of_this_node_needs_no_bus(remote: SiteAtEdge) -> None:
    edge, owners = edge_of(remote), edge_of(remote)._owners
    owners.owner = "edge"  # type: ignore[attr-defined]
    lose(remote, answers=False, times=1_000_000)
    agent = agent_session("a")
    await edge.welcome(agent)
    edge.agent_arrived(agent)
    call_id = await remote.ring()
    assert edge.is_in_call("v")
    assert edge.is_staffed(1)
    edge.renew_relays("v")
    await edge.learn_staffing(1)
    await edge.from_agent(agent, signaling.Decline(call_id))
    edge.revoke(agent)
    edge.agent_left(agent)
    edge.visitor_left(Visitor("v", 1))
    made = await edge.create(agent.agent, "video", "Ann", "")
    assert (await edge.find_join_link(made.visitor_token)).call_id == made.call_id
    await edge.end(1, made.call_id)


async def test_join_links_of_another_owner(remote: SiteAtEdge) -> None:
    edge = edge_of(remote)
    made = await edge.create(agent_session("a").agent, "video", "Ann", "")
    assert (await edge.find_join_link(made.visitor_token)).call_id == made.call_id
    assert await refused(edge.find_join_link("1-guess")) is ErrorKind.EntityNotFound
    remote.time += 100.0
    remote.owner.forget_silent()
    remote.owner.forget_silent()
    await edge.end(1, made.call_id)


async def test_a_console_is_welcomed_by_its_owner_and_leaves_it(remote: SiteAtEdge) -> None:
    edge, agent = edge_of(remote), agent_session("a")
    presence = remote.calls._calls._presence  # type: ignore[attr-defined]
    welcome = await edge.welcome(agent)
    assert (welcome.site_id, welcome.agent_id) == (1, agent.agent.id)
    edge.agent_arrived(agent)
    await edge.wait_idle()
    assert presence.sessions(1)
    edge.agent_left(agent)
    await edge.wait_idle()
    assert not presence.sessions(1)


async def test_pages_that_are_not_known_have_nothing_to_leave(remote: SiteAtEdge) -> None:
    edge = edge_of(remote)
    edge.visitor_left(Visitor("v", 1))
    edge.agent_left(agent_session("a"))
    edge.revoke(agent_session("a"))
    edge.renew_relays("v")
    assert not edge.is_in_call("v")


async def test_relays_are_renewed_at_the_owner(remote: SiteAtEdge) -> None:
    await remote.connect()
    edge = edge_of(remote)
    await edge.show_life()
    edge.renew_relays("v")
    edge.revoke(agent_session("a"))
    await edge.wait_idle()
    assert "v" in remote.owner._nodes["edge"].sockets


async def test_pages_of_other_owners_and_new_pages_are_left_alone(remote: SiteAtEdge) -> None:
    edge = edge_of(remote)
    elsewhere = edge._pages["else"] = module._Page("else", 2, "third", "session")
    new = await edge._page("v", 1)
    await edge._page("w", 1)
    await edge.show_life()
    assert not elsewhere.has_moved
    assert not new.session
    edge.visitor_left(Visitor("v", 1))
    assert list(edge._sites[1]) == ["w"]


async def test_a_page_that_asks_twice_at_once_is_one_page(
    remote: SiteAtEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge = edge_of(remote)

    async def slow(_: int) -> str:
        await asyncio.sleep(0)
        return "owner"

    monkeypatch.setattr(edge._owners, "owner_of", slow)
    first, second = await asyncio.gather(edge._page("v", 1), edge._page("v", 1))
    assert first is second
    assert list(edge._sites[1]) == ["v"]


async def test_requests_that_wait_for_one_that_fails_are_answered(remote: SiteAtEdge) -> None:
    edge = edge_of(remote)
    visitor = Visitor("v", 1)
    with dies_once("requests of a page", edge, "_ask") as has_died:
        asked = (edge.from_visitor(visitor, signaling.Here(f"/{number}")) for number in range(3))
        results = await asyncio.gather(*asked, return_exceptions=True)
        while not has_died():
            await asyncio.sleep(0)
    assert {type(result) for result in results} == {VisavisError}


@pytest.mark.parametrize("message", [signaling.Here("/"), signaling.HangUp("gone")])
async def test_a_page_that_no_longer_waits_for_its_answer(
    remote: SiteAtEdge, message: signaling.FromVisitor
) -> None:
    edge = edge_of(remote)
    page = await edge._page("v", 1)
    edge._send(page, cluster.VisitorMessage(Visitor("v", 1), message)).cancel()
    await edge.wait_idle()
    assert not page.is_busy


@pytest.mark.parametrize(
    ("kind", "known"),
    [("NewKind", ErrorKind.InternalError), ("StoreUnavailable", ErrorKind.StoreUnavailable)],
)
def test_an_error_that_only_a_newer_version_knows(kind: str, known: ErrorKind) -> None:
    refused = cluster.RequestRefused("", kind, "NewCode", "Sentence.", None, {})
    error = module._error_of(refused)
    assert (error.kind, error.message) == (known, "Sentence.")


async def test_the_owners_are_told_again_and_again(
    remote: SiteAtEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ALIVE_SECONDS", 0.0)
    edge = edge_of(remote)
    await edge._page("v", 1)
    running = child(edge.run())
    while "edge" not in remote.owner._nodes:
        await asyncio.sleep(0)
    remote.owner._nodes.clear()
    while "edge" not in remote.owner._nodes:
        await asyncio.sleep(0)
    await cancelled(running)


async def test_a_page_that_arrives_knows_its_site(remote: SiteAtEdge) -> None:
    edge = edge_of(remote)
    remote.calls.site(1).is_staffed = False
    await edge.arrive("v", 1)
    assert not edge.is_staffed(1)
    assert list(edge._sites[1]) == ["v"]


async def test_a_page_waits_until_its_site_has_an_owner(
    remote: SiteAtEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SEARCH_PAUSE_SECONDS", 0.0)
    edge, asked = edge_of(remote), list[int]()
    owner_of = edge._owners.owner_of

    async def late(site_id: int) -> str:
        asked.append(site_id)
        if len(asked) < 4:
            raise VisavisError(ErrorKind.StoreUnavailable)
        return await owner_of(site_id)

    monkeypatch.setattr(edge._owners, "owner_of", late)
    await edge.arrive("v", 1)
    asked.clear()
    await edge.show_life()
    assert not edge._pages["v"].has_moved
    monkeypatch.setattr(module, "PATIENCE_SECONDS", -1.0)
    asked.clear()
    assert await refused(edge.arrive("w", 1)) is ErrorKind.StoreUnavailable
    assert "w" not in edge._pages


async def test_no_owner_is_known_while_a_request_is_repeated(
    remote: SiteAtEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge = edge_of(remote)
    await edge.arrive("v", 1)

    async def away(_: int) -> str:
        raise VisavisError(ErrorKind.StoreUnavailable)

    monkeypatch.setattr(edge._owners, "owner_of", away)
    lose(remote, answers=False, times=2)
    await remote.visitor(signaling.Here("/"))
    assert not edge._pages["v"].has_moved


async def test_pages_of_a_site_that_this_node_loses_connect_again(remote: SiteAtEdge) -> None:
    edge, owners = edge_of(remote), edge_of(remote)._owners
    owners.owner = "edge"  # type: ignore[attr-defined]
    agent = agent_session("a")
    await edge.arrive("v", 1)
    await edge.welcome(agent)
    edge.agent_arrived(agent)
    moved = asyncio.ensure_future(edge.until_moved("v", 1))
    await asyncio.sleep(0)
    edge.site_lost(1)
    edge.site_lost(1)
    edge.site_lost(2)
    await asyncio.wait_for(moved, PATIENCE)
    edge.agent_left(agent)
    edge.visitor_left(Visitor("v", 1))
    assert edge._sites == {}
    assert remote.calls._calls._presence.sessions(1)  # type: ignore[attr-defined]  # not told

    owners.owner = "owner"  # type: ignore[attr-defined]
    await edge.arrive("w", 1)
    edge.site_lost(1)
    assert not edge._pages["w"].has_moved


async def test_requests_wait_until_this_node_knows_its_sites(remote: SiteAtEdge) -> None:
    edge, owners = edge_of(remote), edge_of(remote)._owners
    owners.owner = "edge"  # type: ignore[attr-defined]
    is_known, visitor, agent = asyncio.Event(), Visitor("v", 1), agent_session("a")

    async def settled() -> None:
        await is_known.wait()

    edge._settled = settled
    assert await edge.arrive("v", 1) == await edge.arrive("a", 1) == "edge"
    welcome = child(edge.welcome(agent))
    place = child(edge.from_visitor(visitor, signaling.PlaceCall("video", OFFER)))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not place.done()
    assert not welcome.done()
    is_known.set()
    await welcome
    await place
    is_known.clear()
    request = child(edge.from_visitor(visitor, signaling.PlaceCall("video", OFFER)))
    accept = child(edge.from_agent(agent, signaling.Accept("any")))
    for _ in range(5):
        await asyncio.sleep(0)
    edge.site_lost(1)
    is_known.set()
    await asyncio.wait_for(edge.until_moved("v", 1), PATIENCE)
    for _ in range(5):
        await asyncio.sleep(0)
    assert not request.done()  # their sockets are about to be closed
    assert not accept.done()
    await cancelled(request, accept)


async def test_a_page_whose_site_comes_here_while_it_asks_connects_again(
    remote: SiteAtEdge,
) -> None:
    edge, owners = edge_of(remote), edge_of(remote)._owners
    await edge.arrive("v", 1)
    lose(remote, answers=False)
    owners.owner = "edge"  # type: ignore[attr-defined]
    asked = asyncio.ensure_future(edge.from_visitor(Visitor("v", 1), signaling.Here("/")))
    await asyncio.wait_for(edge.until_moved("v", 1), PATIENCE)
    asked.cancel()


async def test_the_former_owner_says_that_a_site_has_moved(
    remote: SiteAtEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge = edge_of(remote)
    monkeypatch.setattr(remote.owner._owners, "owner", "another")
    await edge.arrive("v", 1)
    assert edge._owners.forgotten == [1]  # type: ignore[attr-defined]
    assert edge._staffed == {}


async def test_a_join_link_of_no_site_is_looked_for_here(remote: SiteAtEdge) -> None:
    edge = edge_of(remote)
    lose(remote, answers=False, times=1_000_000)
    for token in ("guess", "9-guess"):
        assert await refused(edge.find_join_link(token)) is ErrorKind.EntityNotFound


async def test_a_join_link_of_a_site_that_has_just_come_here(
    remote: SiteAtEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge, owners = edge_of(remote), edge_of(remote)._owners
    made = await edge.create(agent_session("a").agent, "video", "Ann", "")
    owners.owner = "edge"  # type: ignore[attr-defined]
    monkeypatch.setattr(owners, "owns", lambda _: False)
    assert (await edge.find_join_link(made.visitor_token)).call_id == made.call_id
