"""Choice of the media worker for a new bridge: by room for recordings, region and load."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

BUSY_STEPS: Final = 10
"""Steps of a processor's use that are compared; smaller differences are noise."""


@dataclass(frozen=True, slots=True)
class WorkerLoad:
    """A media worker and its load. `busy` is the part of a processor that it uses."""

    name: str
    bridges: int
    busy: float = 0.0
    region: str = ""
    has_room: bool = True
    is_draining: bool = False


Sample = Callable[[Sequence[WorkerLoad]], Sequence[WorkerLoad]]
"""Function that returns some of the workers, at least one."""


def choose_worker(workers: Sequence[WorkerLoad], region: str, sample: Sample) -> WorkerLoad | None:
    """Return the worker for a new bridge; `None` if there is none.

    A worker that is being drained, or whose spool is full, is chosen only if all are, and a worker
    of another region only if this one has none. Of the others, the least busy one in a sample is
    chosen, and of equally busy ones the one with the fewest bridges. Apps that choose at the same
    time see the same loads, so each compares a sample of its own.
    """
    if not workers:
        return None
    best = min(_rank(worker, region) for worker in workers)
    candidates = [worker for worker in workers if _rank(worker, region) == best]
    return min(sample(candidates), key=_load)


def _rank(worker: WorkerLoad, region: str) -> tuple[bool, bool, bool]:
    return worker.is_draining, not worker.has_room, worker.region != region


def _load(worker: WorkerLoad) -> tuple[int, int, str]:
    return round(worker.busy * BUSY_STEPS), worker.bridges, worker.name
