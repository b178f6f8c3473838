"""The database of a simulated cluster: its tables in memory, delays, and fail-overs.

A transaction is performed at one moment. The delays are drawn from the measurements of PostgreSQL
with a synchronous standby: 3.4 ms for the statement that takes a site.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from typing import Any, Final, TypeVar

from tests.simulation.event_loop import Process, SimulatedLoop
from visavis.domain.call import CallRecord
from visavis.domain.call_events import CallEvent, CallEventName
from visavis.domain.errors import ErrorCode, ErrorKind, VisavisError
from visavis.domain.membership import Member
from visavis.domain.ownership import NOBODY, SiteOwner
from visavis.services.ports import CallSnapshot

T = TypeVar("T")

READ_SECONDS: Final = 0.000_6
WRITE_SECONDS: Final = 0.003_4
FAILURE_SECONDS: Final = (0.1, 1.0)
"""Time after which a transaction fails while there is no primary."""


@dataclass(frozen=True, slots=True)
class Take:
    """A site that was taken, at this time."""

    at: float
    owner: SiteOwner


@dataclass(slots=True)
class StoredCall:
    """Row of a call. `texts` counts the events of its chat by their texts."""

    site_id: int
    node_id: str
    state: str
    reason: str
    is_over: bool
    texts: Counter[str]


class Database:
    """The primary; `violations` lists what a real one would have had to refuse.

    The `transactions` that write nothing count as checks.
    """

    def __init__(self, loop: SimulatedLoop, random: Random) -> None:
        self.loop = loop
        self.random = random
        self.transactions: Counter[str] = Counter()
        self.takes: list[Take] = []
        self.violations: list[str] = []
        self.down_until = 0.0
        self.primary = 0
        self.owners: dict[int, SiteOwner] = {}
        self.member_rows: dict[str, Member] = {}
        self.snapshots: dict[str, tuple[str, CallSnapshot]] = {}
        self.alive: dict[str, datetime] = {}
        self.call_rows: dict[str, StoredCall] = {}
        self.has_written = False
        self.terms: dict[int, int] = {}
        self.staffed: set[tuple[int, str]] = set()

    def fail_over(self, seconds: float) -> None:
        """Kill the primary; its standby is promoted after this time."""
        self.primary += 1
        self.down_until = self.loop.time() + seconds

    def delay(self, median: float) -> float:
        return median / 2 * self.random.lognormvariate(0.0, 0.6)

    # Rows, as `services.ports.Transaction` has them: one object stands for all tables.

    @property
    def site_owners(self) -> Database:
        return self

    live_calls = calls = members = agents = nodes = site_owners

    def get(self, _: str, site_id: int) -> SiteOwner | None:
        return self.owners.get(site_id)

    def take(self, _: str, owner: SiteOwner, seen_term: int) -> bool:
        present = self.owners.get(owner.site_id)
        if (present.term if present else NOBODY) != seen_term:
            return False
        if owner.term <= seen_term:
            self.violations.append(f"the term of site {owner.site_id} does not rise")
        self.has_written = True
        self.owners[owner.site_id] = owner
        self.takes.append(Take(self.loop.time(), owner))
        return True

    def take_own(self, cluster: str, node_id: str, boot: str) -> Mapping[int, int]:
        own = [owner for owner in self.owners.values() if owner.node_id == node_id]
        for owner in own:
            self.take(cluster, replace(owner, boot=boot, term=owner.term + 1), owner.term)
        return {owner.site_id: owner.term + 1 for owner in own}

    def hold(self, _: str, site_ids: Collection[int]) -> Mapping[int, SiteOwner]:
        return {site_id: self.owners[site_id] for site_id in site_ids if site_id in self.owners}

    def beat(self, me: Member) -> Sequence[Member]:
        known = self.member_rows.get(me.node_id)
        beat = known.beat + 1 if known and known.boot == me.boot else 0
        self.member_rows[me.node_id] = replace(me, beat=beat)
        return [self.member_rows[node_id] for node_id in sorted(self.member_rows)]

    def is_away(self, _: int, __: int) -> bool:
        return False

    def mark_alive(self, node_id: str, now: datetime) -> None:
        self.alive[node_id] = now

    def alive_at(self, node_id: str) -> datetime | None:
        return self.alive.get(node_id)

    def set_staffed(self, site_id: int, node_id: str, *, is_staffed: bool) -> None:
        self.has_written = True
        if is_staffed:
            self.staffed.add((site_id, node_id))
        else:
            self.staffed.discard((site_id, node_id))

    def staffed_sites(self, node_id: str) -> Sequence[int]:
        return sorted(site_id for site_id, one in self.staffed if one == node_id)

    def save(self, call: CallRecord | CallSnapshot, node_id: str, term: int = 0) -> None:
        self.has_written = True
        if isinstance(call, CallSnapshot):
            self.snapshots[call.call_id] = node_id, call
            self._check_term(call.site_id, node_id, term)
            return
        row = self.call_rows.get(call.id)
        texts = row.texts if row else Counter[str]()
        reason = call.reason or ""
        stored = StoredCall(call.site_id, node_id, call.state, reason, call.is_over, texts)
        if row and row.is_over and not call.is_over:
            self.violations.append(f"the call {call.id} has ended and goes on")
        self.call_rows[call.id] = stored

    def _check_term(self, site_id: int, node_id: str, term: int) -> None:
        """Note the term of an accepted write, which never falls."""
        if term < self.terms.get(site_id, NOBODY) or self.owners[site_id].term != term:
            self.violations.append(f"{node_id} writes site {site_id} with the old term {term}")
        self.terms[site_id] = term

    def delete(self, _: int, call_id: str) -> None:
        self.snapshots.pop(call_id, None)

    def add_event(self, _: int, call_id: str, event: CallEvent) -> None:
        if event.name == CallEventName.TEXT:
            self.call_rows[call_id].texts[event.data["text"]] += 1

    def has_event(self, _: int, call_id: str, event: CallEvent) -> bool:
        row = self.call_rows.get(call_id)
        return bool(row and event.name == CallEventName.TEXT and row.texts[event.data["text"]])

    def list_by_node(self, node_id: str) -> Sequence[CallSnapshot]:
        return [call for one, call in self.snapshots.values() if one == node_id]

    def list_by_site(self, site_id: int, node_id: str) -> Sequence[CallSnapshot]:
        return [call for call in self.list_by_node(node_id) if call.site_id == site_id]

    def move(self, site_id: int, former_id: str, node_id: str) -> None:
        for call in self.list_by_site(site_id, former_id):
            self.snapshots[call.call_id] = node_id, call
        for row in self.call_rows.values():
            if row.site_id == site_id and row.node_id == former_id and not row.is_over:
                row.node_id = node_id
        if (site_id, former_id) in self.staffed:
            self.set_staffed(site_id, former_id, is_staffed=False)
            self.set_staffed(site_id, node_id, is_staffed=True)

    def end_others(self, node_id: str, _: datetime) -> int:
        ended = [
            row
            for call_id, row in self.call_rows.items()
            if row.node_id == node_id and not row.is_over and call_id not in self.snapshots
        ]
        for row in ended:
            row.state, row.reason, row.is_over = "ended", "failed", True
        return len(ended)


class SimulatedStore:
    """The database as one node sees it; `is_cut_off` says that the node cannot reach it."""

    def __init__(self, database: Database, process: Process) -> None:
        self.is_cut_off = False
        self._database = database
        self._process = process

    async def read(self, work: Callable[[Any], T]) -> T:
        return await self._run("read", work, READ_SECONDS)

    async def write(self, work: Callable[[Any], T], kind: str = "write") -> T:
        return await self._run(kind, work, WRITE_SECONDS)

    async def _run(self, kind: str, work: Callable[[Any], T], median: float) -> T:
        database, loop = self._database, self._database.loop
        done: asyncio.Future[T] = loop.create_future()

        def perform() -> None:
            database.has_written = False
            if self.is_cut_off or loop.time() < database.down_until:
                wait = database.random.uniform(*FAILURE_SECONDS)
                loop.after(wait, fail, ErrorKind.StoreUnavailable, of=self._process)
                return
            result = work(database)
            is_check = kind == "write" and not database.has_written
            database.transactions["check" if is_check else kind] += 1
            wait, primary = database.delay(median), database.primary
            loop.after(wait, settle, result, primary, of=self._process)

        def settle(result: T, primary: int) -> None:
            if primary != database.primary or self.is_cut_off:
                fail(ErrorCode.ChangeUnconfirmed)
            elif not done.done():
                done.set_result(result)

        def fail(kind: ErrorKind | ErrorCode) -> None:
            if not done.done():
                done.set_exception(VisavisError(kind))

        loop.after(database.delay(median), perform, of=None)
        return await done
