"""Four storms with every kind of fault: calls go on. `.venv/bin/pytest -m storm` runs them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from tests.cluster.checker import figures, violations
from tests.cluster.faults import KINDS, plan
from tests.cluster.history import CallConnected, FaultBegun
from tests.cluster.storm import Storm
from tests.cluster.topology import Topology, running
from visavis.services.cluster.heartbeats import SILENCE_SECONDS

pytestmark = [pytest.mark.fault, pytest.mark.media, pytest.mark.storm]

SEEDS = (69, 12, 21, 77)
FAULTS = 3
"""Of each storm. All together have every kind, and a node is frozen for longer than it may be."""


def test_the_storms_have_every_kind_of_fault() -> None:
    planned = [fault for seed in SEEDS for fault in islice(plan(seed), FAULTS)]
    assert {fault.kind for fault in planned} == set(KINDS)
    assert max(f.seconds for f in planned if f.kind.name == "app frozen") > SILENCE_SECONDS


@pytest.fixture(scope="module")
def cluster_of_nodes(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Topology, list[str]]]:
    with running(tmp_path_factory.mktemp("storm")) as topology:
        yield topology, [topology.add_agent(name) for name in ("an", "bo", "cy", "di")]


@pytest.mark.anyio
@pytest.mark.parametrize("seed", SEEDS)
async def test_the_promises_hold_in_a_storm(
    cluster_of_nodes: tuple[Topology, list[str]], seed: int, tmp_path: Path
) -> None:
    topology, tokens = cluster_of_nodes
    history = await Storm(topology, seed).run(FAULTS, tokens)
    history.save(tmp_path / "history.json")
    print([event.kind for event in history.of(FaultBegun)], figures(history))
    assert violations(history) == []
    assert len(list(history.of(FaultBegun))) == FAULTS
    assert list(history.of(CallConnected))
