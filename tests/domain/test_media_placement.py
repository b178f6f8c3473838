"""The choice of a media worker, over arbitrary workers."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from visavis.domain.media_placement import WorkerLoad, choose_worker

WORKERS = st.lists(
    st.builds(
        WorkerLoad,
        name=st.text("abcdef", min_size=1, max_size=3),
        bridges=st.integers(0, 50),
        busy=st.floats(0, 2),
        region=st.sampled_from(["", "east", "west"]),
        has_room=st.booleans(),
        is_draining=st.booleans(),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda worker: worker.name,
)


def everyone(workers: Sequence[WorkerLoad]) -> Sequence[WorkerLoad]:
    return workers


def test_without_workers_there_is_no_choice() -> None:
    assert choose_worker([], "", everyone) is None


@given(WORKERS, st.sampled_from(["", "east", "west"]))
def test_no_better_worker_is_passed_over(workers: list[WorkerLoad], region: str) -> None:
    chosen = choose_worker(workers, region, everyone)
    assert chosen in workers
    for other in workers:
        if chosen.is_draining:
            assert other.is_draining
        elif other.is_draining:
            continue
        elif not chosen.has_room:
            assert not other.has_room
        elif not other.has_room:
            continue
        elif chosen.region != region:
            assert other.region != region
        elif other.region == region:
            assert round(chosen.busy * 10) <= round(other.busy * 10)
            if round(chosen.busy * 10) == round(other.busy * 10):
                assert chosen.bridges <= other.bridges


@given(WORKERS, st.data())
def test_only_the_sample_is_compared(workers: list[WorkerLoad], data: st.DataObject) -> None:
    seen: list[Sequence[WorkerLoad]] = []

    def sample(candidates: Sequence[WorkerLoad]) -> Sequence[WorkerLoad]:
        size = data.draw(st.integers(1, len(candidates)))
        seen.append(candidates[-size:])
        return seen[-1]

    chosen = choose_worker(workers, "east", sample)
    assert chosen in seen[0]
    ranks = {(one.is_draining, one.has_room, one.region == "east") for one in seen[0]}
    assert len(ranks) == 1


@given(WORKERS)
def test_the_order_does_not_matter(workers: list[WorkerLoad]) -> None:
    assert choose_worker(workers, "", everyone) == choose_worker(workers[::-1], "", everyone)
