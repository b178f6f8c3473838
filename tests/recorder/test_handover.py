"""A call whose journals are on two nodes becomes one file, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import errno
import fcntl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from msgspec import structs
from structlog.testing import capture_logs

from tests.dying import dies_once
from tests.recorder.conftest import STARTED_AT, manifest_of, put_muxed
from tests.recorder.fake_server import FakeRecordingServer
from tests.recorder.journals import put_journal
from tests.recorder.two_nodes import RecorderNode, put_piece
from tests.running import PATIENCE, until
from tests.synthetic.matroska import without_uids
from visavis.domain.call import CallRecord, CallState
from visavis.domain.delivery_status import RecordingStatus
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.handover import RecordingShares, after_adoption
from visavis.domain.membership import MemberState
from visavis.domain.people import Visitor
from visavis.domain.recording import MATROSKA, RecordingState, journal_name
from visavis.recorder import handover, handover_client, sweeper
from visavis.recorder.handover import LOOK_SECONDS
from visavis.recorder.handover_client import HandoverError, collect
from visavis.recorder.handover_protocol import OfferedJournal
from visavis.recorder.mux.requests import MuxRequest
from visavis.recorder.mux.worker import perform
from visavis.services.ports import Transaction
from visavis.services.recordings import Recordings
from visavis.services.secrets import digest
from visavis.spool import pieces
from visavis.spool import reader as spool_reader
from visavis.store import open_store
from visavis.store.sql import SqlStore

pytestmark = pytest.mark.anyio


class NodePair:
    """Two nodes, the first of which has the first journal of the recording `r`."""

    def __init__(self, directory: Path, store: SqlStore, server: FakeRecordingServer) -> None:
        self.now = 0.0
        self.store = store
        self.server = server
        self.home, self.other = (
            RecorderNode(directory, store, name, lambda: self.now) for name in "ab"
        )

    async def start(self) -> None:
        def work(rows: Transaction) -> None:
            rows.sites.add("One", STARTED_AT)
            config = rows.settings.lock(1).config
            rows.settings.put_config(
                replace(config, recording_server_url=self.server.url, version=1)
            )
            for node in (self.home, self.other):
                rows.recordings.add(manifest_of("r"), node.id)

        await self.store.write(work)
        for node in (self.home, self.other):
            await node.live()

    async def row(self, recording_id: str = "r") -> RecordingStatus:
        found = await self.store.read(lambda rows: rows.recordings.get(1, recording_id))
        assert found
        return found

    async def save_call(self, state: CallState) -> None:
        call = CallRecord(
            id="call-r",
            site_id=1,
            visitor=Visitor("v", 1),
            media="audio",
            is_recorded=True,
            requested_at=STARTED_AT,
            state=state,
            recording_id="r",
        )
        await self.store.write(lambda rows: rows.calls.save(call, "a"))

    async def sweep(self, times: int = 3) -> None:
        for _ in range(times):
            await self.home.sweep()
            await self.other.sweep()


@pytest.fixture
async def pair(
    tmp_path: Path, new_database: Path, server: FakeRecordingServer, anyio_backend: str
) -> AsyncIterator[NodePair]:
    store = open_store(str(new_database))
    pair = NodePair(tmp_path, store, server)
    await pair.start()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(pair.other.serving())
        await stack.enter_async_context(pair.home.serving())
        yield pair
        for node in (pair.home, pair.other):
            await node.sweeper.close()
    store.close()


def undisturbed(directory: Path) -> bytes:
    """Return the file of the same call, with both journals in one spool."""
    whole = put_piece(directory / "one", 1, 2.0)
    pieces.merge(put_piece(directory / "two", 2, 2.0), whole)
    perform(MuxRequest(str(whole), None))
    return (whole / MATROSKA).read_bytes()


async def test_two_journals_become_one_file(pair: NodePair, tmp_path: Path) -> None:
    put_piece(pair.home.spool, 1, 2.0)
    put_piece(pair.other.spool, 2, 2.0)
    await pair.home.sweep(2)
    assert (await pair.row()).state is RecordingState.WAITING
    await pair.other.sweep()
    assert (pair.other.spool / "r").exists()  # until the database says that it is delivered
    await pair.sweep()
    (content,) = pair.server.contents
    assert without_uids(content) == without_uids(undisturbed(tmp_path / "whole"))
    row = await pair.row()
    assert (row.state, row.missing) == (RecordingState.DELIVERED, ())
    assert row.duration == pytest.approx(5.0, abs=0.05)
    assert list(pair.home.spool.iterdir()) == list(pair.other.spool.iterdir()) == []


async def test_a_recording_waits_for_a_node_that_is_silent(pair: NodePair) -> None:
    put_piece(pair.home.spool, 1, 1.0)
    put_piece(pair.other.spool, 2, 1.0)
    await pair.other.live(is_silent=True)
    await pair.home.sweep(3)
    assert pair.server.asked == []
    assert (await pair.row()).last_error is None
    await pair.other.live()
    await pair.sweep()  # at once, whatever time has passed
    assert (await pair.row()).state is RecordingState.DELIVERED


async def test_nothing_is_collected_while_the_call_goes_on_or_a_journal_is_written(
    pair: NodePair,
) -> None:
    put_piece(pair.home.spool, 1, 1.0)
    journal = put_piece(pair.other.spool, 2, 1.0) / journal_name(2)
    await pair.save_call(CallState.CONNECTED)
    await pair.sweep()
    assert pair.server.asked == []
    await pair.save_call(CallState.ENDED)
    with journal.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        await pair.sweep()
        assert "may still write" in str((await pair.row()).last_error)
    pair.now = 10.0
    await pair.sweep()
    assert (await pair.row()).state is RecordingState.DELIVERED


async def test_a_node_that_could_not_record_is_not_waited_for(pair: NodePair) -> None:
    put_piece(pair.home.spool, 1, 1.0)
    await pair.sweep()
    assert (await pair.row()).state is RecordingState.DELIVERED


async def test_a_recorder_without_an_address_is_named(pair: NodePair) -> None:
    put_piece(pair.home.spool, 1, 1.0)
    put_piece(pair.other.spool, 2, 1.0)
    await pair.other.recordings.save_recorder("b", "", "")
    await pair.sweep()
    assert (await pair.row()).last_error == "machine-b has no recorder_address."
    assert pair.server.asked == []


@pytest.mark.parametrize("is_stranger", [False, True])
async def test_a_recorder_that_does_not_answer_is_named(pair: NodePair, is_stranger: bool) -> None:
    """Nothing is sent to a server whose certificate is not that in the database."""
    put_piece(pair.home.spool, 1, 1.0)
    put_piece(pair.other.spool, 2, 1.0)
    nodes = await pair.home.recordings.spool_nodes()
    url = nodes["b"].recorder_url if is_stranger else "https://127.0.0.1:1"
    await pair.other.recordings.save_recorder("b", url, nodes["a"].recorder_certificate)
    await pair.sweep()
    assert "machine-b hands no packets over: " in str((await pair.row()).last_error)
    await pair.other.recordings.save_recorder(
        "b", nodes["b"].recorder_url, nodes["b"].recorder_certificate
    )
    pair.now = 10.0
    await pair.sweep()
    assert (await pair.row()).state is RecordingState.DELIVERED


async def test_a_token_is_for_one_recording_and_some_minutes(pair: NodePair) -> None:
    directory = put_piece(pair.home.spool, 1, 1.0)
    put_piece(pair.other.spool, 2, 1.0)
    node = (await pair.home.recordings.spool_nodes())["b"]
    await pair.store.write(lambda rows: rows.recordings.add(manifest_of("s"), "b"))
    token = await pair.home.recordings.allow_handover(manifest_of("s"))
    with pytest.raises(HandoverError, match="403"):
        await collect(directory, manifest_of("r"), node, token, 0)
    await pair.store.write(lambda rows: rows.recordings.allow_handover(1, "r", digest("old"), -1.0))
    with pytest.raises(HandoverError, match="403"):
        await collect(directory, manifest_of("r"), node, "old", 0)


async def test_an_interrupted_transfer_continues(
    pair: NodePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = put_piece(pair.home.spool, 1, 1.0)
    other = put_piece(pair.other.spool, 2, 1.0)
    journal = (other / journal_name(2)).read_bytes()
    place = pieces.place_of(directory, pieces.name_of(other / journal_name(2)))
    pieces.draft_of(place).write_bytes(journal[:1000])
    received: list[int] = []
    write_all = handover_client._write_all

    def count(file: object, block: bytes) -> None:
        received.append(len(block))
        write_all(file, block)  # type: ignore[arg-type]

    monkeypatch.setattr(handover_client, "_write_all", count)
    node = (await pair.home.recordings.spool_nodes())["b"]
    for _ in range(2):
        token = await pair.home.recordings.allow_handover(manifest_of("r"))
        found = await collect(directory, manifest_of("r"), node, token, 0)
        assert found == pieces.journal_names(other)
        assert sum(received) == len(journal) - 1000
    assert place.read_bytes() == journal


async def test_a_damaged_transfer_begins_again(pair: NodePair) -> None:
    directory = put_piece(pair.home.spool, 1, 1.0)
    other = put_piece(pair.other.spool, 2, 1.0)
    place = pieces.place_of(directory, pieces.name_of(other / journal_name(2)))
    pieces.draft_of(place).write_bytes(b"another journal")
    await pair.sweep()
    assert "did not arrive" in str((await pair.row()).last_error)
    pair.now = 10.0
    await pair.sweep()
    assert (await pair.row()).state is RecordingState.DELIVERED


async def test_two_different_journals_of_one_name_stay(pair: NodePair) -> None:
    directory = put_piece(pair.home.spool, 1, 1.0)
    other = put_piece(pair.other.spool, 2, 1.0)
    place = pieces.place_of(directory, pieces.name_of(other / journal_name(2)))
    place.write_bytes(b"another journal")
    await pair.sweep()
    assert "Two different journals" in str((await pair.row()).last_error)
    assert place.read_bytes() == b"another journal"
    assert pair.server.asked == []


async def test_a_full_disk_puts_it_off(pair: NodePair, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = put_piece(pair.home.spool, 1, 1.0)
    put_piece(pair.other.spool, 2, 1.0)
    with monkeypatch.context() as full:
        full.setattr(pair.home.handover, "_reserve_bytes", 1 << 60)
        await pair.sweep()
        assert "no room" in str((await pair.row()).last_error)

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    pair.now = 10.0
    with monkeypatch.context() as full:
        full.setattr(handover_client, "_write_all", fail)
        await pair.sweep()
        assert "No space left" in str((await pair.row()).last_error)
        assert list(directory.glob("*.part")) == []  # it would keep the disk full
    pair.now = 100.0
    await pair.sweep()
    assert (await pair.row()).state is RecordingState.DELIVERED


async def test_a_node_that_the_database_does_not_know_of_lists_its_journals(
    pair: NodePair,
) -> None:
    """The app died between the beginning of the journal and its entry in the database."""
    put_piece(pair.home.spool, 1, 1.0, manifest=manifest_of("s"))
    put_piece(pair.other.spool, 2, 1.0, manifest=manifest_of("s"))
    call = CallRecord(
        id="call-s",
        site_id=1,
        visitor=Visitor("v", 1),
        media="audio",
        is_recorded=True,
        requested_at=STARTED_AT,
        state=CallState.CONNECTED,
    )
    await pair.store.write(lambda rows: rows.calls.save(call, "a"))
    await pair.sweep(1)
    assert [node.id for node in (await pair.row("s")).nodes] == ["a", "b"]
    call.state = CallState.ENDED
    await pair.store.write(lambda rows: rows.calls.save(call, "a"))
    await pair.sweep(4)
    row = await pair.row("s")
    assert row.state is RecordingState.DELIVERED
    assert row.duration == pytest.approx(4.0, abs=0.05)


async def test_a_file_that_lacks_a_journal_is_made_again(pair: NodePair) -> None:
    put_muxed(pair.home.spool, "r")
    put_journal(pair.other.spool, manifest_of("r"), 1.0)
    await pair.home.sweep()
    assert pair.server.asked == []
    await pair.sweep()
    assert (await pair.row()).state is RecordingState.DELIVERED
    assert b"OpusHead" in pair.server.contents[0]


async def test_journals_that_came_too_late_are_kept(pair: NodePair) -> None:
    """Their node was listed when the server had the file already."""
    directory = put_muxed(pair.home.spool, "r")
    put_piece(pair.other.spool, 2, 1.0)
    delivery = spool_reader.read_delivery(directory)
    assert delivery
    spool_reader.write_delivery(
        directory,
        structs.replace(delivery, is_uploaded=True, server_url=pair.server.url),
    )
    with capture_logs() as logged:
        await pair.sweep()
    assert (await pair.row()).state is RecordingState.DELIVERED
    assert "journals are not in the delivered file" in [entry["event"] for entry in logged]
    assert [path.name for path in (pair.other.spool / "incomplete").iterdir()] == ["r"]


async def test_what_the_home_has_not_collected_is_never_removed(pair: NodePair) -> None:
    """A stale process of the other node wrote a further journal after it was collected."""
    put_piece(pair.home.spool, 1, 1.0)
    other = put_piece(pair.other.spool, 2, 1.0)
    await pair.home.sweep()
    (other / journal_name(3)).write_bytes((other / journal_name(2)).read_bytes())
    await pair.sweep()
    assert (await pair.row()).state is RecordingState.DELIVERED
    kept = pair.other.spool / "incomplete" / "r"
    assert len(spool_reader.journals(kept)) == 2


async def test_a_retry_is_left_to_the_home(pair: NodePair) -> None:
    put_piece(pair.home.spool, 1, 1.0)
    put_piece(pair.other.spool, 2, 1.0)
    await pair.store.write(lambda rows: rows.recordings.ask_retry(1, ["r"], STARTED_AT))
    await pair.other.sweep(2)
    assert (await pair.row()).retry_asked_at is not None
    await pair.home.sweep(2)
    assert (await pair.row()).retry_asked_at is None


async def test_a_home_that_was_replaced_records_nothing(
    pair: NodePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_piece(pair.home.spool, 1, 1.0)
    put_piece(pair.other.spool, 2, 1.0)

    async def slow(*arguments: object) -> dict[str, int]:
        def work(rows: Transaction) -> None:
            shares = rows.recordings.lock_shares(1, "r")
            assert shares
            rows.recordings.set_shares(after_adoption(shares, "a", "c"))

        await pair.store.write(work)
        return {"0002-00000000": 1}

    monkeypatch.setattr("visavis.recorder.handover.collect", slow)
    await pair.sweep()
    shares = (await pair.home.recordings.shares([(1, "r")]))["r"]
    assert (shares.nodes[0], shares.collected) == ("c", {})
    assert pair.server.asked == []


async def test_a_database_that_goes_away_puts_it_off(
    pair: NodePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise VisavisError(ErrorKind.StoreUnavailable)

    put_piece(pair.home.spool, 1, 1.0)
    put_piece(pair.other.spool, 2, 1.0)
    with monkeypatch.context() as broken:
        broken.setattr(Recordings, "record_collection", away)
        await pair.sweep()
    assert pair.server.asked == []
    pair.now = 10.0
    await pair.sweep()
    assert (await pair.row()).state is RecordingState.DELIVERED


async def test_a_collection_that_dies_is_repeated(pair: NodePair) -> None:
    put_piece(pair.home.spool, 1, 1.0)
    put_piece(pair.other.spool, 2, 1.0)
    with dies_once("collecting", pair.home.handover, "_collect_all"):
        await pair.sweep()
    pair.now = 100.0
    await pair.sweep()
    assert (await pair.row()).state is RecordingState.DELIVERED


async def test_journals_that_cannot_be_removed_are_tried_again(
    pair: NodePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Path) -> None:
        raise OSError(errno.EIO, "broken")

    put_piece(pair.home.spool, 1, 1.0)
    other = put_piece(pair.other.spool, 2, 1.0)
    await pair.home.sweep(4)
    with monkeypatch.context() as broken, capture_logs() as logged:
        broken.setattr(spool_reader, "remove", fail)
        await pair.other.sweep(2)
    assert [entry["event"] for entry in logged].count("journals not removed") == 1
    with spool_reader.claimed(other):
        pair.now = 10.0
        await pair.other.sweep()
        assert other.exists()
    await pair.other.sweep()
    assert not other.exists()


def test_a_recorder_is_not_trusted_with_names(tmp_path: Path) -> None:
    """A file outside the recording is never written, even if the other recorder is broken."""
    for number, piece in (("../x", "1a2b3c4d"), ("0001", "../../x"), ("", "")):
        offered = OfferedJournal(number, piece, 1, "", None)
        with pytest.raises(HandoverError, match="not a journal"):
            handover_client._place(tmp_path, offered)


async def test_the_server_refuses_what_no_token_allows(pair: NodePair) -> None:
    put_piece(pair.other.spool, 2, 1.0)
    node = (await pair.home.recordings.spool_nodes())["b"]
    context = handover_client._context(node.recorder_certificate)
    token = await pair.home.recordings.allow_handover(manifest_of("r"))
    async with httpx2.AsyncClient(verify=context, trust_env=False, timeout=PATIENCE) as client:
        path = f"{node.recorder_url}/recordings/1/r/journals"
        answers = [
            (await client.get(url, headers={"Authorization": f"{scheme} {secret}"})).status_code
            for url in (path, f"{path}/0002-12345678")
            for scheme, secret in (("Bearer", "x"), ("Basic", token), ("Bearer", token))
        ]
    assert answers == [403, 403, 200, 403, 403, 404]


# Nodes that are drained or stopped


async def shares(pair: NodePair) -> RecordingShares:
    return (await pair.home.recordings.shares([(1, "r")]))["r"]


def is_needed(node: RecorderNode) -> bool:
    return node.sweeper.is_needed


async def test_a_node_that_leaves_is_collected_while_the_call_goes_on(pair: NodePair) -> None:
    journal = put_piece(pair.home.spool, 1, 2.0) / journal_name(1)
    put_piece(pair.other.spool, 2, 2.0)
    await pair.save_call(CallState.CONNECTED)
    with journal.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # the home still records
        await pair.sweep()
        assert (await shares(pair)).nodes == ("a", "b")
        await pair.other.live(state=MemberState.DRAINING)
        assert is_needed(pair.other)
        pair.now += LOOK_SECONDS
        with dies_once("collecting from a node that leaves", pair.home.handover, "_collect_early"):
            await pair.home.sweep()
        pair.home.handover._collections -= 1  # what the dead task would have done
        pair.now += 100.0
        await pair.sweep(1)
        pair.now += LOOK_SECONDS
        await pair.sweep(1)
    assert (await shares(pair)).nodes == ("a",)
    await pair.other.sweep()
    assert not is_needed(pair.other)
    assert pair.server.contents == []
    await pair.other.live(is_silent=True)
    await pair.save_call(CallState.ENDED)
    await pair.home.sweep(3)
    row = await pair.row()
    assert row.state is RecordingState.DELIVERED
    assert row.duration == pytest.approx(5.0, abs=0.05)


async def test_a_home_that_leaves_makes_another_node_the_home(pair: NodePair) -> None:
    put_piece(pair.home.spool, 1, 2.0)
    put_piece(pair.other.spool, 2, 2.0)
    await pair.save_call(CallState.CONNECTED)
    pair.home.handover.is_leaving = lambda: True
    await pair.other.live(is_silent=True)
    await pair.home.sweep()
    assert (await shares(pair)).nodes == ("a", "b")  # nobody else is there
    await pair.home.live(state=MemberState.DRAINING)
    await pair.other.live()
    pair.now += LOOK_SECONDS
    await pair.home.sweep()
    assert (await shares(pair)).nodes == ("b", "a")
    await pair.sweep(1)
    assert (await shares(pair)).nodes == ("b",)
    await pair.home.sweep()
    assert not is_needed(pair.home)
    await pair.save_call(CallState.ENDED)
    await pair.sweep()
    row = await pair.row()
    assert row.state is RecordingState.DELIVERED
    assert row.duration == pytest.approx(5.0, abs=0.05)
    assert list(pair.home.spool.iterdir()) == list(pair.other.spool.iterdir()) == []


async def test_a_stopped_node_waits_until_its_journals_are_collected(
    pair: NodePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(handover, "LOOK_SECONDS", 0.0)
    put_piece(pair.home.spool, 1, 1.0)
    put_piece(pair.other.spool, 2, 1.0)
    await pair.save_call(CallState.CONNECTED)
    pair.other.handover.is_leaving = lambda: True
    await pair.other.live(state=MemberState.DRAINING)
    stop = asyncio.Event()
    stop.set()
    with capture_logs() as logs:
        leaving = asyncio.create_task(pair.other.sweeper.run(stop))
        await until(lambda: any(log["event"] == "journals are handed over" for log in logs))
        assert not leaving.done()
        await pair.home.sweep()
        await asyncio.wait_for(leaving, PATIENCE)
    assert "recordings are left on this node" not in {log["event"] for log in logs}
    assert (await shares(pair)).nodes == ("a",)


async def test_a_stopped_node_waits_for_nobody_who_is_away_and_not_for_ever(
    pair: NodePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_piece(pair.other.spool, 2, 1.0)
    await pair.save_call(CallState.CONNECTED)
    pair.other.handover.is_leaving = lambda: True
    stop = asyncio.Event()
    stop.set()
    for seconds, is_silent in ((1000.0, True), (-1.0, False)):
        monkeypatch.setattr(sweeper, "LEAVE_SECONDS", seconds)
        await pair.home.live(is_silent=is_silent)
        pair.now += LOOK_SECONDS
        with capture_logs() as logs:
            await asyncio.wait_for(pair.other.sweeper.run(stop), PATIENCE)
        (left,) = [log for log in logs if log["event"] == "recordings are left on this node"]
        assert left["recordings"] == ["r"]


async def test_what_fails_while_a_node_leaves_is_tried_with_the_next_look(
    pair: NodePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_piece(pair.home.spool, 1, 1.0)
    journal = put_piece(pair.other.spool, 2, 1.0) / journal_name(2)
    await pair.save_call(CallState.CONNECTED)
    await pair.other.live(state=MemberState.DRAINING)
    with journal.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with capture_logs() as logs:
            await pair.home.sweep()
    assert "recording not collected yet" in {log["event"] for log in logs}
    assert (await pair.row()).last_error is None
    await pair.home.sweep()
    assert (await shares(pair)).nodes == ("a", "b")
    pair.now += LOOK_SECONDS
    with spool_reader.claimed(pair.home.spool / "r"):
        await pair.home.sweep()
    assert (await shares(pair)).nodes == ("a", "b")
    pair.now += LOOK_SECONDS
    await pair.home.sweep()
    assert (await shares(pair)).nodes == ("a",)
