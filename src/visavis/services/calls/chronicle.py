"""What happens in calls, written down in its order without anybody waiting for the database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

import structlog

from visavis.domain.call import CallRecord
from visavis.domain.errors import VisavisError
from visavis.domain.story import CallEvent
from visavis.services.calls.active_call import Timer
from visavis.services.ports import Store, Transaction
from visavis.tasks import spawn

log = structlog.get_logger(__name__)

GATHER_SECONDS: Final = 0.1
"""The database's thread would be in the way of the call that is just being set up."""

RETRY_SECONDS: Final = 1.0
MAX_EVENTS: Final = 10_000
"""Kept while the database is away; what happens after that is not written down."""


class Chronicle:
    """Writes calls and their events in batches, a moment later unless somebody waits for it.

    `listeners` hear of each site whose past calls have changed.
    """

    def __init__(
        self, store: Store, node_id: str, schedule: Callable[[float, Callable[[], None]], Timer]
    ) -> None:
        self._store = store
        self._node_id = node_id
        self._schedule = schedule
        self._records: dict[str, CallRecord] = {}
        self._events: list[tuple[int, str, CallEvent]] = []
        self._writing: asyncio.Task[None] | None = None
        self._alarm: Timer | None = None
        self.listeners: list[Callable[[int], None]] = []

    def past_calls_changed(self, site_id: int) -> None:
        """Tell the listeners that the past calls of a site are others in the database now."""
        for listener in self.listeners:
            listener(site_id)

    def touch(self, record: CallRecord) -> None:
        """Write the call down as it is by then."""
        self._records[record.id] = record
        if self._alarm is None and self._writing is None:
            self._alarm = self._schedule(GATHER_SECONDS, self._start)

    def note(self, record: CallRecord, event: CallEvent) -> None:
        if len(self._events) < MAX_EVENTS:
            self._events.append((record.site_id, record.id, event))
        else:
            log.error("event not kept", call_id=record.id, name=event.name)
        self.touch(record)

    async def written(self) -> None:
        """Wait for what was noted so far; raises `StoreUnavailable`, and it is kept for later."""
        if self._records:
            self._start()
        if self._writing:
            await asyncio.shield(self._writing)

    def _start(self) -> None:
        if self._alarm:
            self._alarm.cancel()
            self._alarm = None
        if self._records and self._writing is None:
            self._writing = spawn("call log writing", self._write(), expected=VisavisError)
            self._writing.add_done_callback(self._done)

    async def _write(self) -> None:
        while self._records:
            records, self._records = self._records, {}
            events, self._events = self._events, []
            snapshots = [replace(r, quality=dict(r.quality)) for r in records.values()]
            try:
                await self._store.write(partial(self._keep, records=snapshots, events=events))
            except VisavisError:
                self._records = {**records, **self._records}
                self._events = [*events, *self._events]
                self._schedule(RETRY_SECONDS, self._start)
                raise
            for site_id in {record.site_id for record in snapshots if record.is_over}:
                self.past_calls_changed(site_id)

    def _keep(
        self, rows: Transaction, records: list[CallRecord], events: list[tuple[Any, ...]]
    ) -> None:
        for record in records:
            rows.calls.save(record, self._node_id)
        for site_id, call_id, event in events:
            rows.calls.note(site_id, call_id, event)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._writing = None
        error = None if task.cancelled() else task.exception()
        if isinstance(error, VisavisError):
            log.warning("calls not written down yet", error=error.kind.name)
        elif error:  # its batch is lost; what came meanwhile is written later
            self._schedule(RETRY_SECONDS, self._start)
