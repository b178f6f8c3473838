"""The simulated network of the tests has the configured losses."""

from __future__ import annotations

from itertools import groupby

import pytest

from tests.media.network import Network

DATAGRAMS = 20_000


@pytest.mark.parametrize("burst", [1.0, 8.0])
def test_losses_have_their_share_and_come_in_bursts(burst: float) -> None:
    network = Network(seed=3, loss=0.05, burst=burst, delay=0.0)
    arrived: set[int] = set()
    for number in range(DATAGRAMS):
        network.send(
            number.to_bytes(4, "big"), lambda data: arrived.add(int.from_bytes(data, "big"))
        )
    network.run_until(1.0)
    is_lost = [number not in arrived for number in range(DATAGRAMS)]
    runs = [len(list(run)) for lost, run in groupby(is_lost) if lost]
    assert network.lost == DATAGRAMS - len(arrived)
    assert network.lost / DATAGRAMS == pytest.approx(0.05, abs=0.012)
    assert sum(runs) / len(runs) == pytest.approx(burst, rel=0.15)
