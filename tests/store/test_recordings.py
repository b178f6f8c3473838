"""Recordings and policies in both databases."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import event

from visavis.domain.call import CallRecord, CallState
from visavis.domain.call_timings import CallTimings
from visavis.domain.delivery_status import BacklogCounts, DeliveryProgress, SpoolNode
from visavis.domain.membership import Member
from visavis.domain.people import Visitor
from visavis.domain.policy import Consent, RecordingPolicy, Unrecordable
from visavis.domain.recording import (
    UNDELIVERED,
    Delivery,
    DeliveryTrigger,
    Manifest,
    RecordingState,
)
from visavis.services.ports import Transaction
from visavis.store import open_store
from visavis.store.rows.recordings import BATCH
from visavis.store.sql import SqlStore

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LARGE = 5 * 1024**3
DELIVERY = Delivery(sha256="0" * 64, size=LARGE, duration=3600.5)


@pytest.fixture
async def store(database: str, anyio_backend: str) -> AsyncIterator[SqlStore]:
    opened = open_store(database)
    for name in ("One", "Two"):
        await opened.write(lambda rows, n=name: rows.sites.add(n, NOW))  # type: ignore[misc]
    yield opened
    opened.close()


def manifest(recording_id: str, site_id: int = 1, minutes: int = 0) -> Manifest:
    return Manifest(
        recording_id=recording_id,
        site_id=site_id,
        call_id=f"call-{recording_id}",
        media="video",
        visitor_name="",
        agent_name="",
        started_at=NOW + timedelta(minutes=minutes),
    )


def add_call(rows: Transaction, recording_id: str, seconds: float = 10, site_id: int = 1) -> None:
    """A call that was connected for so long and recorded."""
    call = CallRecord(
        id=f"call-{recording_id}",
        site_id=site_id,
        visitor=Visitor("v", site_id),
        media="video",
        is_recorded=True,
        requested_at=NOW,
        state=CallState.ENDED,
        connected_at=NOW,
        ended_at=NOW + timedelta(seconds=seconds),
        recording_id=recording_id,
    )
    rows.calls.save(call, "node")


async def test_the_nodes_of_a_recording(store: SqlStore) -> None:
    def fill(rows: Transaction) -> None:
        for node_id in ("a", "b"):
            rows.nodes.save(node_id, "", NOW, f"machine {node_id}")
        rows.members.beat(Member("a", "boot", NOW, "1", "machine a", "", ()))
        rows.recordings.add(manifest("one"), "a")
        rows.recordings.add(manifest("both"), "b")
        rows.recordings.add(manifest("both"), "a")
        rows.recordings.add(manifest("also both"), "a")
        rows.recordings.add(manifest("also both"), "b")
        rows.recordings.add(manifest("unknown"))
        rows.recordings.add(manifest("done"), "a")
        rows.recordings.record_delivery(1, "done", DELIVERY, "", NOW)

    await store.write(fill)
    nodes = await store.read(lambda rows: rows.recordings.spool_nodes(60))
    assert nodes == {
        "a": SpoolNode("a", "machine a", False),
        "b": SpoolNode("b", "machine b", True),
    }
    counts = await store.read(lambda rows: rows.recordings.undelivered_by_nodes([1, 2]))
    assert counts == {frozenset({"a"}): 1, frozenset({"a", "b"}): 2}
    listed = await store.read(lambda rows: rows.recordings.list_page(1, UNDELIVERED, 10))
    of = {one.id: [node.id for node in one.nodes] for one in listed}
    assert of == {"one": ["a"], "both": ["b", "a"], "also both": ["a", "b"], "unknown": []}


async def test_from_waiting_to_delivered(store: SqlStore) -> None:
    def work(rows: Transaction) -> None:
        rows.recordings.add(manifest("r"))
        rows.recordings.add(manifest("r"))
        made = DeliveryProgress(
            DeliveryTrigger.NOT_DELIVERED, size=LARGE, sha256="0" * 64, duration=3600.5
        )
        rows.recordings.save_progress(1, "r", made, NOW)
        begun = DeliveryProgress(DeliveryTrigger.UPLOAD, server_url="http://a", is_attempt=True)
        rows.recordings.save_progress(1, "r", begun, NOW)
        rows.recordings.save_progress(1, "r", DeliveryProgress(uploaded=LARGE - 1), NOW)
        failed = DeliveryProgress(DeliveryTrigger.NOT_DELIVERED, error="Away.", next_try=90)
        rows.recordings.save_progress(1, "r", failed, NOW)
        rows.recordings.save_progress(2, "r", DeliveryProgress(DeliveryTrigger.GIVE_UP), NOW)

    await store.write(work)
    found = await store.read(lambda rows: rows.recordings.get(1, "r"))
    assert found
    assert (found.state, found.uploaded, found.size) == (
        RecordingState.WAITING,
        LARGE - 1,
        LARGE,
    )
    assert (found.attempts, found.tried_at, found.next_try_at, found.last_error) == (
        1,
        NOW,
        NOW + timedelta(seconds=90),
        "Away.",
    )
    await store.write(
        lambda rows: rows.recordings.save_progress(1, "r", DeliveryProgress(error=""), NOW)
    )

    def deliver(rows: Transaction) -> None:
        rows.recordings.record_delivery(1, "r", DELIVERY, "http://a", NOW)
        later = replace_sha(DELIVERY)
        rows.recordings.record_delivery(1, "r", later, "http://b", NOW + timedelta(days=1))
        rows.recordings.save_progress(
            1, "r", DeliveryProgress(DeliveryTrigger.NOT_DELIVERED, error="Late."), NOW
        )

    await store.write(deliver)
    found = await store.read(lambda rows: rows.recordings.get(1, "r"))
    assert found
    assert (found.state, found.delivered_at, found.server_url, found.sha256) == (
        RecordingState.DELIVERED,
        NOW,
        "http://a",
        "0" * 64,
    )
    assert (found.uploaded, found.last_error, found.next_try_at) == (LARGE, None, None)


def replace_sha(delivery: Delivery) -> Delivery:
    return Delivery(sha256="f" * 64, size=delivery.size, duration=delivery.duration)


async def test_an_incomplete_recording_stays_flagged_when_it_is_delivered(store: SqlStore) -> None:
    missing = ("The visitor's video is missing.",)

    def work(rows: Transaction) -> None:
        rows.recordings.add(manifest("r"))
        rows.recordings.save_progress(
            1, "r", DeliveryProgress(DeliveryTrigger.NOT_DELIVERED, missing=missing), NOW
        )
        rows.recordings.save_progress(1, "r", DeliveryProgress(uploaded=1), NOW)

    await store.write(work)
    found = await store.read(lambda rows: rows.recordings.get(1, "r"))
    assert found
    assert (found.is_incomplete, found.missing) == (True, missing)
    flagged = msgspec.structs.replace(DELIVERY, missing=missing)
    await store.write(
        lambda rows: rows.recordings.record_delivery(1, "r", flagged, "http://a", NOW)
    )
    backlog = await store.read(lambda rows: rows.recordings.backlog(1))
    assert (backlog.incomplete, backlog.pending) == (1, 0)
    # a later version of ours may have muxed it wholly
    await store.write(lambda rows: rows.recordings.add(manifest("s")))
    made = [DeliveryProgress(missing=missing), DeliveryProgress(missing=())]
    for progress in made:
        await store.write(lambda rows, p=progress: rows.recordings.save_progress(1, "s", p, NOW))  # type: ignore[misc]
    assert (await store.read(lambda rows: rows.recordings.backlog(1))).incomplete == 1


async def test_a_recorder_that_is_late_changes_no_state_that_is_final(store: SqlStore) -> None:
    def work(rows: Transaction) -> None:
        for name in ("empty", "delivered"):
            rows.recordings.add(manifest(name))
        rows.recordings.save_progress(1, "empty", DeliveryProgress(DeliveryTrigger.NO_MEDIA), NOW)
        delivery = Delivery(sha256="0" * 64, size=1, duration=1.0)
        rows.recordings.record_delivery(1, "delivered", delivery, "http://a", NOW)
        for name in ("empty", "delivered"):
            for trigger in set(DeliveryTrigger) - {DeliveryTrigger.DELETE}:
                progress = DeliveryProgress(trigger, error="Late.")
                rows.recordings.save_progress(1, name, progress, NOW)
        rows.recordings.record_delivery(1, "empty", delivery, "http://a", NOW)

    await store.write(work)
    found = await store.read(
        lambda rows: [rows.recordings.get(1, name) for name in ("empty", "delivered")]
    )
    assert [one.state for one in found if one] == ["empty", "delivered"]


async def test_a_deleted_recording_was_delivered_and_is_not_missing(store: SqlStore) -> None:
    def work(rows: Transaction) -> None:
        add_call(rows, "r")
        rows.recordings.add(manifest("r"))
        rows.recordings.record_delivery(1, "r", DELIVERY, "http://a", NOW)
        rows.recordings.mark_deleted(1, "r")

    await store.write(work)
    found = await store.read(lambda rows: rows.recordings.get(1, "r"))
    assert found
    assert (found.state, found.delivered_at) == (RecordingState.DELETED, NOW)
    assert await store.read(lambda rows: rows.recordings.expected([1], NOW)) == []


async def test_lists_and_sums_are_each_site_s_own(store: SqlStore) -> None:
    def work(rows: Transaction) -> None:
        for minute, name in enumerate(("a", "b", "c")):
            rows.recordings.add(manifest(name, minutes=minute))
        rows.recordings.add(manifest("z", site_id=2))
        rows.recordings.record_delivery(1, "a", DELIVERY, "", NOW + timedelta(hours=1))
        rows.recordings.save_progress(
            1, "b", DeliveryProgress(DeliveryTrigger.GIVE_UP, error="Torn."), NOW
        )
        wrong = DeliveryProgress(DeliveryTrigger.NOT_DELIVERED, error="Away.", is_attempt=True)
        rows.recordings.save_progress(1, "c", wrong, NOW)

    await store.write(work)
    rows = await store.read(lambda rows: rows.recordings.list_page(1, UNDELIVERED, 10))
    assert [one.id for one in rows] == ["c", "b"]
    rows = await store.read(lambda rows: rows.recordings.list_page(1, UNDELIVERED, 1, 1))
    assert [one.id for one in rows] == ["b"]
    backlog = await store.read(lambda rows: rows.recordings.backlog(1))
    assert (backlog.total, backlog.pending, backlog.failed) == (3, 2, 1)
    assert backlog.oldest_at == NOW + timedelta(minutes=1)
    assert backlog.last_delivered_at == NOW + timedelta(hours=1)
    assert (backlog.last_error, backlog.last_error_at) == ("Away.", NOW)
    other = await store.read(lambda rows: rows.recordings.backlog(2))
    assert (other.pending, other.last_error, other.last_delivered_at) == (1, None, None)


async def test_retries_are_asked_for_and_done(store: SqlStore) -> None:
    def work(rows: Transaction) -> list[int]:
        for name in ("a", "b", "c"):
            rows.recordings.add(manifest(name))
        rows.recordings.record_delivery(1, "c", DELIVERY, "", NOW)
        return [
            rows.recordings.ask_retry(1, ["a", "b", "c", "d"], NOW),
            rows.recordings.ask_retry(2, ["a"], NOW),
        ]

    assert await store.write(work) == [2, 0]
    assert await store.read(lambda rows: rows.recordings.asked([1, 2])) == {(1, "a"), (1, "b")}
    await store.write(lambda rows: rows.recordings.clear_retries(1, ["a"]))
    assert await store.read(lambda rows: rows.recordings.asked([1])) == {(1, "b")}


async def test_which_calls_are_over(store: SqlStore) -> None:
    def work(rows: Transaction) -> None:
        add_call(rows, "over")
        call = CallRecord("call-on", 1, Visitor("v", 1), "audio", True, NOW, CallState.CONNECTED)
        call.recording_id = "on"
        rows.calls.save(call, "node")

    await store.write(work)
    asked = [(1, "call-over"), (1, "call-on"), (2, "call-on"), (1, "call-unheard-of")]
    asked += [(1, f"call-{number}") for number in range(2 * BATCH)]
    over = await store.read(lambda rows: rows.recordings.ended_calls(asked))
    assert over == frozenset(asked) - {(1, "call-on")}


async def test_which_recordings_are_missing(store: SqlStore) -> None:
    def work(rows: Transaction) -> None:
        for name in ("delivered", "waiting", "none", "empty", "mute"):
            add_call(rows, name, seconds=1.9 if name == "mute" else 2)
            if name != "none":
                rows.recordings.add(manifest(name))
        rows.recordings.record_delivery(1, "delivered", DELIVERY, "", NOW)
        rows.recordings.save_progress(1, "waiting", DeliveryProgress(error="Away."), NOW)
        for name in ("empty", "mute"):
            rows.recordings.save_progress(1, name, DeliveryProgress(DeliveryTrigger.NO_MEDIA), NOW)
        add_call(rows, "elsewhere", site_id=2)

    await store.write(work)
    expected = await store.read(lambda rows: rows.recordings.expected([1], NOW))
    missing = {call.call_id: call for call in expected if call.is_missing}
    assert missing.keys() == {"call-waiting", "call-none", "call-empty"}
    assert missing["call-waiting"].last_error == "Away."
    assert missing["call-none"].state is None
    later = NOW + timedelta(seconds=1)
    assert await store.read(lambda rows: rows.recordings.expected([1], later)) == []


async def test_the_recordings_of_all_sites_are_counted_by_two_queries(store: SqlStore) -> None:
    def work(rows: Transaction) -> None:
        for site_id in (1, 2):
            name = f"r{site_id}"
            add_call(rows, name, site_id=site_id)
            rows.recordings.add(manifest(name, site_id=site_id))
        rows.recordings.save_progress(1, "r1", DeliveryProgress(DeliveryTrigger.GIVE_UP), NOW)
        rows.recordings.add(manifest("done"))
        rows.recordings.record_delivery(1, "done", DELIVERY, "", NOW)

    await store.write(work)
    statements: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        statements.append(statement)

    listening = store._database.engine, "before_cursor_execute", note
    event.listen(*listening)
    sites = [1, 2, *range(100, 100 + BATCH - 2)]
    counts = await store.read(lambda rows: rows.recordings.backlog_counts(sites))
    expected = await store.read(lambda rows: rows.recordings.expected(sites, NOW))
    event.remove(*listening)
    assert len([one for one in statements if one.startswith("SELECT")]) == 2
    oldest = manifest("r1").started_at
    assert counts == BacklogCounts(pending=2, failed=1, incomplete=0, oldest_at=oldest)
    assert {call.site_id for call in expected} == {1, 2}
    one = await store.read(lambda rows: rows.recordings.backlog_counts([2]))
    assert (one.pending, one.failed) == (1, 0)
    assert await store.read(lambda rows: rows.recordings.backlog_counts([])) == BacklogCounts()


async def test_a_call_s_report(store: SqlStore) -> None:
    await store.write(lambda rows: add_call(rows, "r"))
    report = await store.read(lambda rows: rows.calls.report(1, "call-r"))
    assert report
    assert (report.call_id, report.media, report.consent) == ("call-r", "video", "none")
    assert await store.read(lambda rows: rows.calls.report(2, "call-r")) is None


async def test_policies(store: SqlStore) -> None:
    assert await store.read(lambda rows: rows.settings.get(1).policy) == RecordingPolicy(1)
    changed = RecordingPolicy(1, Consent.AGREEMENT, Unrecordable.CONTINUE, 30, "s3cret", 1)

    def work(rows: Transaction) -> RecordingPolicy:
        old = rows.settings.lock(1).policy
        rows.settings.put_policy(changed)
        return old

    assert await store.write(work) == RecordingPolicy(1)
    assert await store.read(lambda rows: rows.settings.get(1).policy) == changed
    assert await store.write(lambda rows: rows.settings.lock(1).policy) == changed
    forgotten = replace(
        changed,
        secret=None,
        retention_days=None,
        timings=CallTimings(ring=10, queue=0, connect=11, resume=12),
        ring_limit=None,
    )
    await store.write(lambda rows: rows.settings.put_policy(forgotten))
    assert await store.read(lambda rows: rows.settings.get(1).policy) == forgotten
    assert await store.read(lambda rows: rows.settings.get(2).policy) == RecordingPolicy(2)


async def test_the_database_s_clock_is_compared_with_this_machine_s(
    store: SqlStore, database: str
) -> None:
    """On this machine both clocks are the same one, so the result is known."""
    offset = await store.read(lambda rows: rows.recordings.clock_offset())
    if not database.startswith("postgresql"):
        assert offset is None
        return
    assert offset
    expected_us = (time.time_ns() - time.monotonic_ns()) // 1000
    assert abs(offset.offset_us - expected_us) <= offset.error_us + 1_000
