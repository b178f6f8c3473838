"""Limits for a leg that sends too much, a recording that never ends, and a full disk."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.spool.test_writer import MANIFEST
from visavis.domain.leg import BridgeId
from visavis.media.limits import (
    BURST_SECONDS,
    EXCESSIVE_DROPS,
    EXCESSIVE_SECONDS,
    LEAST_COST_BYTES,
    MAX_NETWORKS,
    MEGABYTE,
    LegRateLimit,
    Limit,
    Limits,
    RecordingGuard,
    StrangerLimit,
)
from visavis.media.worker import Worker
from visavis.settings import Settings
from visavis.spool.writer import create_journal

RESERVE = 512 * MEGABYTE


@dataclass(eq=False)
class FakeJournal:
    """Fake journal that grows."""

    size: int = 0
    started_at: float = 0.0
    reasons: list[str] = field(default_factory=list)

    def stop(self, why: str) -> None:
        self.reasons.append(why)


def going_on(*writers: FakeJournal) -> list[FakeJournal]:
    return [writer for writer in writers if not writer.reasons]


def test_a_leg_may_send_its_rate_and_bursts_and_no_more() -> None:
    limit = LegRateLimit(10_000, 0.0)
    sent = sum(limit.admits(1000, 0.0) for _ in range(100))
    assert sent == 10 * BURST_SECONDS
    assert (
        sum(limit.admits(1000, 1 + second / 10) for second in range(100)) == 100
    )  # Within its rate.
    before = limit.dropped
    assert sum(limit.admits(1000, 11 + n / 100) for n in range(1000)) < 130
    assert limit.dropped > before
    assert not limit.admits(100_000, 1000.0)  # More than the burst allows.
    assert limit.admits(1000, 1000.0)


def test_small_packets_count_for_the_time_that_they_take() -> None:
    limit = LegRateLimit(10_000, 0.0)
    assert sum(limit.admits(12, 0.0) for _ in range(1000)) == 20_000 // LEAST_COST_BYTES


def test_a_leg_that_is_dropped_from_all_the_time_is_excessive_for_a_while() -> None:
    limit = LegRateLimit(1000, 0.0)
    assert not limit.is_excessive(0.0)
    for number in range(EXCESSIVE_DROPS + 10):
        limit.admits(1000, 0.5)
        assert not limit.is_excessive(0.5), number
    assert limit.is_excessive(1.0)
    assert limit.is_excessive(1.0 + EXCESSIVE_SECONDS - 0.1)
    assert not limit.is_excessive(1.0 + EXCESSIVE_SECONDS)
    limit.admits(1000, 30.0)
    assert not limit.is_excessive(32.0)


def test_each_network_of_strangers_has_its_own_share() -> None:
    limit = StrangerLimit(100)
    assert sum(limit.admits(b"one", 0.0) for _ in range(1000)) == 100 * BURST_SECONDS
    assert limit.admits(b"other", 0.0)
    assert sum(limit.admits(b"one", 0.5) for _ in range(1000)) == 50
    assert limit.refused == 1000 - 200 + 1000 - 50


def test_the_networks_of_strangers_are_bounded() -> None:
    limit = StrangerLimit(1)
    for number in range(2 * MAX_NETWORKS):
        assert limit.admits(number.to_bytes(8), 0.0)
    assert len(limit) == MAX_NETWORKS


def test_without_a_limit_strangers_are_not_counted() -> None:
    limit = StrangerLimit(0)
    assert all(limit.admits(b"one", 0.0) for _ in range(1000))
    assert len(limit) == 0


def test_without_a_limit_everything_passes() -> None:
    limit = LegRateLimit(math.inf, 0.0)
    assert all(limit.admits(10**9, 0.0) for _ in range(3))


def test_a_recording_is_stopped_at_its_size_and_at_its_length() -> None:
    stops: list[Limit] = []
    limits = Limits(recording_bytes=10 * MEGABYTE, recording_seconds=7200)
    guard = RecordingGuard(limits, stops.append)
    large, long, other = FakeJournal(11 * MEGABYTE, 7000), FakeJournal(1, 0), FakeJournal(1, 7000)
    guard.check([large, long, other], 7200, 1 << 40)
    assert large.reasons == ["it has reached 10 MB"]
    assert long.reasons == ["it has lasted 2 hours"]
    assert other.reasons == []
    assert stops == [Limit.SIZE] * 2


def test_without_limits_a_recording_goes_on() -> None:
    endless = FakeJournal(1 << 50)
    RecordingGuard(Limits()).check([endless], 10**9, 1 << 40)
    assert endless.reasons == []


def test_the_fastest_writer_is_stopped_first_and_the_others_go_on() -> None:
    guard = RecordingGuard(Limits(reserve_bytes=RESERVE))
    old, fast, slow = FakeJournal(900 * MEGABYTE), FakeJournal(), FakeJournal()
    guard.check([old, fast, slow], 0, RESERVE)
    for writer, more in ((old, 1), (fast, 14), (slow, 2)):
        writer.size += more * MEGABYTE
    guard.check([old, fast, slow], 1, RESERVE - 1)
    assert [bool(writer.reasons) for writer in (old, fast, slow)] == [False, True, False]
    assert "the disk is nearly full" in fast.reasons[0]
    guard.check(going_on(old, fast, slow), 2, RESERVE - 2 * MEGABYTE)
    assert going_on(old, fast, slow) == [old, slow]  # This may have been enough.
    guard.check(going_on(old, fast, slow), 3, RESERVE - 40 * MEGABYTE)
    assert len(going_on(old, fast, slow)) == 1  # It was not enough.
    guard.check(going_on(old, fast, slow), 4, RESERVE)  # There is enough space again.
    late = FakeJournal()
    guard.check([late], 5, RESERVE - 1)
    assert late.reasons


def test_the_database_keeps_its_part_of_the_reserve() -> None:
    stops: list[Limit] = []
    guard = RecordingGuard(Limits(reserve_bytes=RESERVE), stops.append)
    writers = [FakeJournal() for _ in range(5)]
    guard.check(writers, 0, RESERVE // 2 - 1)
    assert going_on(*writers) == []
    guard.check([], 1, 0)
    assert stops == [Limit.DISK] * 5


@pytest.mark.anyio
async def test_a_worker_looks_after_its_journals(tmp_path: Path) -> None:
    worker = Worker(Settings(data_dir=tmp_path, max_recording_hours=1), 0)
    lost: list[str] = []
    journal = create_journal(tmp_path / "spool", MANIFEST, 1, lost.append)
    bridge = worker._relay.bridge(BridgeId("call", 1))
    bridge.journal = journal
    await worker._check_limits()
    assert lost == ["The recording was stopped: it has lasted 1 hours."]
    await worker._check_limits()
    await worker.close()
    assert len(lost) == 1
