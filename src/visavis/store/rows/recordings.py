"""Recordings on their way."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final, TypeVar

from sqlalchemy import Row, Text, cast, false, func, or_, select, tuple_, update

from visavis.domain.call import CallState
from visavis.domain.delivery_status import (
    Backlog,
    BacklogCounts,
    DeliveryProgress,
    ExpectedRecording,
    RecordingServer,
    RecordingStatus,
    SpoolNode,
)
from visavis.domain.handover import RecordingShares, after_listing
from visavis.domain.membership import MemberState
from visavis.domain.policy import RecordingPolicy
from visavis.domain.recording import (
    ARRIVED,
    UNDELIVERED,
    ClockOffset,
    Delivery,
    DeliveryTrigger,
    Manifest,
    RecordingState,
    recording_state_after,
    states_before,
)
from visavis.store import tables as t
from visavis.store.rows.base import Rows

T = TypeVar("T")

BATCH: Final = 1_000
"""Values of one query: both databases limit their number."""
CLOCK_READINGS: Final = 5
"""Readings of the database's clock, of which the quickest is the most accurate."""


class SqlRecordingRows(Rows):
    def add(self, manifest: Manifest, node_id: str = "") -> None:
        inserted = self._run(
            self._upsert(t.recordings)
            .values(
                id=manifest.recording_id,
                site_id=manifest.site_id,
                call_id=manifest.call_id,
                started_at=manifest.started_at,
                state=RecordingState.WAITING,
                uploaded=0,
                attempts=0,
                nodes=[node_id] if node_id else None,
            )
            .on_conflict_do_nothing()
            .returning(t.recordings.c.id)
        ).first()
        if node_id and inserted is None:
            self._add_node(manifest, node_id)

    def _add_node(self, manifest: Manifest, node_id: str) -> None:
        shares = self.lock_shares(manifest.site_id, manifest.recording_id)
        if shares and shares.is_pending and node_id not in shares.nodes:
            self.set_shares(after_listing(shares, node_id))

    def shares(self, recordings: Collection[tuple[int, str]]) -> Mapping[str, RecordingShares]:
        c = t.recordings.c
        return {
            row.id: _shares(row)
            for some in batched(recordings)
            for row in self._run(_SHARES.where(tuple_(c.site_id, c.id).in_(some)))
        }

    def lock_shares(self, site_id: int, recording_id: str) -> RecordingShares | None:
        c = t.recordings.c
        query = _SHARES.where(c.site_id == site_id, c.id == recording_id)
        row = self._run(query.with_for_update()).first()
        return _shares(row) if row else None

    def set_shares(self, shares: RecordingShares) -> None:
        c = t.recordings.c
        mine = update(t.recordings).where(c.site_id == shares.site_id, c.id == shares.id)
        nodes = [node for node in shares.nodes if node]
        collected = {node: dict(names) for node, names in shares.collected.items()}
        abandoned = dict(shares.abandoned)
        self._run(
            mine.values(
                nodes=nodes or None, collected=collected or None, abandoned=abandoned or None
            )
        )

    def allow_handover(
        self, site_id: int, recording_id: str, digest: bytes, seconds: float
    ) -> None:
        c = t.recordings.c
        until = self._database_time() + seconds
        mine = update(t.recordings).where(c.site_id == site_id, c.id == recording_id)
        self._run(mine.values(handover_digest=digest, handover_until=until))

    def is_handover_allowed(self, site_id: int, recording_id: str, digest: bytes) -> bool:
        c = t.recordings.c
        query = select(c.id).where(
            c.site_id == site_id,
            c.id == recording_id,
            c.handover_digest == digest,
            c.handover_until > self._database_time(),
        )
        return self._run(query).first() is not None

    def save_progress(
        self, site_id: int, recording_id: str, progress: DeliveryProgress, now: datetime
    ) -> None:
        c = t.recordings.c
        values: dict[str, Any] = {
            "state": progress.state,
            "uploaded": progress.uploaded,
            "size": progress.size,
            "sha256": progress.sha256,
            "duration": progress.duration,
            "server_url": progress.server_url,
        }
        values = {name: value for name, value in values.items() if value is not None}
        if progress.missing is not None:
            values["missing"] = list(progress.missing) or None
        if progress.error is not None:
            values["last_error"] = progress.error or None
        if progress.next_try is not None:
            values["next_try_at"] = now + timedelta(seconds=progress.next_try)
        if progress.is_attempt:
            values |= {"attempts": c.attempts + 1, "tried_at": now, "next_try_at": None}
        before = states_before(progress.state) if progress.state else UNDELIVERED
        self._run(
            update(t.recordings)
            .where(c.site_id == site_id, c.id == recording_id, c.state.in_(before))
            .values(**values)
        )

    def record_delivery(
        self, site_id: int, recording_id: str, delivery: Delivery, server_url: str, now: datetime
    ) -> None:
        c = t.recordings.c
        self._run(
            update(t.recordings)
            .where(c.site_id == site_id, c.id == recording_id, c.state.in_(UNDELIVERED))
            .values(
                state=recording_state_after(DeliveryTrigger.ACKNOWLEDGED),
                delivered_at=now,
                sha256=delivery.sha256,
                size=delivery.size,
                uploaded=delivery.size,
                duration=delivery.duration,
                missing=list(delivery.missing) or None,
                server_url=server_url,
                last_error=None,
                next_try_at=None,
                retry_asked_at=None,
            )
        )

    def mark_deleted(self, site_id: int, recording_id: str) -> None:
        c = t.recordings.c
        self._run(
            update(t.recordings)
            .where(c.site_id == site_id, c.id == recording_id, c.state == RecordingState.DELIVERED)
            .values(state=recording_state_after(DeliveryTrigger.DELETE))
        )

    def get(self, site_id: int, recording_id: str) -> RecordingStatus | None:
        c = t.recordings.c
        query = select(t.recordings).where(c.site_id == site_id, c.id == recording_id)
        row = self._run(query).first()
        return _recording(row) if row else None

    def list_page(
        self, site_id: int, states: Collection[RecordingState], limit: int, offset: int = 0
    ) -> Sequence[RecordingStatus]:
        c = t.recordings.c
        query = select(t.recordings).where(c.site_id == site_id, c.state.in_(states))
        query = query.order_by(c.started_at.desc(), c.id).limit(limit).offset(offset)
        return [_recording(row) for row in self._run(query)]

    def count(self, site_id: int, states: Collection[RecordingState]) -> int:
        c = t.recordings.c
        query = select(func.count()).where(c.site_id == site_id, c.state.in_(states))
        return int(self._run(query).scalar_one())

    def ask_retry(self, site_id: int, recording_ids: Collection[str], now: datetime) -> int:
        c = t.recordings.c
        result = self._run(
            update(t.recordings)
            .where(c.site_id == site_id, c.id.in_(recording_ids), c.state.in_(UNDELIVERED))
            .values(retry_asked_at=now)
        )
        return int(result.rowcount)

    def servers(self, site_ids: Collection[int], archive_url: str) -> Mapping[int, RecordingServer]:
        config, policy = t.av_configs.c, t.recording_policies.c
        query = select(
            config.site_id, config.recording_server_url, policy.secret, policy.secret_origin
        )
        query = query.outerjoin(t.recording_policies, policy.site_id == config.site_id)
        servers = dict.fromkeys(site_ids, RecordingServer(archive_url))
        for some in batched(site_ids):
            for row in self._run(query.where(config.site_id.in_(some))):
                url = row.recording_server_url
                url = archive_url if url is None else url
                stored = RecordingPolicy(
                    row.site_id, secret=row.secret, secret_origin=row.secret_origin
                )
                servers[row.site_id] = RecordingServer(url, stored.secret_for(url))
        return servers

    def asked(self, site_ids: Collection[int]) -> frozenset[tuple[int, str]]:
        c = t.recordings.c
        query = select(c.site_id, c.id).where(
            c.state.in_(UNDELIVERED), c.retry_asked_at.is_not(None)
        )
        return frozenset(
            (row.site_id, row.id)
            for some in batched(site_ids)
            for row in self._run(query.where(c.site_id.in_(some)))
        )

    def clear_retries(self, site_id: int, recording_ids: Collection[str]) -> None:
        c = t.recordings.c
        self._run(
            update(t.recordings)
            .where(c.site_id == site_id, c.id.in_(recording_ids))
            .values(retry_asked_at=None)
        )

    def clock_offset(self) -> ClockOffset | None:
        if not self._is_postgresql:
            return None
        query = select(self._database_time())
        found: list[ClockOffset] = []
        for _ in range(CLOCK_READINGS):
            asked = time.monotonic_ns()
            at = self._run(query).scalar_one()
            trip_us = (time.monotonic_ns() - asked) // 1000
            middle_us = asked // 1000 + trip_us // 2
            found.append(ClockOffset(round(at * 1e6) - middle_us, trip_us // 2))
        return min(found, key=lambda offset: offset.error_us)

    def ended_calls(self, calls: Collection[tuple[int, str]]) -> frozenset[tuple[int, str]]:
        c = t.calls.c
        query = select(c.site_id, c.id).where(c.state != CallState.ENDED)
        open_calls = {
            (row.site_id, row.id)
            for some in batched(calls)
            for row in self._run(query.where(tuple_(c.site_id, c.id).in_(some)))
        }
        return frozenset(calls) - open_calls

    def undelivered_by_nodes(self, site_ids: Collection[int]) -> Mapping[frozenset[str], int]:
        c = t.recordings.c
        nodes = cast(c.nodes, Text)  # PostgreSQL does not compare values of the type JSON
        query = select(nodes, func.count()).where(c.state.in_(UNDELIVERED), c.nodes.is_not(None))
        counts: Counter[frozenset[str]] = Counter()
        for some in batched(site_ids):
            for encoded, count in self._run(query.where(c.site_id.in_(some)).group_by(nodes)):
                counts[frozenset(json.loads(encoded))] += count
        return counts

    def spool_nodes(self, silent_seconds: float) -> Mapping[str, SpoolNode]:
        c, m = t.nodes.c, t.members.c
        is_heard = m.beaten_at > self._database_time() - silent_seconds
        query = select(c.id, c.machine, c.recorder_url, c.recorder_certificate, m.state)
        query = query.add_columns(func.coalesce(is_heard, false()).label("is_heard"))
        query = query.outerjoin(t.members, m.node_id == c.id)
        return {
            row.id: SpoolNode(
                row.id,
                row.machine or row.id,
                not row.is_heard or row.state == MemberState.STOPPED,
                row.recorder_url,
                row.recorder_certificate,
                row.state == MemberState.STOPPED,
                row.state in {MemberState.DRAINING, MemberState.DRAINED},
            )
            for row in self._run(query)
        }

    def backlog(self, site_id: int) -> Backlog:
        c = t.recordings.c
        pending = c.state.in_(UNDELIVERED)
        counts = self._run(
            select(
                func.count(),
                func.min(c.started_at),
                func.count().filter(c.state == RecordingState.FAILED),
            ).where(c.site_id == site_id, pending)
        ).one()
        last = self._run(select(func.max(c.delivered_at)).where(c.site_id == site_id)).scalar()
        incomplete = select(func.count()).where(c.site_id == site_id, c.missing.is_not(None))
        wrong = self._run(
            select(c.last_error, c.tried_at)
            .where(c.site_id == site_id, pending, c.last_error.is_not(None))
            .order_by(c.tried_at.desc().nulls_last())
            .limit(1)
        ).first()
        return Backlog(
            total=self.count(site_id, tuple(RecordingState)),
            pending=counts[0],
            oldest_at=counts[1],
            failed=counts[2],
            incomplete=self._run(incomplete).scalar_one(),
            last_delivered_at=last,
            last_error=wrong.last_error if wrong else None,
            last_error_at=wrong.tried_at if wrong else None,
        )

    def backlog_counts(self, site_ids: Collection[int]) -> BacklogCounts:
        c = t.recordings.c
        is_pending = c.state.in_(UNDELIVERED)
        query = select(
            func.count().filter(is_pending),
            func.count().filter(c.state == RecordingState.FAILED),
            func.count().filter(c.missing.is_not(None)),
            func.min(c.started_at).filter(is_pending),
        )
        found = [self._run(query.where(c.site_id.in_(some))).one() for some in batched(site_ids)]
        return BacklogCounts(
            pending=sum(row[0] for row in found),
            failed=sum(row[1] for row in found),
            incomplete=sum(row[2] for row in found),
            oldest_at=min((row[3] for row in found if row[3]), default=None),
        )

    def expected(self, site_ids: Collection[int], since: datetime) -> Sequence[ExpectedRecording]:
        c, r = t.calls.c, t.recordings.c
        query = (
            select(c.site_id, c.id, c.connected_at, c.ended_at, r.id.label("recording_id"), r.state)
            .add_columns(r.last_error)
            .outerjoin(t.recordings, (r.id == c.recording_id) & (r.site_id == c.site_id))
            .where(
                c.requested_at >= since,
                c.state == CallState.ENDED,
                c.connected_at.is_not(None),
                or_(c.is_recorded, c.recording_id.is_not(None)),
                c.is_unrecorded.is_(False),
                or_(r.state.is_(None), r.state.not_in(ARRIVED)),
            )
            .order_by(c.requested_at)
        )
        return [
            ExpectedRecording(
                row.site_id,
                row.id,
                row.connected_at,
                row.ended_at,
                row.recording_id,
                RecordingState(row.state) if row.state else None,
                row.last_error,
            )
            for some in batched(site_ids)
            for row in self._run(query.where(c.site_id.in_(some)))
        ]


def _recording(row: Row[Any]) -> RecordingStatus:
    state = RecordingState(row.state)
    # the service looks up the nodes' names, and whether they are alive
    node_ids = row.nodes or () if state in UNDELIVERED else ()
    nodes = tuple(SpoolNode(node_id, node_id, is_silent=False) for node_id in node_ids)
    kinds = {"state": state, "missing": tuple(row.missing or ()), "nodes": nodes}
    known = {name: row._mapping[name] for name in RecordingStatus.__dataclass_fields__}
    return RecordingStatus(**{**known, **kinds})


_SHARES: Final = select(
    t.recordings.c.id,
    t.recordings.c.site_id,
    t.recordings.c.state,
    t.recordings.c.nodes,
    t.recordings.c.collected,
    t.recordings.c.abandoned,
)


def _shares(row: Row[Any]) -> RecordingShares:
    return RecordingShares(
        row.id,
        row.site_id,
        RecordingState(row.state),
        tuple(row.nodes or ()),
        row.collected or {},
        row.abandoned or {},
    )


def batched(values: Collection[T]) -> Iterator[list[T]]:
    """Return the values in lists of at most `BATCH`."""
    rest = iter(values)
    while some := list(islice(rest, BATCH)):
        yield some
