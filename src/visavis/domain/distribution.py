"""Call distribution (ACD): the waiting calls that ring, the agents at whom they ring, the queue.

As many calls of a site ring at once as it has free agents, ordered by rank and then by arrival; the
others are queued. A call rings at a limited number of agents: those at whom the fewest calls ring,
and of these the ones who have been idle for longest. The limit rises while the call rings.

The cost of a change hardly depends on the number of calls and agents.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count, islice
from typing import Final, NamedTuple

RING_LIMIT: Final = 20
"""Number of agents at whom a call rings at first; each widening adds the same number."""

WIDEN_SECONDS: Final = 10.0
"""Seconds after which a call that still rings also rings at further agents."""


@dataclass(frozen=True, slots=True)
class RingAt:
    """The call rings at exactly these agents; if there are none, it waits without ringing."""

    call_id: str
    agents: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Enqueue:
    """The call waits in the queue at this place, counted from 1."""

    call_id: str
    place: int


@dataclass(frozen=True, slots=True)
class Declined:
    """Every agent on duty has declined the call."""

    call_id: str


Decision = RingAt | Enqueue | Declined


class _Key(NamedTuple):
    """Sort key of the waiting calls: rank, then order of arrival."""

    rank: int
    number: int


@dataclass(slots=True, eq=False)
class _Waiting:
    """A waiting call. `is_present` is false while its visitor's page is disconnected.

    `agents` are those at whom it rings; the dictionary keeps their order.
    """

    id: str
    key: _Key
    widenings: int = 0
    is_present: bool = True
    is_ringing: bool = False
    has_rung: bool = False
    is_enqueued: bool = False
    is_in_heap: bool = False
    agents: dict[int, None] = field(default_factory=dict)
    declined: set[int] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class _Agent:
    """An agent on duty, with the calls that ring at them.

    `idle_number` orders the agents by the time at which they became free.
    """

    id: int
    is_free: bool = False
    idle_number: int = 0
    calls: dict[str, None] = field(default_factory=dict)


class Distribution:
    """Waiting calls and agents on duty of one site.

    Each method under "Changes" applies one change; `decide` returns the decisions that result from
    all changes so far. `ring_limit` is the number of agents at whom a call rings at first, `None`
    for all.

    Entries of heaps are not removed when they become stale; they are skipped when they come up.
    """

    def __init__(self, ring_limit: int | None = RING_LIMIT) -> None:
        self._ring_limit = ring_limit
        self._numbers = count(1)
        self._calls: dict[str, _Waiting] = {}
        self._agents: dict[int, _Agent] = {}
        self._free_count = 0
        self._ringing_count = 0
        # Heap of the calls that wait without ringing
        self._queue: list[tuple[_Key, str]] = []
        # Heap of the ringing calls, the last one in order first
        self._ringing: list[tuple[int, int, str]] = []
        # Heaps of the free agents by idle number, one for each number of calls that ring at them
        self._idle: dict[int, list[tuple[int, int]]] = {}
        # Ringing calls below their limit; true: search all free agents, false: only `_fresh`
        self._short: dict[str, bool] = {}
        # Agents who have become free since the last decisions
        self._fresh: list[_Agent] = []
        # Queued calls by rank
        self._enqueued: dict[int, dict[str, None]] = {}
        # Calls that at least one agent has declined
        self._declined: dict[str, None] = {}
        # Calls that need a decision
        self._changed: dict[str, None] = {}

    # Changes

    def add_call(self, call_id: str, rank: int = 0, declined: Iterable[int] = ()) -> None:
        """Add a waiting call behind all others of its rank; `declined` are ids of agents."""
        call = _Waiting(call_id, _Key(rank, next(self._numbers)))
        call.declined.update(declined)
        call.has_rung = bool(call.declined)
        self._calls[call_id] = call
        self._push(call)
        self._changed[call_id] = None

    def remove_call(self, call_id: str) -> None:
        """Forget a call that no longer waits."""
        call = self._calls.pop(call_id, None)
        if call:
            self._stop(call)
            self._set_enqueued(call, is_enqueued=False)
            for index in (self._short, self._declined, self._changed):
                index.pop(call_id, None)

    def set_present(self, call_id: str, *, is_present: bool) -> None:
        """Set whether the visitor is connected; without them, the call does not ring."""
        call = self._calls.get(call_id)
        if call is None or call.is_present == is_present:
            return
        call.is_present = is_present
        if is_present:
            self._push(call)
            self._changed[call_id] = None
        else:
            self._stop(call)
            self._changed.pop(call_id, None)

    def decline(self, call_id: str, agent_id: int) -> None:
        """Stop a call from ringing at an agent who has declined it."""
        call = self._calls.get(call_id)
        if call is None:
            return
        call.declined.add(agent_id)
        self._declined[call_id] = None
        if agent_id in call.agents:
            self._unlink(call, self._agents[agent_id])
            self._changed[call_id] = None
            self._short[call_id] = True

    def set_agent(self, agent_id: int, *, is_on_duty: bool, is_free: bool) -> None:
        """Set whether an agent is on duty (console open, not away) and free (in no call)."""
        agent = self._agents.get(agent_id)
        if agent is None:
            if not is_on_duty:
                return
            agent = self._agents[agent_id] = _Agent(agent_id)
        is_free = is_free and is_on_duty
        if is_free != agent.is_free:
            self._set_free(agent, is_free=is_free)
        if not is_on_duty:
            del self._agents[agent_id]

    def set_free(self, agent_id: int, *, is_free: bool) -> None:
        """Set whether an agent on duty is free, that is, not in a call."""
        agent = self._agents.get(agent_id)
        if agent and is_free != agent.is_free:
            self._set_free(agent, is_free=is_free)

    def touch_agent(self, agent_id: int) -> None:
        """Decide again on the calls that ring at an agent who has opened or closed a console."""
        if agent := self._agents.get(agent_id):
            self._changed |= agent.calls

    def widen(self, call_id: str) -> None:
        """Raise the limit of a call that still rings, so that it rings at further agents."""
        call = self._calls.get(call_id)
        if call and call.is_ringing:
            call.widenings += 1
            self._short[call_id] = True

    def set_ring_limit(self, ring_limit: int | None) -> bool:
        """Set the limit of every call; return whether it has changed."""
        if ring_limit == self._ring_limit:
            return False
        self._ring_limit = ring_limit
        for call in self._calls.values():
            for agent_id in list(call.agents)[self._limit(call) :]:
                self._unlink(call, self._agents[agent_id])
                self._changed[call.id] = None
            if call.is_ringing:
                self._short[call.id] = True
        return True

    # Decisions

    def decide(self) -> list[Decision]:
        """Return the decisions that result from the changes since the last call of this method."""
        self._trim()
        self._start()
        if self._fill():
            self._start()
        decisions = [d for d in map(self._decision, self._changed_in_order()) if d]
        self._changed.clear()
        decisions += self._declined_by_all()
        return decisions

    @property
    def has_agents(self) -> bool:
        """Whether an agent is on duty, free or in a call."""
        return bool(self._agents)

    def __len__(self) -> int:
        """Return the number of waiting calls."""
        return len(self._calls)

    def __contains__(self, call_id: str) -> bool:
        return call_id in self._calls

    def queue(self) -> Iterator[str]:
        """Yield the ids of the calls that do not ring, in the order in which they will ring."""
        for rank in sorted(self._enqueued):
            calls = [self._calls[call_id] for call_id in self._enqueued[rank]]
            yield from (call.id for call in sorted(calls, key=lambda call: call.key))

    def can_widen(self, call_id: str) -> bool:
        """Whether a ringing call could ring at more agents if its limit were higher."""
        call = self._calls.get(call_id)
        return call is not None and call.is_ringing and len(call.agents) < self._free_count

    # Internals

    def _limit(self, call: _Waiting) -> int:
        """Return the number of agents at whom the call may ring."""
        at_first = 1 << 30 if self._ring_limit is None else self._ring_limit
        return at_first * (1 + call.widenings)

    def _set_free(self, agent: _Agent, *, is_free: bool) -> None:
        agent.is_free = is_free
        self._free_count += 1 if is_free else -1
        if is_free:
            agent.idle_number = next(self._numbers)
            self._fresh.append(agent)
            self._push_idle(agent)
            return
        for call_id in list(agent.calls):
            self._unlink(self._calls[call_id], agent)
            self._changed[call_id] = None
            self._short[call_id] = True

    def _trim(self) -> None:
        """Queue the last ringing calls while more calls ring than agents are free."""
        while self._ringing_count > self._free_count:
            call = self._last_ringing()
            self._stop(call)
            self._push(call)
            self._changed[call.id] = None

    def _start(self) -> None:
        """Ring the first queued calls while fewer calls ring than agents are free."""
        aside: list[_Waiting] = []
        while call := self._first_queued():
            if not self._has_room_for(call):
                aside.append(call)
                break
            if self._ring(call):
                self._changed[call.id] = None
            else:
                aside.append(call)  # every free agent has declined it
        for call in aside:
            self._push(call)

    def _has_room_for(self, call: _Waiting) -> bool:
        """Whether the call may ring; a ringing call that is later in order is queued for it."""
        if self._ringing_count < self._free_count:
            return True
        last = self._last_ringing() if self._ringing_count else None
        if last is None or last.key < call.key:
            return False
        if not self._candidates(call, 1):
            return True  # no agent can take it, so no other call has to stop ringing
        self._stop(last)
        self._push(last)
        self._changed[last.id] = None
        return True

    def _ring(self, call: _Waiting) -> bool:
        """Let the call ring at agents up to its limit; return whether there are any."""
        agents = self._candidates(call, self._limit(call))
        if not agents:
            return False
        for agent in agents:
            self._link(call, agent)
        call.is_ringing = call.has_rung = True
        self._set_enqueued(call, is_enqueued=False)
        self._ringing_count += 1
        heappush(self._ringing, (-call.key.rank, -call.key.number, call.id))
        if len(call.agents) < self._limit(call):
            self._short[call.id] = False
        return True

    def _fill(self) -> bool:
        """Let ringing calls ring at further agents up to their limits.

        Return whether a call has stopped ringing because every free agent has declined it.
        """
        has_stopped = False
        for call_id, is_search in list(self._short.items()):
            call = self._calls[call_id]
            limit = self._limit(call)
            room = limit - len(call.agents)
            added = self._candidates(call, room) if is_search else self._fresh_for(call, room)
            for agent in added:
                self._link(call, agent)
            if added:
                self._changed[call_id] = None
            self._short[call_id] = False
            if len(call.agents) >= limit:
                del self._short[call_id]
            if not call.agents:
                self._stop(call)
                self._push(call)
                self._changed[call_id] = None
                has_stopped = True
        self._fresh.clear()
        return has_stopped

    def _fresh_for(self, call: _Waiting, room: int) -> list[_Agent]:
        """Return agents who have just become free and at whom the call may ring, at most `room`."""
        possible = [
            agent
            for agent in dict.fromkeys(self._fresh)
            if agent.is_free and agent.id not in call.agents and agent.id not in call.declined
        ]
        return possible[:room]

    def _changed_in_order(self) -> list[str]:
        return sorted(self._changed, key=lambda call_id: self._calls[call_id].key)

    def _decision(self, call_id: str) -> Decision | None:
        call = self._calls[call_id]
        if call.is_ringing:
            return RingAt(call_id, tuple(call.agents))
        if call.is_enqueued or self._is_declined(call):
            return None
        self._set_enqueued(call, is_enqueued=True)
        return Enqueue(call_id, self._place(call))

    def _set_enqueued(self, call: _Waiting, *, is_enqueued: bool) -> None:
        call.is_enqueued = is_enqueued
        of_rank = self._enqueued.setdefault(call.key.rank, {})
        if is_enqueued:
            of_rank[call.id] = None
        else:
            of_rank.pop(call.id, None)
            if not of_rank:
                del self._enqueued[call.key.rank]

    def _place(self, call: _Waiting) -> int:
        """Return the place of a call that has just been queued; most are the last of their rank."""
        ahead = sum(len(calls) for rank, calls in self._enqueued.items() if rank < call.key.rank)
        of_rank = self._enqueued[call.key.rank]
        previous = next(islice(reversed(of_rank), 1, None), None)
        if previous is None or self._calls[previous].key < call.key:
            return ahead + len(of_rank)
        return ahead + sum(self._calls[other].key <= call.key for other in of_rank)

    def _declined_by_all(self) -> Iterable[Declined]:
        return [
            Declined(call_id)
            for call_id in self._declined
            if self._is_declined(self._calls[call_id])
        ]

    def _is_declined(self, call: _Waiting) -> bool:
        """Whether every agent on duty has declined the call."""
        if not call.declined or not call.has_rung or call.is_enqueued or not call.is_present:
            return False
        return sum(agent in self._agents for agent in call.declined) == len(self._agents)

    def _candidates(self, call: _Waiting, limit: int) -> list[_Agent]:
        """Return free agents at whom the call may ring: fewest calls first, then longest idle."""
        found: dict[_Agent, None] = {}
        skipped: dict[_Agent, None] = {}
        for ring_count in sorted(self._idle):
            heap = self._idle[ring_count]
            while heap and len(found) < limit:
                agent = self._agent_of(*heappop(heap), ring_count)
                if agent:
                    is_possible = agent.id not in call.declined and agent.id not in call.agents
                    (found if is_possible else skipped)[agent] = None
            if not heap:
                del self._idle[ring_count]
        for agent in (*found, *skipped):
            self._push_idle(agent)
        return list(found)

    def _agent_of(self, idle_number: int, agent_id: int, ring_count: int) -> _Agent | None:
        """Return the agent of an entry of the idle heaps, `None` if the entry is stale."""
        agent = self._agents.get(agent_id)
        if agent and agent.is_free and agent.idle_number == idle_number:
            return agent if len(agent.calls) == ring_count else None
        return None

    def _push_idle(self, agent: _Agent) -> None:
        heappush(self._idle.setdefault(len(agent.calls), []), (agent.idle_number, agent.id))

    def _link(self, call: _Waiting, agent: _Agent) -> None:
        call.agents[agent.id] = None
        agent.calls[call.id] = None
        self._push_idle(agent)

    def _unlink(self, call: _Waiting, agent: _Agent) -> None:
        del call.agents[agent.id]
        del agent.calls[call.id]
        if agent.is_free:
            self._push_idle(agent)

    def _stop(self, call: _Waiting) -> None:
        """Stop the call from ringing."""
        for agent_id in list(call.agents):
            self._unlink(call, self._agents[agent_id])
        if call.is_ringing:
            call.is_ringing = False
            self._ringing_count -= 1
        self._short.pop(call.id, None)

    def _first_queued(self) -> _Waiting | None:
        """Remove and return the first call of the heap that waits without ringing."""
        while self._queue:
            key, call_id = heappop(self._queue)
            call = self._calls.get(call_id)
            if call and call.key == key:
                call.is_in_heap = False
                if call.is_present and not call.is_ringing:
                    return call
        return None

    def _push(self, call: _Waiting) -> None:
        """Put a call that waits without ringing into the heap."""
        if not call.is_in_heap:
            call.is_in_heap = True
            heappush(self._queue, (call.key, call.id))

    def _last_ringing(self) -> _Waiting:
        """Return the ringing call that is last in order."""
        while True:
            _, number, call_id = self._ringing[0]
            call = self._calls.get(call_id)
            if call and call.is_ringing and call.key.number == -number:
                return call
            heappop(self._ringing)
