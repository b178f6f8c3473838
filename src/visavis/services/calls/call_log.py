"""Write-behind of calls: rows, events and snapshots are written in order, in the background."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final, Protocol

import structlog

from visavis.domain.call import CallRecord
from visavis.domain.call.call import Call
from visavis.domain.call.model import SNAPSHOT_VERSION
from visavis.domain.call_events import CallEvent
from visavis.domain.errors import ErrorCode, VisavisError
from visavis.services.ownership import Ownership
from visavis.services.ports import CallSnapshot, Store, Transaction
from visavis.tasks import spawn

log = structlog.get_logger(__name__)

GATHER_SECONDS: Final = 0.1
"""Delay before a batch is written, because the database thread would slow down call setup."""

RETRY_SECONDS: Final = 1.0
MAX_EVENTS: Final = 10_000
"""Maximum number of events in memory while the database is unavailable; more are dropped."""


class Timer(Protocol):
    def cancel(self) -> None: ...


class CallLogWriter:
    """Writes calls, their events and their snapshots in batches, after a short delay or at once.

    A snapshot stays in the database while its call is in progress. `past_calls_changed` is called
    with the id of each site whose finished calls have changed in the database. Calls of a site that
    another process owns are not written.
    """

    def __init__(
        self,
        store: Store,
        ownership: Ownership,
        schedule: Callable[[float, Callable[[], None]], Timer],
        past_calls_changed: Callable[[int], None],
    ) -> None:
        self._store = store
        self._ownership = ownership
        self._schedule = schedule
        self._records: dict[str, CallRecord] = {}
        self._events: list[tuple[int, str, CallEvent]] = []
        self._unconfirmed = 0  # number of leading events that may have been written already
        self._saved: set[str] = set()
        """Ids of the calls in progress that have a row in the database."""
        self._live: dict[str, Call] = {}
        self._waiting: list[Callable[[], None]] = []
        self._writing: asyncio.Task[None] | None = None
        self._timer: Timer | None = None
        self._past_calls_changed = past_calls_changed

    @property
    def waiting_events(self) -> int:
        """Number of events that are not in the database yet."""
        return len(self._events)

    def save_later(self, record: CallRecord) -> None:
        """Save the call with the next batch, in the state that it then has."""
        self._records[record.id] = record
        self._start_later()

    def save_live(self, call: Call) -> None:
        """Save the call's snapshot with the next batch, in the state that it then has."""
        self._live[call.id] = call
        self._start_later()

    def save_first(self, call: Call, tried: Callable[[], None]) -> None:
        """Save the call at once; `tried` is called when it is saved, or when that has failed."""
        self._records[call.id] = call.record
        self._live[call.id] = call
        self._waiting.append(tried)
        self._start()

    def record_event(self, record: CallRecord, event: CallEvent) -> None:
        """Write an event with the next batch, unless too many events are waiting."""
        if len(self._events) < MAX_EVENTS:
            self._events.append((record.site_id, record.id, event))
        else:
            log.error("call event dropped", call_id=record.id, name=event.name)
        self.save_later(record)

    async def flush(self) -> None:
        """Write everything recorded so far.

        Raises `StoreUnavailable`; the batch is then kept and tried again.
        """
        if self._records or self._live:
            self._start()
        if self._writing:
            await asyncio.shield(self._writing)

    async def ensure_saved(self, call_id: str) -> None:
        """Write the call now unless it has a row in the database; raises as `flush`."""
        if call_id not in self._saved:
            await self.flush()

    async def wait_tried(self) -> None:
        """Wait until everything recorded so far has been written, or writing it has failed."""
        if self._writing:
            await asyncio.wait([self._writing])

    @property
    def _is_writing(self) -> bool:
        """Whether a task is writing that will also write what is added now."""
        return self._writing is not None and not self._writing.done()

    def _start_later(self) -> None:
        if self._timer is None and not self._is_writing:
            self._timer = self._schedule(GATHER_SECONDS, self._start)

    def _start(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if (self._records or self._live) and not self._is_writing:
            self._writing = spawn("call log writing", self._write(), expected=VisavisError)
            self._writing.add_done_callback(self._done)

    async def _write(self) -> None:
        while self._records or self._live:
            records, self._records = self._records, {}
            live, self._live = self._live, {}
            waiting, self._waiting = self._waiting, []
            events, self._events = self._events, []
            snapshots = [replace(r, quality=dict(r.quality)) for r in records.values()]
            calls = [_live_call(call) for call in live.values()]
            sites = {r.site_id for r in snapshots} | {call.site_id for call in calls}
            try:
                terms = await self._store.write(
                    partial(self._save, sites, records=snapshots, events=events, calls=calls)
                )
                self._ownership.confirm(sites, terms)
            except VisavisError as error:
                self._records = {**records, **self._records}
                self._live = {**live, **self._live}
                self._events = [*events, *self._events]
                if error.code == ErrorCode.ChangeUnconfirmed.name:
                    self._unconfirmed = len(events)
                self._schedule(RETRY_SECONDS, self._start)
                raise
            finally:
                for tried in waiting:
                    tried()
            self._unconfirmed = 0
            snapshots = [record for record in snapshots if record.site_id in terms]
            self._saved |= {record.id for record in snapshots}
            self._saved -= {record.id for record in snapshots if record.is_over}
            for site_id in {record.site_id for record in snapshots if record.is_over}:
                self._past_calls_changed(site_id)

    def _save(
        self,
        sites: Collection[int],
        rows: Transaction,
        *,
        records: list[CallRecord],
        events: list[tuple[Any, ...]],
        calls: list[CallSnapshot],
    ) -> Mapping[int, int]:
        """Return the terms of the sites that this process owns; only these are written."""
        terms, node_id = self._ownership.fence(rows, sites), self._ownership.node_id
        for record in records:
            if record.site_id in terms:
                rows.calls.save(record, node_id)
        for number, (site_id, call_id, event) in enumerate(events):
            is_new = number >= self._unconfirmed
            if site_id in terms and (is_new or not rows.calls.has_event(site_id, call_id, event)):
                rows.calls.add_event(site_id, call_id, event)
        for call in calls:
            if call.site_id not in terms:
                continue
            if call.state:
                rows.live_calls.save(call, node_id, terms[call.site_id])
            else:
                rows.live_calls.delete(call.site_id, call.call_id)
        return terms

    def _done(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, VisavisError):
            log.warning("calls not saved yet", error=error.kind.name)
        elif error:  # its batch is lost; records that were added since are written later
            self._schedule(RETRY_SECONDS, self._start)
        if self._writing is not task:  # the next one has begun meanwhile
            return
        self._writing = None
        waiting, self._waiting = self._waiting, []
        for tried in waiting:
            tried()


def _live_call(call: Call) -> CallSnapshot:
    """Return the snapshot of the call; its state is empty if the call has ended."""
    state = b"" if call.is_over else call.snapshot()
    return CallSnapshot(call.id, call.site_id, SNAPSHOT_VERSION, state)
