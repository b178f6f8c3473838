from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

import pytest
from msgspec import structs

from tests.services.site import NOW, Time, refused
from visavis.domain.call import CallRecord, CallState
from visavis.domain.delivery_status import DeliveryProgress, RecordingServer, ServerCheck
from visavis.domain.errors import ErrorKind
from visavis.domain.membership import Member
from visavis.domain.people import Agent, Visitor
from visavis.domain.recording import Delivery, DeliveryTrigger, Manifest, RecordingState
from visavis.services.audit import Auditor
from visavis.services.ports import Transaction
from visavis.services.recordings import (
    EVERY_STATE,
    RecordingAdmin,
    Recordings,
    RecordingTotals,
    totals_of,
)
from visavis.store.sql import SqlStore

pytestmark = pytest.mark.anyio

ARCHIVE = "https://archive.example/files"
DELIVERY = Delivery(sha256="0" * 64, size=9, duration=3.0, missing=("No video.",))


class Servers:
    """Test of recording servers that only remembers the server."""

    def __init__(self) -> None:
        self.checked: list[tuple[str, str | None]] = []

    async def check(self, site_id: int, server: RecordingServer) -> ServerCheck:
        assert site_id == 1
        self.checked.append((server.url, server.secret))
        return ServerCheck(is_ok=True, message="It takes recordings.")


def manifest(name: str, minutes: int = 0) -> Manifest:
    return Manifest(
        recording_id=name,
        site_id=1,
        call_id=f"call-{name}",
        media="video",
        visitor_name="Ann",
        agent_name="Bo",
        started_at=NOW - timedelta(minutes=minutes),
    )


@pytest.fixture
def recordings(store: SqlStore, time: Time, agent: Agent) -> Recordings:
    assert agent.site_id == 1
    return Recordings(store, time, ARCHIVE)


@pytest.fixture
def servers() -> Servers:
    return Servers()


@pytest.fixture
def admin(store: SqlStore, time: Time, servers: Servers) -> RecordingAdmin:
    return RecordingAdmin(store, time, ARCHIVE, servers, Auditor(time, lambda: "entry"))


async def test_progress_of_a_recording_that_the_database_does_not_know_adds_it(
    recordings: Recordings, admin: RecordingAdmin, agent: Agent
) -> None:
    """The database may have been away when the call began, so the spool is authoritative."""
    await recordings.save_progress(manifest("r"), DeliveryProgress(DeliveryTrigger.MUX))
    assert (await admin.get(agent, "r")).state is RecordingState.MUXING


async def test_a_delivery_is_noted_once(
    recordings: Recordings, admin: RecordingAdmin, agent: Agent, time: Time
) -> None:
    await recordings.record_delivery(manifest("r"), DELIVERY, "https://server.example")
    time.now += timedelta(hours=1)
    await recordings.record_delivery(manifest("r"), DELIVERY, "https://other.example")
    found = await admin.get(agent, "r")
    assert (found.state, found.delivered_at) == (RecordingState.DELIVERED, NOW)
    assert found.server_url == "https://server.example"
    assert found.is_incomplete


async def test_lists_and_totals(
    recordings: Recordings, admin: RecordingAdmin, agent: Agent
) -> None:
    await recordings.save_progress(manifest("old", 10), DeliveryProgress(DeliveryTrigger.GIVE_UP))
    await recordings.save_progress(manifest("new", 5), DeliveryProgress(DeliveryTrigger.UPLOAD))
    await recordings.record_delivery(manifest("done"), DELIVERY, ARCHIVE)
    page = await admin.list_page(agent, EVERY_STATE, 1, 2)
    assert (page.total, [one.id for one in page.recordings]) == (3, ["done", "new"])
    assert (page.backlog.pending, page.backlog.failed, page.missing) == (2, 1, 0)
    assert await admin.tally() == RecordingTotals(
        pending=2, failed=1, incomplete=1, oldest_seconds=600.0
    )
    assert await admin.missing(agent) == []


async def test_a_recording_waits_for_a_silent_node(
    store: SqlStore, recordings: Recordings, admin: RecordingAdmin, agent: Agent
) -> None:
    def fill(rows: Transaction) -> None:
        for node_id in ("alive", "dead"):
            rows.nodes.save(node_id, "", NOW, f"machine-{node_id}")
        rows.members.beat(Member("alive", "boot", NOW, "1", "machine-alive", "", ()))
        rows.recordings.add(manifest("a", 3), "alive")
        rows.recordings.add(manifest("b", 2), "alive")
        for _ in range(2):  # a journal of the call is in another spool, too
            rows.recordings.add(manifest("b", 2), "dead")
        rows.recordings.add(manifest("c", 1), "unheard of")
        rows.recordings.add(manifest("d"), "dead")

    await store.write(fill)
    await recordings.record_delivery(manifest("d"), DELIVERY, ARCHIVE)
    page = await admin.list_page(agent, EVERY_STATE, 1, 4)
    d, c, b, a = page.recordings
    assert [node.machine for node in b.nodes] == ["machine-alive", "machine-dead"]
    assert [node.machine for node in b.awaited_nodes] == ["machine-dead"]
    assert b == await admin.get(agent, "b")
    assert [node.machine for node in c.nodes] == ["unheard of"]
    assert d.nodes == c.awaited_nodes == a.awaited_nodes == ()
    assert (await admin.tally()).awaiting_nodes == 1


async def test_a_recording_of_a_dead_node_is_adopted(
    store: SqlStore, recordings: Recordings, admin: RecordingAdmin, agent: Agent
) -> None:
    def fill(rows: Transaction) -> None:
        for node_id in ("alive", "dead"):
            rows.nodes.save(node_id, "", NOW, f"machine-{node_id}")
        rows.members.beat(Member("alive", "boot", NOW, "1", "machine-alive", "", ()))
        rows.recordings.add(manifest("theirs"), "alive")
        rows.recordings.add(manifest("r"), "dead")
        call = CallRecord("call-r", 1, Visitor("v", 1), "video", True, NOW, CallState.CONNECTED)
        rows.calls.save(call, "dead")

    await store.write(fill)
    assert await recordings.ended_calls(frozenset({(1, "call-r")})) == frozenset()
    for _ in range(2):  # the command may be killed before the files are moved
        await admin.adopt(manifest("r"), "me")
    assert [node.id for node in (await admin.get(agent, "r")).nodes] == ["me"]
    assert await recordings.ended_calls(frozenset({(1, "call-r")})) == {(1, "call-r")}
    await admin.adopt(manifest("not in the database"), "")
    assert (await admin.get(agent, "not in the database")).nodes == ()
    await refused(ErrorKind.PreconditionFailed, admin.adopt(manifest("theirs"), "me"))
    await admin.adopt(manifest("theirs"), "alive")
    await recordings.record_delivery(manifest("r"), DELIVERY, ARCHIVE)
    await refused(ErrorKind.PreconditionFailed, admin.adopt(manifest("r"), "me"))
    await refused(
        ErrorKind.EntityNotFound, admin.adopt(structs.replace(manifest("r"), site_id=9), "me")
    )


def fill_nodes(rows: Transaction) -> None:
    """The recording `r` has journals on a dead node, which is its home, and on one that runs."""
    for node_id in ("alive", "dead", "gone"):
        rows.nodes.save(node_id, "", NOW, f"machine-{node_id}")
    rows.members.beat(Member("alive", "boot", NOW, "1", "machine-alive", "", ()))
    for node_id in ("dead", "alive"):
        rows.recordings.add(manifest("r"), node_id)


async def test_the_adopter_of_one_of_several_nodes_takes_its_place(
    store: SqlStore, recordings: Recordings, admin: RecordingAdmin, agent: Agent
) -> None:
    await store.write(fill_nodes)
    await refused(ErrorKind.PreconditionFailed, admin.adopt(manifest("r"), "me"))  # whose spool?
    await refused(ErrorKind.PreconditionFailed, admin.adopt(manifest("r"), "me", "alive"))
    for _ in range(2):
        await admin.adopt(manifest("r"), "me", "dead")
    assert [node.id for node in (await admin.get(agent, "r")).nodes] == ["me", "alive"]
    assert await recordings.record_collection(manifest("r"), "me", "alive", {"0002-x": 1})
    await refused(ErrorKind.PreconditionFailed, admin.adopt(manifest("r"), "you", "alive"))
    shares = (await recordings.shares([(1, "r")]))["r"]
    assert (shares.nodes, shares.collected) == (("me",), {"alive": {"0002-x": 1}})


async def test_a_recording_is_delivered_without_a_node_that_is_given_up(
    store: SqlStore, recordings: Recordings, admin: RecordingAdmin, agent: Agent
) -> None:
    await store.write(fill_nodes)
    for recording_id, machine in (("r", "alive"), ("r", "machine-gone"), ("r", "unknown")):
        await refused(
            ErrorKind.PreconditionFailed, admin.deliver_without(agent, recording_id, machine)
        )
    await refused(ErrorKind.EntityNotFound, admin.deliver_without(agent, "none", "dead"))
    before = await store.read(lambda rows: rows.audit.count(1))
    await admin.deliver_without(agent, "r", "machine-dead")
    shares = (await recordings.shares([(1, "r")]))["r"]
    assert (shares.nodes, shares.abandoned) == (("alive",), {"dead": "machine-dead"})
    assert await store.read(lambda rows: rows.audit.count(1)) == before + 1
    await store.write(lambda rows: rows.members.stop("alive", "boot"))
    await refused(ErrorKind.PreconditionFailed, admin.deliver_without(agent, "r", "alive"))
    await recordings.record_delivery(manifest("r"), DELIVERY, ARCHIVE)
    await refused(ErrorKind.PreconditionFailed, admin.deliver_without(agent, "r", "alive"))


async def test_recorders_find_each_other_in_the_database(
    store: SqlStore, time: Time, agent: Agent
) -> None:
    recordings = Recordings(store, time, ARCHIVE, lambda: "token")
    await recordings.save_recorder("new", "https://10.0.0.2:8453", "PEM")
    found = (await recordings.spool_nodes())["new"]
    assert (found.recorder_url, found.recorder_certificate) == ("https://10.0.0.2:8453", "PEM")
    await recordings.list_journals(manifest("r"), "new")
    await recordings.list_journals(manifest("s"), "new")
    assert await recordings.allow_handover(manifest("r")) == "token"
    assert await recordings.is_handover_allowed(1, "r", "token")
    for site_id, recording_id, token in ((1, "r", "other"), (1, "s", "token"), (2, "r", "token")):
        assert not await recordings.is_handover_allowed(site_id, recording_id, token)
    assert not await recordings.record_collection(manifest("r"), "other", "new", {})
    assert not await recordings.record_collection(manifest("unknown"), "new", "other", {})


def test_totals_that_another_process_has_counted() -> None:
    totals = RecordingTotals(
        pending=2, failed=1, incomplete=1, missing=4, awaiting_nodes=5, oldest_seconds=600.5
    )
    assert totals_of({**asdict(totals), "later": 1}) == totals
    assert totals_of({}) == RecordingTotals()


@pytest.mark.parametrize(("named", "count"), [(None, 1), (["r"], 1), (["done"], 0)])
async def test_what_is_not_delivered_is_tried_again(
    recordings: Recordings,
    admin: RecordingAdmin,
    agent: Agent,
    named: list[str] | None,
    count: int,
) -> None:
    await recordings.save_progress(manifest("r"), DeliveryProgress(DeliveryTrigger.GIVE_UP))
    await recordings.record_delivery(manifest("done"), DELIVERY, ARCHIVE)
    assert await admin.retry(agent, named) == count
    [plan] = (await recordings.delivery_plans(frozenset({1}))).values()
    assert plan.server.url == ARCHIVE
    assert plan.retries == (frozenset({"r"}) if count else frozenset())
    await recordings.clear_retries(1, plan.retries)
    [plan] = (await recordings.delivery_plans(frozenset({1}))).values()
    assert plan.retries == frozenset()


async def test_a_deleted_recording_was_delivered(
    recordings: Recordings, admin: RecordingAdmin, agent: Agent
) -> None:
    await recordings.save_progress(manifest("r"), DeliveryProgress(DeliveryTrigger.UPLOAD))
    await admin.mark_deleted(1, "r")
    assert (await admin.get(agent, "r")).state is RecordingState.DELIVERING
    await recordings.record_delivery(manifest("r"), DELIVERY, ARCHIVE)
    await admin.mark_deleted(1, "r")
    assert (await admin.get(agent, "r")).state is RecordingState.DELETED


async def test_calls_that_nobody_knows_are_over(recordings: Recordings) -> None:
    assert await recordings.ended_calls(frozenset({(1, "c")})) == {(1, "c")}
    assert await recordings.call_report(1, "c") is None


async def test_the_site_s_own_server_is_checked_unless_another_is_named(
    admin: RecordingAdmin, agent: Agent, servers: Servers
) -> None:
    await admin.check_server(agent, None, None)
    await admin.check_server(agent, ARCHIVE, None)
    await admin.check_server(agent, "https://other.example", "secret")
    await admin.check_server(agent, None, "secret")
    assert servers.checked == [
        (ARCHIVE, None),
        (ARCHIVE, None),
        ("https://other.example", "secret"),
        (ARCHIVE, "secret"),
    ]


async def test_what_does_not_exist_is_not_found(
    store: SqlStore, time: Time, admin: RecordingAdmin, agent: Agent
) -> None:
    await refused(ErrorKind.EntityNotFound, admin.get(agent, "r"))
    without = RecordingAdmin(store, time, ARCHIVE, None, Auditor(time, str))
    await refused(ErrorKind.EntityNotFound, without.check_server(agent, None, None))


async def test_only_an_embedded_database_needs_no_comparison_of_clocks(
    recordings: Recordings, database: str
) -> None:
    is_embedded = not database.startswith("postgresql")
    assert (await recordings.clock_offset() is None) == is_embedded
